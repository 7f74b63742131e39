"""What do server and screen say to each other?

One JSON object a frame, told apart by ``kind``. Pointers only: what changed, never what it says now.

- screen: ``hello {streams: {stream: [epoch, seq]}}``
- server: ``ready {accepted, refused, now, build}``, ``ev {stream, epoch, seq, type, id, version, spread?}``,
  ``hb {now, heads: {stream: [epoch, seq]}, build, late?}``,
  ``reset {stream, epoch, seq, why: behind | epoch | gone, spread?}``;
  ``late``: nobody says at once what has moved, so it is seen a few seconds later;
  ``spread``: so many milliseconds the screens share for reading again, where many hear of one commit
- ``GET /live/since?after=stream=epoch.seq,…`` answers ``{now, build, heads, events: [ev], resets: [reset]}``
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

import orjson
from django.conf import settings

from coordination.events.queries import Cursor, Entry, Page

MOST_STREAMS = 64
MOST_CLASS = 2
"""Above this class not even what happened is said, only that something did."""
MOST_SEQ = 2**53
READ_MS = 8
"""What it costs one process to answer a screen that reads its parts again (docs/performance.md)."""
USUAL_SPREAD_MS = 200
"""What a screen takes without being told (static/js/regions.js)."""
LONGEST_SPREAD_MS = 15_000
FEW = USUAL_SPREAD_MS // READ_MS
"""So many screens read at once without being told to take turns."""
_STREAM = re.compile(r"[a-z]{1,16}(:[1-9][0-9]{0,17}(:[a-z]{1,16})?)?")
_AFTER = re.compile(r"([a-z0-9:]{1,60})=([0-9]{1,9})\.([0-9]{1,15})")

Reason = Literal["behind", "epoch", "gone"]


class BadFrame(ValueError):
    """Not a message of ours; ``code`` is the close code that says why."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


def build() -> str:
    """Which build of the pages is served."""
    return str(getattr(settings, "MUSTER_BUILD", ""))


def read_hello(text: str) -> dict[str, Cursor]:
    """The cursors of a hello. Raises `BadFrame`: 1007 (no JSON, not of this form), 1008 (more than 64 streams)."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadFrame(1007) from error
    if not isinstance(message, dict) or message.get("kind") != "hello" or not isinstance(message.get("streams"), dict):
        raise BadFrame(1007)
    if len(message["streams"]) > MOST_STREAMS:
        raise BadFrame(1008)
    return {_stream(name): _cursor(at) for name, at in message["streams"].items()}


def read_after(text: str) -> dict[str, Cursor]:
    """The cursors of ``stream=epoch.seq,stream=epoch.seq``. Raises `BadFrame`."""
    found: dict[str, Cursor] = {}
    if len(text) > MOST_STREAMS * 90:
        raise BadFrame(1008)
    for part in text.split(",") if text else ():
        match = _AFTER.fullmatch(part)
        if match is None:
            raise BadFrame(1007)
        found[_stream(match[1])] = _cursor([int(match[2]), int(match[3])])
    if len(found) > MOST_STREAMS:
        raise BadFrame(1008)
    return found


def _stream(name: Any) -> str:
    if not isinstance(name, str) or not _STREAM.fullmatch(name):
        raise BadFrame(1007)
    return name


def _cursor(at: Any) -> Cursor:
    if not isinstance(at, list) or len(at) != 2:
        raise BadFrame(1007)
    epoch, seq = at
    if type(epoch) is not int or type(seq) is not int or not (0 <= epoch < 2**31 and 0 <= seq < MOST_SEQ):
        raise BadFrame(1007)
    return epoch, seq


def pointer(entry: Entry, epoch: int) -> dict[str, Any]:
    """What may be said about one entry."""
    said: dict[str, Any] = {"kind": "ev", "stream": entry.stream, "epoch": epoch, "seq": entry.seq}
    if entry.classification <= MOST_CLASS:
        said |= {"type": entry.type, "id": entry.object_id, "version": entry.version}
    return said


def moved(stream: str, epoch: int, seq: int, why: Reason) -> dict[str, Any]:
    """A reset: the cursor is now (epoch, seq), and what lies before is fetched anew (or emptied: ``gone``)."""
    return {"kind": "reset", "stream": stream, "epoch": epoch, "seq": seq, "why": why}


def ev(entry: Entry, epoch: int, audience: int = 1) -> str:
    """One entry as a frame; ``audience``: how many screens here hear of it at once."""
    return _in_turn(pointer(entry, epoch), audience)


def reset(stream: str, epoch: int, seq: int, why: Reason, audience: int = 1) -> str:
    """A reset as a frame; ``audience`` as in `ev`."""
    return _in_turn(moved(stream, epoch, seq, why), audience)


def _in_turn(said: dict[str, Any], audience: int) -> str:
    spread = {"spread": min(audience * READ_MS, LONGEST_SPREAD_MS)} if audience > FEW else {}
    return orjson.dumps(said | spread).decode()


def ready(accepted: Collection[str], refused: Collection[str], now: datetime) -> str:
    """The answer to a hello."""
    return orjson.dumps(
        {"kind": "ready", "accepted": sorted(accepted), "refused": sorted(refused), "now": now, "build": build()}
    ).decode()


def beat(now: datetime, heads: Mapping[str, Cursor], *, late: bool = False) -> str:
    """A heartbeat; ``late``: there are no hints, live updates are delayed."""
    said = {"kind": "hb", "now": now, "heads": heads, "build": build()}
    return orjson.dumps(said | {"late": True} if late else said).decode()


def since(now: datetime, pages: Mapping[str, Page], gone: Iterable[str]) -> dict[str, Any]:
    """The answer to a poll."""
    return {
        "now": now,
        "build": build(),
        "heads": {stream: (page.epoch, page.seq) for stream, page in pages.items()},
        "events": [pointer(entry, page.epoch) for page in pages.values() for entry in page.entries],
        "resets": [moved(stream, page.epoch, page.seq, page.reset) for stream, page in pages.items() if page.reset]
        + [moved(stream, 0, 0, "gone") for stream in gone],
    }
