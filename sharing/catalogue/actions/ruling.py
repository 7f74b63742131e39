"""How is said, confirmed and ended what taking part in an incident opens of a dataset by itself?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from coordination.events import streams
from coordination.events.actor import Actor
from coordination.events.command import action, record
from coordination.events.refused import Conflict, Forbidden, NotFound
from sharing import access
from sharing.access import fields as masks
from sharing.access import filters
from sharing.access.models import ShareRule
from sharing.catalogue import deciders, stewards
from sharing.catalogue.actions import acting
from sharing.catalogue.entered import Entered, row_id
from sharing.catalogue.models import Dataset, StandingOffer
from sharing.catalogue.queries import entries

ROLES = ("lead", "support", "informed")
LONGEST_GRACE = 30 * 86_400


class NotByRule(Conflict):
    """Data that is not published, not shared at all, or of class 4 is never opened by a rule."""

    code = "not_by_rule"


class NoSuchRule(NotFound):
    """The dataset has no such rule."""


class RuleSettled(Conflict):
    """The rule has ended, or needs no second person any more."""

    code = "rule_settled"


class NeedsAnother(Forbidden):
    """Whoever made a rule does not confirm it (four eyes)."""

    code = "needs_another"


@action("share_rule.make")
def make_rule(
    *,
    actor: Actor,
    now: datetime,
    dataset_id: int,
    role: str,
    shown: Mapping[str, Any],
    type: str = "",
    lowest_level: int = 4,
    filter: Mapping[str, Any] | None = None,
    grace: int | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> ShareRule:
    """Open a dataset by itself to whoever takes part in ``role`` in incidents of a type and all below it.

    ``lowest_level``: from which response level on (1 is the highest; 4: whatever it is). ``shown`` (fields) and
    ``filter`` as `sharing.access` has them; ``grace``: seconds. Open incidents follow at once. What shows class 3,
    or of persons a field whole that the schema masks, waits for a second person.
    """
    dataset = acting.lock(actor, dataset_id, "change", now=now, if_version=None)
    schema = acting.current_schema(dataset)
    if schema is None or dataset.state != Dataset.State.PUBLISHED or dataset.sharing == Dataset.Sharing.NONE:
        raise NotByRule(_("Only published data that is shared at all can be opened by a rule."))
    if dataset.classification > 3:
        raise NotByRule(_("Class 4 is never opened by a rule."))
    known = {one["name"]: one for one in schema.document["fields"]}
    types = {name: one.get("type", "string") for name, one in known.items()}
    fields = _fields(shown, types)
    tree = filters.checked(filter, {name: kind for name, kind in types.items() if known[name].get("filterable")})
    begins = max(valid_from or now, now)
    entered = Entered()
    _check(entered, role, lowest_level, grace)
    path = entered.code("type", "incident_type", type, needed=False)
    if valid_to is not None and valid_to <= begins:
        entered.fault("valid_to", "too_early", _("The end must lie after the beginning, and ahead."))
    entered.done()
    ceiling = max(dataset.classification, *(int(known[name].get("classification", 1)) for name in fields))
    bare = dataset.personal and any(known[name].get("mask") and rule == masks.FULL for name, rule in fields.items())
    terms = access.RuleTerms(
        role=role, fields=fields, max_class=ceiling, valid_from=begins, valid_to=valid_to, type_path=path,
        lowest_level=lowest_level, filter=tree, grace=grace, personal=dataset.personal,
        needs_second=deciders.four_eyes(dataset, ceiling, now) or bare,
    )  # fmt: skip
    rule, concerned = access.make_rule(
        actor=actor, dataset_id=dataset.pk, department_id=dataset.department_id, terms=terms, now=now
    )
    _noted(dataset, rule, "share_rule.made", concerned)
    return rule


def _fields(shown: Any, types: Mapping[str, str]) -> Mapping[str, Any]:
    """The field policy; what is wrong with it stands where it was sent."""
    try:
        return masks.checked(shown, types)
    except masks.BadFields as no:
        errors = [{**error, "pointer": str(error["pointer"]).replace("/fields", "/shown", 1)} for error in no.errors]
        raise masks.BadFields(no.message, errors=errors) from None


def _check(entered: Entered, role: Any, lowest_level: Any, grace: Any) -> None:
    entered.choice("role", role, ROLES)
    entered.choice("lowest_level", lowest_level, (1, 2, 3, 4))
    whole = isinstance(grace, int) and not isinstance(grace, bool)
    if grace is not None and not (whole and 0 <= grace <= LONGEST_GRACE):
        entered.fault(
            "grace", "out_of_range",
            _("A whole number from %(least)d to %(most)d.") % {"least": 0, "most": LONGEST_GRACE},
        )  # fmt: skip


@action("share_rule.confirm")
def confirm_rule(*, actor: Actor, now: datetime, dataset_id: int, rule_id: int) -> ShareRule:
    """Confirm, as the second person, a rule that waits for one: another data steward, or the department's head."""
    dataset = entries.seen_one(actor, dataset_id, lock=True)
    access.require(actor, "confirm_rule")
    if actor.department_id != dataset.department_id:
        raise stewards.NotSteward(
            _("Only the data stewards of the department that keeps this may do that."), right="confirm_rule"
        )
    rule = _rule(dataset, rule_id)
    if rule.made_by == actor.key:
        raise NeedsAnother(_("Somebody else must confirm this: whoever made it does not."))
    over = rule.revoked_at is not None or (rule.valid_to is not None and rule.valid_to <= now)
    if over or rule.confirmed_at is not None or not rule.needs_second:
        raise RuleSettled(_("This rule has ended, or waits for nobody."))
    rule, concerned = access.confirm_rule(actor=actor, rule_id=rule.pk, now=now)
    _noted(dataset, rule, "share_rule.confirmed", concerned)
    return rule


