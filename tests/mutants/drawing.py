"""In which ways can the code be wrong that says who may see and do what?

Faults of the kind people make in just this code: a condition left out of a filter, a post too many in a row, a
comparison turned round. Each is one change of one file.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
NARROWING = frozenset({"filter", "exclude", "Q", "get"})
SAID_ONLY = frozenset({"note"})
"""Arguments of a move that nothing is decided by."""


@dataclass(frozen=True)
class Mutant:
    """One wrong version of one file: what was done where, and the whole text."""

    path: str
    line: int
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.what}"


def of_file(root: Path, path: str) -> list[Mutant]:
    """Every mutant of a Python file or of the table of rights."""
    text = (root / path).read_text(encoding="utf-8")
    return list(_of_rights(path, text) if path.endswith(".yaml") else _of_python(path, text))


def drawn(root: Path, paths: list[str], count: int, seed: int) -> list[Mutant]:
    """So many of all mutants of these files, by a seed."""
    everything = [one for path in paths for one in of_file(root, path)]
    return random.Random(seed).sample(everything, min(count, len(everything)))


def _of_rights(path: str, text: str) -> Iterator[Mutant]:
    """One post more or less in one row."""
    table = yaml.safe_load(text)
    posts = sorted({post for row in table.values() for post in row.get("posts", [])})
    for right, row in table.items():
        for post in posts:
            wrong = copy.deepcopy(table)
            held = post in row.get("posts", [])
            wrong[right]["posts"] = [one for one in row["posts"] if one != post] if held else [*row["posts"], post]
            what = f"{right}: {'without' if held else 'also'} {post}"
            yield Mutant(path, 1, what, yaml.safe_dump(wrong, sort_keys=False))


def _of_python(path: str, text: str) -> Iterator[Mutant]:
    """Each change of each node; the tree is read anew for each, so that nothing is left over."""
    for number, node in enumerate(ast.walk(ast.parse(text))):
        for which, (what, _change) in enumerate(_changes(node)):
            tree = ast.parse(text)
            same = next(one for at, one in enumerate(ast.walk(tree)) if at == number)
            _changes(same)[which][1]()
            yield Mutant(path, getattr(node, "lineno", 0), what, ast.unparse(ast.fix_missing_locations(tree)))


def _changes(node: ast.AST) -> list[tuple[str, Callable[[], object]]]:
    """What can be done to one node."""
    found: list[tuple[str, Callable[[], object]]] = []
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in TURNED:
        turned = TURNED[type(node.ops[0])]()
        found.append((f"{ast.unparse(node)[:60]} turned", lambda: node.ops.__setitem__(0, turned)))
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        found.append((f"{ast.unparse(node)[:60]}: and/or", lambda: setattr(node, "op", other)))
    if isinstance(node, ast.If | ast.IfExp):
        test = ast.UnaryOp(ast.Not(), node.test)
        found.append((f"if {ast.unparse(node.test)[:60]} negated", lambda: setattr(node, "test", test)))
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in NARROWING:
            found += [_without(name, node.keywords, at) for at in range(len(node.keywords))]
        if name in ("Move", "Field", "Who"):
            found += [
                _without(name, node.keywords, at) for at, one in enumerate(node.keywords) if one.arg not in SAID_ONLY
            ]
    if isinstance(node, ast.Set | ast.Tuple) and len(node.elts) > 1 and _is_list(node):
        found += [_without("", node.elts, at) for at in range(len(node.elts))]
    return found


def _is_list(node: ast.Set | ast.Tuple) -> bool:
    """Whether this is a list of words, names or rows, as tables have them, and no pair that is unpacked."""
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and all(
        isinstance(one, ast.Constant) and isinstance(one.value, str) or isinstance(one, ast.Call)
        or (isinstance(one, ast.Name) and one.id.isupper())
        for one in node.elts
    )  # fmt: skip


def _without(name: str, parts: list, at: int) -> tuple[str, Callable[[], object]]:
    return f"{name} without {ast.unparse(parts[at])[:60]}".strip(), lambda: parts.pop(at)
