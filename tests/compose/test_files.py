"""Does the compose file promise what it must, without an engine to ask?"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from coordination.config.launcher.folders import REPOSITORY
from coordination.config.launcher.roles import ROLES
from tests.compose import engine
from tests.compose.__main__ import main

FILE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name for name, one in SERVICES.items() if "MUSTER_IMAGE" in one["image"]}
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("coordination", "accounts", "sharing", "incidents", "deploy")
    for path in (REPOSITORY / folder).rglob("*.py")
)
PASSWORDS = {f"{role.upper()}_PASSWORD" for role in ROLES}
WORDS = set(re.findall(r'"[A-Z_]+"', CODE))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_closed_limited_and_watched(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "devices", "pid", "ipc"} & set(one)
    assert one["mem_limit"] and one["pids_limit"]
    assert one["restart"] == ("no" if name == "setup" else "unless-stopped")
    assert one["logging"]["options"]["max-size"]
    assert "healthcheck" in one or name in {"setup", "backup"}
    assert name in OURS or one["user"] not in {"root", "0"}


def test_there_are_two_of_each_that_answers_or_acts() -> None:
    for name in ("web", "live", "engine", "worker-urgent", "worker-normal"):
        assert SERVICES[name]["scale"].endswith(":-2}")
    assert "scale" not in SERVICES["beat"]  # one says when
    assert "scale" not in SERVICES["backup"]


def test_only_the_proxy_and_the_loopback_metrics_are_reachable() -> None:
    assert {name for name, one in SERVICES.items() if "ports" in one} == {"proxy", "metrics"}
    assert SERVICES["metrics"]["ports"] == ["${MUSTER_METRICS_AT:-127.0.0.1:9464}:9464"]
    assert FILE["networks"]["data"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["data"]
    assert SERVICES["proxy"]["networks"] == ["front"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_secrets_come_from_files_and_every_setting_is_known(name: str) -> None:
    one = SERVICES[name]
    given = set(one.get("secrets", ()))
    for setting, value in one.get("environment", {}).items():
        plain = setting.removesuffix("_FILE")
        assert {f'"{plain}"', f'"{setting}"'} & WORDS or plain in PASSWORDS, setting
        if str(value).startswith("/run/secrets/"):
            assert str(value).removeprefix("/run/secrets/") in given, f"{name} is not given {value}"
        assert not re.search(r"PASSWORD$|TOKEN$|SECRET$|SECRET_KEY$", setting), f"{name} shows {setting}"


def test_postgres_and_redis_run_as_they_must() -> None:
    words = " ".join(SERVICES["postgres"]["command"])
    for wanted in ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_slot_wal_keep_size=4GB"):
        assert f"-c{wanted}" in words
    assert "--data-checksums" in SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert SERVICES["postgres"]["stop_signal"] == "SIGINT"
    redis = (REPOSITORY / "deploy" / "redis" / "redis.conf").read_text()
    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"} <= set(redis.splitlines())
    rules = (REPOSITORY / "deploy" / "postgres" / "pg_hba.conf").read_text()
    assert re.search(r"^host\s+replication\s+muster_backup\s+samenet\s+scram-sha-256$", rules, re.MULTILINE)
    assert "trust" not in rules


def test_each_queue_has_its_workers() -> None:
    asked = {word for name, one in SERVICES.items() if name.startswith("worker-") for word in one["command"]}
    assert {"urgent", "normal", "bulk"} <= asked


def installation(folder: Path) -> Path:
    (folder / "deploy").mkdir(parents=True)
    for name in ("first-start.sh", "compose.env.example"):
        shutil.copy(REPOSITORY / "deploy" / name, folder / "deploy")
    return folder


def first_start(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "deploy/first-start.sh", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_first_start_makes_every_secret_once(tmp_path: Path) -> None:
    folder = installation(tmp_path / "here")
    assert first_start(folder, "muster.example", "8443").returncode == 0
    secrets = folder / "deploy" / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    assert set(made) == set(FILE["secrets"])
    filled = {name for name, text in made.items() if text}
    assert len({made[name] for name in filled}) == len(filled) == 11
    lines = (folder / ".env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    assert settings["MUSTER_HOST"] == "muster.example"
    assert settings["MUSTER_ORIGIN"] == "https://muster.example:8443"
    assert settings["MUSTER_HTTPS_AT"] == "8443"
    assert first_start(folder, "other.example").returncode == 0
    assert made == {path.name: path.read_text() for path in secrets.iterdir()}
    assert "muster.example" in (folder / ".env").read_text()
    assert first_start(folder).returncode != 0


def test_variables_of_the_file_stand_in_the_example() -> None:
    example = (REPOSITORY / "deploy" / "compose.env.example").read_text()
    asked = set(re.findall(r"\$\{(MUSTER_\w+)", (REPOSITORY / "docker-compose.yml").read_text()))
    optional = {"MUSTER_IMAGE", "MUSTER_CONNECTIONS", "MUSTER_SHARED_BUFFERS", "MUSTER_DATABASE_MEMORY",
                "MUSTER_METRICS_AT"}
    assert {name for name in asked - optional if f"\n{name}=" not in example} == set()


def test_settings_read_secrets_from_files(tmp_path: Path) -> None:
    for name in ("key", "database", "redis", "smtp", "sms"):
        (tmp_path / name).write_text(f"the {name}/word\n")
    environment = {
        **os.environ, "MUSTER_PROCESS": "web", "DATABASE_URL": "postgresql://muster_app@postgres/muster",
        "DATABASE_PASSWORD_FILE": str(tmp_path / "database"), "MUSTER_SECRET_KEY_FILE": str(tmp_path / "key"),
        "REDIS_URL": "redis://redis:6379/0", "REDIS_PASSWORD_FILE": str(tmp_path / "redis"),
        "MUSTER_SMTP_PASSWORD_FILE": str(tmp_path / "smtp"), "MUSTER_SMS_TOKEN_FILE": str(tmp_path / "sms"),
        "MUSTER_PLAIN_HTTP": "0", "MUSTER_HOSTS": "muster.example",
    }  # fmt: skip
    environment.pop("MUSTER_SECRET_KEY", None)
    script = (
        "from coordination.config import settings as s\n"
        "print(s.SECRET_KEY, s.DATABASES['default']['PASSWORD'], s.REDIS_URL, s.CELERY_BROKER_URL,"
        " s.EMAIL_HOST_PASSWORD, s.MUSTER_SMS_TOKEN, sep='|')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    broker = "redis://:the%20redis%2Fword@redis:6379/0"
    said = f"the key/word|the database/word|{broker}|{broker}|the smtp/word|the sms/word"
    assert result.stdout.strip() == said, result.stderr


def test_a_missing_engine_is_said_clearly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(engine.shutil, "which", lambda _name: None)
    assert main([]) == 3
    assert "NOT tested" in capsys.readouterr().err


def test_settings_are_put_in_by_forms_that_every_engine_knows() -> None:
    """Docker Compose 1 knows a default and a refusal, not what stands for a variable that is set."""
    text = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    forms = set(re.findall(r"\$\{\w+(:?[^\w}]|\})", text))
    assert forms <= {"}", ":-", "-", ":?", "?"}
