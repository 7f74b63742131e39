"""Who reported something is no word to search by: a wall may search, and would learn the names it must not show."""

from django.db import migrations

from coordination.events.words import words_of

BATCH = 500


def without_names(apps, editor):
    """Recompute the words of reports that name somebody."""
    _recompute(apps, lambda row: words_of(row.number, row.text, row.place))


def with_names(apps, editor):
    """As the version before it keeps them."""
    _recompute(apps, lambda row: words_of(row.number, row.text, row.place, row.reporter_name))


def _recompute(apps, words):
    """Row after row, each for itself: nobody waits, and breaking off in the middle does no harm."""
    rows = apps.get_model("incidents", "Report")._base_manager
    named = rows.exclude(reporter_name="").order_by("pk").only("number", "text", "place", "reporter_name")
    last = 0
    while batch := list(named.filter(pk__gt=last)[:BATCH]):
        for row in batch:
            rows.filter(pk=row.pk).update(words=words(row))
        last = batch[-1].pk


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("incidents", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(without_names, with_names),
    ]
