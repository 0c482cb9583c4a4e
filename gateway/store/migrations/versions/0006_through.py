"""Says of a delivery that it is told of another's appeal, and by which of its own a peer hears it.

Deliveries to senders whose letter was merged before get it, too: what they were told of an appeal
that was neither sent by them nor routed to them must not open that appeal to them.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


MERGED = """
UPDATE delivery d SET through = own.id
FROM appeal own JOIN appeal holder ON holder.id = own.merged_into
WHERE d.appeal_id = holder.id AND d.destination = own.peer AND holder.peer <> own.peer
  AND NOT EXISTS (
    SELECT FROM event e
    WHERE e.appeal_id = holder.id AND e.type = 'Routed'
      AND jsonb_exists(convert_from(e.body, 'UTF8')::jsonb->'payload'->'destinations', own.peer))
"""


def upgrade() -> None:
    """Add the column, which costs nothing, and fill it where letters were merged."""
    op.execute("ALTER TABLE delivery ADD COLUMN through UUID")
    op.execute(MERGED)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
