"""Which codes are there, and what do they mean?

Codes are public to every department: no actor is asked. A table that this installation has not loaded yet answers
with the codes that Muster ships.
"""

from __future__ import annotations

from sharing.catalogue import shipped
from sharing.catalogue.models import Code


def codes(table: str, *, all: bool = False) -> list[Code]:
    """The codes of one table in their order; ``all`` adds those no longer in use. Unknown table: empty list."""
    rows = list(Code.objects.filter(table=table).order_by("sort", "code")) or list(shipped.tables().get(table, ()))
    return rows if all else [row for row in rows if row.active]


def names(table: str) -> dict[str, Code]:
    """Every code of a table by its code, those no longer in use included: old rows keep their names."""
    return {row.code: row for row in codes(table, all=True)}


def code(table: str, code: str) -> Code | None:
    """One code in use, or None."""
    row = Code.objects.filter(table=table, code=code).first()
    if row is None and not Code.objects.filter(table=table).exists():
        row = next((entry for entry in shipped.tables().get(table, ()) if entry.code == code), None)
    return row if row is not None and row.active else None


def table_names() -> list[str]:
    """Every table that is loaded or shipped."""
    return sorted({*Code.objects.values_list("table", flat=True).distinct(), *shipped.tables()})


def path_name(names_of_table: dict[str, Code], path: str) -> str:
    """Name of a path code in the reader's language; for a code unknown by now its nearest known parent, or the code."""
    step = path
    while step:
        if step in names_of_table:
            return names_of_table[step].name
        step = step.rpartition(".")[0]
    return path
