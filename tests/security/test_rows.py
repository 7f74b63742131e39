"""Do the rules hold that no single room could prove: code, scripts, headers, cookies, passwords, sessions?"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from accounts import actions
from accounts.models import OpenSession, Person
from coordination.config.launcher.folders import REPOSITORY
from coordination.events import clock
from coordination.events.actor import SYSTEM
from tests.accounts.people import PASSWORD, department, person
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer
from tests.security.test_assertions import SECURE

pytestmark = pytest.mark.django_db
ROOMS = ("accounts", "incidents", "coordination", "sharing")
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load",
         "pickle.loads", "pickle.load", "marshal.loads", "random.random", "random.choice", "random.randint",
         "hashlib.md5", "hashlib.sha1", "tempfile.mktemp"}  # fmt: skip


def ours() -> list[Path]:
    return [path for room in ROOMS for path in (REPOSITORY / room).rglob("*.py") if "migrations" not in path.parts]


def dangerous(path: Path) -> list[str]:
    """Calls that run text, read objects, or build SQL out of values."""
    found = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        ast.unparse(node.targets[0])
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        where = f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        if name in CALLS:
            found.append(f"{where} {name}")
        if any(one.arg == "shell" and ast.unparse(one.value) != "False" for one in node.keywords):
            found.append(f"{where} shell")
        constant = bool(node.args) and ast.unparse(node.args[0]) in constants
        if name.endswith((".raw", ".extra", "RawSQL")) and name.startswith(("objects", "Raw")) and not constant:
            found.append(f"{where} {name}")
    return found


def test_no_code_is_made_of_input() -> None:
    """S4, S5: no eval, no pickle, no unsafe YAML, no shell, no weak hash, no guessable random numbers."""
    files = ours()
    assert len(files) > 200
    assert [one for path in files for one in dangerous(path)] == []


def test_scripts_run_nothing_that_came_as_text() -> None:
    """S1: no eval, no document.write, no messages from other windows, no foreign script, no inline handler."""
    scripts = sorted((REPOSITORY / "static" / "js").glob("*.js"))
    assert len(scripts) > 15
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        for word in ("eval(", "new Function", "document.write", "insertAdjacentHTML", "outerHTML =", "javascript:"):
            assert word not in text, (path.name, word)
        assert not re.search(r"""import\s.*["']https?:""", text), path.name
        assert not re.search(r"""window\.addEventListener\(["']message""", text), path.name


def test_secrets_and_tokens_have_no_place_in_addresses() -> None:
    """V14.2.1: but for the one-time link, no route takes a token, code or key."""
    from tests.permissions import operations as ops

    routes = {one.route for one in ops.operations()}
    secret = re.compile(r"token|secret|password|session_key|api_key")
    taking = {route for route in routes if secret.search(route.partition("<")[2])}
    assert taking == {"sign-in/link/<str:uid>/<str:token>/"}


