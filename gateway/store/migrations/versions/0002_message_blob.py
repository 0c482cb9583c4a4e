"""Lets the collector ask whether a message names a blob.

Without it each day's pass would read every message that was ever stored.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the few messages whose body lies in the blob directory."""
    op.execute("CREATE INDEX message_blob ON message (blob) WHERE blob IS NOT NULL")


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
