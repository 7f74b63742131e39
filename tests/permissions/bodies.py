"""What is sent with an operation: the smallest body or form that its shape takes?"""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework import serializers

from coordination.events import clock
from coordination.instructions.forms.acts import PlainForm
from coordination.instructions.forms.content import AmendForm, ContentForm
from coordination.instructions.views.registry import act_for
from coordination.screens import departments, incident_deeds, incidents, rosters
from coordination.screens.api import shapes
from incidents import forms as incident_forms
from sharing.catalogue import forms as catalogue_forms
from sharing.catalogue import glass_forms, request_forms
from sharing.catalogue import views as catalogue
from sharing.catalogue.rule_forms import RuleForm
from sharing.exchange.forms import DeliverForm
from tests.permissions.operations import Operation
from tests.permissions.world import PASSWORD, World

NOBODYS = 987_654_321
SCHEMA = {"fields": [{"name": "number", "title_en": "Number"}]}
# Fields that a form or shape can do without, and the act cannot.
WANTED = {
    "headline_en", "outcome", "wanted_until", "level", "colour", "answer", "person_id", "membership_id", "shift_id",
    "display_id", "client_id", "objective_id", "title_en", "schema",
}  # fmt: skip
_SUBJECTS = {"instructions": "instruction", "assignments": "assignment", "asks": "ask"}
_DEEDS = {
    "incidents/<int:pk>/act/<str:name>/": incident_deeds.DEEDS,
    "reports/<int:pk>/act/<str:name>/": incidents.REPORT,
    "departments/<int:pk>/act/<str:name>/": departments.DEEDS,
    "duty/<int:pk>/act/<str:name>/": rosters.DEEDS,
    "data/<int:pk>/act/<str:name>/": catalogue.ACTS,
    "data/requests/<int:pk>/act/<str:name>/": catalogue.REQUEST_ACTS,
    "data/agreements/<int:pk>/act/<str:name>/": catalogue.AGREEMENT_ACTS,
    "data/break-glass/<int:glass_id>/act/<str:name>/": catalogue.GLASS_ACTS,
}
_FORMS: dict[str, type[forms.Form]] = {
    "incidents/<int:incident_id>/instructions/new": ContentForm,
    "instructions/<int:pk>/edit": ContentForm,
    "instructions/<int:pk>/amend": AmendForm,
    "instructions/<int:pk>/discard/": PlainForm,
    "instructions/<int:pk>/restore/": PlainForm,
    "reports/new/": incident_forms.ReportForm,
    "data/new/": catalogue_forms.DraftForm,
    "data/<int:pk>/edit/": catalogue_forms.DescribeForm,
    "data/<int:pk>/schema/": catalogue_forms.SchemaForm,
    "data/<int:pk>/request/": request_forms.AskForm,
    "data/<int:pk>/give/": request_forms.GiveForm,
    "data/<int:pk>/offer/": request_forms.OfferForm,
    "data/<int:pk>/rules/new/": RuleForm,
    "data/<int:pk>/rules/<int:rule_id>/confirm/": catalogue_forms.PlainForm,
    "data/<int:pk>/rules/<int:rule_id>/end/": catalogue_forms.PlainForm,
    "data/legal-bases/": catalogue_forms.LegalBasisForm,
    "data/<int:pk>/deliver/": DeliverForm,
    "data/break-glass/new/": glass_forms.BreakForm,
    "data/break-glass/proposals/<int:proposal_id>/settle/": glass_forms.SettleForm,
    "data/sharing/<int:pk>/revoke/": catalogue_forms.RevokeForm,
    "reports/<int:pk>/open/": incident_forms.OpenForm,
}


def body_of(operation: Operation, world: World, *, absent: bool = False) -> dict[str, Any]:
    """Return what is sent: of the shape the API declares, or of the page's form."""
    if operation.declared is not None:
        shape = operation.declared.body
        return sample(shape(), world, absent=absent) if shape is not None else {}
    form = form_of(operation)
    if form is DeliverForm:
        return filled(form, world) | {"file": SimpleUploadedFile("records.csv", b"canary\nnew\n")}
    if form is not None:
        return filled(form, world, absent=absent)
    return {
        "notices/read/": {"up_to": NOBODYS if absent else world.ids["up_to"]},
        "act-for/": {"department": world.departments["centre"].pk},
        "sign-in/": {"username": "nobody-of-this-name", "password": PASSWORD},
        "settings/language/": {"language": "en"},
        "settings/theme/": {"theme": "dark"},
        "story/<str:name>/": {"speed": "1.0"},
    }.get(operation.route, {})


def query_of(operation: Operation, world: World, *, absent: bool = False) -> dict[str, Any]:
    """Return what a reading operation is asked with."""
    if operation.route == "data/<int:pk>/records/download/":
        return {"format": "csv"}
    if operation.route == "live/since":
        return {"after": f"{stream_of(operation.name, world, absent=absent)}=1.0"}
    if operation.route == "data/explain/":
        return {"object": _asked_about(world, absent)}
    declared = operation.declared
    return sample(declared.query(), world, absent=absent) if declared is not None and declared.query else {}


def _asked_about(world: World, absent: bool) -> str:
    return f"incidents.incident:{NOBODYS if absent else world.ids['incident_id']}"


