"""What shapes do departments, duty, responsibilities and sessions have?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Id, Moment, Shape, Text, Whole, Yes

KINDS = (
    "command_centre", "monitoring_centre", "bureau", "district", "town", "ministry", "enterprise", "civic_group",
    "neighbouring",
)  # fmt: skip


class DepartmentShape(Shape):
    """A department: any organisation that takes part."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    code = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    short_zh = serializers.CharField()
    short_en = serializers.CharField()
    parent = serializers.IntegerField(source="parent_id", allow_null=True, help_text="Id of the department above.")
    region_code = serializers.CharField(help_text="12-digit division code.")
    phone = serializers.CharField()
    email = serializers.CharField()
    is_active = serializers.BooleanField()


class DepartmentFilters(Shape):
    """Which departments."""

    kind = serializers.ChoiceField(KINDS, required=False)
    under = Id(required=False, help_text="This department and all below it.")
    q = Text(required=False, max_length=80, help_text="In a name, short name or code.")


class ReachableShape(Shape):
    """A person who can be reached now. ``via``: shift, deputy, standing, next_shift or post."""

    person = serializers.IntegerField(source="person_id")
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()
    via = serializers.CharField()


class OnDutyShape(Shape):
    """Who answers for a department now; nobody = an empty list."""

    department = serializers.IntegerField()
    people = ReachableShape(many=True)


class DutyFilters(Shape):
    """Whose duty, and when (now, where nothing is said)."""

    department = Id(required=False)
    at = Moment(required=False)


class PersonShape(Shape):
    """A person, as others see them."""

    id = serializers.IntegerField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()


class ShiftShape(Shape):
    """One turn of duty."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    starts = serializers.DateTimeField()
    ends = serializers.DateTimeField()
    person = PersonShape(allow_null=True)
    deputy = PersonShape(allow_null=True)
    absent = serializers.BooleanField()
    note = serializers.CharField(help_text="Hand-over note for the next one; empty to other departments.")
    taken_over_at = serializers.DateTimeField(allow_null=True)


class Period(Shape):
    """From–to; a fortnight from now where nothing is said."""

    begin = Moment(required=False)
    end = Moment(required=False)


class ResponsibilityShape(Shape):
    """Who leads or supports what. Empty type, grade or area = any."""

    department = serializers.IntegerField(source="department_id")
    duty = serializers.CharField(source="duty_id")
    incident_type = serializers.CharField()
    grade = serializers.IntegerField(allow_null=True)
    area = serializers.CharField()
    role = serializers.ChoiceField(("lead", "support"))


class CaseFilters(Shape):
    """A kind of incident: who leads?"""

    incident_type = Text(max_length=80, help_text="Type path, such as accident.chemical.explosion.")
    grade = Whole(required=False, min_value=1, max_value=4)
    area = Text(required=False, max_length=12, default="", allow_blank=True)
    duty = Text(required=False, max_length=40)


class CaseShape(Shape):
    """A combination that nobody leads, or that several do."""

    duty = serializers.CharField()
    incident_type = serializers.CharField()
    grade = serializers.IntegerField(allow_null=True)
    area = serializers.CharField()
    departments = serializers.ListField(child=serializers.IntegerField())


class SignIn(Shape):
    """User name, password, second factor where one is set up; the post chooses among several departments."""

    user = Text(max_length=60)
    password = Text(max_length=200, trim_whitespace=False)
    code = Text(required=False, max_length=20, help_text="One-time code of the second factor.")
    post = Text(required=False, max_length=40, help_text="Post to act in, such as duty_officer.")
    department = Id(required=False, help_text="Department to act for; needed where posts are held in several.")


class ActorShape(Shape):
    """Who is acting."""

    kind = serializers.ChoiceField(("person", "client", "display"))
    id = serializers.IntegerField()
    department = serializers.IntegerField(source="department_id", allow_null=True)
    posts = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField(), source="oauth_scopes")
    language = serializers.CharField()


class SessionShape(Shape):
    """The session, with the token that each change must carry as ``X-CSRFToken``."""

    actor = ActorShape()
    csrf_token = serializers.CharField()


class EntryShape(Shape):
    """One entry of a stream: what happened, as a pointer."""

    seq = serializers.IntegerField()
    type = serializers.CharField()
    at = serializers.DateTimeField()
    object = serializers.CharField(help_text="Kind of the object, such as instructions.assignment.")
    id = serializers.IntegerField(help_text="The object's id.")
    version = serializers.IntegerField()


class EntriesShape(Shape):
    """Entries after a place in a stream, oldest first; ``next`` is the place to go on from, always given."""

    stream = serializers.CharField()
    epoch = serializers.IntegerField()
    items = EntryShape(many=True)
    next = serializers.CharField(help_text="`{epoch}.{seq}` for the next request.")
    more = serializers.BooleanField(help_text="Whether further entries wait already.")


class EntriesFilters(Shape):
    """After which place."""

    after = serializers.RegexField(
        r"^[0-9]{1,9}\.[0-9]{1,18}$", required=False, help_text="`{epoch}.{seq}`; from the beginning where not given."
    )
    limit = Whole(required=False, min_value=1, max_value=500, default=200)


class ShiftPlan(Shape):
    """A turn of duty to plan; without a person it is empty, and an alarm."""

    starts = Moment()
    ends = Moment()
    person = Id(required=False, allow_null=True, source="person_id")
    deputy = Id(required=False, allow_null=True, source="deputy_id")


class ShiftPeople(Shape):
    """Who has the turn, and who stands in."""

    person = Id(allow_null=True, source="person_id")
    deputy = Id(required=False, allow_null=True, source="deputy_id")


class DeputyBody(Shape):
    """Who stands in; null = nobody."""

    deputy = Id(allow_null=True, source="deputy_id")


class AbsenceBody(Shape):
    """Whether the person of the turn cannot be reached."""

    absent = Yes()


class NoteBody(Shape):
    """What the next one must know."""

    note = Text(max_length=5000, allow_blank=True)


class TakeOverBody(Shape):
    """What the one before handed over."""

    note = Text(max_length=5000, allow_blank=True, required=False)


class NewDepartment(Shape):
    """A department to add below another."""

    code = serializers.SlugField(max_length=40)
    kind = serializers.ChoiceField(KINDS)
    name_zh = Text(max_length=80)
    name_en = Text(max_length=120)
    short_zh = Text(max_length=6)
    short_en = Text(max_length=14)
    parent = Id(source="parent_id")
    region_code = serializers.RegexField(r"^[0-9]{12}$", required=False)
    phone = Text(max_length=40, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)


class DepartmentChange(Shape):
    """What of a department is to be different."""

    name_zh = Text(max_length=80, required=False)
    name_en = Text(max_length=120, required=False)
    short_zh = Text(max_length=6, required=False)
    short_en = Text(max_length=14, required=False)
    region_code = serializers.RegexField(r"^[0-9]{12}$", required=False)
    phone = Text(max_length=40, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)


class MoveBody(Shape):
    """Below which department."""

    parent = Id(source="parent_id")
