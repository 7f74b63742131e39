"""How does the demo city get into an empty database, and stay alive on every later start?"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction

from accounts import actions as accounts
from accounts.models import ApiClient, Department, Duty, Membership, Person, Post, Responsibility, Shift
from coordination.events.actor import SYSTEM

_HERE = Path(__file__).parent
_ZONE = ZoneInfo("Asia/Shanghai")
_SHIFT = timedelta(hours=12)
_DAYS = 14
_POSTS = ("head", "approver", "duty_officer", "duty_officer")


def load_city(*, accounts_file: Path, now: datetime) -> dict[str, int]:
    """Make or complete the demo city; write every sign-in to ``accounts_file`` (0600). Returns counts.

    A second call keeps everything and only extends the rosters to a fortnight from ``now``.
    """
    city = yaml.safe_load((_HERE / "city.yaml").read_text(encoding="utf-8"))
    with transaction.atomic():
        departments = _departments(city)
        _duties(city, departments)
        if not Person.objects.filter(username__endswith="-head").exists():
            _people(city, departments, now)
            accounts_file.unlink(missing_ok=True)  # of another database: its passwords open nothing here
        fresh = None if accounts_file.exists() else (_sign_ins(city), _clients(departments, now))
        _rosters(departments, now)
    if fresh is not None:  # after COMMIT: a file that exists is true, one that is missing is made anew
        _write(accounts_file, *fresh)
    return {
        "departments": Department.objects.count(),
        "people": Person.objects.count(),
        "shifts": Shift.objects.count(),
        "clients": ApiClient.objects.count(),
    }


def _departments(city: dict[str, Any]) -> dict[str, Department]:
    made: dict[str, Department] = {d.code: d for d in Department.objects.all()}
    for code, kind, parent, name_zh, short_zh, name_en, short_en, region, _extra in city["departments"]:
        if code in made:
            continue
        above = made[parent] if parent else None
        row = Department.objects.create(
            code=code,
            kind=kind,
            parent=above,
            name_zh=name_zh,
            short_zh=short_zh,
            name_en=name_en,
            short_en=short_en,
            region_code=region,
            phone=f"021-5{len(made):03d}-0119",
            email=f"duty@{code}.binhai.example",
        )
        row.path = f"{above.path if above else '/'}{row.pk}/"
        row.save(update_fields=["path"])
        made[code] = row
    return made


def _duties(city: dict[str, Any], departments: dict[str, Department]) -> None:
    Duty.objects.bulk_create(
        [Duty(code=code, name_zh=zh, name_en=en, sort=i) for i, (code, zh, en) in enumerate(city["duties"])],
        ignore_conflicts=True,
    )
    Responsibility.objects.bulk_create(
        [
            Responsibility(department=departments[code], duty_id=duty, incident_type=kind, area=area, role=role)
            for code, duty, kind, area, role in city["responsibilities"]
        ],
        ignore_conflicts=True,
    )


def _names(city: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every pair of given name and surname once, surnames varying fastest."""
    surnames, given = city["surnames"], city["given"]
    for turn in range(len(given)):
        for i, (family_zh, family_en) in enumerate(surnames):
            first_zh, first_en = given[(turn + i) % len(given)]
            yield family_zh + first_zh, f"{family_en} {first_en}"


def _people(city: dict[str, Any], departments: dict[str, Department], now: datetime) -> None:
    names = _names(city)
    people: list[Person] = []
    placed: list[tuple[Person, Post]] = []
    for line in city["departments"]:
        code, extra = line[0], line[-1]
        counts: dict[str, int] = {}
        for kind in (*_POSTS, *extra):
            counts[kind] = counts.get(kind, 0) + 1
            zh, en = next(names)
            suffix = kind.replace("_officer", "").replace("_", "-")
            number = str(counts[kind]) if (kind == "duty_officer" or counts[kind] > 1) else ""
            person = Person(
                username=f"{code}-{suffix}{number}",
                name_zh=zh,
                name_en=en,
                password=make_password(None),
                email=f"{code}-{suffix}{number}@binhai.example",
                phone=f"1390000{len(people):04d}",
            )
            people.append(person)
            placed.append((person, _post(departments[code], kind)))
    Person.objects.bulk_create(people)
    since = now - timedelta(days=365)
    Membership.objects.bulk_create([Membership(person=person, post=post, valid_from=since) for person, post in placed])


