"""Is a request refused clearly before it takes a thread?"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from coordination.config import pool
from coordination.config.pool import Pool


def ask(path: str, pieces: list[bytes], *, threads: int = 1, wait: float = 0.05) -> tuple[int, dict[str, str], bytes]:
    """Send one request to a pool whose application must not be reached; (status, headers, body)."""
    sent: list[Any] = []
    messages = [
        {"type": "http.request", "body": piece, "more_body": n < len(pieces) - 1} for n, piece in enumerate(pieces)
    ]

    async def receive() -> Any:
        if not messages:
            await asyncio.sleep(3600)
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    def unreachable(*_: Any) -> Any:
        raise AssertionError("the application was reached")

    async def run() -> None:
        application = Pool(unreachable, threads=max(threads, 1), wait_seconds=wait)
        if threads == 0:
            await application.free.acquire()
        await application({"type": "http", "path": path, "method": "POST", "headers": []}, receive, send)

    asyncio.run(run())
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


def test_too_many_bytes_are_a_problem_with_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BODY_LIMIT", 10)
    status, headers, body = ask("/api/v1/reports", [b"x" * 6, b"y" * 6])
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    said = json.loads(body)
    assert (said["status"], said["code"], said["type"]) == (413, "too_big", "urn:muster:problem:too_big")
    assert said["request_id"] == headers["x-request-id"]
    assert "内容过大" in said["detail"]


def test_a_slow_sender_holds_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BODY_SECONDS", 0.05)
    status, headers, body = ask("/api/v1/reports", [])
    assert (status, json.loads(body)["code"]) == (408, "too_slow")
    assert headers["connection"] == "close"


def test_a_slow_reader_holds_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "READ_SECONDS", 1.0, raising=False)
    whole = b"x" * 3_000_000

    def application(_environ: dict[str, Any], start: Any) -> Any:
        start("200 OK", [])
        return (whole[at : at + 4096] for at in range(0, len(whole), 4096))

    async def one(pool: Pool, send: Any) -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http", "path": "/", "method": "GET", "headers": [], "query_string": b"", "http_version": "1.1",
            "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await pool(scope, receive, send)

    async def run() -> list[Any]:
        pool = Pool(application, threads=1, wait_seconds=1)
        answered: list[Any] = []

        async def never_read(message: Any) -> None:
            if message["type"] == "http.response.body":
                await asyncio.sleep(3600)

        async def read(message: Any) -> None:
            answered.append(message)

        slow = asyncio.create_task(one(pool, never_read))
        await asyncio.sleep(0.3)
        await one(pool, read)
        slow.cancel()
        return answered

    answered = asyncio.run(asyncio.wait_for(run(), 20))
    assert answered[0]["status"] == 200
    assert b"".join(message["body"] for message in answered[1:]) == whole
    assert [message["more_body"] for message in answered[-2:]] == [True, False]


def test_a_full_disk_is_said_and_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pool, "_read", full)
    status, headers, body = ask("/api/v1/reports", [b"{}"])
    assert (status, json.loads(body)["code"], headers["connection"]) == (507, "no_room", "close")


def test_no_free_thread_is_503_soon() -> None:
    status, headers, body = ask("/api/v1/reports", [b"{}"], threads=0)
    assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "busy", "2")
    status, headers, body = ask("/desk/", [b""], threads=0)
    assert (status, headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert body.decode().startswith("Too many requests at once")


def test_the_application_is_told_how_long_a_request_stood_in_line_by_nobody_else() -> None:
    told: list[str | None] = []

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        told.append(environ.get("HTTP_X_MUSTER_WAITED"))
        start("204 No Content", [])
        return []

    async def one(pool: Pool) -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            assert message["type"].startswith("http.response")

        headers = [(b"host", b"localhost"), (b"x-muster-waited", b"-60")]
        scope = {
            "type": "http", "path": "/", "method": "GET", "headers": headers, "query_string": b"",
            "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await pool(scope, receive, send)

    async def run() -> None:
        pool = Pool(application, threads=1, wait_seconds=5)
        await one(pool)
        await pool.free.acquire()
        second = asyncio.create_task(one(pool))
        await asyncio.sleep(0.3)
        pool.free.release()
        await second

    asyncio.run(run())
    assert told[0] is None
    assert told[1] is not None
    assert float(told[1]) >= 0.25


def test_it_is_alive_while_no_thread_is_free() -> None:
    status, headers, body = ask("/health/live", [b""], threads=0)
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["cache-control"] == "no-store"


def test_it_does_not_live_when_no_thread_came_free_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "HANGS_SECONDS", 0.0)
    status, _headers, body = ask("/health/live", [b""], threads=0)
    assert (status, body.decode()[:25]) == (503, "Too many requests at once")
