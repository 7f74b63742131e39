"""Which code tables come with Muster?

Each file of ``codes/`` holds one table (``table``, ``codes``) or several (``tables``); a code is
``{code, zh, en, data?, active?}``. The parent of a path code is what stands before its last dot.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml

from sharing.catalogue.models import Code

FOLDER = Path(__file__).parent / "codes"


@functools.cache
def tables() -> dict[str, tuple[Code, ...]]:
    """Every shipped table with its codes as unsaved rows, in the order of the files."""
    found: dict[str, tuple[Code, ...]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for table in content.get("tables", [content]):
            name = table["table"]
            if name in found:
                raise ValueError(f"{path.name}: table {name} exists already")
            found[name] = tuple(_code(name, entry, sort) for sort, entry in enumerate(table["codes"]))
            if len({code.code for code in found[name]}) != len(found[name]):
                raise ValueError(f"{path.name}: a code stands twice in {name}")
    return found


def _code(table: str, entry: dict[str, Any], sort: int) -> Code:
    unknown = set(entry) - {"code", "zh", "en", "data", "active"}
    if unknown:
        raise ValueError(f"{table}/{entry.get('code')}: unknown {', '.join(sorted(unknown))}")
    code = str(entry["code"])
    return Code(
        table=table, code=code, parent=code.rpartition(".")[0], name_zh=str(entry["zh"]), name_en=str(entry["en"]),
        data=entry.get("data", {}), sort=sort, active=entry.get("active", True),
    )
