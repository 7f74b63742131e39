"""Does an address, an act or a socket without a row fail, and a row without an address?"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import get_resolver, path

from coordination.screens import incident_deeds
from tests.permissions import operations as ops

GUARD = Path(__file__).resolve().parents[2] / ".ci" / "operations.py"


@pytest.fixture
def guard() -> ModuleType:
    spec = importlib.util.spec_from_file_location("operations_guard", GUARD)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _with(guard: ModuleType, monkeypatch: pytest.MonkeyPatch, patterns: list[Any]) -> None:
    monkeypatch.setattr(guard, "get_resolver", lambda: SimpleNamespace(url_patterns=patterns))


def test_the_guard_is_content_with_what_is_there(guard: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard.main() == 0, capsys.readouterr().out


def test_a_new_address_without_a_row_fails(
    guard: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """S29: a new address without a row fails."""
    new = path("brand-new/<int:pk>/", lambda request, pk: HttpResponse())
    _with(guard, monkeypatch, [*get_resolver().url_patterns, new])
    assert guard.main() == 1
    assert capsys.readouterr().out.strip() == "no row: ANY brand-new/<int:pk>/"


def test_a_row_whose_address_is_gone_fails(
    guard: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [one for one in get_resolver().url_patterns if str(one.pattern) != "health/live"]
    _with(guard, monkeypatch, left)
    assert guard.main() == 1
    assert capsys.readouterr().out.strip() == "no such address: health/live"


def test_a_new_socket_without_a_row_fails(
    guard: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("coordination.config.sockets.routes", lambda: [path("other/ws", lambda request: None)])
    assert guard.main() == 1
    assert set(capsys.readouterr().out.split("\n")) >= {"no row: WS other/ws", "no such address: live/ws"}


def test_a_new_act_of_a_page_is_an_operation_without_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(incident_deeds.DEEDS, "brand_new", incident_deeds.DEEDS["verify"])
    missing = {ops.key_of(one) for one in ops.operations()} - set(ops.table())
    assert missing == {("POST", "incidents/<int:pk>/act/<str:name>/", "brand_new")}


def test_there_is_no_stock_administration_whose_pages_would_know_no_rights() -> None:
    """S24: there is no stock administration whose pages would know no rights."""
    assert not [one.key for one in ops.operations() if "admin" in one.route.split("/")]


def test_every_row_has_every_cell() -> None:
    """The whole product: each operation, each kind of actor, each relation."""
    for key, row in ops.table().items():
        for relation, kind, _principal in ops.cells():
            assert ops.expected(row, relation, kind), (key, relation, kind)
