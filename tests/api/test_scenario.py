"""Does one instruction run from draft to closed over REST, against the whole running system?"""

from __future__ import annotations

import json
from pathlib import Path

from tests.api import scenario
from tests.stacks import System


def test_a_script_that_knows_only_sign_ins_and_description_drives_the_loop(stack: System, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps(stack.accounts), encoding="utf-8")
    assert scenario.run(str(accounts), f"{stack.base_url}/api/v1/schema") > 10
