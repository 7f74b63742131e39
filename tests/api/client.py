"""How does a program that knows only the sign-ins and the description of the API speak to it?"""

from __future__ import annotations

import struct
import uuid
import zlib
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

Answer = httpx.Response


class NotAsPromisedError(AssertionError):
    """The API did something else than it says."""


def check(holds: Any, said: str, answer: Answer | None = None) -> None:
    """Go on only when ``holds``."""
    if not holds:
        more = f"\n{answer.status_code} {answer.text[:2000]}" if answer is not None else ""
        raise NotAsPromisedError(f"{said}{more}")


class Api:
    """The described operations, called by their ids."""

    def __init__(self, schema_url: str) -> None:
        """Read the description at ``schema_url``; of a bare address, where it stands by convention."""
        if urlsplit(schema_url).path in ("", "/"):
            schema_url = urljoin(schema_url, "/api/v1/schema")
        self.base = schema_url
        document = httpx.get(schema_url, timeout=30).raise_for_status().json()
        check(document["openapi"].startswith("3.1"), "the description is not OpenAPI 3.1")
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        self.token_url = urljoin(
            schema_url,
            document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"],
        )

    def url(self, name: str, **ids: Any) -> tuple[str, str]:
        """Return method and address of an operation."""
        method, path, _operation = self.operations[name]
        return method, urljoin(self.base, path.format(**ids))


class Party:
    """Somebody who acts: a person with a session, or a system with a token."""

    def __init__(self, api: Api, name: str) -> None:
        self.api, self.name = api, name
        self.http = httpx.Client(timeout=30)

    def sign_in(self, account: dict[str, Any]) -> Party:
        """Sign a person in."""
        method, url = self.api.url("session_start")
        body = {
            "user": account["user"], "password": account["password"], "department": account["department_id"],
            "post": account["post"],
        }  # fmt: skip
        answer = self.http.request(method, url, json=body)
        check(answer.status_code == 201, f"{self.name} cannot sign in", answer)
        self.http.headers["X-CSRFToken"] = answer.json()["csrf_token"]
        site = urlsplit(self.api.base)
        self.http.headers["Origin"] = f"{site.scheme}://{site.netloc}"  # over TLS a change must say where it is from
        check(answer.json()["actor"]["department"] == account["department_id"], "another department", answer)
        return self

    def get_token(self, account: dict[str, Any]) -> Party:
        """Get a system its token."""
        answer = self.http.post(
            self.api.token_url,
            data={
                "grant_type": "client_credentials", "client_id": account["client_id"],
                "client_secret": account["client_secret"],
            },
        )  # fmt: skip
        check(answer.status_code == 200, f"{self.name} gets no token", answer)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    def send(self, method: str, url: str, body: Any = None, **more: Any) -> Answer:
        """Send one request; a POST gets a key."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        headers |= more.pop("headers", {})
        if body is not None:
            more["json"] = body
        answer = self.http.request(method, urljoin(self.api.base, url), headers=headers, **more)
        check(answer.status_code < 500, f"{self.name}: {method} {url}", answer)
        return answer

    def call(self, operation: str, body: Any = None, *, status: int = 200, headers: Any = None, **ids: Any) -> Any:
        """Call an operation by its id and return what it answers."""
        method, url = self.api.url(operation, **ids)
        answer = self.send(method, url, body, headers=headers or {})
        check(answer.status_code == status, f"{self.name}: {operation} wanted {status}", answer)
        return answer.json()

    def see(self, operation: str, **ids: Any) -> tuple[dict[str, Any], str]:
        """Return a thing and its ETag; it must say what may be done with it."""
        method, url = self.api.url(operation, **ids)
        answer = self.send(method, url)
        check(answer.status_code == 200, f"{self.name}: {operation}", answer)
        check("allowed_actions" in answer.json(), f"{operation} says not what may be done", answer)
        return answer.json(), answer.headers["ETag"]

    def do(self, kind: str, pk: int, action: str, body: Any = None) -> dict[str, Any]:
        """Make a move that ``allowed_actions`` offers, as it says: address, fields and If-Match."""
        seen, etag = self.see(f"{kind}s_show", **{f"{kind}_id": pk})
        offered = {one["action"]: one for one in seen["allowed_actions"]}
        check(action in offered, f"{self.name} is not offered {action} on {kind} {pk}: {sorted(offered)}")
        move = offered[action]
        known = {field["name"] for field in move["fields"]}
        check(set(body or {}) <= known, f"{action} does not take {set(body or {}) - known}")
        headers = {"If-Match": etag} if move["if_match"] else {}
        answer = self.send("POST", move["href"], body or {}, headers=headers)
        check(answer.status_code in (200, 201), f"{self.name}: {action} on {kind} {pk}", answer)
        check("allowed_actions" in answer.json(), f"{action} answers without allowed_actions", answer)
        print(f"  {self.name}: {action} {kind} {pk} -> {answer.json()['state']}")
        return dict(answer.json())


class City:
    """The sign-ins of ``accounts.json``, by department and post."""

    def __init__(self, api: Api, accounts: dict[str, Any]) -> None:
        self.api, self.accounts = api, accounts
        self._parties: dict[str, Party] = {}

    @property
    def parties(self) -> list[Party]:
        """Everybody who came in so far."""
        return list(self._parties.values())

    def person(self, department: str, post: str) -> Party:
        """Return who holds a post, signed in."""
        name = f"{department}/{post}"
        if name not in self._parties:
            account = next(
                one for one in self.accounts["people"] if one["department"] == department and one["post"] == post
            )
            self._parties[name] = Party(self.api, name).sign_in(account)
        return self._parties[name]

    def system(self, department: str) -> Party:
        """Return a department's system, with its token."""
        name = f"{department}/system"
        if name not in self._parties:
            account = next(one for one in self.accounts["clients"] if one["department"] == department)
            self._parties[name] = Party(self.api, name).get_token(account)
        return self._parties[name]

    def close(self) -> None:
        """End the connections; the sessions stay."""
        for party in self._parties.values():
            party.http.close()

    def id(self, department: str) -> int:
        """Return a department's id."""
        return int(next(one["department_id"] for one in self.accounts["clients"] if one["department"] == department))


def photo() -> bytes:
    """Return a small PNG, made here."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes(value for x in range(32) for value in (x * 8, y * 8, 120)) for y in range(32))
    head = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
