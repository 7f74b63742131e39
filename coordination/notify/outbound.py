"""How does the platform call a foreign address without being led astray or held up?

The name is resolved once and the call goes to the very address that was checked; loopback, link-local and other
special addresses are refused, so are numbers in other than the usual writing; redirects are not followed, time and
size are limited. Private ranges are allowed per partner: ``MUSTER_OUTBOUND_ALLOWED`` lists hosts (``host``: it may
lead to private addresses; ``host=network``: it may lead there), so that one partner's name never opens the intranet
to another's.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import orjson
from django.conf import settings

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
LARGEST = 1024 * 1024

#: characters of a path or query that stay as they are
_KEPT = "/?:@-._~!$&'()*+,;=%"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class RefusedAddressError(ValueError):
    """This address will not be called; the message says why."""


class OutboundError(RuntimeError):
    """A call did not come to an answer."""


class UnreachableError(OutboundError):
    """There was no connection: nothing was sent."""


class NoAnswerError(OutboundError):
    """Something was sent and no answer came in time: nobody knows whether it arrived."""


class TooMuchError(OutboundError):
    """The receiver's answer was too long."""


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

    Raises RefusedAddressError or UnreachableError before anything was sent, NoAnswerError when nobody knows what
    became of it, TooMuchError when the answer is too long. Never longer than `TOTAL_SECONDS`, connecting included.
    """
    parts = _parts(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    backend = _Backend(_resolved(parts.hostname, port, trusted=trusted), time.monotonic() + TOTAL_SECONDS)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    where = httpcore.URL(
        scheme=parts.scheme.encode(), host=_ascii(parts.hostname), port=port, target=quote(target, safe=_KEPT).encode()
    )
    sent = [("Host", _host(parts)), ("User-Agent", "Muster"), ("Accept", "*/*"), *headers.items()]
    if body:
        sent.append(("Content-Length", str(len(body))))
    timeouts = {"connect": CONNECT_SECONDS, "read": TOTAL_SECONDS, "write": TOTAL_SECONDS}
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
            pool.stream(method, where, headers=sent, content=body or None, extensions={"timeout": timeouts}) as reply,
        ):
            return Reply(reply.status, _limited(reply.iter_stream()))
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise UnreachableError(f"{parts.hostname}: {error or 'no connection in time'}") from error
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise NoAnswerError(f"{parts.hostname}: {type(error).__name__} {error}".strip()) from error


def _limited(stream: Iterable[bytes]) -> bytes:
    received = bytearray()
    for part in stream:
        received += part
        if len(received) > LARGEST:
            raise TooMuchError("the answer is longer than 1 MB")
    return bytes(received)


class _Backend(httpcore.NetworkBackend):
    """Connects to the address that was checked, whatever the name leads to by now, and minds the one deadline."""

    def __init__(self, address: str, deadline: float) -> None:
        self._address, self._deadline, self._inner = address, deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the checked address instead of the name."""
        left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(self._address, port, left, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection on which no single byte starts the waiting anew."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read within what is left of the deadline."""
        return self._inner.read(max_bytes, _left(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within what is left of the deadline."""
        self._inner.write(buffer, _left(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Begin TLS, certificate checked against the name."""
        left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Whatever the connection itself says."""
        return self._inner.get_extra_info(info)


def _left(deadline: float, timeout: float | None, error: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error(f"longer than {TOTAL_SECONDS:g} s")
    return left if timeout is None else min(left, timeout)


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def check(url: str) -> None:
    """Raise RefusedAddressError where `call` would refuse this address now (for forms that take one)."""
    parts = _parts(url)
    try:
        _resolved(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), trusted=False)
    except UnreachableError as error:
        raise RefusedAddressError(str(error)) from error


def _ascii(host: str) -> bytes:
    try:
        return host.encode("ascii") if host.isascii() else host.encode("idna")
    except UnicodeError as error:
        raise RefusedAddressError(f"not a host: {error}") from error


def _host(parts: Any) -> str:
    """The Host header: the name as it goes over the wire."""
    name = _ascii(parts.hostname).decode()
    name = f"[{name}]" if ":" in name else name
    return name if parts.port is None else f"{name}:{parts.port}"


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


def _resolved(host: str, port: int, *, trusted: bool) -> str:
    """Resolve once; every address the name has must be allowed, and the first is the one that is called."""
    name = _ascii(host).decode()
    if "%" in name:
        raise RefusedAddressError(f"{host} names a network card, which is not called")
    if _ODD_NUMBER.search(name.rstrip(".")) and not _is_plain_ipv4(name):
        raise RefusedAddressError(f"{host} is a number in an unusual writing, which is not called")
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in _asked(name, port)]
    for address in addresses:
        if not _is_allowed(host, address, trusted=trusted):
            raise RefusedAddressError(f"{host} leads to {address}, which is not called")
    return str(addresses[0])


#: a last part that a resolver takes for a number: 127.1, 0x7f.1, 017700000001, 2130706433
_ODD_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)$")


def _is_plain_ipv4(name: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(name)) == name
    except ValueError:
        return False


def _asked(name: str, port: int) -> list[Any]:
    """What the resolver says, within the time for connecting: it has no limit of its own."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=ask, name="resolver", daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if not found:
        raise UnreachableError(f"{name} has no address in time")
    if isinstance(found[0], Exception):
        raise UnreachableError(f"{name} has no address: {found[0]}") from found[0]
    return list(found[0])


def _is_allowed(host: str, address: Address, *, trusted: bool) -> bool:
    """Whether ``host`` may lead to ``address``, and to each address that stands inside it."""
    return all(_one_allowed(host, one, trusted=trusted) for one in (*_inside(address), address))


#: IPv6 addresses whose last 32 bits are an IPv4 address that a gateway calls (RFC 6052)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: what an intranet uses
_PRIVATE = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def _inside(address: Address) -> Iterator[ipaddress.IPv4Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return
    for found in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
        if found is not None:
            yield found
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _one_allowed(host: str, address: Address, *, trusted: bool) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64):
        return True  # it is called as what stands inside, and that is judged
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if trusted or (address.is_global and not address.is_reserved):
        return True
    return any(_listed(entry, host, address) for entry in getattr(settings, "MUSTER_OUTBOUND_ALLOWED", ()))


def _listed(entry: str, host: str, address: Address) -> bool:
    """Whether this entry of the list lets ``host`` lead to ``address``."""
    name, _equals, network = (part.strip() for part in entry.partition("="))
    if name.lower() != host.lower():
        return False
    if not network:
        return str(address) == host or any(address in one for one in _PRIVATE)
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:  # a list that cannot be read opens nothing
        return False
