"""Who outside of the database knows what the log said, so that who rewrites it whole is found out?

Each witness gets every anchor, in their order, at least once; one that does not answer is tried again, keeps nobody
else waiting, and gets later what it missed. The log itself is told too, by an event: so each anchor is sealed and
stands under the next.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Q

from coordination.events import streams
from coordination.events.actor import SYSTEM
from coordination.events.command import record, unit
from coordination.events.models import Anchor
from coordination.events.sealing import anchoring
from coordination.events.sealing.anchors import Signed
from coordination.notify.channels import Letter, webhook
from coordination.notify.models import Witness

AT_ONCE = 10
LEASE = timedelta(seconds=200)  # ten calls of at most 15 s, and time to spare
LONGEST_WAIT = timedelta(minutes=5)
SYSLOG_SECONDS = 5.0
AUDIT_NOTICE = 13 * 8 + 5
"""RFC 5424: facility "log audit", severity "notice"."""
LOG = "log"
_log = logging.getLogger(__name__)


class NotTakenError(RuntimeError):
    """A witness did not take an anchor; the message says why."""


def to_file(anchor: Signed, now: datetime) -> None:
    """Append the anchor, whole, as one line of JSON, and flush it to the disk."""
    descriptor = os.open(settings.MUSTER_WITNESS_FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # a power cut left half a line
        line = (b"\n" if torn else b"") + orjson.dumps(anchor.shown()) + b"\n"
        if os.write(descriptor, line) != len(line):
            raise NotTakenError("only a part was written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def to_receiver(anchor: Signed, now: datetime) -> None:
    """POST the anchor, whole, as Standard Webhooks has it, through the guard for foreign addresses."""
    letter = Letter(
        key=f"anchor:{anchor.number}:{anchor.digest.hex()}", address=settings.MUSTER_WITNESS_URL, lines=[],
        subject="log.anchored", urgency="routine", at=now, secret=settings.MUSTER_WITNESS_SECRET,
        payload={"type": "log.anchored", **anchor.shown()},
    )  # fmt: skip
    answer = webhook.send(letter)
    if answer.outcome != "sent":
        raise NotTakenError(answer.error)


def to_syslog(anchor: Signed, now: datetime) -> None:
    """Tell a syslog server off this host (RFC 5424; UDP, or TCP with the length before). Without the list of heads."""
    way, _colon, rest = settings.MUSTER_WITNESS_SYSLOG.partition(":")
    tcp = way == "tcp"
    host, _colon, port = (rest if way in {"tcp", "udp"} else settings.MUSTER_WITNESS_SYSLOG).rpartition(":")
    if not host or not port.isdigit():
        raise NotTakenError("MUSTER_WITNESS_SYSLOG is no host:port")
    said = {name: value for name, value in anchor.shown().items() if name != "heads"}
    line = f"<{AUDIT_NOTICE}>1 {said['at']} {socket.gethostname() or '-'} muster {os.getpid()} anchor - ".encode()
    line += orjson.dumps(said)
    if tcp:
        with socket.create_connection((host, int(port)), SYSLOG_SECONDS) as stream:
            stream.sendall(b"%d %b" % (len(line), line))
        return
    family, kind, proto, _name, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, proto) as datagram:
        datagram.settimeout(SYSLOG_SECONDS)
        datagram.sendto(line, address)


def outside() -> dict[str, Callable[[Signed, datetime], None]]:
    """The witnesses that the settings name."""
    found: dict[str, Callable[[Signed, datetime], None]] = {}
    if settings.MUSTER_WITNESS_FILE:
        found["file"] = to_file
    if settings.MUSTER_WITNESS_URL:
        found["receiver"] = to_receiver
    if settings.MUSTER_WITNESS_SYSLOG:
        found["syslog"] = to_syslog
    return found


def behind(newest: int) -> dict[str, int]:
    """How many anchors each witness of the settings has not got yet."""
    told = dict(Witness.objects.values_list("name", "number"))
    return {name: max(0, newest - told.get(name, 0)) for name in outside()}


def hand_over(now: datetime) -> int:
    """Tell each witness what it has not got yet, a few at once; return how many anchors were taken."""
    newest = Anchor.objects.order_by("-number").values_list("number", flat=True).first()
    if newest is None:
        return 0
    taken = _tell_log(now)
    for name, tell in outside().items():
        taken += _tell(name, tell, newest, now)
    return taken


def _tell_log(now: datetime) -> int:
    """Record the anchors that the log does not tell of yet: event and place are one transaction."""
    Witness.objects.get_or_create(name=LOG)
    with unit(SYSTEM, now):
        held = Witness.objects.select_for_update(no_key=True, skip_locked=True).filter(name=LOG).first()
        if held is None:
            return 0
        anchors = list(Anchor.objects.filter(number__gt=held.number).order_by("number")[:AT_ONCE])
        for anchor in anchors:
            record(
                type="log.anchored",
                subject=anchor,
                streams=[streams.SYSTEM],
                payload={"digest": bytes(anchor.heads).hex(), "signature": bytes(anchor.signature).hex()},
            )
        if anchors:
            Witness.objects.filter(name=LOG).update(number=anchors[-1].number)
    return len(anchors)


def _tell(name: str, tell: Callable[[Signed, datetime], None], newest: int, now: datetime) -> int:
    held, _new = Witness.objects.get_or_create(name=name)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Q(retry_at=None) | Q(retry_at__lte=now)
    mine = Witness.objects.filter(free, due, name=name, number__lt=newest)
    if held.number >= newest or not mine.update(lease_until=now + LEASE):
        return 0
    number, taken, error = Witness.objects.values_list("number", flat=True).get(name=name), 0, ""
    with connection.cursor() as cursor:
        anchors = anchoring.after(cursor, number, AT_ONCE)
    try:
        for anchor in anchors:
            tell(anchor, now)
            number, taken = anchor.number, taken + 1
    except (NotTakenError, OSError) as failed:
        error = f"{type(failed).__name__}: {failed}"[:300]
        _log.warning("the witness %s did not take anchor %s: %s", name, number + 1, error)
    finally:
        tries = min(held.tries + 1, 100) if error else 0
        pause = min(timedelta(seconds=5 * 2 ** min(tries, 10)), LONGEST_WAIT)
        Witness.objects.filter(name=name).update(
            number=number, lease_until=None, tries=tries, error=error, retry_at=now + pause if error else None
        )
    return taken
