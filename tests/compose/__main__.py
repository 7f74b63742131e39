"""Does the compose set-up keep its word while one of each pair is killed?

``make compose-test`` (``python -m tests.compose [--rounds 4] [--seed 1] [--keep]``): builds the image, starts
everything in a folder and a project of its own with two of each process, and lets the REST script run through the TLS
proxy again and again, each time from draft to closed, while web, live, engine and workers are killed in turn. Then
nothing may be missing, and nothing done twice. 0: so it is; 1: not so, and why; 3: there is no container engine here.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import shutil
import socket
import ssl
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import httpx

from coordination.config.addresses import Database
from coordination.config.launcher.demo import free_port
from coordination.config.launcher.folders import REPOSITORY
from coordination.config.launcher.stack import connect
from tests.api import scenario
from tests.api.client import Api, City
from tests.compose import hardened
from tests.compose.engine import NoEngineError, Project, find, run
from tests.compose.killing import Killer
from tests.faults import checker, records
from tests.faults.history import History
from tests.faults.readers import Screen

IMAGE = "muster-compose-test"
READY_SECONDS = 600
SETTLE_SECONDS = 25
LOOK_SECONDS = 16  # a lost hint is made good within fifteen


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)


def main(arguments: list[str]) -> int:
    """Run it all; see above."""
    parser = argparse.ArgumentParser(prog="tests.compose")
    parser.add_argument("--rounds", type=int, default=4, help="how often one of each pair is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave everything running in the end")
    asked = parser.parse_args(arguments)
    try:
        find()
    except NoEngineError as error:
        print(f"The compose set-up was NOT tested: {error}.\nInstall one (Debian, Ubuntu: docker.io and "
              "docker-compose; Docker's own packages: docker-ce and docker-compose-plugin), then: make compose-test",
              file=sys.stderr)  # fmt: skip
        return 3
    folder = Path(tempfile.mkdtemp(prefix="muster-compose-"))
    project = prepared(folder)
    try:
        tried(project, asked.rounds, asked.seed)
    except (AssertionError, RuntimeError, OSError, httpx.HTTPError) as error:
        print(f"not as promised: {error}", file=sys.stderr)
        logs(project)
        return 1
    finally:
        if not asked.keep:
            with contextlib.suppress(RuntimeError):
                project.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")
            shutil.rmtree(folder, ignore_errors=True)
    say("as promised")
    return 0


def prepared(folder: Path) -> Project:
    """Put an installation into ``folder`` as a user would, with ports of its own, and build its image."""
    shutil.copy(REPOSITORY / "docker-compose.yml", folder)
    shutil.copytree(REPOSITORY / "deploy", folder / "deploy", ignore=shutil.ignore_patterns("secrets"))
    shutil.copy(REPOSITORY / "tests" / "compose" / "demo.yml", folder)
    secure, plain, metrics = free_port(), free_port(), free_port()
    run("sh", "deploy/first-start.sh", "localhost", str(secure), folder=folder)
    files = min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    environment = {
        "MUSTER_IMAGE": IMAGE, "MUSTER_HTTPS_AT": f"127.0.0.1:{secure}", "MUSTER_HTTP_AT": f"127.0.0.1:{plain}",
        "MUSTER_METRICS_AT": f"127.0.0.1:{metrics}", "MUSTER_OPEN_FILES": str(files),
        "MUSTER_SMS_URL": "http://telephones:8099/messages",
    }  # fmt: skip
    say("building the image")
    run("docker", "build", "--tag", IMAGE, str(REPOSITORY))
    project = Project(f"mustertest{os.getpid()}", folder, ("docker-compose.yml", "demo.yml"), environment)
    project.ports = SimpleNamespace(secure=secure, plain=plain, metrics=metrics)  # type: ignore[attr-defined]
    return project


def tried(project: Project, rounds: int, seed: int) -> None:
    """Start everything and try it; raises at the first thing that is not as promised."""
    began = time.monotonic()
    say("starting everything")
    # the city first: the story and the script act in it
    services = [name for name in project.compose("config", "--services").split() if name != "story"]
    project.compose("up", "--detach", "--no-build", *services)
    project.wait(project.not_healthy, READY_SECONDS, "not ready")
    say(f"ready after {time.monotonic() - began:.0f} s; loading the demo city")
    accounts = city(project)
    project.compose("up", "--detach", "--no-build", "--no-deps", "story")
    time.sleep(3)
    root = trusted(project)
    guarded(project)
    doors(project, root)
    base = f"https://localhost:{project.ports.secure}"  # type: ignore[attr-defined]
    say("the REST script, with nobody killed")
    runs = [play(accounts, base)]
    history = History()
    screen = watching(accounts, base, history)
    killer = Killer(project, rounds=rounds, seed=seed)
    killer.start()
    while killer.is_alive():
        began = time.monotonic()
        runs.append(play(accounts, base))
        say(f"  script {len(runs)}: closed after {time.monotonic() - began:.1f} s, {runs[-1]} entries")
    if killer.crash:
        raise RuntimeError(f"the killer: {killer.crash}")
    say(f"{len(killer.killed)} killed; {len(runs)} scripts closed; settling")
    time.sleep(SETTLE_SECONDS)
    head = head_of(project, screen.stream)  # while the screen still listens: deadlines fire on
    time.sleep(LOOK_SECONDS)
    screen.stop.set()
    screen.join(10)
    judged(project, runs, history, screen, killer, head)


def city(project: Project) -> dict[str, Any]:
    """Load the demo city and return its sign-ins."""
    out = project.folder / "out"
    out.mkdir()
    out.chmod(0o777)
    project.compose(
        "run", "--rm", "--no-deps", "-T", "-v", f"{out}:/out", "web",
        "python", "manage.py", "load_demo", "--accounts", "/out/accounts.json",
    )  # fmt: skip
    return dict(json.loads((out / "accounts.json").read_text()))


def trusted(project: Project) -> Path:
    """Fetch the root certificate as a user does, and let this process trust it and nothing else."""
    plain = f"http://localhost:{project.ports.plain}"  # type: ignore[attr-defined]
    page = urlopen(f"{plain}/trust", timeout=10).read().decode()
    assert "/trust/root.crt" in page and "指纹" in page, "the page that explains how to trust us"
    root = project.folder / "root.crt"
    root.write_bytes(urlopen(f"{plain}/trust/root.crt", timeout=10).read())
    os.environ["SSL_CERT_FILE"] = str(root)
    return root


def guarded(project: Project) -> None:
    """Every container is closed, and there are two of each."""
    found = hardened.breaches(project.containers(), project.folder / "deploy" / "secrets", IMAGE)
    assert not found, "; ".join(found)
    for service in ("web", "live", "engine", "worker-urgent", "worker-normal"):
        assert len(project.containers(service)) == 2, f"not two of {service}"
    say(f"{len(project.containers())} containers: no root, read-only, no capabilities, limited, no secret shown")


def doors(project: Project, root: Path) -> None:
    """TLS by our own authority; without TLS nothing but the way to it; what forged headers say does not count."""
    secure, plain = project.ports.secure, project.ports.plain  # type: ignore[attr-defined]
    before = shown(secure, root)
    assert before["version"] == "TLSv1.3", before
    assert shown(secure, root, ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM")["version"] == "TLSv1.2"
    for version, ciphers in ((ssl.TLSVersion.TLSv1_1, "ALL"), (ssl.TLSVersion.TLSv1_2, "ALL:!ECDHE:!DHE:!aNULL")):
        with contextlib.suppress(ssl.SSLError, ConnectionResetError):
            raise AssertionError(f"TLS is too old or weak: {shown(secure, root, version, f'{ciphers}:@SECLEVEL=0')}")
    one = project.containers("certificates")[0]["Id"]
    run("docker", "exec", one, "rm", "/srv/muster/certificates/site.pem")
    said = run("docker", "exec", one, "python", "deploy/certificates.py", "--once")
    assert "Success" in said and shown(secure, root)["serialNumber"] != before["serialNumber"], f"not renewed: {said}"
    with httpx.Client(trust_env=False, timeout=10) as client:
        led = client.get(f"http://localhost:{plain}/desk/?a=b")
        assert (led.status_code, led.headers["location"]) == (301, f"https://localhost:{secure}/desk/?a=b"), led
        assert client.post(f"http://localhost:{plain}/api/v1/session", json={}).status_code == 403
    with httpx.Client(timeout=10) as client:
        answer = client.get(f"https://localhost:{secure}/health/ready", headers={"X-Forwarded-Proto": "http"})
        assert answer.status_code == 200 and "strict-transport-security" in answer.headers, answer.text
        assert client.get(f"https://localhost:{secure}/", headers={"Host": "other.example"}).status_code == 400
        big = client.post(f"https://localhost:{secure}/api/v1/session", content=b"x" * 28_000_000)
        assert big.status_code == 413, big
    metrics = f"http://127.0.0.1:{project.ports.metrics}/metrics"  # type: ignore[attr-defined]
    token = (project.folder / "deploy" / "secrets" / "metrics_token").read_text().strip()
    counts = urlopen(Request(metrics, headers={"Authorization": f"Bearer {token}"}), timeout=10).read().decode()
    assert 'muster_up{part="postgresql"} 1.0' in counts and "muster_requests_total" in counts, counts[:500]
    say("TLS and its renewal, redirect, trust page, headers, sizes, metrics: as they must be")


def shown(
    port: int, root: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, ciphers: str = ""
) -> dict[str, Any]:
    """The certificate that the proxy shows to somebody who trusts ``root`` alone and speaks this version at most."""
    context = ssl.create_default_context(cafile=str(root))
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version
    if ciphers:
        context.set_ciphers(ciphers)
    with (
        socket.create_connection(("localhost", port), 5) as line,
        context.wrap_socket(line, server_hostname="localhost") as wrapped,
    ):
        return {**(wrapped.getpeercert() or {}), "version": wrapped.version()}


def play(accounts: dict[str, Any], base: str) -> int:
    """Run the script once from draft to closed, without any second try of its own; return its entries."""
    words = io.StringIO()
    try:
        with contextlib.redirect_stdout(words):
            found = City(Api(base), accounts)
            try:
                return scenario.play(found)
            finally:
                found.close()
    except Exception:  # whatever it was: what the script said last is shown, and it goes on up
        say(words.getvalue()[-1500:])
        raise


def watching(accounts: dict[str, Any], base: str, history: History) -> Screen:
    """A screen that follows the department's stream over a socket and comes back where it was."""
    found = City(Api(base), accounts)
    party = found.person("city", "duty_officer")
    screen = Screen(found.api, party, history, f"department:{found.id('city')}")
    screen.start()
    return screen


