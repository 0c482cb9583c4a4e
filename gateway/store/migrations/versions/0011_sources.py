"""Remembers where we are with a peer that is asked for what it has."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SOURCE = """
CREATE TABLE source (
  peer text PRIMARY KEY,
  cursor text NOT NULL DEFAULT '',
  asked_at timestamp with time zone,
  due_at timestamp with time zone NOT NULL,
  owner text NOT NULL DEFAULT '',
  leased_until timestamp with time zone,
  failures integer NOT NULL DEFAULT 0,
  error text NOT NULL DEFAULT ''
)
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(SOURCE)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
