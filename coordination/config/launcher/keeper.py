"""How does the supervisor go on when the disk of its logs is full? What cannot be written is dropped.

Run as ``python keeper.py supervisor.supervisord [arguments]``. As it comes, a line that it cannot write ends it: it
reports that in a log that cannot be written either, and with it ends everything it keeps up. Imports nothing of ours.
"""

import contextlib
import io
import os
import runpy
import sys

from supervisor import loggers


def _drop(_handler: loggers.Handler) -> None:
    """Leave out a line that could not be written."""


class Lenient(loggers.RotatingFileHandler):  # type: ignore[misc]
    """A log that goes on where its disk lets it."""

    def emit(self, record: loggers.LogRecord) -> None:
        """Write a line, or drop it; a file that could not be turned over is opened again."""
        try:
            super().emit(record)
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                self.stream.close()
            try:
                self.stream = open(self.baseFilename, self.mode)  # noqa: SIM115 - for as long as the log
            except OSError:  # not even an empty one: the lines until the next try go nowhere
                self.stream = io.BytesIO()


class Quiet(io.TextIOBase):
    """The supervisor's own words, on a file that may be full."""

    def write(self, text: str) -> int:
        """Write what can be written."""
        with contextlib.suppress(OSError):
            os.write(2, text.encode(errors="replace"))
        return len(text)


def main() -> None:
    """Become the module named first."""
    loggers.Handler.handleError = _drop
    loggers.RotatingFileHandler = Lenient
    sys.stdout = sys.stderr = Quiet()
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
