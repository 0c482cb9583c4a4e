"""Finds a file that a peer sent without reading everybody's references to the same bytes."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.execute("CREATE INDEX blob_ref_peer ON blob_ref (peer, sha256, name)")


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
