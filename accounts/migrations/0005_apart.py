"""The database keeps data steward, auditor and administrator apart.

With what every PostgreSQL has: a range of one person meets itself, the range of the one kind touches that of the others,
and times meet. Rows that stand in each other's way already keep an empty kind: nothing is taken from anybody silently,
and `accounts.queries.apart` finds them.
"""

from django.db import migrations

PERSON = "int8range(person_id, person_id, '[]') WITH &&"
TIME = "tstzrange(valid_from, valid_to) WITH &&"
APART = f"""
CREATE UNIQUE INDEX post_kind ON accounts_post (id, kind);
ALTER TABLE accounts_membership ADD CONSTRAINT membership_kind FOREIGN KEY (post_id, kind)
  REFERENCES accounts_post (id, kind) ON UPDATE CASCADE;
ALTER TABLE accounts_membership ADD CONSTRAINT membership_apart EXCLUDE USING gist (
  {PERSON}, (CASE WHEN kind = 'data_steward' THEN int4range(0, 1) ELSE int4range(1, 2) END) WITH -|-, {TIME}
) WHERE (kind IN ('data_steward', 'auditor', 'administrator'));
ALTER TABLE accounts_membership ADD CONSTRAINT membership_apart_rest EXCLUDE USING gist (
  {PERSON}, (CASE WHEN kind = 'auditor' THEN int4range(0, 1) ELSE int4range(1, 2) END) WITH -|-, {TIME}
) WHERE (kind IN ('auditor', 'administrator'));
"""
TOGETHER = """
ALTER TABLE accounts_membership DROP CONSTRAINT membership_apart_rest;
ALTER TABLE accounts_membership DROP CONSTRAINT membership_apart;
ALTER TABLE accounts_membership DROP CONSTRAINT membership_kind;
DROP INDEX post_kind;
"""
NAMED = """
UPDATE accounts_membership m SET kind = p.kind FROM accounts_post p
WHERE p.id = m.post_id AND m.kind IS NULL AND (p.kind NOT IN ('data_steward', 'auditor', 'administrator') OR (
  (m.valid_to IS NULL OR m.valid_to >= m.valid_from) AND NOT EXISTS (
    SELECT FROM accounts_membership o JOIN accounts_post q ON q.id = o.post_id
    WHERE o.person_id = m.person_id AND q.kind <> p.kind AND q.kind IN ('data_steward', 'auditor', 'administrator')
      AND (o.valid_to IS NULL OR o.valid_to > m.valid_from) AND (m.valid_to IS NULL OR m.valid_to > o.valid_from))))
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0004_posts_apart")]

    operations = [
        migrations.RunSQL(APART, TOGETHER),
        migrations.RunSQL(NAMED, "UPDATE accounts_membership SET kind = NULL"),
    ]
