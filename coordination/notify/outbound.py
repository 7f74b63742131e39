"""How does the platform call a foreign address without being led astray or held up?

The name is resolved once and the call goes to the very address that was checked; loopback, link-local and other
special addresses are refused, redirects are not followed, time and size are limited. Private ranges are allowed
only if ``MUSTER_OUTBOUND_ALLOWED`` lists them (hosts, addresses or networks): intranets, and tests.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from django.conf import settings

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
LARGEST = 1024 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class RefusedAddressError(ValueError):
    """This address will not be called; the message says why."""


class TooMuchError(RuntimeError):
    """The receiver's answer was too long or took too long."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes

    @property
    def good(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}


def post_json(url: str, body: Any, *, headers: Mapping[str, str] | None = None, trusted: bool = False) -> Reply:
    """POST JSON; see `call`."""
    return post(url, orjson.dumps(body), headers=headers, trusted=trusted)


def post(url: str, body: bytes, *, headers: Mapping[str, str] | None = None, trusted: bool = False) -> Reply:
    """POST bytes of JSON; see `call`."""
    return call("POST", url, body, {"Content-Type": "application/json", **(headers or {})}, trusted=trusted)


def get_json(url: str, *, headers: Mapping[str, str] | None = None, trusted: bool = False) -> Reply:
    """GET; see `call`."""
    return call("GET", url, b"", dict(headers or {}), trusted=trusted)


def call(method: str, url: str, body: bytes, headers: Mapping[str, str], *, trusted: bool = False) -> Reply:
    """Call a foreign address. ``trusted``: named in our own settings, so no address is refused.

    Raises RefusedAddressError before anything is sent, TooMuchError, or what httpx raises.
    """
    parts = _parts(url)
    host = parts.hostname or ""
    address = None if trusted else _checked(host, parts.port or (443 if parts.scheme == "https" else 80))
    target = url if address is None else _at(parts, address)
    limits = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    over = time.monotonic() + TOTAL_SECONDS
    extensions = {"sni_hostname": host} if parts.scheme == "https" else {}
    sent = {"User-Agent": "Muster", **headers, "Host": parts.netloc.rpartition("@")[2]}
    with (
        httpx.Client(timeout=limits, follow_redirects=False, trust_env=False) as client,
        client.stream(method, target, content=body or None, headers=sent, extensions=extensions) as reply,
    ):
        received = bytearray()
        for part in reply.iter_raw():
            received += part
            if len(received) > LARGEST:
                raise TooMuchError("the answer is longer than 1 MB")
            if time.monotonic() > over:
                raise TooMuchError(f"the answer took longer than {TOTAL_SECONDS:g} s")
        return Reply(reply.status_code, bytes(received))


def check(url: str) -> None:
    """Raise RefusedAddressError where `call` would refuse this address now (for forms that take one)."""
    parts = _parts(url)
    _checked(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedAddressError(f"not an address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedAddressError("only http and https addresses are called")
    if parts.username or parts.password or port == 0:
        raise RefusedAddressError("an address with a password or without a port is not called")
    return parts


def _checked(host: str, port: int) -> Address:
    """Resolve once; every address the name has must be allowed, and the first is the one that is called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} has no address: {error}") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not _is_allowed(host, address):
            raise RefusedAddressError(f"{host} leads to {address}, which is not called")
    return addresses[0]


def _is_allowed(host: str, address: Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped is not None:
        address = mapped
    if any(_listed(entry, host, address) for entry in getattr(settings, "MUSTER_OUTBOUND_ALLOWED", ())):
        return True
    return address.is_global and not address.is_multicast


def _listed(entry: str, host: str, address: Address) -> bool:
    if entry.lower() == host.lower():
        return True
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _at(parts: Any, address: Address) -> str:
    host = f"[{address}]" if address.version == 6 else str(address)
    where = f"{host}:{parts.port}" if parts.port else host
    return str(parts._replace(netloc=where, fragment="").geturl())
