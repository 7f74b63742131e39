"""Which tables say who is who?"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, Group, PermissionsMixin, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from coordination.events.text import localized


class Department(models.Model):
    """Any organisation that takes part. ``path`` is ``/1/5/`` from the root to itself (materialised tree)."""

    class Kind(models.TextChoices):
        COMMAND_CENTRE = "command_centre", _("Command centre")
        MONITORING_CENTRE = "monitoring_centre", _("Monitoring centre")
        BUREAU = "bureau", _("Bureau")
        DISTRICT = "district", _("District")
        TOWN = "town", _("Town")
        MINISTRY = "ministry", _("Ministry")
        ENTERPRISE = "enterprise", _("Enterprise")
        CIVIC_GROUP = "civic_group", _("Civic group")
        NEIGHBOURING = "neighbouring", _("Neighbouring region")

    code = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    short_zh = models.CharField(max_length=6)
    short_en = models.CharField(max_length=14)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    path = models.CharField(max_length=200, blank=True, db_index=True)
    region_code = models.CharField(max_length=12, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    version = models.IntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["parent"], name="department_parent")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Full name in the reader's language."""
        return localized(self.name_zh, self.name_en)

    @property
    def short(self) -> str:
        """Short name (≤ 6 Chinese, ≤ 14 Latin characters) in the reader's language."""
        return localized(self.short_zh, self.short_en)

    @property
    def ancestor_ids(self) -> list[int]:
        """Ids of the departments above, nearest last, without itself."""
        return [int(part) for part in self.path.strip("/").split("/")[:-1] if part]


class Duty(models.Model):
    """What a department can be responsible for, such as fire_rescue or traffic_control."""

    code = models.SlugField(max_length=40, primary_key=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    sort = models.IntegerField(default=0)

    def __str__(self) -> str:
        return localized(self.name_zh, self.name_en)


class Responsibility(models.Model):
    """Department × duty × incident type × grade × area, as lead or support.

    Empty ``incident_type`` (a path prefix like ``accident.chemical``), grade or area (division-code prefix) = any.
    """

    class Role(models.TextChoices):
        LEAD = "lead", _("Lead")
        SUPPORT = "support", _("Support")

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="responsibilities")
    duty = models.ForeignKey(Duty, on_delete=models.PROTECT, related_name="responsibilities")
    incident_type = models.CharField(max_length=80, blank=True)
    grade = models.SmallIntegerField(null=True, blank=True)
    area = models.CharField(max_length=12, blank=True)
    role = models.CharField(max_length=8, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["department", "duty", "incident_type", "grade", "area"],
                name="responsibility_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.department_id} {self.duty_id} {self.role}"


class Person(AbstractBaseUser, PermissionsMixin):
    """A human being who can sign in."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    username = models.CharField(max_length=60, unique=True)
    name_zh = models.CharField(max_length=40, blank=True)
    name_en = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    compact = models.BooleanField(default=False)
    keys_off = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    emergency = models.BooleanField(default=False, db_default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Name in the reader's language, or the user name."""
        return localized(self.name_zh, self.name_en) or self.username


class Post(models.Model):
    """A function in a department; instructions address posts, never persons. Its guardian group carries rights."""

    class Kind(models.TextChoices):
        DUTY_OFFICER = "duty_officer", _("Duty officer")
        COMMANDER = "commander", _("Commander")
        HEAD = "head", _("Head")
        APPROVER = "approver", _("Approver")
        DATA_STEWARD = "data_steward", _("Data steward")
        AUDITOR = "auditor", _("Auditor")
        OBSERVER = "observer", _("Observer")
        ADMINISTRATOR = "administrator", _("Administrator")

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="posts")
    kind = models.CharField(max_length=20, choices=Kind)
    group = models.OneToOneField(Group, null=True, on_delete=models.SET_NULL, related_name="post")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["department", "kind"], name="post_once")]

    def __str__(self) -> str:
        return f"{self.department_id}/{self.kind}"


