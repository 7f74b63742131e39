"""Which data do the departments of the demo city have, and on what terms?"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from accounts import queries as accounts
from coordination.events.actor import SYSTEM
from sharing.catalogue import actions
from sharing.catalogue.models import Dataset, LegalBasis

_FILE = Path(__file__).with_name("datasets.yaml")
_PLACE = (
    ["number", "string", "编号", "Number", {"key": True}],
    ["name", "string", "名称", "Name", {"constraints": {"required": True}}],
    ["place", "geopoint", "位置", "Place", {"format": "array"}],
)


@transaction.atomic
def load_catalogue(*, now: datetime) -> int:
    """Publish every entry of ``datasets.yaml`` that its department does not have yet; returns how many there are.

    Every act goes through the catalogue's own actions, so that nothing stands there that a steward could not enter.
    """
    content = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    bases = {name: _basis(now, *row) for name, row in content["legal_bases"].items()}
    for line in content["datasets"]:
        department = accounts.department_by_code(line["by"])
        if department is None or Dataset.objects.filter(department=department, code=line["code"]).exists():
            continue
        _publish(now, line, department, bases)
    return Dataset.objects.count()


def _basis(now: datetime, zh: str, en: str, article: str, since: date) -> int:
    known = LegalBasis.objects.filter(instrument_zh=zh, article=article, in_force_from=since).first()
    made = known or actions.add_legal_basis(
        actor=SYSTEM, now=now, instrument_zh=zh, instrument_en=en, article=article, in_force_from=since
    )
    return made.pk


def _publish(now: datetime, line: dict[str, Any], department: Any, bases: dict[str, int]) -> None:
    sharing, classification, *named = line["terms"]
    conditions = line.get("conditions", ["", ""])
    row = actions.draft(
        actor=SYSTEM, now=now, department_id=department.pk, code=line["code"], title_zh=line["title"][0],
        title_en=line["title"][1], description_zh=line["about"][0], description_en=line["about"][1],
        theme=line["theme"], frequency=line["frequency"], grace=line.get("grace", 0), area=line.get("area", ""),
        sharing=sharing, classification=classification, legal_basis_id=bases[named[0]] if named else None,
        conditions_zh=conditions[0], conditions_en=conditions[1], personal=line.get("personal", False),
        emergency_release=line.get("emergency", False), contact=f"{department.name_zh} {department.email}",
    )
    actions.add_schema(actor=SYSTEM, now=now, dataset_id=row.pk, schema=schema_of(line["fields"]))
    if not line.get("draft"):
        actions.publish(actor=SYSTEM, now=now, dataset_id=row.pk)


def schema_of(fields: list[Any]) -> dict[str, Any]:
    """A Table Schema from the file's short form: ``[name, type, zh, en, more?]``; ``places`` is three fields."""
    lines = [one for line in fields for one in (_PLACE if line == "places" else (line,))]
    made, key = [], []
    for name, kind, zh, en, *more in lines:
        extra = dict(more[0]) if more else {}
        if extra.pop("key", False):
            key.append(name)
        made.append({"name": name, "type": kind, "title_zh": zh, "title_en": en, **extra})
    return {"fields": made, **({"primaryKey": key} if key else {})}
