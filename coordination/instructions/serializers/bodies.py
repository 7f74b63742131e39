"""What may be asked of instructions and assignments, and with which fields?

Bodies of moves are made from the table of moves itself, so a move that is added there is offered here too.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from coordination.instructions import states
from sharing.access.rest import Id, Latitude, Longitude, Moment, Shape, Text, Whole, Yes

POSTS = ("duty_officer", "commander", "head")


def _since() -> Moment:
    return Moment(
        required=False,
        help_text="What has changed at or since this moment, or was under way then: ask again from your last answer.",
    )


class InstructionFilters(Shape):
    """Which instructions."""

    incident = Id(required=False)
    state = serializers.ChoiceField(
        ("draft", "in_approval", "approved", "issued", "closed", "cancelled", "superseded"), required=False
    )
    mine = Yes(required=False, help_text="Issued or executed by my department.")
    overdue = Yes(required=False)
    stale = Yes(required=False, help_text="Some department has not acknowledged the version in force.")
    since = _since()
    q = Text(required=False, max_length=100, help_text="Words of the version in force.")


class AssignmentFilters(Shape):
    """Which assignments."""

    incident = Id(required=False)
    state = serializers.ChoiceField(sorted(states.OPEN | states.TERMINAL), required=False)
    mine = Yes(required=False, help_text="Of my department.")
    overdue = Yes(required=False)
    stale = Yes(required=False)
    since = _since()
    q = Text(required=False, max_length=100, help_text="Words of the version in force.")


class TargetBody(Shape):
    """One addressee: the post of a department, as lead or support."""

    department = Id()
    role = serializers.ChoiceField(("lead", "support"))
    post = serializers.ChoiceField(POSTS, required=False)


class ObjectBody(Shape):
    """What the instruction is about, for the conflict check."""

    kind = Text(max_length=40)
    code = Text(max_length=80)


class FigureBody(Shape):
    """A figure to report."""

    name = Text(max_length=80)
    value = serializers.FloatField()
    unit = Text(max_length=20, required=False, allow_blank=True)


class ReadBackBody(Shape):
    """What was understood, in the reader's own words and numbers."""

    place = Text(max_length=200, required=False, allow_blank=True)
    object = Text(max_length=120, required=False, allow_blank=True)
    quantity = serializers.FloatField(required=False, allow_null=True)
    unit = Text(max_length=20, required=False, allow_blank=True)
    due_at = Moment(required=False, allow_null=True)


class SignedBody(Shape):
    """A finding of the conflict check, signed with a reason."""

    key = Text(max_length=200)
    reason = Text(max_length=300)


_MOST = {"text": 8000, "remark": 4000, "verb": 40, "unit": 20, "type": 80, "voice_code": 4, "reader": 80, "speaker": 80}
_LONE = {"latitude": Latitude, "longitude": Longitude}
_LISTS: dict[str, Any] = {
    "targets": lambda: TargetBody(many=True, required=False, max_length=250),
    "objects_named": lambda: ObjectBody(many=True, required=False, max_length=50),
    "figures": lambda: FigureBody(many=True, required=False, max_length=50),
    "signed_conflicts": lambda: SignedBody(many=True, required=False, max_length=200),
    "read_back": lambda: ReadBackBody(required=False),
    "evidence": lambda: serializers.ListField(child=Text(max_length=20), required=False, max_length=10),
    "attachments": lambda: serializers.ListField(
        child=Id(), required=False, max_length=20, help_text="Ids of files uploaded before."
    ),
}


def body_of(move: states.Move) -> type[Shape] | None:
    """Return the shape of what ``move`` takes, from its row of the table; None where it takes nothing."""
    fields = {one.name: _field(one) for one in move.fields}
    if move.action == "draft":
        fields["linked_id"] = Id(required=False, allow_null=True, help_text="An earlier instruction this one follows.")
        fields["supersedes_id"] = Id(
            required=False, allow_null=True, help_text="One of ours that it replaces when issued."
        )
    if not fields:
        return None
    name = "".join(part.capitalize() for part in f"{move.subject}_{move.action}".split("_"))
    return type(f"{name}Body", (Shape,), {"__doc__": move.note or f"What {move.action} takes.", **fields})


def _field(one: states.Field) -> serializers.Field[Any, Any, Any, Any]:
    if one.name in _LISTS:
        made: serializers.Field[Any, Any, Any, Any] = _LISTS[one.name]()
        return made
    given: dict[str, Any] = {"required": one.required}
    if not one.required and one.type not in ("text", "boolean", "choice"):
        given["allow_null"] = True
    if one.name in _LONE:
        return _LONE[one.name](**given)
    if one.name == "percent":
        return Whole(max_value=100, **given)
    match one.type:
        case "integer":
            return Id(**given) if one.name.endswith("_id") else Whole(**given)
        case "number":
            return serializers.FloatField(**given)
        case "boolean":
            return Yes(**given)
        case "datetime":
            return Moment(**given)
        case "department":
            return Id(help_text="Id of a department.", **given)
        case "choice":
            return serializers.ChoiceField(one.choices, **given)
        case "object":
            return serializers.DictField(**given)
        case "list":
            return serializers.ListField(child=serializers.JSONField(), max_length=200, **given)
    return Text(max_length=_MOST.get(one.name, 300), allow_blank=not one.required, **given)
