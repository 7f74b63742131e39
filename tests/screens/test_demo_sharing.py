"""Does the demo city share its data as its people would, once, with something of each kind under way?"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.management import call_command
from django.db.models import Q

from accounts import queries as accounts
from accounts.models import Membership
from coordination.deadlines.models import Deadline
from coordination.events import clock
from coordination.events.actor import SYSTEM
from coordination.events.models import Event
from coordination.screens import audit_words
from coordination.screens.demo.sharing import load_sharing
from sharing import access
from sharing.access.fence import fenced
from sharing.access.models import Grant, ShareRule
from sharing.catalogue.models import Agreement, BreakGlass, Dataset, ShareRequest, StandingOffer
from tests import standing

pytestmark = pytest.mark.django_db


def _load() -> None:
    with TemporaryDirectory() as folder:
        call_command("load_demo", accounts=Path(folder) / "accounts.json", verbosity=0)


loaded = standing.once(_load)


@pytest.fixture
def city(loaded: None, db: None) -> None:
    """The demo city, loaded once for all tests here."""


@pytest.mark.usefixtures("city")
def test_each_kind_of_sharing_is_there_once() -> None:
    now = clock.now()
    requests = ShareRequest.objects
    assert requests.filter(state="granted", grant_ids__len=0).count() == 0
    assert set(requests.values_list("state", flat=True)) == {"granted", "partly_granted", "refused", "screened"}
    assert {"department", "subtree", "post"} == set(requests.values_list("holder", flat=True))
    near = requests.get(dataset__code="key-enterprises")
    assert near.answer_due is not None and now < near.answer_due and near.state == "screened"
    half = Deadline.objects.get(subject_type="catalogue.sharerequest", subject_id=near.pk, state="armed")
    assert half.due_at < now and half.step == "remind_steward", "the reminder comes as soon as an engine runs"
    refused = requests.get(state="refused")
    assert refused.legal_basis is not None and refused.answer
    second = requests.get(dataset__code="hazardous-stores")
    assert second.state == "screened" and second.dataset.classification == 3
    partly = Agreement.objects.get(request__state="partly_granted")
    assert "driver_phone" not in partly.policy["fields"] and partly.request.grant_ids
    owing = Agreement.objects.get(to_be_signed=True)
    assert [one.side for one in owing.signatures.all()] == ["receiver"] and not owing.request.grant_ids
    assert owing.sign_due is not None and owing.sign_due > now
    assert StandingOffer.objects.get().dataset.code == "volunteer-teams"
    with fenced(SYSTEM):
        glass = BreakGlass.objects.get()
    assert glass.object_name == "population-grid" and not glass.running(now)
    assert not glass.outcome and glass.review_due > now
    assert not ShareRule.objects.filter(needs_second=True, confirmed_at=None).exists()
    assert not ShareRule.objects.filter(dataset_id__in=Dataset.objects.filter(sharing="none").values("pk")).exists()
    assert access.drift(now) == (0, 0)


@pytest.mark.usefixtures("city")
def test_a_second_start_adds_nothing() -> None:
    kept = (ShareRule, ShareRequest, Agreement, StandingOffer, Grant)
    before = [list(model.objects.order_by("pk").values()) for model in kept], Event.objects.count()
    assert load_sharing(now=clock.now()) == 0
    assert ([list(model.objects.order_by("pk").values()) for model in kept], Event.objects.count()) == before


@pytest.mark.usefixtures("city")
def test_who_keeps_data_has_a_steward_and_duties_stay_apart() -> None:
    now = clock.now()
    keepers = set(Dataset.objects.values_list("department", flat=True))
    assert [pk for pk in keepers if not accounts.holders(pk, "data_steward", now)] == []
    assert not accounts.not_apart(now)
    stewards = Membership.objects.filter(post__kind="data_steward").values("person")
    assert not Membership.objects.filter(
        Q(post__kind="auditor") | Q(post__kind="administrator"), person__in=stewards
    ).exists()


@pytest.mark.usefixtures("city")
def test_the_log_says_in_words_what_was_shared() -> None:
    recorded = Event.objects.filter(object_type__startswith="catalogue.").values_list("type", "object_type").distinct()
    assert len(recorded) > 12
    for type, thing in recorded:
        assert audit_words.act(type) != type and not audit_words.thing(thing, [1], 1).startswith("catalogue."), type
