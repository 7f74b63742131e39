"""Is a file on the disk before anybody is told that it is kept?"""

import os
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


def flush(path: Path) -> None:
    """Wait until what a file or folder holds has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class DurableFiles(FileSystemStorage):
    """Files that outlive a power cut from the moment that they are saved, as rows do."""

    def _save(self, name: str, content: Any) -> str:
        """Save a file; return its name once its content and the names that lead to it are on the disk."""
        saved = str(super()._save(name, content))
        path, root = Path(self.path(saved)), Path(self.location)
        flush(path)
        for folder in path.parents:
            flush(folder)
            if folder == root:
                break
        return saved
