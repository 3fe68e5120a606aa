"""Patients by date of birth."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table, and fill it with the patients that are there."""
    born = op.create_table(
        "directory_born",
        sa.Column("born", _ORDERED, primary_key=True),
        sa.Column("entry_id", sa.LargeBinary(16), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("directory_born_entry", "directory_born", ["entry_id"])
    entry = sa.table("directory_entry", sa.column("entry_id"), sa.column("kind"), sa.column("content"))
    rows = op.get_bind().execute(sa.select(entry.c.entry_id, entry.c.content).where(entry.c.kind == "Patient"))
    dates = ((bytes(key), json.loads(bytes(content)).get("birth_date")) for key, content in rows)
    op.bulk_insert(born, [{"born": date, "entry_id": key} for key, date in dates if date])
