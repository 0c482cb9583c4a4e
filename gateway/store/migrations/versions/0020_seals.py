"""Adds seals, the register of readings, holds and the record of erasures."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

READING = """
CREATE TABLE reading (
  id uuid NOT NULL PRIMARY KEY,
  at timestamp with time zone NOT NULL,
  who text NOT NULL,
  role text NOT NULL,
  what text NOT NULL,
  subject text NOT NULL,
  ground text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT '',
  correlation text NOT NULL DEFAULT ''
)
"""
READING_SUBJECT = "CREATE INDEX reading_subject ON reading (subject, id)"
READING_WHO = "CREATE INDEX reading_who ON reading (who, id)"

SEAL = """
CREATE TABLE seal (
  day date NOT NULL PRIMARY KEY,
  sealed_at timestamp with time zone NOT NULL,
  messages bigint NOT NULL,
  events bigint NOT NULL,
  body bytea NOT NULL,
  sha256 bytea NOT NULL,
  cms bytea NOT NULL
)
"""
SEAL_PART = """
CREATE TABLE seal_part (
  day date NOT NULL,
  ordinal integer NOT NULL,
  kind text NOT NULL,
  leaves bytea NOT NULL,
  PRIMARY KEY (day, ordinal)
)
"""
EVENT_RECORDED = "CREATE INDEX event_recorded ON event USING brin (recorded_at)"

HOLD = """
CREATE TABLE hold (
  appeal_id uuid NOT NULL PRIMARY KEY,
  at timestamp with time zone NOT NULL,
  who text NOT NULL,
  ground text NOT NULL
)
"""
ERASURE = """
CREATE TABLE erasure (
  id uuid NOT NULL PRIMARY KEY,
  appeal_id uuid NOT NULL,
  at timestamp with time zone NOT NULL,
  who text NOT NULL,
  why text NOT NULL,
  ground text NOT NULL DEFAULT '',
  counts jsonb NOT NULL DEFAULT '{}'
)
"""
ERASURE_APPEAL = "CREATE INDEX erasure_appeal ON erasure (appeal_id)"

STATEMENTS: tuple[str, ...] = (
    READING, READING_SUBJECT, READING_WHO, SEAL, SEAL_PART, EVENT_RECORDED, HOLD, ERASURE,
    ERASURE_APPEAL,
)  # fmt: skip


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
