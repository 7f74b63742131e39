"""A security key made of software: what an honest device answers, and what a dishonest one might."""

from __future__ import annotations

import json
import re
import secrets
import struct
from html import unescape
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode

ORIGIN, SITE = "http://localhost", "localhost"
PRESENT, ATTESTED = 0x01, 0x40


def asked_on(page: str) -> dict[str, Any]:
    """What a page asks of the browser."""
    found = re.search(r'data-asked="([^"]+)"', page)
    assert found, "the page asks no key"
    return dict(json.loads(unescape(found[1])))


class Device:
    """One key pair with a counter."""

    def __init__(self) -> None:
        self.id = secrets.token_bytes(32)
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.count = 0

    def _client(self, kind: str, asked: dict[str, Any], origin: str) -> bytes:
        return json.dumps({"type": f"webauthn.{kind}", "challenge": asked["challenge"], "origin": origin}).encode()

    def _answer(self, **response: bytes) -> str:
        kept = {name: websafe_encode(value) for name, value in response.items()}
        identity = websafe_encode(self.id)
        return json.dumps({"id": identity, "rawId": identity, "type": "public-key", "response": kept})

    def create(self, asked: dict[str, Any], *, origin: str = ORIGIN, site: str = SITE) -> str:
        """A new key for what a page asks."""
        public = cbor.encode(dict(ES256.from_cryptography_key(self.private.public_key())))
        data = sha256(site.encode()) + bytes([PRESENT | ATTESTED]) + struct.pack(">I", self.count)
        data += b"\0" * 16 + struct.pack(">H", len(self.id)) + self.id + public
        attested = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=self._client("create", asked, origin), attestationObject=attested)

    def get(
        self, asked: dict[str, Any], *, origin: str = ORIGIN, site: str = SITE, present: bool = True, step: int = 1
    ) -> str:
        """A proof of the key; ``step``: by how much its counter moves."""
        self.count += step
        data = sha256(site.encode()) + bytes([PRESENT if present else 0]) + struct.pack(">I", self.count)
        client = self._client("get", asked, origin)
        signed = self.private.sign(data + sha256(client), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signed)


def challenge_of(asked: dict[str, Any]) -> bytes:
    """The bytes that a key must sign."""
    return bytes(websafe_decode(asked["challenge"]))
