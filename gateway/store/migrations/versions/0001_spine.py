"""The tables of the spine.

The statements are frozen in 0001_spine.sql; a change of `tables.py` is a new revision.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release."""
    statements = Path(__file__).with_suffix(".sql").read_text("utf-8")
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "there is nothing before the first revision; restore a backup instead"
    raise RuntimeError(message)
