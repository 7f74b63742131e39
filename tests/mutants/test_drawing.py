"""S42: are the faults drawn that people make where it is decided who may see and do what?"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.mutants import __main__ as mutants
from tests.mutants import drawing

ROWS = """
from __future__ import annotations
MOVES = (Move("close", frozenset({"open", "held"}), (ISSUER, COMMAND), needs=("live",), note="said only"),)
def of(actor, at):
    found = Grant.objects.filter(department=actor.department, ends_at__gt=at)
    return found if actor.posts and not actor.absent else None
"""


def test_each_condition_post_and_state_is_left_out_and_each_comparison_turned(tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(ROWS)
    said = {one.what for one in drawing.of_file(tmp_path, "rows.py")}
    assert {
        "without 'open'", "without 'held'", "without ISSUER", "without COMMAND", "Move without needs=('live',)",
        "filter without department=actor.department", "filter without ends_at__gt=at",
        "actor.posts and (not actor.absent): and/or", "if actor.posts and (not actor.absent) negated",
    } == said  # fmt: skip


def test_a_mutant_is_another_program_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(ROWS)
    texts = [one.text for one in drawing.of_file(tmp_path, "rows.py")]
    assert len(set(texts)) == len(texts)
    assert all(compile(text, "rows.py", "exec") for text in texts)


def test_each_post_is_given_and_taken_in_each_row(tmp_path: Path) -> None:
    (tmp_path / "rights.yaml").write_text("view: {posts: [head, observer], needs: view}\nlog: {posts: [head]}\n")
    rows = [yaml.safe_load(one.text) for one in drawing.of_file(tmp_path, "rights.yaml")]
    assert [(row["view"]["posts"], row["log"]["posts"]) for row in rows] == [
        (["observer"], ["head"]), (["head"], ["head"]), (["head", "observer"], []),
        (["head", "observer"], ["head", "observer"]),
    ]  # fmt: skip


def test_a_seed_draws_the_same_ones_again() -> None:
    paths = [path for path in mutants.files() if "queries" in path][:4]
    one, again, other = (drawing.drawn(mutants.REPOSITORY, paths, 5, seed) for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_four_mutants_die(monkeypatch: pytest.MonkeyPatch) -> None:
    """S42: a few of them; ``make mutants`` tries more."""
    monkeypatch.setattr("sys.argv", ["mutants", "--count", "4", "--seed", "3"])
    assert mutants.main() == 0
