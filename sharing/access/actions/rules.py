"""How is a standing rule made, confirmed and ended, and what do open incidents make of it?

Called inside an action of the catalogue, in its transaction; that action has asked whether the actor may, has checked
what the rule shows against the dataset's schema, and records it. Open incidents follow at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from coordination.events.actor import Actor
from sharing.access import fields, filters
from sharing.access.actions import grants
from sharing.access.actions.deriving import follow_rules, hold_rules
from sharing.access.actions.opening import WHOLE_REACH, intern_fields
from sharing.access.models import ShareRule


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What a rule opens, in which incidents and to whom; fields as `ShareRule` has them."""

    role: str
    fields: fields.Fields
    max_class: int
    valid_from: datetime
    valid_to: datetime | None = None
    type_path: str = ""
    lowest_level: int = 4
    filter: filters.Tree = field(default_factory=dict)
    grace: int | None = None
    personal: bool = False
    needs_second: bool = False
    incident_id: int | None = None


def make_rule(
    *, actor: Actor, dataset_id: int, department_id: int, terms: RuleTerms, now: datetime
) -> tuple[ShareRule, list[int]]:
    """Let a rule stand from now on; also the departments to which it opens the dataset at once."""
    policy = grants.intern_policies({(WHOLE_REACH, terms.max_class)})[WHOLE_REACH, terms.max_class]
    shown = intern_fields(terms.fields)
    hold_rules()
    rule = ShareRule.objects.create(
        dataset_id=dataset_id, department_id=department_id, incident_id=terms.incident_id,
        type_path=terms.type_path, role=terms.role, lowest_level=terms.lowest_level, fields=shown, policy_id=policy,
        filter=dict(terms.filter), pseudonym_key=secrets.token_hex(32), personal=terms.personal, grace=terms.grace,
        valid_from=terms.valid_from, valid_to=terms.valid_to, made_at=now, made_by=actor.key,
        needs_second=terms.needs_second,
    )  # fmt: skip
    return rule, follow_rules([rule.pk], now)


def confirm_rule(*, actor: Actor, rule_id: int, now: datetime) -> tuple[ShareRule, list[int]]:
    """Let a rule open what it waited with for a second person; the database refuses whoever made it."""
    hold_rules()
    rule = ShareRule.objects.get(pk=rule_id)
    rule.confirmed_at, rule.confirmed_by = now, actor.key
    rule.save(update_fields=["confirmed_at", "confirmed_by"])
    return rule, follow_rules([rule.pk], now)


def end_rules(*, actor: Actor, rule_ids: Collection[int], why: str, now: datetime) -> list[int]:
    """End rules, and at once all that they opened, also what only ran out; the departments that lose something."""
    hold_rules()
    standing = ShareRule.objects.filter(pk__in=rule_ids, revoked_at=None)
    ended = list(standing.values_list("pk", flat=True))
    standing.update(revoked_at=now, revoked_by=actor.key, revoked_why=why)
    concerned = follow_rules(ended, now)
    late = grants.stop_lapsing(ended, now)
    return sorted({*concerned, *late})
