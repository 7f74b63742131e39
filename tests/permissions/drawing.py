"""Which cells of the table does this run try: all, or some, and drawn by which seed?"""

from __future__ import annotations

import os
from datetime import date


def whole() -> bool:
    """Whether every cell is tried (``MUSTER_CELLS=all``, as ``make test-all`` sets it)."""
    return os.environ.get("MUSTER_CELLS") == "all"


def seed() -> str:
    """Return by what cells are drawn: ``MUSTER_SEED``, else 1 on a build machine (``CI``), else the day."""
    return os.environ.get("MUSTER_SEED") or ("1" if os.environ.get("CI") else str(date.today().toordinal()))
