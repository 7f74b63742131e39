"""An index of the instructions that have not ended, by who issued them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("accounts", "0002_api_clients"),
        ("instructions", "0003_appeal"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="instruction",
            index=models.Index(
                fields=["issuer"],
                condition=~models.Q(state__in=["closed", "cancelled", "superseded"]),
                name="instruction_open",
            ),
        ),
    ]
