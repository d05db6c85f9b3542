"""What was written stays: the database itself refuses change and deletion.

Events, log leaves, checkpoints, decisions, the parts they found, readings, reveals,
exchanges with authorities, and what people blocked in a bank and lifted are
append-only. A migration that must touch them says so by dropping the trigger in plain
sight.
"""

from django.db import migrations

TABLES = [
    "hf_event",
    "hf_log_leaf",
    "hf_checkpoint",
    "hf_reading",
    "hf_reveal",
    "hf_decision",
    "hf_actor_part",
    "hf_exchange",
    "hf_policy_version",
    "hf_bank_block",
    "hf_bank_lift",
]

FUNCTION = """
CREATE FUNCTION hf_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
"""


class Migration(migrations.Migration):
    """Refuse UPDATE and DELETE on what is evidence."""

    dependencies = [("holdfast", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION hf_refuse_change()"),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION hf_refuse_change()",
                f"DROP TRIGGER append_only ON {table}",
            )
            for table in TABLES
        ),
    ]
