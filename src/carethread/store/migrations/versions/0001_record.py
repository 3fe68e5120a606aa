"""Records, their journal, threads, messages and client identifiers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "record",
        sa.Column("record_key", _KEY, primary_key=True),
        sa.Column("coordination_id", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("clinical_id", sa.LargeBinary(16), nullable=False),
        sa.Column("custodian_id", sa.LargeBinary(16), nullable=False),
        sa.Column("status", sa.LargeBinary, nullable=False),
        sa.Column("head_seq", sa.BigInteger, nullable=False),
        sa.Column("head_commit", sa.LargeBinary(32), nullable=False),
        sa.Column("last_instant", sa.BigInteger, nullable=False),
        sa.Column("synced_seq", sa.BigInteger, nullable=False),
        sa.Column("pending_since", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("clinical_id", "custodian_id", name="record_clinical_id"),
    )
    pending = sa.text("head_seq > synced_seq")
    op.create_index("record_pending", "record", ["pending_since"], sqlite_where=pending, postgresql_where=pending)
    op.create_table(
        "journal",
        sa.Column("record_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("commit_id", sa.LargeBinary(32), nullable=False),
        sa.Column("commit_object", sa.LargeBinary, nullable=False),
        sa.Column("changes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "thread",
        sa.Column("record_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("thread_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("communication_id", sa.Text, nullable=False, unique=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_updated_at", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("ledger", sa.LargeBinary, nullable=False),
        sa.Column("tree_id", sa.LargeBinary(32), nullable=False),
        sa.Column("attachments", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "message",
        sa.Column("record_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("thread_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "identifier",
        sa.Column("record_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
