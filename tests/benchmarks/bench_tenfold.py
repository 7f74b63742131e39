"""Do pages cost the same with ten times as many incidents behind them as the largest benchmark has?"""

from __future__ import annotations

from tests.benchmarks import bench_pages
from tests.benchmarks.figures import Figure

SIZES = {True: (1_000_000, 10_000_000), False: (1_000, 10_000)}


def measure(*, full: bool = False, rounds: int = 3) -> list[Figure]:
    """The lists of section 3, at a million and at ten."""
    return bench_pages.at_sizes(SIZES[full], rounds)
