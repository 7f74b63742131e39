"""Does a running system answer 20,000 drawn requests without a fault? ``make fuzz-api CASES=20000 SEED=1``

A demo city of its own is started, and walked through as several people, along the description's links and operation
by operation, until so many requests were sent. A fault ends the run with the request in full and the seed of its
round; ``--seed`` with that number repeats the round.
"""

from __future__ import annotations

import argparse
import collections
import sys
import threading
import time
from typing import Any

import requests
from schemathesis.core.transport import Response

from tests import services as services  # the environment, before Django reads it
from tests import stacks
from tests.fuzz import walking

PLENTY = dict.fromkeys(("READS", "WRITES", "LOOP", "SIGN_INS"), "100000000")
WHO = (("commander", 3), ("duty_officer", 2), ("head", 1))
WALKS, STEPS = 40, 12
SLOW = 2.0


class Sender:
    """Sends as one person; counts what was answered, and what took long."""

    def __init__(self, base: str, account: dict[str, Any]) -> None:
        self.base, self.http, self.account = base, requests.Session(), account
        self.answers: collections.Counter[int] = collections.Counter()
        self.slow: list[str] = []
        self.sign_in()

    def sign_in(self) -> None:
        body = {
            "user": self.account["user"], "password": self.account["password"],
            "department": self.account["department_id"], "post": self.account["post"],
        }  # fmt: skip
        answer = self.http.post(f"{self.base}/api/v1/session", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["csrf_token"]

    def __call__(self, request: requests.PreparedRequest) -> Response:
        request.url = (request.url or "").replace("http://testserver", self.base, 1)
        request.headers["X-CSRFToken"] = self.token
        cookies = requests.cookies.get_cookie_header(self.http.cookies, request)
        if cookies:
            request.headers["Cookie"] = cookies
        began = time.monotonic()
        answer = self.http.send(request, timeout=30, allow_redirects=False)
        if time.monotonic() - began > SLOW:
            self.slow.append(f"{time.monotonic() - began:.1f} s {request.method} {request.url[:200]}")
        self.answers[answer.status_code] += 1
        return walking.answer_of(request, answer.status_code, dict(answer.headers), answer.content)


def memory(system: stacks.System) -> float:
    """Megabytes that the web process holds."""
    import psutil

    found = [one for one in psutil.process_iter(["cmdline", "memory_info"]) if "coordination.config.serve" in " ".join(
        one.info["cmdline"] or ()) and str(system.port) in (one.info["cmdline"] or ())]  # fmt: skip
    return max((one.info["memory_info"].rss / 1e6 for one in found), default=0.0)


def run(system: stacks.System, cases: int, seed: int) -> int:
    """Send at least so many; return how many."""
    document = requests.get(f"{system.base_url}/api/v1/schema", timeout=60).json()
    people = [
        one for post, _weight in WHO for one in system.accounts["people"] if one["post"] == post
    ]  # fmt: skip
    sent, answers, slow, before = 0, collections.Counter[int](), [], memory(system)
    while sent < cases:
        account = people[seed % len(people)]
        send = Sender(system.base_url, account)
        try:
            if seed % 3:
                sent += walking.walk(document, send, seed=seed, walks=WALKS, steps=STEPS)
            else:
                sent += walking.each(document, send, seed=seed, times=4)
        except walking.ServerFaultError as fault:
            print(f"\nFAULT in round {seed} as {account['department']}/{account['post']}:\n{fault}\n"
                  f"again: make fuzz-api CASES=1 SEED={seed}")  # fmt: skip
            raise
        answers += send.answers
        slow += send.slow
        seed += 1
        print(
            f"{sent} requests, answers {dict(sorted(answers.items()))}, web process {memory(system):.0f} MB", flush=True
        )
    print(f"{sent} requests without a fault; slower than {SLOW:g} s: {len(slow)}; web process grew by "
          f"{memory(system) - before:.0f} MB")  # fmt: skip
    for line in slow[:20]:
        print(" ", line)
    return sent


def main() -> int:
    """Start, walk, end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    limits = {f"MUSTER_API_{name}": value for name, value in PLENTY.items()}
    system = stacks.start("-fuzz", environment=limits)
    try:
        run(system, given.cases, given.seed)
    except walking.ServerFaultError:
        return 1
    finally:
        threading.excepthook = lambda _args: None
        stacks.end(system)
    return 0


if __name__ == "__main__":
    sys.exit(main())
