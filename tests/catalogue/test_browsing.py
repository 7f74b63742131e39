"""Are entries found by their words and narrowed by facets, page by page, and is nothing hidden counted?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from coordination.events import clock
from coordination.events.actor import ANONYMOUS, Actor
from coordination.events.refused import Invalid, NotFound
from sharing.access.models import Grant
from sharing.catalogue import actions, incident_terms, queries
from sharing.catalogue.models import Dataset
from tests.catalogue.ground import T0, Ground
from tests.catalogue.requesting import DAY, ROWS, add, asked, conditional, granted, read

pytestmark = pytest.mark.django_db


def codes(ground: Ground, by: str = "water", **asked: Any) -> list[str]:
    rows, _following = queries.datasets(actor=ground.actor(by), now=T0, **asked)
    return [row["code"] for row in rows]


def counted(ground: Ground, by: str = "water", **asked: Any) -> dict[str, dict[Any, int]]:
    found = queries.facets(actor=ground.actor(by), now=T0, **asked)
    return {facet: {row["value"]: row["count"] for row in rows} for facet, rows in found.items()}


def fill(ground: Ground) -> None:
    basis = ground.basis(article="7")
    ground.published("beds", theme="medical", title_zh="医院空余床位", title_en="Free hospital beds")
    ground.published("blood", theme="medical", frequency="hourly", title_zh="血库库存", title_en="Blood stocks",
                     sharing="conditional", legal_basis_id=basis.pk, conditions_en="Rescue", classification=3,
                     personal=True)  # fmt: skip
    ground.published("hydrants", "fire", theme="rescue", title_zh="消火栓", title_en="Hydrants", area="990101000000")
    ground.confidential("codes", theme="hazard", title_en="Hidden hospital", title_zh="隐藏医院")
    ground.draft("later", title_en="Hospital draft")


def test_words_of_both_languages_code_department_and_fields_find_an_entry(ground: Ground) -> None:
    fill(ground)
    for text, found in (
        ("床位", {"beds", "blood", "hydrants"}), ("医院", {"beds"}), ("hosp", {"beds"}), ("free beds", {"beds"}),
        ("hydrants", {"hydrants"}), ("fire office", {"hydrants"}), ("telephone", {"beds", "blood", "hydrants"}),
        ("消火", {"hydrants"}), ("nothing", set()), ("'&|!", set()),
    ):
        assert set(codes(ground, q=text)) == found, text


def test_facets_narrow_and_count_under_the_other_choices(ground: Ground) -> None:
    fill(ground)
    health = ground.departments["health"].pk
    assert codes(ground, sharing="conditional") == ["blood"]
    assert codes(ground, personal=False, department=health) == ["beds"]
    assert codes(ground, area="990101000000") == ["hydrants"]
    found = counted(ground, theme="medical")
    assert found["theme"] == {"medical": 2, "rescue": 1}, "its own counts as if it were not chosen"
    assert found["frequency"] == {"daily": 1, "hourly": 1}
    assert found["department"] == {health: 2}
    chosen = queries.facets(actor=ground.actor("water"), now=T0, theme="medical")["theme"]
    assert [row["chosen"] for row in chosen] == [True, False]
    everything = counted(ground)
    for facet, values in everything.items():
        assert sum(values.values()) == 3, facet
        for value, count in values.items():
            assert len(codes(ground, **{facet: value})) == count, (facet, value)


def test_what_is_hidden_is_neither_found_nor_counted(ground: Ground) -> None:
    before = None
    for step in range(2):
        if step:
            fill(ground)
            for code in ("beds", "blood", "hydrants"):
                owner = "fire" if code == "hydrants" else "health"
                actions.retire(actor=ground.actor(owner), now=T0, dataset_id=Dataset.objects.get(code=code).pk)
        for actor in (ground.actor("water"), Actor("display", 1, ground.departments["health"].pk), ANONYMOUS):
            seen = [
                queries.datasets(actor=actor, now=T0, q="hospital"), queries.facets(actor=actor, now=T0),
                queries.datasets(actor=actor, now=T0, classification=4),
                queries.datasets(actor=actor, now=T0, state="draft"),
                queries.facets(actor=actor, now=T0, state="draft", q="hospital"),
            ]
            before = before or seen
            assert seen == before
    assert codes(ground, "health", q="hospital") == ["codes"]
    assert codes(ground, "health", state="draft") == ["later"]
    assert counted(ground, "health")["classification"] == {4: 1}


def test_confidential_data_is_seen_by_the_post_it_is_given_to_as_long_as_it_is(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_terms, "_asked", [lambda actor, pk: ("I-1", True, 1)])
    now = clock.now()
    row = ground.confidential(sharing="conditional", conditions_en="x")
    actions.deliver(actor=ground.actor("health"), now=now, dataset_id=row.pk, records=ROWS)
    commander, officer = add(ground, "fire", "commander"), ground.actor("fire", "duty_officer")
    client = Actor("client", 1, ground.departments["fire"].pk)
    wall = Actor("display", 1, ground.departments["fire"].pk)
    request = actions.give(
        actor=ground.actor("health"), now=now, dataset_id=row.pk, department_id=ground.departments["fire"].pk,
        fields=["id"], purpose="Rescue", valid_to=now + 9 * DAY, holder="post", post="commander", incident_id=1,
    )

    def seen_by(actor: Actor) -> list[bool]:
        found, _after = queries.datasets(actor=actor, now=now)
        classes = queries.facets(actor=actor, now=now)["classification"]
        in_list, in_facets = [one["code"] for one in found] == ["secret"], [one["value"] for one in classes] == [4]
        assert in_list == in_facets
        try:
            in_list &= queries.dataset(actor=actor, dataset_id=row.pk, now=now)["code"] == "secret"
            return [in_list, read(actor, row, now) == [{"id": "a"}, {"id": "b"}]]
        except NotFound:
            return [in_list, False]

    everybody = (commander, officer, ground.actor("fire"), client, wall, ground.actor("water"))
    assert [seen_by(one) for one in everybody] == [[False, False]] * 6
    granted(ground, request, add(ground, "health", "data_steward", "second"), now=now)
    assert [seen_by(one) for one in everybody] == [[True, True]] + [[False, False]] * 5
    assert "secret" not in str(queries.export(actor=commander, now=now))
    assert not seen_by(replace(commander, posts=frozenset({"duty_officer"})))[0], "the post is no longer held"
    assert seen_by(replace(commander, posts=frozenset({"commander", "head"}))) == [True, True]
    grant = Grant.objects.get(source="agreement")
    for change in ({"valid_to": now}, {"valid_from": now + DAY}, {"revoked_at": now}):
        before = {name: getattr(grant, name) for name in change}
        Grant.objects.filter(pk=grant.pk).update(**change)
        assert seen_by(commander) == [False, False], change
        Grant.objects.filter(pk=grant.pk).update(**before)
    assert seen_by(commander) == [True, True]


def test_what_became_confidential_is_hidden_from_those_it_was_given_to_before(ground: Ground) -> None:
    row, now = conditional(ground), clock.now()
    request = asked(ground, row, holder="post", post="duty_officer", valid_to=now + DAY, fields=["id"])
    granted(ground, request, now=now)
    officer = ground.actor("fire", "duty_officer")
    assert read(officer, row, now)
    actions.change(actor=ground.actor("health"), now=now, dataset_id=row.pk, classification=4)
    with pytest.raises(NotFound):
        queries.dataset(actor=officer, dataset_id=row.pk, now=now)
    assert queries.datasets(actor=officer, now=now)[0] == []


@pytest.mark.parametrize("sort", ["newest", "title"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_follow_each_other_without_gap_or_repeat(ground: Ground, sort: str, language: str) -> None:
    for n in range(11):
        ground.now = T0 + timedelta(minutes=n // 3)
        ground.published(f"d{n}", title_en=f"Same {n % 4}", title_zh="" if n % 2 else f"同{n % 4}")
    with translation.override(language):
        whole = codes(ground, sort=sort)
        got: list[str] = []
        after: Any = None
        for _page in range(20):
            rows, after = queries.datasets(actor=ground.actor("water"), now=T0, sort=sort, after=after, size=3)
            got += [row["code"] for row in rows]
            if after is None:
                break
        assert got == whole and len(set(got)) == 11
        if sort == "title":
            titles = [row["title"] for row in queries.datasets(actor=ground.actor("water"), now=T0, sort=sort)[0]]
            assert titles == sorted(titles)


def test_a_cursor_of_another_order_is_refused(ground: Ground) -> None:
    for n in range(3):
        ground.published(f"d{n}")
    _rows, after = queries.datasets(actor=ground.actor("water"), now=T0, size=1)
    with pytest.raises(Invalid):
        queries.datasets(actor=ground.actor("water"), now=T0, size=1, sort="title", after=after)


def test_the_catalogue_asks_the_same_however_much_there_is(ground: Ground) -> None:
    def asked_now() -> list[int]:
        counts = []
        for ask in (
            lambda: queries.datasets(actor=ground.actor("water"), now=T0),
            lambda: queries.facets(actor=ground.actor("water"), now=T0, q="data"),
            lambda: queries.export(actor=ground.actor("water"), now=T0),
            lambda: queries.legal_bases(actor=ground.actor("water"), now=T0),
        ):
            with CaptureQueriesContext(connection) as seen:
                ask()
            counts.append(len(seen))
        return counts

    for n in range(2):
        ground.published(f"a{n}", sharing="none", legal_basis_id=ground.basis(article=f"a{n}").pk)
    small = asked_now()
    for n in range(12):
        ground.published(f"b{n}", "fire", sharing="none", legal_basis_id=ground.basis(article=f"b{n}").pk)
    assert asked_now() == small
    assert max(small) <= 3
