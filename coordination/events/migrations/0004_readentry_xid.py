"""The order in which the access log is sealed."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("events", "0003_seals")]

    operations = [
        AddIndexConcurrently("readentry", models.Index(fields=["xid", "id"], name="readentry_xid")),
    ]
