"""Says since when a peer is disabled, because it is owed what happens for a time.

Peers that are disabled already count from now.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and fill it for the few peers that are disabled."""
    op.execute("ALTER TABLE peer ADD COLUMN disabled_at TIMESTAMP WITH TIME ZONE")
    op.execute("UPDATE peer SET disabled_at = now() WHERE NOT enabled")


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
