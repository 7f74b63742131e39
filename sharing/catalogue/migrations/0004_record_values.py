import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("catalogue", "0003_records"),
    ]

    operations = [
        AddIndexConcurrently(
            "record",
            django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("until", None)), fields=["data"], name="record_values", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
