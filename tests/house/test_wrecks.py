"""Does a wrecked system come up by itself, or say what mends it? A run of every night; by hand: ``make wrecks``."""

import os
import subprocess
import sys

import pytest

from coordination.config.launcher.folders import REPOSITORY

pytestmark = pytest.mark.stack


def wrecked(count: int, seed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.house.wrecks", "--count", str(count), "--seed", seed]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


@pytest.mark.long
@pytest.mark.timeout(200 * 120)
def test_it_comes_up_after_two_hundred(django_db_setup: None) -> None:
    said = wrecked(200, os.environ.get("SEED", "7"))
    assert said.returncode == 0, said.stdout + said.stderr