def stream_of(kind: str, world: World, *, absent: bool) -> str:
    """Return the name of the incident's, the centre's, its duty officer's or the platform's stream."""
    if kind == "system":
        return "system"
    if absent:
        return {"incident": f"incident:{NOBODYS}", "brief": f"incident:{NOBODYS}:brief"}.get(kind, f"{kind}:{NOBODYS}")
    incident = world.ids["incident_id"]
    return {
        "incident": f"incident:{incident}",
        "brief": f"incident:{incident}:brief",
        "department": f"department:{world.departments['centre'].pk}",
        "dataset": f"dataset:{world.ids['dataset_id']}",
        "user": f"user:{world.people['centre/duty_officer'].pk}",
    }[kind]


def form_of(operation: Operation) -> type[forms.Form] | None:
    """Return the form behind a page's act."""
    deeds = _DEEDS.get(operation.route)
    if deeds is not None:
        return deeds[operation.name].form
    subject = _SUBJECTS.get(operation.route.partition("/")[0])
    if subject and operation.name and operation.method == "POST":
        act = act_for(subject, operation.name, read_back=False)
        return act.form if act is not None else None
    return _FORMS.get(operation.route) if operation.method == "POST" else None


def sample(shape: serializers.Serializer[Any], world: World, *, absent: bool = False) -> dict[str, Any]:
    """Return the least that a shape of the API takes."""
    return {name: _one(name, field, world, absent) for name, field in shape.fields.items() if field.required}


def _named(world: World, absent: bool) -> dict[str, Any]:
    """Values by the name of their field."""
    theirs = {
        "department": world.departments["health"].pk,
        "owner": world.departments["health"].pk,
        "incident": world.ids["incident_id"],
        "incident_id": world.ids["incident_id"],
        "other": world.ids["other_id"],
        "into": world.ids["other_id"],
        "parent": world.ids["other_id"],
    }
    return (dict.fromkeys(theirs, NOBODYS) if absent else theirs) | {
        "person": None,
        "deputy": None,
        "version": 1,
        "value": 2,
        "type": "accident.fire",
        "channel": "hotline",
        "starts": _soon(200),
        "ends": _soon(208),
        "incident_type": "accident.fire",
        "grant_type": "client_credentials",
        "password": "not the password",
        "unit": "person",
        "q": "canary",
        "frequency": "daily",
        "object": _asked_about(world, absent),
    }


def _one(name: str, field: Any, world: World, absent: bool) -> Any:
    ids = _named(world, absent)
    if name == "parent" and type(field.parent).__module__ == shapes.__name__:  # of a department, not of an incident
        return NOBODYS if absent else world.departments["centre"].pk
    if name in ids and not (name in ("person", "deputy") and not field.allow_null):
        return ids[name]
    if isinstance(field, serializers.FileField):
        return SimpleUploadedFile("note.txt", b"hello\n")
    if isinstance(field, serializers.ChoiceField):
        return next(iter(field.choices))
    if isinstance(field, serializers.BooleanField):
        return True
    if isinstance(field, serializers.DateTimeField):
        return _soon(1) if name != "spoken_at" else _soon(-0.01)
    if isinstance(field, serializers.IntegerField | serializers.FloatField):
        return 1
    if isinstance(field, serializers.DateField):
        return "2020-01-01"
    named = {
        "code": "new-office", "short_zh": "新局", "short_en": "New", "schema": SCHEMA, "fields": ["number"], "post": "",
    }  # fmt: skip
    return named.get(name, "words")


def _soon(hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).isoformat()


def filled(form: type[forms.Form], world: World, *, absent: bool = False) -> dict[str, Any]:
    """Return the least that a page's form takes."""
    found = {}
    for name, field in form.base_fields.items():
        if field.required or name in WANTED:
            value = _typed(name, field, world, absent)
            if value is not None:
                found[name] = value
    return found


def _typed(name: str, field: forms.Field, world: World, absent: bool) -> Any:
    departments_ = world.departments
    picked = {
        "department_id": departments_["police"].pk,
        "department": departments_["firej"].pk,
        "owner": departments_["health"].pk,
        "other_id": world.ids["other_id"],
        "into_id": world.ids["other_id"],
        "incident_id": world.ids["incident_id"],
        "person_id": "",
        "type": "accident.fire",
        "channel": "hotline",
        "kind": "note",
        "outcome": "justified" if "justified" in dict(getattr(field, "choices", [])) else "good",
        "level": "2",
        "colour": "",
        "version": 1,
        "username": world.ids["username"],
        "code": world.ids["pairing"],
        "response_level": "3",
        "state": "standing_by",
        "headline_en": "A headline",
        "frequency": "daily",
        "in_force_from": "2020-01-01",
        "schema": json.dumps(SCHEMA),
    }
    if name.endswith("_id") and name not in (*picked, "command_id"):
        return NOBODYS if absent else world.ids[name]
    if name == "person_id" and not isinstance(field, forms.ChoiceField):
        return NOBODYS if absent else world.ids["spare_id"]
    if name == "kind" and not isinstance(field, forms.ChoiceField):
        return "note"
    if name in picked and not (name == "kind" and field.choices):  # type: ignore[attr-defined]
        return picked[name]
    if isinstance(field, forms.FileField):
        return SimpleUploadedFile("note.txt", b"hello\n")
    if isinstance(field, forms.ChoiceField):
        return next((value for value, _label in field.choices if value != ""), None)
    if isinstance(field, forms.DateTimeField):
        moment = clock.now() + timedelta(hours={"spoken_at": 0, "starts": 200, "ends": 208}.get(name, 1))
        return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")
    if isinstance(field, forms.UUIDField):
        return str(uuid.uuid4())
    if isinstance(field, forms.IntegerField | forms.FloatField | forms.DecimalField):
        return field.initial or 1
    return "words"
