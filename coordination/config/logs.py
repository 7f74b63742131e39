"""What does a line of the log look like, and which request does it belong to?"""

import logging
import re
from datetime import UTC, datetime

import orjson

from coordination.events.tracing import FORM as REQUEST_ID
from coordination.events.tracing import request_id as request_id

__all__ = ["REQUEST_ID", "JsonFormatter", "request_id"]


# a link that chooses a password: Django itself writes down the paths of requests that it refuses, or that failed
_LINK = re.compile(r"(/sign-in/link)/[^/\s]+/[^/\s]+")


class JsonFormatter(logging.Formatter):
    """One JSON object a line, UTC, with the request id and what ``extra={"fields": …}`` adds; an exception as text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for ``record``."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _LINK.sub(r"\1/…", record.getMessage()),
        }
        current = request_id.get()
        if current:
            line["request_id"] = current
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = _LINK.sub(r"\1/…", self.formatException(record.exc_info))
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