class KindOfPost(models.CharField):  # type: ignore[type-arg]
    """What kind of post the row's ``post`` is, as the database needs it to keep posts apart; written with each row."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """The post's own kind, whatever was given."""
        kind: str = model_instance.post.kind  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, kind)
        return kind

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """A column like any other to migrations."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class Membership(models.Model):
    """A person holds a post from–to (to is exclusive; empty = open).

    Nobody holds two of data steward, auditor and administrator at once, wherever: ``membership_apart`` and
    ``membership_apart_rest``, exclusion constraints of migration 0005, refuse the row. ``kind`` is empty in rows that
    stood in each other's way before there were these: they give none of the three (`accounts.queries.apart`).
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="memberships")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    kind = KindOfPost(max_length=20, null=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["person", "post"], name="membership_person")]

    def __str__(self) -> str:
        return f"{self.person_id} as {self.post_id}"


class ProposedPost(models.Model):
    """An administrator wants to give somebody a post over data or over the log; the head has to confirm it."""

    class State(models.TextChoices):
        OPEN = "open", _("to be confirmed")
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="proposed_posts")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="proposed_posts")
    kind = models.CharField(max_length=20, choices=Post.Kind)
    valid_from = models.DateTimeField(null=True)
    valid_to = models.DateTimeField(null=True)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    proposed_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["department", "person", "kind"], condition=models.Q(state="open"), name="proposed_post_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} as {self.department_id}/{self.kind}: {self.state}"


class Shift(models.Model):
    """One turn of duty of a department's duty officer, with a deputy and a note for the next one.

    Shifts of one department do not overlap (refused by lock and check). ``person`` empty = an empty shift, an
    alarm. ``absent`` = the person cannot be reached; the deputy stands in.
    """

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="shifts")
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="shifts")
    deputy = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    absent = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    taken_over_at = models.DateTimeField(null=True, blank=True)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="shift_forward"),
            models.UniqueConstraint(fields=["department", "starts"], name="shift_once"),
        ]
        indexes = [models.Index(fields=["department", "ends"], name="shift_department")]

    def __str__(self) -> str:
        return f"{self.department_id} {self.starts:%d %b %H:%M}"


class ApiClient(models.Model):
    """Another agency's system: one OAuth2 application of one department."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="api_clients")
    application = models.OneToOneField(
        "oauth2_provider.Application", on_delete=models.CASCADE, related_name="api_client"
    )
    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Display(models.Model):
    """A wall: paired by a code an administrator enters, then read-only by a token in an HttpOnly cookie.

    ``incident_id`` set = incident mode; else the city overview. ``claim_hash``: the screen that shows the code.
    ``address``: the only one the token is good from (empty: any, for walls the platform makes itself).
    """

    department = models.ForeignKey(Department, null=True, on_delete=models.CASCADE, related_name="displays")
    name = models.CharField(max_length=80, blank=True)
    pairing_code = models.CharField(max_length=8, blank=True, db_index=True)
    pairing_expires = models.DateTimeField(null=True, blank=True)
    claim_hash = models.CharField(max_length=64, blank=True, db_index=True)
    token_hash = models.CharField(max_length=64, blank=True, db_index=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    incident_id = models.BigIntegerField(null=True, blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    theme = models.CharField(max_length=8, default="dark")
    seat_distance_m = models.FloatField(default=5)
    screen_width_m = models.FloatField(default=2.4)
    last_seen = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    version = models.IntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class OpenSession(models.Model):
    """One sign-in that still holds: who, from where, since when; ended by deleting it with its session."""

    session_key = models.CharField(max_length=40, unique=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="open_sessions")
    department = models.ForeignKey(Department, null=True, on_delete=models.SET_NULL, related_name="+")
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    active_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id} since {self.started_at:%d %b %H:%M}"
