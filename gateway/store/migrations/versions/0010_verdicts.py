"""Remembers what an antivirus said of a file."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

VERDICT = """
CREATE TABLE verdict (
  sha256 bytea PRIMARY KEY,
  scanned_at timestamp with time zone NOT NULL,
  infected text NOT NULL
)
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(VERDICT)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
