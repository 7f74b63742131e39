"""How much of what could be tried for ever does this run try: all, or some, and drawn by which seed?"""

from __future__ import annotations

import os
from datetime import date


def whole() -> bool:
    """Whether everything is tried (``MUSTER_CELLS=all``, as ``make test-all`` sets it)."""
    return os.environ.get("MUSTER_CELLS") == "all"


def seed() -> str:
    """Return by what cells are drawn: ``MUSTER_SEED``, else 1 on a build machine (``CI``), else the day."""
    return os.environ.get("MUSTER_SEED") or ("1" if os.environ.get("CI") else str(date.today().toordinal()))


def examples(some: int, many: int) -> int:
    """Return how many examples a property is tried on: ``some`` in every run, ``many`` where everything is tried."""
    return many if whole() else some
