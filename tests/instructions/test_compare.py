"""Are two versions of an order marked word by word, and in a moment whatever their texts are?"""

from __future__ import annotations

import time

import pytest

from coordination.instructions.views.compare import marked


def test_what_went_and_what_came_is_marked_word_by_word() -> None:
    assert marked("Cool unit 3 <now>", "Cool unit 4 <now>") == (
        "Cool unit <del>3</del> &lt;now&gt;",
        "Cool unit <ins>4</ins> &lt;now&gt;",
    )


def test_a_long_text_is_marked_by_sentences() -> None:
    same = "Cool the tanks of the unit with water from the river. " * 40
    left, right = marked(same + "Go to 3.", same + "Go to 4.")
    assert (left, right) == (same[:-1] + "<del> Go to 3.</del>", same[:-1] + "<ins> Go to 4.</ins>")


@pytest.mark.parametrize(
    ("before", "after"), [("的是" * 600, "是是的" * 400), ("的 " * 600, "的的 " * 400), ("。" * 1200, "。." * 600)]
)
def test_texts_made_to_take_long_do_not(before: str, after: str) -> None:
    began = time.process_time()
    marked(before, after)
    assert time.process_time() - began < 2