@action("share_rule.end")
def end_rule(*, actor: Actor, now: datetime, dataset_id: int, rule_id: int, why: str = "") -> ShareRule:
    """End a rule; what it opened is closed at once, also where it only ran out."""
    dataset = entries.seen_one(actor, dataset_id, lock=True)
    stewards.require_steward(actor, dataset, now)
    rule = _rule(dataset, rule_id)
    entered = Entered()
    text = entered.text("why", why, 200)
    entered.done()
    if rule.revoked_at is not None:
        raise RuleSettled(_("This rule has ended, or waits for nobody."))
    concerned = access.end_rules(actor=actor, rule_ids=[rule.pk], why=text, now=now)
    rule.refresh_from_db()
    _noted(dataset, rule, "share_rule.ended", concerned)
    return rule


def narrower(dataset: Dataset, different: Collection[str], class_before: int) -> bool:
    """Whether an entry's new terms forbid what its rules were made for: they must be made anew."""
    hides = dataset.sharing == Dataset.Sharing.NONE or dataset.classification > class_before
    return ("sharing" in different or "classification" in different) and hides or (
        "personal" in different and dataset.personal
    )


def end_all(*, actor: Actor, dataset: Dataset, why: str, now: datetime) -> None:
    """End all rules of a dataset whose terms have changed, or that is retired, and its standing offer.

    What it gave unconditionally ends where it is shared with nobody any more; what was agreed, those who agreed end.
    """
    if StandingOffer.objects.filter(dataset=dataset, ended_at=None).update(ended_at=now):
        acting.note(dataset, "offer.ended")
    if dataset.sharing == Dataset.Sharing.NONE and access.close_given(
        actor=actor, dataset_id=dataset.pk, source="unconditional", why=why, now=now
    ):
        acting.access_changed(dataset)
    standing = list(access.rules_of(dataset.pk).filter(revoked_at=None).values_list("pk", flat=True))
    if standing:
        concerned = access.end_rules(actor=actor, rule_ids=standing, why=why, now=now)
        acting.note(dataset, "share_rule.ended", rules=standing)
        _told(dataset, concerned)


def _rule(dataset: Dataset, rule_id: Any) -> ShareRule:
    found = access.rules_of(dataset.pk).filter(pk=row_id(rule_id) or 0).first()
    if found is None:
        raise NoSuchRule(_("There is no such rule."))
    return found


def _noted(dataset: Dataset, rule: ShareRule, type: str, concerned: Collection[int]) -> None:
    acting.note(dataset, type, rule=rule.pk)
    _told(dataset, concerned)


def _told(dataset: Dataset, concerned: Collection[int]) -> None:
    """Record to the departments for which something opened or closed that their screens ask again."""
    if concerned:
        record(
            type="access.changed", subject=dataset, streams=[streams.department(pk) for pk in concerned],
            payload={"dataset": dataset.pk},
        )  # fmt: skip
