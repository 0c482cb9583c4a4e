"""Keeps what the addresses of appeals were resolved to, and what people decided."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PLACE = """
CREATE TABLE place (
  appeal_id uuid NOT NULL,
  role text NOT NULL,
  seq integer NOT NULL,
  outcome text NOT NULL,
  confidence double precision,
  guid uuid,
  house_guid uuid,
  level smallint,
  region text NOT NULL DEFAULT '',
  oktmo text NOT NULL DEFAULT '',
  gar_version text NOT NULL DEFAULT '',
  by text NOT NULL DEFAULT '',
  decided_by text NOT NULL DEFAULT '',
  at timestamp with time zone NOT NULL,
  doubt boolean NOT NULL DEFAULT false,
  PRIMARY KEY (appeal_id, role)
)
"""
PLACE_HOUSE = "CREATE INDEX place_house ON place (house_guid) WHERE house_guid IS NOT NULL"
PLACE_DOUBT = "CREATE INDEX place_doubt ON place (at, appeal_id) WHERE doubt"

SYNONYM = """
CREATE TABLE address_synonym (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  region text NOT NULL,
  scope uuid,
  key text NOT NULL,
  target uuid NOT NULL,
  level smallint NOT NULL,
  author text NOT NULL DEFAULT '',
  noted_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone,
  revoked_by text NOT NULL DEFAULT '',
  uses bigint NOT NULL DEFAULT 0
)
"""
SYNONYM_ONCE = """
CREATE UNIQUE INDEX address_synonym_once ON address_synonym (region, scope, key)
NULLS NOT DISTINCT WHERE revoked_at IS NULL
"""

STATEMENTS: tuple[str, ...] = (PLACE, PLACE_HOUSE, PLACE_DOUBT, SYNONYM, SYNONYM_ONCE)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
