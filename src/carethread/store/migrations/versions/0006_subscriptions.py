"""Who wants to be told of what is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table of subscriptions."""
    op.create_table(
        "subscription",
        sa.Column("subscription_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("owner", sa.LargeBinary(32), nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("criteria", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("headers", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("failing_since", sa.BigInteger),
    )
    op.create_index("subscription_owner", "subscription", ["owner", "subscription_id"])
    op.create_index("subscription_status", "subscription", ["status", "subscription_id"])
