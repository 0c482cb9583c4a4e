"""Keeps what adapters remember of their exchange."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MEMORY = """
CREATE TABLE memory (
  peer text NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  value jsonb NOT NULL DEFAULT '{}',
  changed_at timestamp with time zone NOT NULL,
  PRIMARY KEY (peer, kind, key)
)
"""
MEMORY_CHANGED = "CREATE INDEX memory_changed ON memory (peer, kind, changed_at, key)"

STATEMENTS: tuple[str, ...] = (MEMORY, MEMORY_CHANGED)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