def head_of(project: Project, stream: str) -> int:
    """The last number of a stream."""
    connection = connect(database(project))
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_seq) FROM events_streamhead WHERE stream = %s", [stream])
        head = int(cursor.fetchone()[0])
    connection.close()
    return head


def judged(
    project: Project, runs: list[int], history: History, screen: Screen, killer: Killer, head: int
) -> None:
    """Nothing missing, nothing twice; ``head``: what the screen must have seen at least."""
    address = database(project)
    kept = records.read(SimpleNamespace(connect=lambda: connect(address)))  # type: ignore[arg-type]
    breaches = checker.check(history, kept)
    assert not breaches, "; ".join(f"{one.what}: {one.said}" for one in breaches[:10])
    connection = connect(address)
    with connection.cursor() as cursor:
        for what, each, statement in COUNTED:
            cursor.execute(statement)
            count = cursor.fetchone()[0]
            assert count == each * len(runs), f"{count} {what} after {len(runs)} scripts of {each}"
        cursor.execute("SELECT count(*), count(DISTINCT process) FROM deadlines_engineheartbeat")
        cursor.execute(
            "SELECT count(*) FILTER (WHERE channel = 'sms' AND state IN ('sent', 'delivered')) FROM notify_delivery"
        )
        messages = cursor.fetchone()[0]
    connection.close()
    assert screen.crash is None and screen.at >= head, f"the screen saw {screen.at} of {head}: {screen.crash}"
    times = [seconds for seconds, at in checker.lateness(kept)]
    late = f"{times[int(len(times) * 0.99)]:.1f} s" if times else "none"
    say(f"{len(runs)} incidents, {len(kept['commands'])} commands, {len(kept['fired'])} deadlines fired (p99 late "
        f"{late}), {len(kept['deliveries'])} messages ({messages} texts), screen at {screen.at} after {screen.opened} "
        f"connections, {len(killer.killed)} kills: nothing missing, nothing twice")  # fmt: skip


