"""Gives messages the instant at which the database wrote them, and their lists its order.

Rows that are there keep none and count as stored when they were recorded, so that nothing is
written anew; an older program that still serves writes rows with it, because it is a default.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, then its default for new rows; exchange the index of a peer's messages."""
    op.execute("ALTER TABLE message ADD COLUMN stored_at TIMESTAMP WITH TIME ZONE")
    op.execute("ALTER TABLE message ALTER COLUMN stored_at SET DEFAULT clock_timestamp()")
    op.execute(
        "CREATE INDEX message_stored ON message (peer, (coalesce(stored_at, recorded_at)), id)"
    )
    op.execute("DROP INDEX message_peer")


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
