"""The tables of seals and anchors, and which transaction wrote each line of the access log."""

import django.db.models.expressions
from django.db import migrations, models

from django.db.models import CompositePrimaryKey


class Migration(migrations.Migration):

    dependencies = [("events", "0002_reads")]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("pk", CompositePrimaryKey("stream", "seq", blank=True, editable=False, primary_key=True, serialize=False)),
                ("stream", models.CharField(max_length=80)),
                ("seq", models.BigIntegerField()),
                ("prev", models.BinaryField()),
                ("hash", models.BinaryField()),
                ("version", models.SmallIntegerField(default=1)),
                ("read_id", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SealHead",
            fields=[
                ("stream", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField(default=0)),
                ("hash", models.BinaryField()),
                ("at", models.DateTimeField()),
                ("read_xid", models.BigIntegerField(default=0)),
                ("read_id", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("streams", models.IntegerField()),
                ("heads", models.BinaryField()),
                ("prev", models.BinaryField()),
                ("key", models.CharField(max_length=16)),
                ("signature", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="AnchorHead",
            fields=[
                ("pk", CompositePrimaryKey("stream", "number", blank=True, editable=False, primary_key=True, serialize=False)),
                ("stream", models.CharField(max_length=80)),
                ("number", models.BigIntegerField()),
                ("seq", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
        ),
        # a constant first: lines that are there get it without being written anew
        migrations.AddField("readentry", "xid", models.BigIntegerField(db_default=0)),
        migrations.AlterField(
            "readentry",
            "xid",
            models.BigIntegerField(
                db_default=django.db.models.expressions.Func(
                    output_field=models.BigIntegerField(), template="(pg_current_xact_id()::text::bigint)"
                )
            ),
        ),
    ]