COUNTED = (
    ("incidents", 1, "SELECT count(*) FROM incidents_incident WHERE headline_en = 'Glycol unit explosion'"),
    ("instructions", 2, "SELECT count(DISTINCT instruction_id) FROM instructions_instructionversion WHERE headline_en"
     " IN ('Cool the tanks, clear the site', 'Cool tank 3')"),
    ("feedbacks", 6, "SELECT count(*) FROM instructions_feedback WHERE text IN ('Done on our side.',"
     " 'All tanks cooled.', 'Gate 3 is clear, see the photo.', 'Two of five cooled.', 'Tank 3 is cool.')"),
)  # fmt: skip


def database(project: Project) -> Database:
    """The server as this machine reaches it: by the address the engine gave it."""
    one = project.containers("postgres")[0]
    address = next(iter(one["NetworkSettings"]["Networks"].values()))["IPAddress"]
    password = (project.folder / "deploy" / "secrets" / "postgres_password").read_text().strip()
    return Database("muster", "postgres", password, address, 5432)


def logs(project: Project) -> None:
    """Keep what every container said where it can be read."""
    kept = REPOSITORY / "var" / "compose-test.log"
    kept.parent.mkdir(exist_ok=True)
    with contextlib.suppress(RuntimeError):
        kept.write_text(project.compose("logs", "--no-color", "--timestamps"))
        print(f"the containers' words: {kept}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
