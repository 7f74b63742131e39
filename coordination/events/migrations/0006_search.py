"""What an auditor searches the log by: time, department, actor, kind of act, request, grant and object read."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def added(model, fields, name, **more):
    return AddIndexConcurrently(model, models.Index(fields=fields, name=name, **more))


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("events", "0005_readentry_grants")]

    operations = [
        added("event", ["at", "id"], "event_at"),
        added("event", ["actor_department", "at", "id"], "event_department"),
        added("event", ["actor_id", "at", "id"], "event_actor"),
        added("event", ["type", "at", "id"], "event_type"),
        added("event", ["request_id"], "event_request", condition=~models.Q(request_id="")),
        added("readentry", ["actor_department", "at", "id"], "readentry_department"),
        added("readentry", ["actor_key", "at", "id"], "readentry_actor"),
        added("readentry", ["operation", "at", "id"], "readentry_operation"),
        added("readentry", ["request_id"], "readentry_request", condition=~models.Q(request_id="")),
        AddIndexConcurrently(
            "readentry", GinIndex(fields=["grants"], name="readentry_grants", opclasses=["jsonb_path_ops"])
        ),
        AddIndexConcurrently("readentry", GinIndex(fields=["ids"], name="readentry_ids", opclasses=["jsonb_path_ops"])),
    ]
