"""Does a screen without a socket get the same, by the same rules?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client

from accounts.models import Membership
from coordination.events import clock
from coordination.events.actor import ANONYMOUS, Actor
from coordination.live import queries
from tests.live import ground
from tests.live.ground import write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(city: SimpleNamespace) -> Client:
    made = Client()
    name, _, value = city.anna_cookie.partition("=")
    made.cookies[name] = value
    return made


def since(client: Client, after: str) -> tuple[int, Any]:
    answer = client.get("/live/since", {"after": after})
    return answer.status_code, answer.json()


def test_entries_after_each_cursor(client: Client, city: SimpleNamespace) -> None:
    me = f"user:{city.anna.pk}"
    write(city.fire, city.f, me, times=3)
    status, said = since(client, f"{city.f}=1.1,{me}=1.3")
    assert status == 200
    assert said["heads"] == {city.f: [1, 3], me: [1, 3]}
    assert [(event["stream"], event["seq"]) for event in said["events"]] == [(city.f, 2), (city.f, 3)]
    assert said["events"][0] == {
        "kind": "ev", "stream": city.f, "epoch": 1, "seq": 2,
        "type": "department.noted", "id": city.fire.pk, "version": 1,
    }  # fmt: skip
    assert said["resets"] == []
    assert said["now"].endswith("+00:00")


def test_resets_for_other_numberings_and_streams_of_others(client: Client, city: SimpleNamespace) -> None:
    write(city.fire, city.f, city.w)
    status, said = since(client, f"{city.f}=2.0,{city.w}=1.0,incident:7=1.0,incident:7:brief=1.0")
    assert status == 200
    assert said["events"] == []
    assert set(said["heads"]) == {city.f}
    assert {(reset["stream"], reset["why"]) for reset in said["resets"]} == {
        (city.f, "epoch"), (city.w, "gone"), ("incident:7", "gone"), ("incident:7:brief", "gone"),
    }  # fmt: skip


def test_secret_entries_say_only_that_they_are(client: Client, city: SimpleNamespace) -> None:
    write(city.fire, city.f, **{"class": 4})
    assert since(client, f"{city.f}=1.0")[1]["events"] == [{"kind": "ev", "stream": city.f, "epoch": 1, "seq": 1}]


def test_far_behind_starts_anew(client: Client, city: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries.log, "all_after", lambda cursors, limit=2: ALL_AFTER(cursors, limit))
    write(city.fire, city.f, times=3)
    said = since(client, f"{city.f}=1.0")[1]
    assert said["resets"] == [{"kind": "reset", "stream": city.f, "epoch": 1, "seq": 3, "why": "behind"}]
    assert said["events"] == []


ALL_AFTER = queries.log.all_after


def test_a_right_that_ended_is_gone_at_the_next_call(client: Client, city: SimpleNamespace) -> None:
    """S33: a right that ended is gone at the next call."""
    assert since(client, f"{city.f}=1.0")[1]["resets"] == []
    Membership.objects.filter(person=city.anna).update(valid_to=clock.now())
    assert since(client, f"{city.f}=1.0")[1]["resets"][0]["why"] == "gone"


def test_strangers_hear_401(city: SimpleNamespace) -> None:
    status, said = since(Client(), f"{city.f}=1.0")
    assert (status, said["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "after",
    [
        "x", "=", "department:1", "department:1=", "department:1=1", "department:1=1.", "department:1=-1.2", "a=1.1;",
        "department:1=1.99999999999999999999", "department:01=1.1", "d" * 5_000, "department:1=\uff11.1", "a=1.1,",
        ",".join(f"department:{number}=1.0" for number in range(1, 66)), "DEPARTMENT:1=1.1", "department:1 =1.1",
    ],
)  # fmt: skip
def test_cursors_that_cannot_be_read_are_a_400(client: Client, after: str) -> None:
    assert since(client, after)[0] == 400


def test_only_get(client: Client) -> None:
    assert client.post("/live/since").status_code in (403, 405)
    assert since(client, "")[0] == 200


def test_it_costs_the_same_for_one_stream_and_sixty(
    client: Client, city: SimpleNamespace, django_assert_num_queries: Any
) -> None:
    write(city.fire, city.f, times=3)
    actor = Actor("person", city.anna.pk, city.fire.pk, frozenset({"commander"}))
    now = clock.now()
    small = {city.f: (1, 0), "incident:1": (1, 0)}
    large = small | {f"incident:{number}": (1, 0) for number in range(2, 62)}
    with django_assert_num_queries(3):
        queries.since(actor, small, now)
    with django_assert_num_queries(3):
        queries.since(actor, large, now)


def test_the_cursor_of_a_page_holds_what_may_be_followed(city: SimpleNamespace) -> None:
    write(city.fire, city.f, times=2)
    actor = Actor("person", city.anna.pk, city.fire.pk, frozenset({"commander"}))
    assert queries.cursor(actor, [city.f, city.w], clock.now()) == {city.f: [1, 2]}
    assert queries.cursor(ANONYMOUS, [city.f], clock.now()) == {}


def test_a_region_names_its_streams_their_cursor_and_its_part(city: SimpleNamespace) -> None:
    template = Template("{% load live %}<section {% live_region cursor part %}></section>")
    html = template.render(
        Context({"cursor": {"incident:5": [1, 42], "department:3": [1, 7]}, "part": "/part?a=1&b=2"})
    )
    assert 'data-live="incident:5 department:3"' in html
    assert 'data-cursor="{&quot;incident:5&quot;:[1,42],&quot;department:3&quot;:[1,7]}"' in html
    assert 'data-part="/part?a=1&amp;b=2"' in html
    one = Template('{% load live %}{% live_region cursor "/p" "department:3" "department:9" %}')
    assert 'data-live="department:3"' in one.render(
        Context({"cursor": {"incident:5": [1, 42], "department:3": [1, 7]}})
    )


def test_the_web_process_answers_it_too(web: ground.Web, city: SimpleNamespace) -> None:
    write(city.fire, city.f)
    status, said = web.get(f"/live/since?after={city.f}=1.0", city.anna_cookie)
    assert status == 200
    assert [event["seq"] for event in said["events"]] == [1]
    assert web.get(f"/live/since?after={city.f}=1.0")[0] == 401
