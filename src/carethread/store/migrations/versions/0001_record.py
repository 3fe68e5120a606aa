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
        sa.Column("last_message", sa.BigInteger, nullable=False),
        sa.Column("ledger", sa.LargeBinary, nullable=False),
        sa.Column("tree_id", sa.LargeBinary(32), nullable=False),
        sa.Column("attachments", sa.LargeBinary, nullable=False),
        sa.Column("continues", sa.Text),
        sa.Column("versions", sa.BigInteger, nullable=False),
        sa.Column("resource_id", sa.Text),
        sa.Column("identifiers", sa.LargeBinary),
    )
    continues = sa.text("continues IS NOT NULL")
    op.create_index("thread_continues", "thread", ["continues"], sqlite_where=continues, postgresql_where=continues)
    op.create_index("thread_begun", "thread", ["created_at", "communication_id"])
    op.create_table(
        "message",
        sa.Column("record_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("thread_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("search_key", sa.BigInteger, nullable=False, unique=True),
        sa.Column("corrects", sa.LargeBinary(16)),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("resource_id", sa.Text),
        sa.Column("identifiers", sa.LargeBinary),
    )
    op.create_index("message_recorded", "message", ["recorded_at", "record_key", "seq", "position", "search_key"])
    corrects = sa.text("corrects IS NOT NULL")
    op.create_index(
        "message_corrects", "message", ["corrects", "record_key"], sqlite_where=corrects, postgresql_where=corrects
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
    op.create_table(
        "participation",
        sa.Column("record_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("thread_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("participant_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("reach", sa.BigInteger, nullable=False),
        sa.Column("archived", sa.BigInteger, nullable=False),
        sa.Column("activity", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("thread_uuid", sa.LargeBinary(16), nullable=False),
        sa.Column("addressed", sa.BigInteger, nullable=False),
        sa.Column("answered", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.BigInteger, nullable=False),
        sa.Column("last_message", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    order = ["participant_id", "reach", "activity", "thread_uuid"]
    op.create_index("participation_shelf", "participation", [order[0], "archived", *order[1:], "last_message"])
    op.create_index("participation_begun", "participation", ["participant_id", "reach", "created_at", "thread_uuid"])
    waiting = sa.text("waiting = 1")
    order += ["addressed", "last_message"]
    op.create_index("participation_waiting", "participation", order, sqlite_where=waiting, postgresql_where=waiting)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE message_text USING fts5(words, tokens, content='', columnsize=0, "
            "tokenize='unicode61 remove_diacritics 0')"
        )
    else:
        op.execute("CREATE TABLE message_text (search_key bigint PRIMARY KEY, document tsvector NOT NULL)")
        op.execute("CREATE INDEX message_text_document ON message_text USING gin (document)")
