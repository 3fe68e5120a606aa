"""What clients call threads and messages, and what changed."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables by which programs find things under their own names, and learn what is new."""
    op.create_table(
        "resource_name",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("resource_id", sa.Text, primary_key=True),
        sa.Column("record_key", sa.BigInteger, nullable=False),
        sa.Column("thread_no", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("resource_name_record", "resource_name", ["record_key"])
    op.create_table(
        "resource_identifier",
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("system", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("record_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("thread_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("resource_identifier_record", "resource_identifier", ["record_key"])
    op.create_table(
        "change",
        sa.Column("txid", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("change_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("coordination_id", sa.LargeBinary(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("communication_id", sa.Text, nullable=False),
        sa.Column("thread_version", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.LargeBinary(16)),
        sa.Column("corrects", sa.LargeBinary(16)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "change_state",
        sa.Column("one", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("base", sa.BigInteger, nullable=False),
    )
    connection = op.get_bind()
    base = int(time.time() * 1000) << 8  # as `changes.begin` does it
    if connection.dialect.name != "sqlite":
        op.execute("CREATE SEQUENCE change_number")
        base -= connection.execute(sa.text("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)")).scalar_one()
    op.execute(sa.text("INSERT INTO change_state (one, base) VALUES (1, :base)").bindparams(base=base))
