"""Do the files keep the rules of the house: sizes, names, first sentences, no signals?"""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("accounts", "incidents", "coordination", "sharing")
LIMIT = 400
FORBIDDEN_NAMES = frozenset({"utils.py", "helpers.py", "signals.py", "misc.py", "common.py"})
TOP = frozenset({
    "coordination", "incidents", "sharing", "accounts", "templates", "static", "tests", "docs", "locale", "deploy",
    ".ci", "manage.py", "docker-compose.yml", "Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "Makefile",
    ".gitignore", ".gitattributes", ".editorconfig", "requirements.lock", "requirements-test.lock", "LICENSE",
})  # fmt: skip


def files() -> list[Path]:
    """Return what git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        found = [ROOT / line for line in listed.stdout.splitlines()]
    else:  # an unpacked archive
        found = [path for path in ROOT.rglob("*") if ".venv" not in path.parts and "var" not in path.parts]
    return sorted(path for path in found if path.is_file())


def own_python(path: Path) -> bool:
    """Say whether this is Python of ours, generated migrations apart."""
    relative = path.relative_to(ROOT)
    generated = "migrations" in relative.parts and re.match(r"\d{4}_", path.name)
    return path.suffix == ".py" and relative.parts[0] in {*ROOMS, "tests", ".ci"} and not generated


def signal_uses(tree: ast.AST) -> list[int]:
    """Return the lines that connect a signal."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "receiver")
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django.db.models.signals"))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".dispatch"))
    ]


def faults(path: Path) -> list[str]:
    """Return what one file does against the rules."""
    relative = path.relative_to(ROOT)
    found = []
    if relative.parts[0] not in TOP:
        found.append(f"{relative}: nothing else belongs at the top")
    if not own_python(path):
        return found
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > LIMIT:
        found.append(f"{relative}: {lines} lines, {LIMIT} are allowed: make it a folder of the same name")
    if relative.parts[0] not in ROOMS:
        return found
    if path.name in FORBIDDEN_NAMES:
        found.append(f"{relative}: name it after the question it answers")
    tree = ast.parse(text)
    if text.strip() and not ast.get_docstring(tree):
        found.append(f"{relative}: does not say in its first line which question it answers")
    found += [f"{relative}:{line}: no signals; call it, or list a subscriber" for line in signal_uses(tree)]
    return found


def main() -> int:
    """Print every fault."""
    found = [fault for path in files() for fault in faults(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
