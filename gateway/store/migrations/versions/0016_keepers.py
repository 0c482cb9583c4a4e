"""Keeps who serves a house and which body a territory belongs to."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEEPER = """
CREATE TABLE house_keeper (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  house_guid uuid NOT NULL,
  service text NOT NULL DEFAULT '',
  organisation text NOT NULL,
  valid_from date,
  valid_to date,
  ground text NOT NULL DEFAULT '',
  source text NOT NULL DEFAULT '',
  noted_at timestamp with time zone NOT NULL,
  by text NOT NULL DEFAULT '',
  withdrawn_at timestamp with time zone,
  CONSTRAINT house_keeper_days CHECK (valid_from <= valid_to)
)
"""
KEEPER_ONCE = """
CREATE UNIQUE INDEX house_keeper_once
ON house_keeper (house_guid, service, organisation, valid_from) NULLS NOT DISTINCT
WHERE withdrawn_at IS NULL
"""
KEEPER_HOUSE = "CREATE INDEX house_keeper_house ON house_keeper (house_guid)"
KEEPER_ORGANISATION = "CREATE INDEX house_keeper_organisation ON house_keeper (organisation)"

BODY = """
CREATE TABLE territory_body (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  oktmo text NOT NULL,
  service text NOT NULL DEFAULT '',
  organisation text NOT NULL,
  valid_from date,
  valid_to date,
  ground text NOT NULL DEFAULT '',
  source text NOT NULL DEFAULT '',
  noted_at timestamp with time zone NOT NULL,
  by text NOT NULL DEFAULT '',
  withdrawn_at timestamp with time zone,
  CONSTRAINT territory_body_days CHECK (valid_from <= valid_to)
)
"""
BODY_ONCE = """
CREATE UNIQUE INDEX territory_body_once
ON territory_body (oktmo, service, valid_from) NULLS NOT DISTINCT
WHERE withdrawn_at IS NULL
"""

POINT = """
CREATE TABLE house_point (
  house_guid uuid PRIMARY KEY,
  lat double precision NOT NULL,
  lon double precision NOT NULL,
  source text NOT NULL DEFAULT '',
  noted_at timestamp with time zone NOT NULL
)
"""

REVISION = """
CREATE TABLE keeper_revision (
  one boolean PRIMARY KEY DEFAULT true CONSTRAINT keeper_revision_one CHECK (one),
  value bigint NOT NULL
)
"""

STATEMENTS: tuple[str, ...] = (
    KEEPER, KEEPER_ONCE, KEEPER_HOUSE, KEEPER_ORGANISATION, BODY, BODY_ONCE, POINT, REVISION,
)  # fmt: skip


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
