"""Keeps classifiers of topics, the tables between them, and codes that wait for a person."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CLASSIFIER = """
CREATE TABLE topic_classifier (
  system text PRIMARY KEY,
  version text NOT NULL,
  partial boolean NOT NULL DEFAULT false,
  source text NOT NULL DEFAULT '',
  imported_at timestamp with time zone NOT NULL
)
"""

NODE = """
CREATE TABLE topic_node (
  system text,
  code text,
  version text,
  title text NOT NULL,
  parent text NOT NULL DEFAULT '',
  level smallint NOT NULL DEFAULT 0,
  valid_from date,
  valid_to date,
  PRIMARY KEY (system, code, version)
)
"""

MAP = """
CREATE TABLE topic_map (
  system text,
  code text,
  to_system text,
  to_code text NOT NULL,
  noted_at timestamp with time zone NOT NULL,
  PRIMARY KEY (system, code, to_system)
)
"""

UNMAPPED = """
CREATE TABLE topic_unmapped (
  system text,
  code text,
  title text NOT NULL DEFAULT '',
  first_seen timestamp with time zone NOT NULL,
  last_seen timestamp with time zone NOT NULL,
  count integer NOT NULL DEFAULT 1,
  message_id uuid,
  PRIMARY KEY (system, code)
)
"""

REVISION = """
CREATE TABLE topic_revision (
  one boolean PRIMARY KEY DEFAULT true CONSTRAINT topic_revision_one CHECK (one),
  value bigint NOT NULL
)
"""


def upgrade() -> None:
    """Add the tables."""
    for statement in (CLASSIFIER, NODE, MAP, UNMAPPED, REVISION):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
