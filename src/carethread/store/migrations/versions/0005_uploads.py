"""Files that wait for their message, and who listens for what is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables of what is kept for a while."""
    op.create_table(
        "upload",
        sa.Column("upload_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("owner_id", sa.LargeBinary(16), nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("upload_owner", "upload", ["owner_id", "at", "size"])
    op.create_index("upload_at", "upload", ["at"])
    op.create_table("listener", sa.Column("pid", sa.BigInteger, primary_key=True, autoincrement=False))
