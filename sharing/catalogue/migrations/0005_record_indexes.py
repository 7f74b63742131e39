"""By which index are the earlier states of a record found, and all states of a dataset in order?"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("catalogue", "0004_record_values")]

    operations = [
        # what was cut short stays there and is of no use: taken away first, so that this can simply be run again
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS record_ever", migrations.RunSQL.noop),
        AddIndexConcurrently("record", models.Index(fields=["dataset", "id"], name="record_ever")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS record_states", migrations.RunSQL.noop),
        AddIndexConcurrently("record", models.Index(fields=["dataset", "key"], name="record_states")),
    ]
