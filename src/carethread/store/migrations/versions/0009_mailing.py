"""Who wants an e-mail that says there is something new."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "mailing",
        sa.Column("person_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("mailing_id", sa.LargeBinary(16), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("wish", sa.LargeBinary, nullable=False),
        sa.Column("asked_at", sa.BigInteger),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("mailed_at", sa.BigInteger),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("asked_times", sa.BigInteger, nullable=False),
        sa.Column("asked_since", sa.BigInteger, nullable=False),
    )
