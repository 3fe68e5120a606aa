"""The directory, appointments, the access log, and what persons leave outside the record."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables that are not derived from the record."""
    _directory()
    op.create_table(
        "appointment",
        sa.Column("person_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("duty", sa.Text, primary_key=True),
        sa.Column("appointed_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("appointed_by", sa.Text, nullable=False),
        sa.Column("ended_by", sa.Text),
    )
    op.create_table(
        "access_log",
        sa.Column("entry_no", _KEY, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor_id", sa.LargeBinary(16), nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("acting_for", sa.LargeBinary(16)),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("coordination_id", sa.LargeBinary(16)),
        sa.Column("communication_id", sa.Text),
        sa.Column("message_id", sa.LargeBinary(16)),
        sa.Column("version", sa.LargeBinary, nullable=False),
        sa.Column("served", sa.LargeBinary, nullable=False),
        sa.Column("entries", sa.LargeBinary, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("access_log_at", "access_log", ["at"])
    op.create_index("access_log_actor", "access_log", ["actor_id", "entry_no"])
    op.create_index("access_log_record", "access_log", ["coordination_id", "entry_no"])
    op.create_table(
        "opened_mark",
        sa.Column("person_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("thread_uuid", sa.LargeBinary(16), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "set_aside",
        sa.Column("group_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("thread_uuid", sa.LargeBinary(16), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("person_id", sa.LargeBinary(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("set_aside_thread", "set_aside", ["thread_uuid"])


def _directory() -> None:
    op.create_table(
        "directory_entry",
        sa.Column("entry_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("fhir_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("active", sa.BigInteger, nullable=False),
        sa.Column("name", _ORDERED, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("kind", "fhir_id", name="directory_entry_fhir_id"),
    )
    op.create_table(
        "directory_version",
        sa.Column("entry_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "directory_identifier",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("system", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("entry_id", sa.LargeBinary(16), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("directory_identifier_entry", "directory_identifier", ["entry_id"])
    op.create_table(
        "directory_edge",
        sa.Column("target_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("source_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("relation", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("directory_edge_source", "directory_edge", ["source_id"])
    op.create_table(
        "directory_word",
        sa.Column("word", _ORDERED, primary_key=True),
        sa.Column("entry_id", sa.LargeBinary(16), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("directory_word_entry", "directory_word", ["entry_id"])
    op.create_table(
        "directory_patient",
        sa.Column("clinical_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("entry_id", sa.LargeBinary(16), nullable=False, unique=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "directory_state",
        sa.Column("one", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO directory_state (one, generation) VALUES (1, 0)")
