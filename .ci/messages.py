"""Is every text of code and templates there in Chinese? English is what the code says.

Usage: python .ci/messages.py --update   bring locale/ up to date and compile it
       python .ci/messages.py --check    fail where a text has no translation, or where locale/ is not up to date

Needs none of gettext's programs: Babel reads and writes the catalogues, Django turns templates into what Babel reads.
"""

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("accounts", "incidents", "coordination", "sharing")
FOLDER = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
PO, MO = FOLDER / "django.po", FOLDER / "django.mo"
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "N_": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3), "npgettext_lazy": ((1, "c"), 2, 3),
}  # fmt: skip
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")
# texts that Django shows on our pages and whose Chinese it lacks
BORROWED = [
    (
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    )
]
PLURALS = "nplurals=1; plural=0;"


def sources() -> Iterator[tuple[Path, str]]:
    """Return every file that may hold a text, and what Babel should read of it."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")
    for folder in [ROOT / "templates", *(ROOT / room for room in ROOMS)]:
        for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.txt"), *folder.rglob("*.svg")]):
            yield path, templatize(path.read_text(encoding="utf-8"), origin=str(path.relative_to(ROOT)))


def found() -> Catalog:
    """Return the texts that code and templates hold."""
    catalog = Catalog(charset="utf-8")
    for message in BORROWED:
        catalog.add(message, None, [(".ci/messages.py", 0)])
    for path, text in sources():
        name = str(path.relative_to(ROOT))
        reader = io.BytesIO(text.encode())
        for _line, message, comments, context in extract("python", reader, keywords=KEYWORDS, comment_tags=["Translators:"]):
            if message and (not isinstance(message, tuple) or message[0]):
                catalog.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return catalog


def stored() -> Catalog:
    """Return what locale/ holds, empty when there is nothing yet."""
    if not PO.exists():
        return Catalog(locale="zh_Hans", charset="utf-8")
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def key(message) -> tuple[str, str]:
    """Return what tells one text from another."""
    first = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
    return (message.context or "", first)


def merged() -> Catalog:
    """Return the texts found with the translations stored; sorted by text, so that changes are easy to read."""
    old = {key(message): message for message in stored() if message.id}
    catalog = Catalog(
        locale="zh_Hans", project="Muster", version="1", charset="utf-8", fuzzy=False, header_comment="# Chinese (simplified)"
    )
    for message in sorted((message for message in found() if message.id), key=key):
        before = old.get(key(message))
        string = before.string if before is not None else ""
        if isinstance(message.id, (tuple, list)) and not isinstance(string, (tuple, list)):
            string = (string,)
        if not isinstance(message.id, (tuple, list)) and isinstance(string, (tuple, list)):
            string = string[0] if string else ""
        flags = (before.flags & {"fuzzy"}) if before is not None else set()
        places = sorted({place for place, _ in message.locations})
        catalog.add(message.id, string, [(place, 0) for place in places[:3]], flags | (message.flags - {"fuzzy"}),
                    auto_comments=message.auto_comments, context=message.context)  # fmt: skip
    return catalog


def placeholders(text: str) -> set[str]:
    """Return the places in a text that a value is put into."""
    return {match[0] for match in PLACEHOLDER.finditer(text.replace("%%", ""))}


def faults(catalog: Catalog) -> list[str]:
    """Return what is missing or cannot be right."""
    lines = []
    for message in catalog:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        where = message.locations[0][0] if message.locations else "?"
        if not all(strings) or message.fuzzy:
            lines.append(f"{where}: no Chinese for {ids[0]!r}")
        elif any(not placeholders(string) <= placeholders(" ".join(ids)) for string in strings) or (
            len(ids) == 1 and placeholders(strings[0]) != placeholders(ids[0])
        ):
            lines.append(f"{where}: other placeholders in the Chinese of {ids[0]!r}")
    return lines


def compiled(catalog: Catalog) -> bytes:
    """Return the .mo of ``catalog``."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def written(catalog: Catalog) -> bytes:
    """Return the .po of ``catalog``, without dates, which would make every update a change."""
    out = io.BytesIO()
    write_po(out, catalog, width=110, no_location=False, include_lineno=False, omit_header=True)
    header = (
        '# Chinese (simplified)\nmsgid ""\nmsgstr ""\n"Language: zh_Hans\\n"\n"MIME-Version: 1.0\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {PLURALS}\\n"\n\n'
    )
    return header.encode() + out.getvalue()


def compiled_from(po: bytes) -> bytes:
    """Return the .mo of a .po's text."""
    catalog = read_po(io.BytesIO(po), locale="zh_Hans")
    catalog.fuzzy = False
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # else every minute another file
    return compiled(catalog)


def main(arguments: list[str]) -> int:
    """Update or check."""
    settings.configure(USE_I18N=True)
    catalog = merged()
    po = written(catalog)
    problems = faults(catalog)
    if "--update" in arguments:
        FOLDER.mkdir(parents=True, exist_ok=True)
        PO.write_bytes(po)
        MO.write_bytes(compiled_from(po))
        print(f"{len(catalog)} texts, {len(problems)} to be translated")
        return 0
    if not PO.exists() or {key(m) for m in stored() if m.id} != {key(m) for m in catalog if m.id}:
        problems.append("locale/ does not hold the texts of the code: make messages")
    elif not MO.exists() or MO.read_bytes() != compiled_from(PO.read_bytes()):
        problems.append("the compiled catalogue is not that of django.po: make messages")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
