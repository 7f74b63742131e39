"""How do code tables get into the database?"""

from __future__ import annotations

from django.db import transaction

from sharing.catalogue import shipped
from sharing.catalogue.models import Code


@transaction.atomic
def load_codes() -> dict[str, int]:
    """Load every shipped table: new codes added, names brought up to date, codes no longer shipped put out of use.

    May be repeated. Returns the number of codes per table. Tables that Muster does not ship stay as they are.
    """
    counts = {}
    for table, rows in shipped.tables().items():
        fresh = [
            Code(
                table=row.table, code=row.code, parent=row.parent, name_zh=row.name_zh, name_en=row.name_en,
                data=row.data, sort=row.sort, active=row.active,
            )
            for row in rows
        ]
        Code.objects.bulk_create(
            fresh, update_conflicts=True, unique_fields=["table", "code"],
            update_fields=["parent", "name_zh", "name_en", "data", "sort", "active"],
        )
        Code.objects.filter(table=table).exclude(code__in=[row.code for row in rows]).update(active=False)
        counts[table] = len(rows)
    return counts
