"""Does every alarm lead to its remedy: kinds in the code, rules of Prometheus, and the page for the one on call?"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

from coordination.config import retention
from coordination.config.launcher import __main__ as launcher
from coordination.config.monitor import exporter, watched
from coordination.deadlines import alarms
from coordination.instructions.actions import proving
from coordination.notify.texts import ALARMS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
SECTIONS = {
    match[1]: match[2] for match in re.finditer(r"^### (\S+)\n(.*?)(?=^#{1,3} |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}


def raised_in_code() -> set[str]:
    """Every kind that stands in a call which raises an alarm, as a name of `alarms` or as a text."""
    constants = {
        name: value for module in (alarms, proving) for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[a-z_]+", value)
    }  # fmt: skip
    found = set(watched.KINDS.values())
    for path in (ROOT / "coordination").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "raise_alarm":
                first = node.args[0] if node.args else None
            elif called == "Call":
                first = next((word.value for word in node.keywords if word.arg == "kind"), None)
            else:
                continue
            if isinstance(first, ast.Constant):
                found.add(str(first.value))
            elif isinstance(first, ast.Attribute | ast.Name):
                name = first.attr if isinstance(first, ast.Attribute) else first.id
                found |= {constants[name]} if name in constants else set()
    return found | set(constants.values()) & set(ALARMS)


def test_every_alarm_has_its_section_and_every_section_its_alarm() -> None:
    kinds, rules = raised_in_code(), {rule["alert"] for rule in RULES}
    assert len(kinds) >= 14 and len(rules) == len(RULES)
    assert kinds <= set(ALARMS), "each kind is called something in the notices"
    assert set(ALARMS) <= kinds, "each name belongs to a kind that is raised"
    assert set(SECTIONS) == kinds | rules


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_each_section_says_what_it_means_and_what_to_do(name: str) -> None:
    meaning, said, remedy = SECTIONS[name].partition("**Do**")
    assert len(meaning.split()) >= 7 and said and len(remedy.split()) >= 2, name
    if remedy.split()[:3] == [":", "as", "there."]:  # the same as another, seen from outside
        assert re.search(r"\(#\w+\)", meaning), name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_rule_can_be_followed(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"page", "warn"}
    assert len(rule["annotations"]["summary"].split()) >= 4
    wanted = "{{ $labels.kind }}" if rule["alert"] == "MusterAlarm" else rule["alert"].lower()
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{wanted}"


def test_links_on_the_page_lead_somewhere() -> None:
    assert {link.lower() for link in re.findall(r"\(#([\w-]+)\)", PAGE)} <= {name.lower() for name in SECTIONS}


def measured() -> set[str]:
    """Every name that the exporter may show."""
    text = (ROOT / "coordination/config/monitor/exporter.py").read_text()
    found = {f"muster_{name}" for name in re.findall(r'_(?:one|many)\(\s*"(\w+)"', text)}
    return found | {
        "muster_requests_total", "muster_request_seconds_bucket", "muster_sockets", "muster_tasks_total", "up",
    }  # fmt: skip


def test_rules_and_dashboard_ask_for_what_is_measured() -> None:
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "muster.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(asked) >= 20 and dashboard["uid"] == "muster"
    for expression in asked + [rule["expr"] for rule in RULES]:
        names = set(re.findall(r"\b(muster_\w+|up)\b(?!=)", re.sub(r'"[^"]*"', "", expression)))
        assert names and names <= measured(), expression
    shown = " ".join(asked)
    assert not {name for name in measured() - {"up"} if name not in shown}, "each number is on the dashboard"
    assert exporter.ASKED.keys() >= {"relay", "deadlines", "canary", "lock_outs", "refusals", "disk", "deliveries"}


def commands() -> Iterator[str]:
    """Every command line of the page."""
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        yield from (line.split("   #")[0].strip() for line in block.splitlines() if line.strip())
    yield from re.findall(r"`((?:python )?manage\.py [^`]+|launcher \w+)`", PAGE)


ORDINARY = {"grep", "tail", "df", "du", "timedatectl"}
PROCESSES = {"engine", "web", "backup", "postgres", "redis", "beat", "worker-urgent", "worker-normal", "worker-bulk"}
SERVICES = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_each_command_exists(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for word in shlex.split(line) if word != "python"]
    if words[0] == "manage.py":
        check_manage(words[1:])
    elif words[0] == "launcher" or words[:2] == ["-m", "coordination.config.launcher"]:
        word = next(one for one in words[1:] if one in {"up", "down", "status", "manage"})
        if word == "manage":
            check_manage(words[words.index("manage") + 1 :])
        with pytest.raises(SystemExit) as ended:
            launcher.main([word, "--help"])
        assert ended.value.code == 0
    elif words[0] == "docker":
        assert words[1] == "compose" and words[2] in {"ps", "restart", "up", "logs"}
        named = [word.partition("=")[0] for word in words[3:] if not word.startswith("-")]
        assert set(named) <= SERVICES
    elif words[0] == "curl":
        path = re.sub(r"^http://127\.0\.0\.1:\d+/", "/", words[-1])
        try:
            resolve(path)
        except Resolver404:
            pytest.fail(f"{path} leads nowhere")
    else:
        assert words[0] in ORDINARY, line
    for process in re.findall(r"logs/([\w-]+)\.log", line):
        assert process in PROCESSES
    capsys.readouterr()


def check_manage(words: list[str]) -> None:
    """The command exists and takes these words."""
    known = get_commands()
    assert words[0] in known, words
    command: Any = load_command_class(known[words[0]], words[0])
    parser = command.create_parser("manage.py", words[0])
    given = ["a.key" if word.startswith("<") else word for word in words[1:]]
    try:
        parser.parse_args(given)
    except (SystemExit, Exception) as error:  # argparse ends, Django raises
        pytest.fail(f"manage.py {' '.join(words)}: {error}")


def test_the_log_named_in_the_page_is_the_one_that_is_written() -> None:
    fields = ('"status":', '"exception"', '"outcome":"failed"')
    assert all(field.split('"')[1] in PAGE for field in fields)
    assert retention.FILE.relative_to(ROOT).as_posix() in PAGE