def _post(department: Department, kind: str) -> Post:
    post, made = Post.objects.get_or_create(department=department, kind=kind)
    if made:
        post.group, _ = Group.objects.get_or_create(name=f"{department.code}/{kind}")
        post.save(update_fields=["group"])
    return post


def _sign_ins(city: dict[str, Any]) -> list[dict[str, Any]]:
    """A fresh password for everybody of the city, kept nowhere but in the file; where the file was lost, a new one."""
    password = "-".join(secrets.choice(city["words"]) for _ in range(3)) + f"-{secrets.randbelow(90) + 10}"
    codes = [line[0] for line in city["departments"]]
    placed = Membership.objects.filter(post__department__code__in=codes).select_related("person", "post__department")
    people = {row.person_id for row in placed}  # ids: joined tables that were never analysed make a slow plan
    Person.objects.filter(pk__in=people).update(password=make_password(password))
    return [
        {
            "user": row.person.username,
            "password": password,
            "name_zh": row.person.name_zh,
            "name_en": row.person.name_en,
            "department": row.post.department.code,
            "department_id": row.post.department_id,
            "department_name": row.post.department.name_en,
            "post": row.post.kind,
        }
        for row in placed.order_by("id")
    ]


def _clients(departments: dict[str, Department], now: datetime) -> list[dict[str, Any]]:
    """One system a department, with a fresh secret; those of a lost file are revoked."""
    made = []
    for lost in ApiClient.objects.filter(department__in=departments.values(), revoked_at=None):
        accounts.revoke_client(actor=SYSTEM, client_id=lost.pk, now=now)
    for department in departments.values():
        client, secret = accounts.create_client(
            actor=SYSTEM, department_id=department.pk, name=f"{department.short_en} system", now=now
        )
        made.append(
            {
                "department": department.code,
                "department_id": department.pk,
                "client_id": client.application.client_id,
                "client_secret": secret,
            }
        )
    return made


def _write(file: Path, sign_ins: list[dict[str, Any]], clients: list[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"people": sign_ins, "clients": clients}, ensure_ascii=False, indent=1)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)


def _rosters(departments: dict[str, Department], now: datetime) -> None:
    """Twelve-hour shifts, turning between the duty officers, from yesterday's to a fortnight ahead."""
    today = now.astimezone(_ZONE).date()
    first = datetime.combine(today - timedelta(days=1), time(8), _ZONE)
    last = datetime.combine(today + timedelta(days=_DAYS), time(8), _ZONE)
    officers: dict[int, list[int]] = {}
    for department_id, person_id in (
        Membership.objects.filter(post__kind="duty_officer")
        .order_by("id")
        .values_list("post__department_id", "person_id")
    ):
        officers.setdefault(department_id, []).append(person_id)
    planned = set(Shift.objects.filter(ends__gt=first).values_list("department_id", "starts"))
    shifts = []
    for department in departments.values():
        turn = officers.get(department.pk, [])
        if not turn:
            continue
        start = first
        while start < last:
            if (department.pk, start) not in planned:
                k = (start.toordinal() * 2 + (start.hour > 12)) % len(turn)
                shifts.append(
                    Shift(
                        department=department,
                        starts=start,
                        ends=start + _SHIFT,
                        person_id=turn[k],
                        deputy_id=turn[(k + 1) % len(turn)],
                    )
                )
            start += _SHIFT
    Shift.objects.bulk_create(shifts)
