"""Programs that may ask, tokens that count no more, and identifiers of which only the value is known."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables of clients."""
    op.create_index("directory_identifier_value", "directory_identifier", ["kind", "value", "system", "entry_id"])
    op.create_table(
        "client_state",
        sa.Column("one", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO client_state (one, generation) VALUES (1, 0)")
    op.create_table(
        "client",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("participant_id", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("client_generation", "client", ["generation"])
    op.create_table(
        "client_version",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_by", sa.Text, nullable=False),
    )
    op.create_index("revoked_token_generation", "revoked_token", ["generation"])
    op.create_index("revoked_token_expires", "revoked_token", ["expires_at"])
