"""Does every lock leave the row's key free?

Foreign keys are checked at COMMIT, after the streams' counters are taken. A lock of the key too (``FOR UPDATE``) would
make that check wait for somebody who waits for the counters: a deadlock.
"""

from __future__ import annotations

import re

from coordination.config.settings.base import BASE_DIR

ROOMS = ("accounts", "coordination", "incidents", "sharing")
DELETES = {"incidents/actions/purging.py"}
"""Where the locked rows are deleted at once."""


def test_no_lock_takes_the_key() -> None:
    found = [
        f"{path.relative_to(BASE_DIR)}: {call}"
        for room in ROOMS
        for path in sorted((BASE_DIR / room).rglob("*.py"))
        if str(path.relative_to(BASE_DIR)) not in DELETES
        for call in re.findall(r"select_for_update\((?!no_key=True).*", path.read_text())
    ]
    assert found == []
