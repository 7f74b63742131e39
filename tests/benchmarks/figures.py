"""What was measured, beside which floor, and how is it told: as a table, and in docs/performance.md?"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "var" / "bench"
DOCUMENT = ROOT / "docs" / "performance.md"
NOTES = Path(__file__).parent / "notes"
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": lambda value, goal: value <= goal, ">=": lambda value, goal: value >= goal, "=": lambda a, b: a == b,
}  # fmt: skip


@dataclass
class Figure:
    """One measured figure and what it is compared with.

    ``value`` and ``floor`` in ``unit``, medians over the rounds; ``ratio``: value to floor, as the goal counts it.
    ``goal``: ``(what, comparison, number)``, where ``what`` is "ratio" or "value".
    """

    name: str
    size: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: tuple[str, str, float] | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        what, comparison, number = self.goal
        found = self.ratio if what == "ratio" else self.value
        return found is not None and COMPARE[comparison](found, number)

    def cells(self) -> list[str]:
        """The figure as cells of a row."""
        goal = f"{self.goal[1]} {self.goal[2]:g}{' ×' if self.goal[0] == 'ratio' else ''}" if self.goal else ""
        verdict = {True: "met", False: "**missed**", None: ""}[self.met]
        ratio = f"{self.ratio:.2f} ×" if self.ratio is not None else ""
        floor = short(self.floor) if self.floor is not None else ""
        return [self.name, self.size, f"{short(self.value)} {self.unit}", floor, ratio, goal, verdict, self.note]


HEAD = ("what", "size", "measured", "floor", "to floor", "goal", "", "remarks")


@dataclass
class Section:
    """All figures of one section, and under what they were measured."""

    name: str
    title: str
    figures: list[Figure]
    command: str
    rounds: int
    at: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))
    load: tuple[float, float] = (0.0, 0.0)
    versions: str = ""


def short(value: float) -> str:
    """A number as a person reads it: three figures."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def growth(name: str, sizes: Sequence[str], values: Sequence[float], goal: float | None = None) -> Figure:
    """How much dearer the largest is than the smallest."""
    ratio = values[-1] / values[0] if values[0] else 0.0
    said = ("value", "<=", goal) if goal is not None else None
    return Figure(f"{name}: {sizes[-1]} to {sizes[0]}", "growth", ratio, "×", goal=said)


def load_now() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def versions() -> str:
    """What it ran on."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0].split()[0]
    names = ", ".join(
        f"{name} {version(name)}" for name in ("Django", "djangorestframework", "psycopg2-binary", "uvicorn")
    )
    return f"Python {platform.python_version()}, {names}, PostgreSQL {postgres}, {os.cpu_count()} cores"


def save(section: Section) -> None:
    """Keep a section's figures until it is measured again."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{section.name}.json").write_text(json.dumps(asdict(section), ensure_ascii=False, indent=1))


def kept(name: str) -> Section | None:
    """The figures of a section as measured last."""
    path = KEPT / f"{name}.json"
    if not path.exists():
        return None
    said: dict[str, Any] = json.loads(path.read_text())
    figures = [Figure(**{**one, "goal": tuple(one["goal"]) if one["goal"] else None}) for one in said.pop("figures")]
    return Section(**{**said, "figures": figures, "load": tuple(said["load"])})


def table(section: Section) -> str:
    """The section as text for a terminal."""
    rows = [HEAD, *([cell.replace("**", "") for cell in one.cells()] for one in section.figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"{section.title} (load {section.load[0]:.1f} to {section.load[1]:.1f})", *lines])


def document(titles: Mapping[str, str], before: str = "") -> str:
    """docs/performance.md out of the sections measured last and what is said about each in notes/.

    ``before``: the document as it is; what was not measured here stays as it says.
    """
    parts = [(NOTES / "head.md").read_text().strip()]
    old = {title: rest for title, _newline, rest in (part.partition("\n") for part in before.split("\n## ")[1:])}
    for name, title in titles.items():
        section = kept(name)
        if section is None:
            if title in old:
                parts.append(f"## {title}\n{old[title].rstrip()}")
            continue
        rows = [HEAD, ["---"] * len(HEAD), *(one.cells() for one in section.figures)]
        lines = ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
        told = (
            f"`{section.command}` · {section.at} · medians of {section.rounds} · "
            f"load {section.load[0]:.1f} before, {section.load[1]:.1f} after · {section.versions}"
        )
        parts += [f"## {section.title}", told, "\n".join(lines)]
        note = NOTES / f"{name}.md"
        if note.exists():
            parts.append(note.read_text().strip())
    return "\n\n".join(parts) + "\n"


def write(titles: Mapping[str, str]) -> None:
    """Write the document anew; ``titles`` of the sections by name."""
    DOCUMENT.write_text(document(titles, DOCUMENT.read_text() if DOCUMENT.exists() else ""))
