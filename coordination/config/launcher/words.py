"""In which language does the launcher speak, and how does it refuse?

It runs without Django: the same catalogue of translations is read with Python's own means, by the terminal's language.
"""

import functools
import gettext as catalogues
import os
from collections.abc import Mapping
from pathlib import Path

LOCALE = Path(__file__).resolve().parents[3] / "locale"


def gettext(text: str) -> str:
    """Return ``text`` in the language of the terminal: Chinese when LANG says so, English otherwise."""
    return catalogue(language(os.environ)).gettext(text)


def language(environment: Mapping[str, str]) -> str:
    """Return ``zh_Hans`` or ``en`` by the variables that programs go by (LANGUAGE, LC_ALL, LC_MESSAGES, LANG)."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "zh_Hans" if value.lower().startswith("zh") else "en"
    return "en"


@functools.cache
def catalogue(name: str) -> catalogues.NullTranslations:
    """Return the translations of one language; none are needed for English."""
    return catalogues.translation("django", LOCALE, languages=[name], fallback=True)


def noted(command: str, note: str) -> str:
    """Return a command with a remark that a shell skips."""
    return f"{command}  # {note}"


class Refusal(RuntimeError):
    """Why there is no start: what is wrong, and what mends it (commands, one a line; or a sentence)."""

    def __init__(self, wrong: str, remedy: str = "") -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.remedy = remedy

    def __str__(self) -> str:
        """Both, for a terminal."""
        if not self.remedy:
            return self.wrong
        remedy = self.remedy.replace("\n", "\n    ")
        return "\n".join((self.wrong, gettext("What mends it:"), f"    {remedy}"))
