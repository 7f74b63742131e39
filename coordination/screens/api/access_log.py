"""Who was given what is classified, for whoever may read it of their department?"""

from __future__ import annotations

from django.urls import path
from rest_framework import serializers

from coordination.events.searching import Asked
from coordination.screens import audit_lines
from sharing.access.rest import Call, Id, Moment, Page, Resource, Shape, Text, lists

POSTS = (
    "duty_officer", "commander", "head", "approver", "data_steward", "auditor", "observer", "administrator",
)  # fmt: skip


class ReadShape(Shape):
    """One read: who was given which objects, when, by which grants and what for. Never what they say."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    operation = serializers.CharField(source="act")
    actor = serializers.CharField(help_text="person:12, client:3 or display:4.")
    department = serializers.IntegerField(source="department_id", allow_null=True)
    post = serializers.CharField()
    object_type = serializers.CharField()
    objects = serializers.ListField(source="ids", child=serializers.IntegerField(), help_text="The first 200.")
    count = serializers.IntegerField()
    grants = serializers.ListField(child=serializers.IntegerField())
    purpose = serializers.CharField()
    request_id = serializers.CharField()


class ReadFilters(Shape):
    """Which reads."""

    actor = serializers.RegexField(r"^(person|client|display):[1-9][0-9]{0,17}$", required=False, max_length=30)
    department = Id(required=False)
    post = serializers.ChoiceField(POSTS, required=False)
    operation = Text(required=False, max_length=80)
    object_type = Text(required=False, max_length=60)
    object = Id(required=False)
    grant = Id(required=False)
    request_id = Text(required=False, max_length=64)
    begin = Moment(required=False)
    end = Moment(required=False)


class AccessLog(Resource):
    """Reads of what is classified."""

    resource = "access-log"
    people = True

    @lists("access_log_list", ReadShape, query=ReadFilters, summary="Access log")
    def get(self, call: Call) -> Page:
        """Reads by my department, newest first; to its auditor, of those below it too. Asking is a read itself."""
        asked = dict(call.query)
        kind, _colon, pk = asked.get("actor", "").partition(":")
        wanted = Asked(
            source="read", actor=(kind, int(pk)) if pk else None, department=asked.get("department"),
            post=asked.get("post", ""), act=asked.get("operation", ""),
            objects=(asked["object_type"],) if asked.get("object_type") else (), object_id=asked.get("object"),
            grants=(asked["grant"],) if "grant" in asked else None, request_id=asked.get("request_id", ""),
            begin=asked.get("begin"), end=asked.get("end"),
        )  # fmt: skip
        after = tuple(call.after) if call.after else None
        rows, following = audit_lines.page(
            **call.who, asked=wanted, after=after, size=call.size, operation="access_log_list"
        )
        return Page(rows, list(following) if following else None)


urlpatterns = [path("access-log", AccessLog.as_view(), name="api-access-log")]