def test_cookies_and_transport_of_a_real_installation(officer: Person) -> None:
    """S10, S12: __Host- cookies, HSTS for a year and all below, people led to https, programs told off."""
    with override_settings(**{**SECURE, "MUSTER_REQUIRE_MFA": False}, SECURE_SSL_REDIRECT=True):
        Person.objects.update(language="en")
        client = Client(SERVER_NAME="muster.example")
        led = client.get("/sign-in/")
        assert (led.status_code, led["Location"]) == (301, "https://muster.example/sign-in/")
        refused = client.get("/api/v1/session")
        assert (refused.status_code, refused.json()["code"]) == (403, "tls_needed")
        sent = {"username": "fire1", "password": PASSWORD}
        answer = client.post("/sign-in/", sent, secure=True)
        assert answer["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
        client.get("/sign-in/", secure=True)
        assert {"__Host-session", "__Host-device", "__Host-language"} <= set(client.cookies)
        for name, cookie in client.cookies.items():
            assert name.startswith("__Host-"), name
            kept = (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"])
            assert kept == (True, True, "Lax", "/", ""), name
            assert len(name) + len(cookie.value) < 4096


def test_nobody_elses_page_may_read_ours(officer: Person) -> None:
    """V3.4.2: no CORS header, whatever Origin asks; TRACE is no method; text says its charset."""
    client = Client()
    for path in ("/sign-in/", "/api/v1/schema", "/health/live", "/nowhere"):
        answer = client.get(path, headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")], path
        kind = answer["Content-Type"]
        assert "charset=utf-8" in kind.lower() or "json" in kind, (path, kind)
    assert client.generic("TRACE", "/sign-in/").status_code in (403, 405)
    assert client.options("/sign-in/", headers={"Origin": "https://evil.example"}).status_code in (403, 405)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery staple", "x" * 8 + "yzw" * 40, "ALL CAPITALS WITHOUT DIGITS",
     "密码之外的很长的一句话没有别的人会想到它吧", "only lower case letters",
     "1 2 3 4 5 spaces and a few words", "ünïcödé wörds äre fïne"],
)  # fmt: skip
def test_long_passwords_of_any_kind_are_taken(officer: Person, password: str) -> None:
    """S22: 15 letters and more, any composition, 64 and more too."""
    assert validate_password(password, officer) is None


@pytest.mark.parametrize(
    "password",
    ["fourteen chars", "passwordpassword", "emergency command 2026", "muster-fire-2026-muster", "fire1fire1fire1fire1",
     "123456789012345678", "qwertyqwertyqwerty", "应急指挥中心值班密码应急指挥中心"],
)  # fmt: skip
def test_short_common_and_local_passwords_are_refused(officer: Person, password: str) -> None:
    """S22: too short, too common, or made of the words of this place."""
    with pytest.raises(ValidationError):
        validate_password(password, officer)


def test_a_password_is_compared_as_it_was_sent(officer: Person) -> None:
    """V6.2.8: neither cut off, nor trimmed, nor made small."""
    secret = " A long Sentence with spaces around it, longer than seventy-two letters of old hashes: yes. "
    officer.set_password(secret)
    officer.save()
    for sent, code in ((secret, 303), (secret.strip(), 401), (secret.lower(), 401), (secret[:80], 401)):
        assert Client().post("/sign-in/", {"username": "fire1", "password": sent}).status_code == code


def test_password_fields_may_be_filled_by_password_managers(officer: Person) -> None:
    """V6.2.6, V6.2.7: masked, pasteable, named for managers."""
    page = Client().get("/sign-in/").content.decode()
    field = re.search(r'<input[^>]*name="password"[^>]*>', page)[0]
    assert 'type="password"' in field
    assert 'autocomplete="current-password"' in field
    assert "onpaste" not in page


def test_an_operator_ends_sessions(officer: Person, capsys: Any) -> None:
    """S27: of one person, or of everybody at once."""
    other = person("water1", (department("water"), "duty_officer"))
    for name in ("fire1", "water1"):
        Client().post("/sign-in/", {"username": name, "password": PASSWORD})
    call_command("end_sessions", "fire1")
    assert [one.person for one in OpenSession.objects.all()] == [other]
    call_command("end_sessions", "--all")
    assert not OpenSession.objects.exists()
    for wrong in ([], ["nobody"], ["fire1", "--all"]):
        with pytest.raises(CommandError):
            call_command("end_sessions", *wrong)


def test_proving_oneself_again_changes_the_session(officer: Person) -> None:
    """S27: the id rotates at sign-in and whenever the password is asked for again."""
    client = Client()
    client.post("/sign-in/", {"username": "fire1", "password": PASSWORD})
    before = client.session.session_key
    thief = Client()
    thief.cookies["session"] = before
    assert thief.get("/sessions/").status_code == 200
    client.post("/sign-in/password/", {"password": PASSWORD})
    assert client.session.session_key != before
    assert thief.get("/sessions/").status_code == 303
    assert client.get("/sessions/").status_code == 200
    assert OpenSession.objects.get().session_key == client.session.session_key


def test_a_reset_keeps_the_second_factor(officer: Person) -> None:
    """S25: a link sets a password, once; whoever uses it still needs the second factor."""
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=officer, type="totp", data={"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"})
    link = f"/sign-in/link/{actions.link_for(actor=SYSTEM, now=clock.now(), person_id=officer.pk)}/"
    new = "the heron stands by the pump"
    assert Client().post(link, {"password": new, "again": new}).status_code == 200
    assert Client().get(link).status_code == 404
    client = Client()
    assert client.post("/sign-in/", {"username": "fire1", "password": new})["Location"].startswith("/sign-in/code/")
    assert client.get("/sessions/").status_code == 303


# `thing[name] = …`, where a name from elsewhere could be `__proto__`; a Map has no such names
COMPUTED = re.compile(r"[\w)\]]\[(?![\"'`\d])[^\]]+\]\s*(?:\|\||&&|\?\?|[-+*/])?=(?![=>])")


def test_no_script_writes_to_a_name_that_it_was_given() -> None:
    """ASVS V15.3.6: what comes from elsewhere becomes no property of an object, so it cannot reach a prototype."""
    scripts = sorted((REPOSITORY / "static" / "js").glob("*.js"))
    found = [
        f"{path.name}:{number} {line.strip()}"
        for path in scripts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if COMPUTED.search(line) or "__proto__" in line
    ]
    assert len(scripts) > 20
    assert COMPUTED.search("files[name] = files[name] || [];")
    assert COMPUTED.search("found[row.key] ||= []")
    assert found == []
