"""What is an anchor, who signed it, and does a row of anchors hold together?

An anchor's digest covers the anchor before it and where every chain stands that has moved since: so the newest covers
all heads, and each can be shown by itself. It is signed (Ed25519) with a key that is not in the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from coordination.events.sealing.proof import ANCHOR, Report

FIRST = hashlib.sha256(b"muster anchors 1").digest()
"""What stands before the first anchor."""
MARK = b"muster anchor 1\0"
"""Before whatever is signed with the key of anchors."""


class BadKey(ValueError):
    """A key that cannot be used; says where it came from, never what it is."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One anchor. ``heads``: (stream, seq, seal) of every chain that had moved since the one before."""

    number: int
    at: datetime
    prev: bytes
    heads: tuple[tuple[str, int, bytes], ...]
    digest: bytes
    key: str
    signature: bytes

    def shown(self) -> dict[str, Any]:
        """As JSON, whole: what a witness keeps."""
        return {
            "number": self.number,
            "at": _moment(self.at),
            "prev": self.prev.hex(),
            "heads": [[stream, seq, made.hex()] for stream, seq, made in self.heads],
            "digest": self.digest.hex(),
            "key": self.key,
            "signature": self.signature.hex(),
        }


def read(said: Mapping[str, Any]) -> Signed:
    """The anchor that was `shown`; raises ValueError, KeyError or TypeError for anything else."""
    return Signed(
        int(said["number"]), datetime.fromisoformat(said["at"]), bytes.fromhex(said["prev"]),
        tuple((str(stream), int(seq), bytes.fromhex(made)) for stream, seq, made in said["heads"]),
        bytes.fromhex(said["digest"]), str(said["key"]), bytes.fromhex(said["signature"]),
    )  # fmt: skip


def digest(number: int, at: datetime, prev: bytes, heads: Iterable[tuple[str, int, bytes]]) -> bytes:
    """What is signed: SHA-256 over the anchor's fields, each after its length."""
    made = hashlib.sha256(MARK + prev)
    for text in (str(number), _moment(at)):
        made.update(_field(text))
    for stream, seq, head in sorted(heads):
        made.update(_field(stream) + _field(str(seq)) + head)
    return made.digest()


def _field(text: str) -> bytes:
    raw = text.encode()
    return b"%d:%b," % (len(raw), raw)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def private(text: str, where: str) -> Ed25519PrivateKey:
    """The signing key: 32 bytes, as hexadecimal digits or base64; raises BadKey."""
    return Ed25519PrivateKey.from_private_bytes(_bytes(text, where))


def public(text: str, where: str) -> Ed25519PublicKey:
    """The key that checks, written like `private`; raises BadKey."""
    return Ed25519PublicKey.from_public_bytes(_bytes(text, where))


def _bytes(text: str, where: str) -> bytes:
    try:
        raw = bytes.fromhex(text) if len(text.strip()) == 64 else base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadKey(f"{where} cannot be read as a key") from error
    if len(raw) != 32:
        raise BadKey(f"{where} is no key of 32 bytes")
    return raw


def raw(key: Ed25519PublicKey) -> bytes:
    """Its 32 bytes."""
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def name(key: Ed25519PublicKey) -> str:
    """How anchors name the key that signed them."""
    return hashlib.sha256(raw(key)).hexdigest()[:16]


def sign(key: Ed25519PrivateKey, message: bytes) -> bytes:
    """The signature (64 bytes)."""
    return key.sign(MARK + message)


class Row:
    """Reads anchors in their order and keeps where each chain stood at the last good one.

    ``keys``: those that may have signed. ``where``: what the findings call this row. ``alone``: anchors that were taken
    out of their row, so that none is missed between them.
    """

    def __init__(
        self, report: Report, keys: Sequence[Ed25519PublicKey], *, where: str = "anchors", alone: bool = False
    ) -> None:
        self.report, self.where, self.alone = report, where, alone
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.last: tuple[int, bytes] = (0, FIRST)
        self._keys = {name(key): key for key in keys}

    def take(self, one: Signed) -> bool:
        """Judge the next one; whether its heads may be relied on."""
        number, prev = self.last
        said = self._wrong(one)
        if not self.alone and one.number == number and one.digest == prev:
            return True  # handed over twice: the witness was there, our note of it was not
        if not said and not self.alone and (one.number != number + 1 or one.prev != prev):
            self.report.add(ANCHOR, self.where, one.number, f"does not follow anchor {number}")
        self.last = (one.number, one.digest)
        if said:
            self.report.add(ANCHOR, self.where, one.number, said)
            return False
        self.heads.update({stream: (seq, made) for stream, seq, made in one.heads})
        return True

    def _wrong(self, one: Signed) -> str:
        key = self._keys.get(one.key)
        if key is None:
            return f"signed with a key that is not given here ({one.key})"
        if digest(one.number, one.at, one.prev, one.heads) != one.digest:
            return "its heads are not those that were signed"
        try:
            key.verify(one.signature, MARK + one.digest)
        except InvalidSignature:
            return "its signature is wrong"
        return ""
