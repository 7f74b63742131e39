"""How does the supervisor go on when the disk of its logs is full, and how does it end in time?

What cannot be written is dropped; what has one priority is stopped together. Run as ``python keeper.py [arguments of
supervisord]``. As it comes, a line that it cannot write ends it: it reports that in a log that cannot be written
either, and with it ends everything it keeps up; and it stops one program after the other, each of which may take
seconds. Imports nothing of ours.
"""

import contextlib
import io
import os
import sys

from supervisor import loggers, supervisord


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


def _stop_together(kept: supervisord.Supervisor) -> None:
    """Ask everything to stop that has the highest priority of what is still at work."""
    while kept.stop_groups and not kept.stop_groups[-1].get_unstopped_processes():
        kept.stop_groups.pop()
    for group in kept.stop_groups:
        if group == kept.stop_groups[-1]:  # by priority
            group.stop_all()


def main() -> None:
    """Be the supervisor."""
    loggers.Handler.handleError = _drop
    loggers.RotatingFileHandler = Lenient
    supervisord.Supervisor.ordered_stop_groups_phase_1 = _stop_together
    sys.stdout = sys.stderr = Quiet()
    supervisord.main()


if __name__ == "__main__":
    main()
