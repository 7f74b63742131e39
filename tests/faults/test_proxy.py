"""Does the proxy do to a line what it says, and nothing else?"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.proxy import Proxy


class Echo(socketserver.BaseRequestHandler):
    """Says back what it hears."""

    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Server(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Proxy(server.server_address[1], seed="7")
        yield made
        made.close()
        server.shutdown()


@pytest.fixture
def call(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=1) as made:
        made.sendall(b"one")
        assert made.recv(10) == b"one"
        yield made


def test_it_comes_late_and_drips(proxy: Proxy, call: socket.socket) -> None:
    proxy.slow(delay=0.1, rate=100)
    began = time.monotonic()
    call.sendall(b"x" * 10)
    assert call.recv(10) == b"x" * 10
    assert time.monotonic() - began >= 0.4  # 0.1 s and ten bytes, each way
    proxy.heal()


def test_a_black_hole_takes_everything_and_says_nothing(proxy: Proxy, call: socket.socket) -> None:
    proxy.black_hole()
    with socket.create_connection(("127.0.0.1", proxy.port)) as other:
        for one in (call, other):
            one.settimeout(0.3)
            one.sendall(b"two")
            with pytest.raises(TimeoutError):
                one.recv(10)
    proxy.heal()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=1) as fresh:
        fresh.sendall(b"three")
        assert fresh.recv(10) == b"three"
    with pytest.raises(TimeoutError):
        call.recv(10)


def test_half_open_the_caller_hears_nothing_of_the_end(proxy: Proxy, call: socket.socket) -> None:
    proxy.half_open()
    call.settimeout(0.3)
    with pytest.raises(TimeoutError):
        call.recv(10)


def test_cut_ends_in_order_and_reset_does_not(proxy: Proxy, call: socket.socket) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=1) as other:
        other.sendall(b"x")
        assert other.recv(1) == b"x"
        proxy.cut()
        assert call.recv(10) == b""
        assert other.recv(10) == b""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=1) as third:
        third.sendall(b"x")
        assert third.recv(1) == b"x"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            third.recv(10)


def test_what_is_corrupted_is_the_seeds_choice(proxy: Proxy, call: socket.socket) -> None:
    proxy.corrupt(1.0)
    call.sendall(b"abcdefgh")
    heard = call.recv(10)
    assert sum(a != b for a, b in zip(heard, b"abcdefgh", strict=True)) == proxy.changed == 1
    again = Proxy(proxy.target, seed="7")
    try:
        again.corrupt(1.0)
        with socket.create_connection(("127.0.0.1", again.port), timeout=1) as same:
            same.sendall(b"abcdefgh")
            assert same.recv(10)[0:8] != b"abcdefgh"
    finally:
        again.close()


def test_a_reply_may_be_cut_at_its_first_byte(proxy: Proxy, call: socket.socket) -> None:
    heard: list[bytes] = []
    proxy.on_reply = lambda piece: bool(heard.append(piece))
    call.sendall(b"secret")
    assert call.recv(10) == b""
    assert heard == [b"secret"]


def test_it_stands_between_unix_sockets_too(tmp_path: Path) -> None:
    class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    with Unix(str(tmp_path / "real"), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy = Proxy(tmp_path / "real", tmp_path / "line")
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(1)
            one.connect(str(tmp_path / "line"))
            one.sendall(b"one")
            assert one.recv(10) == b"one"
            proxy.cut()
            assert one.recv(10) == b""
        proxy.close()
        server.shutdown()
