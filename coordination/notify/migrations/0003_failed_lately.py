"""An index of the messages that failed, by when they were written: the exporter counts those of the last hour."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("notify", "0002_quiet_hours"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                fields=["created_at"],
                condition=models.Q(state="failed"),
                name="delivery_failed",
            ),
        ),
    ]
