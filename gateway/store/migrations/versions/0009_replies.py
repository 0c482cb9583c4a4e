"""Keeps answers that go to an address of their own (WS-Addressing: ReplyTo, FaultTo)."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

REPLY = """
CREATE TABLE reply (
  delivery_id uuid PRIMARY KEY,
  address text NOT NULL,
  media_type text NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}',
  body bytea NOT NULL,
  created_at timestamp with time zone NOT NULL
)
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(REPLY)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
