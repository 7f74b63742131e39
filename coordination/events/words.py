"""By which words is a stored text found again?

Every server has ``tsvector`` and GIN, not every one has trigrams or a Chinese dictionary: so the words are made here.
Chinese runs become overlapping pairs of characters plus their last character, so that any part of a run, one
character included, is the beginning of some word; Latin letters and digits become lower-case words.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import models
from django.db.models import Lookup

MOST_WORDS = 1_200
"""Distinct words kept of one row; what a text says later than that is not found by it."""

_RUN = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)|([^\W_]+)")


def words_of(*texts: str) -> list[str]:
    """Distinct words of the texts in order of first appearance, at most `MOST_WORDS`."""
    found: dict[str, None] = {}
    for text in texts:
        for chinese, latin in _runs(text):
            for word in _pairs(chinese) if chinese else [latin[:60]]:
                found.setdefault(word)
            if len(found) >= MOST_WORDS:
                return list(found)[:MOST_WORDS]
    return list(found)


def query_of(text: str) -> str:
    """A ``tsquery`` that wants every word of ``text`` as the beginning of a stored word; empty where it has none."""
    wanted: dict[str, None] = {}
    for chinese, latin in _runs(text[:200]):
        if chinese:
            pairs = [chinese] if len(chinese) == 1 else [chinese[i : i + 2] for i in range(len(chinese) - 1)]
            for pair in pairs:
                wanted.setdefault(pair)
        else:
            wanted.setdefault(latin[:60])
    return " & ".join(f"'{word}':*" for word in list(wanted)[:24])


def _runs(text: str) -> list[tuple[str, str]]:
    return _RUN.findall(unicodedata.normalize("NFKC", text).casefold())


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] + [run[-1]]


class WordsField(models.Field):  # type: ignore[type-arg]
    """A ``tsvector`` made by `words_of`: assign the list of words (or texts joined); never read back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", list)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:
        """PostgreSQL's own type."""
        return "tsvector"

    def get_prep_value(self, value: Any) -> str:
        """The words, quoted; a word holds letters and digits only, so quoting is complete."""
        if isinstance(value, str):
            return value
        return " ".join(f"'{word}'" for word in value or ())


@WordsField.register_lookup
class Found(Lookup):  # type: ignore[type-arg]
    """``words__found="text"``: rows that hold every word of the text; a text without words finds nothing."""

    lookup_name = "found"

    def get_prep_lookup(self) -> str:
        """The text as a ``tsquery``."""
        return query_of(str(self.rhs))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """``column @@ query``."""
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} @@ {right}::tsquery", (*left_params, *right_params)

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """The query as it is: it is no value of the column's type."""
        return "%s", (value,)


class WordsManager(models.Manager[Any]):
    """Leaves the words where they are: no reader needs them."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Every row, without its words."""
        names = [field.name for field in self.model._meta.local_fields if isinstance(field, WordsField)]
        return super().get_queryset().defer(*names)


__all__ = ["MOST_WORDS", "Found", "WordsField", "WordsManager", "query_of", "words_of"]
