"""By which index are the grants of a rule found? Made without stopping those who write.

An index whose making was cut short stays there, and is of no use: each is taken away first, so that this can simply be
run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("access", "0003_share_rules")]

    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS grant_by_rule", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "grant",
            models.Index(
                fields=["incident_id", "rule_id"], condition=Q(rule_id__isnull=False, let_go_at=None),
                name="grant_by_rule",
            ),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS grant_of_rule", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "grant", models.Index(fields=["rule_id"], condition=Q(rule_id__isnull=False), name="grant_of_rule")
        ),
    ]
