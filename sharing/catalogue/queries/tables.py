"""Which codes are there, and what do they mean?

Codes are public to every department: no actor is asked. A table that this installation has not loaded yet answers
with the codes that Muster ships.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from coordination.events.at_once import Steps, answer, at_once
from coordination.events.kept import Texts, kept
from coordination.events.text import localized
from sharing.catalogue import shipped
from sharing.catalogue.models import Code


def codes(table: str, *, all: bool = False) -> list[Code]:
    """The codes of one table in their order; ``all`` adds those no longer in use. Unknown table: empty list."""
    return answer(codes_steps([table], all=all))[table]


def codes_steps(tables: Collection[str], *, all: bool = False) -> Steps[dict[str, list[Code]]]:
    """The codes of several tables by table, as `codes` gives each; one step."""
    (rows,) = yield [kept(_listed, sorted(tables))]
    found: dict[str, list[Code]] = {table: [] for table in tables}
    for row in rows:
        found[row.table].append(row)
    return {
        table: [row for row in mine or shipped.tables().get(table, ()) if all or row.active]
        for table, mine in found.items()
    }


def _listed(tables: Sequence[str]) -> QuerySet[Code]:
    return Code.objects.filter(table__in=tables).order_by("sort", "code")


def names(table: str) -> dict[str, Code]:
    """Every code of a table by its code, those no longer in use included: old rows keep their names."""
    return answer(names_steps(table))


def names_steps(table: str) -> Steps[dict[str, Code]]:
    """`names`, to be asked beside other questions; one step."""
    rows = yield from codes_steps([table], all=True)
    return {row.code: row for row in rows[table]}


def path_names(table: str, paths: Collection[str]) -> dict[str, str]:
    """The name of each path code, as `path_name` gives it; only these codes and those above them are read."""
    steps = {path: _upwards(path) for path in paths}
    wanted = sorted({step for mine in steps.values() for step in mine})
    rows, loaded = at_once(kept(_called, table, Texts(tuple(wanted))), kept(_some, table))
    known = {code: localized(zh, en) for code, zh, en in rows}
    if not loaded:
        known = {row.code: row.name for row in shipped.tables().get(table, ())}
    return {path: next((known[step] for step in mine if step in known), path) for path, mine in steps.items()}


def _upwards(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _called(table: str, wanted: Texts) -> QuerySet[Code, tuple[str, str, str]]:
    return Code.objects.filter(table=table, code__in=wanted.given).values_list("code", "name_zh", "name_en")


def _some(table: str) -> QuerySet[Code, str]:
    """One code, where the table is loaded at all."""
    return Code.objects.filter(table=table).values_list("code", flat=True)[:1]


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
    return next((names_of_table[step].name for step in _upwards(path) if step in names_of_table), path)
