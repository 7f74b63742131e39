"""By which index are the earlier states of a record found, and all states of a dataset in order?"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("catalogue", "0004_record_values")]

    operations = [
        AddIndexConcurrently("record", models.Index(fields=["dataset", "id"], name="record_ever")),
        AddIndexConcurrently("record", models.Index(fields=["dataset", "key"], name="record_states")),
    ]
