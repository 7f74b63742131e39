"""Can a data steward make, confirm and end a rule on the pages, and does the room show what it opens?"""

from __future__ import annotations

from typing import Any

import pytest

from sharing import access
from sharing.access.models import ShareRule
from sharing.catalogue import actions
from tests.access.city import incident
from tests.catalogue.ground import Ground
from tests.catalogue.test_pages import enter, plain_static  # noqa: F401 - fixtures
from tests.catalogue.test_rules import another_steward
from tests.screens.forms import form

pytestmark = pytest.mark.django_db


def test_a_steward_makes_a_rule_and_ends_it(ground: Ground, enter: Any) -> None:  # noqa: F811
    client, dataset = enter("health/data_steward"), ground.published()
    assert "Nothing opens by itself" in client.get(f"/data/{dataset.pk}/").content.decode()
    typed = form(
        role="support", type="accident", lowest_level="2", grace="2", show_id="full", show_beds="hidden",
        show_phone="hidden", filter_field="beds", filter_op="gte", filter_value="3",
    )  # fmt: skip
    made = client.post(f"/data/{dataset.pk}/rules/new/", typed)
    assert (made.status_code, made["Location"]) == (303, f"/data/{dataset.pk}/#share-rules")
    rule = ShareRule.objects.get()
    assert (rule.type_path, rule.lowest_level, rule.grace, rule.fields.fields) == ("accident", 2, 7200, {"id": "full"})
    assert rule.filter == {"field": "beds", "op": "gte", "value": 3}
    page = client.get(f"/data/{dataset.pk}/").content.decode()
    assert "from level II" in page
    assert f"/data/{dataset.pk}/rules/{rule.pk}/end/" in page
    assert "Opens by itself" not in enter("fire/data_steward").get(f"/data/{dataset.pk}/").content.decode()
    assert client.post(f"/data/{dataset.pk}/rules/{rule.pk}/end/", form()).status_code == 303
    again = client.post(f"/data/{dataset.pk}/rules/{rule.pk}/end/", form())
    assert again.status_code == 409
    assert "This rule has ended" in again.content.decode()


def test_the_forms_errors_stand_at_their_fields(ground: Ground, enter: Any) -> None:  # noqa: F811
    client, dataset = enter("health/data_steward"), ground.published()
    filtered = {"filter_field": "beds", "filter_op": "eq", "filter_value": "x"}
    typed = form(role="support", lowest_level="4", show_id="full", **filtered)
    answer = client.post(f"/data/{dataset.pk}/rules/new/", typed)
    assert answer.status_code == 422
    assert 'id="id_filter_value_error"' in answer.content.decode()
    assert client.post(f"/data/{dataset.pk}/rules/new/", form(role="support", lowest_level="9")).status_code == 422
    assert not ShareRule.objects.exists()


def test_a_rule_of_class_three_is_confirmed_by_somebody_else(ground: Ground, enter: Any) -> None:  # noqa: F811
    client, dataset = enter("health/data_steward"), ground.published()
    client.post(f"/data/{dataset.pk}/rules/new/", form(role="lead", lowest_level="4", show_phone="full"))
    rule = ShareRule.objects.get()
    page = client.get(f"/data/{dataset.pk}/").content.decode()
    assert "Waits for a second person" in page
    assert "/confirm/" not in page
    assert client.post(f"/data/{dataset.pk}/rules/{rule.pk}/confirm/", form()).status_code == 403
    other = another_steward(ground)
    ground.people["health/second"] = type(ground.people["health/data_steward"]).objects.get(pk=other.id)
    second = enter("health/second")
    assert f"/data/{dataset.pk}/rules/{rule.pk}/confirm/" in second.get(f"/data/{dataset.pk}/").content.decode()
    assert second.post(f"/data/{dataset.pk}/rules/{rule.pk}/confirm/", form()).status_code == 303


def test_the_room_shows_each_what_it_has(ground: Ground, enter: Any) -> None:  # noqa: F811
    client, dataset = enter("fire/duty_officer"), ground.published()
    row = incident(ground.departments["fire"], ground.now)
    for code, role in (("fire", "lead"), ("water", "support")):
        access.join(
            actor=ground.actor("fire"), incident_id=row.pk, department_id=ground.departments[code].pk, role=role,
            response_level=None, opened_at=row.opened_at, now=ground.now,
        )  # fmt: skip
    home = f"/incidents/{row.pk}/data/"
    assert "No data is opened to you" in client.get(home).content.decode()
    for role in ("lead", "support"):
        actions.make_rule(
            actor=ground.actor("health"), now=ground.now, dataset_id=dataset.pk, role=role, shown={"beds": "full"}
        )
    page = client.get(home).content.decode()
    assert f'href="/data/{dataset.pk}/"' in page
    assert "As long as you take part" in page
    assert "Who sees which data" not in enter("water/duty_officer").get(home).content.decode()
