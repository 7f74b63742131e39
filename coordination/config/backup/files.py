"""How do attachments leave this machine? Each once, under a name that says nothing; none changes once it is whole."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coordination.config.backup import seal
from coordination.config.backup.source import Store

INDEX = "files.index"


class Files:
    """The attachments of one folder, and which of them are stored."""

    def __init__(self, folder: Path, store: Store, key: bytes) -> None:
        """Store from ``folder``; what is stored already is read once."""
        self.folder, self.store, self.key = folder, store, key
        self.known: dict[str, dict[str, Any]] = load(store, key)

    def ship(self) -> int:
        """Store what is new, note since when something is gone; return how many were stored."""
        now, new, here = time.time(), 0, set()
        changed = False
        for name, path in _walk(self.folder):
            here.add(name)
            try:
                length = path.stat().st_size
                if name in self.known and self.known[name].get("length", length) == length:
                    changed |= self.known[name].pop("gone", None) is not None
                    continue
                # what is being written just now is stored again once it is longer than it was here
                size = seal.write(self.store.files / hidden(name), f"files/{name}", seal.of_file(path), self.key)
            except FileNotFoundError:  # taken away between two looks
                continue
            self.known[name] = {"size": size, "length": length}
            new += 1
        for name in self.known.keys() - here:
            if "gone" not in self.known[name]:
                self.known[name]["gone"] = now
                changed = True
        if new or changed or not self.store.index.exists():
            seal.write_json(self.store.index, INDEX, self.known, self.key)
        return new

    def forget(self, before: float) -> int:
        """Remove what has been gone since before this moment; return how many."""
        old = [name for name, kept in self.known.items() if kept.get("gone", before) < before]
        for name in old:
            (self.store.files / hidden(name)).unlink(missing_ok=True)
            del self.known[name]
        if old:
            seal.write_json(self.store.index, INDEX, self.known, self.key)
        return len(old)


def load(store: Store, key: bytes) -> dict[str, dict[str, Any]]:
    """Which attachments are stored: {path inside the folder: {size, gone}}."""
    return dict(seal.read_json(store.index, INDEX, key)) if store.index.exists() else {}


def hidden(name: str) -> str:
    """Where an attachment lies in the store."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{digest[:2]}/{digest}"


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for parent, _folders, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            if not path.is_symlink() and path.is_file():
                yield str(path.relative_to(folder)), path
