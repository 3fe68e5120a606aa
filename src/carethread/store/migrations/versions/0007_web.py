"""Who has signed in to the web application, what they have begun to write, and what they like to be shown."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of what the web application keeps beside the record."""
    op.create_table(
        "web_session",
        sa.Column("session_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("person_id", sa.LargeBinary(16), nullable=False),
        sa.Column("acting_for", sa.LargeBinary(16)),
        sa.Column("kind", sa.Text),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=False),
        sa.Column("idle", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("over_at", sa.BigInteger, nullable=False),
    )
    op.create_index("web_session_person", "web_session", ["person_id"])
    op.create_index("web_session_over", "web_session", ["over_at"])
    op.create_table(
        "draft",
        sa.Column("person_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kept_at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("draft_kept", "draft", ["kept_at"])
    op.create_table(
        "preference",
        sa.Column("person_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
