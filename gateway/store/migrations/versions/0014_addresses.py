"""Keeps the register of addresses (ГАР): what is searched."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OBJECT = """
CREATE TABLE address_object (
  region smallint NOT NULL,
  id bigint NOT NULL,
  guid uuid NOT NULL,
  level smallint NOT NULL,
  type text NOT NULL DEFAULT '',
  type_name text NOT NULL DEFAULT '',
  name text NOT NULL,
  parent bigint NOT NULL DEFAULT 0,
  parent_mun bigint NOT NULL DEFAULT 0,
  oktmo text NOT NULL DEFAULT '',
  okato text NOT NULL DEFAULT '',
  postal_code text NOT NULL DEFAULT '',
  kladr text NOT NULL DEFAULT '',
  houses integer NOT NULL DEFAULT 0,
  PRIMARY KEY (region, id)
) PARTITION BY LIST (region)
"""
OBJECT_GUID = "CREATE INDEX address_object_guid ON address_object (guid)"

NAME = """
CREATE TABLE address_name (
  region smallint NOT NULL,
  object bigint NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  type text NOT NULL DEFAULT '',
  kind smallint NOT NULL DEFAULT 0,
  until date,
  PRIMARY KEY (region, key, object, type, kind)
) PARTITION BY LIST (region)
"""

HOUSE = """
CREATE TABLE address_house (
  region smallint NOT NULL,
  parent bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  id bigint NOT NULL,
  guid uuid NOT NULL,
  kind smallint NOT NULL DEFAULT 0,
  label text NOT NULL,
  parent_mun bigint NOT NULL DEFAULT 0,
  postal_code text NOT NULL DEFAULT '',
  oktmo text NOT NULL DEFAULT '',
  okato text NOT NULL DEFAULT '',
  cadastral text NOT NULL DEFAULT '',
  mkd boolean,
  PRIMARY KEY (region, parent, key, id)
) PARTITION BY LIST (region)
"""
HOUSE_GUID = "CREATE INDEX address_house_guid ON address_house (guid)"

FLAT = """
CREATE TABLE address_flat (
  region smallint NOT NULL,
  house bigint NOT NULL,
  key text NOT NULL,
  id bigint NOT NULL,
  guid uuid NOT NULL,
  level smallint NOT NULL DEFAULT 11,
  label text NOT NULL,
  cadastral text NOT NULL DEFAULT '',
  PRIMARY KEY (region, house, key, id)
) PARTITION BY LIST (region)
"""
FLAT_GUID = "CREATE INDEX address_flat_guid ON address_flat (guid)"

VERSION = """
CREATE TABLE address_version (
  region smallint PRIMARY KEY,
  version integer NOT NULL,
  loaded_at timestamp with time zone NOT NULL,
  source text NOT NULL,
  objects integer NOT NULL,
  houses integer NOT NULL,
  flats integer NOT NULL DEFAULT 0
)
"""

REVISION = """
CREATE TABLE address_revision (
  one boolean PRIMARY KEY DEFAULT true CONSTRAINT address_revision_one CHECK (one),
  value bigint NOT NULL
)
"""

STATEMENTS: tuple[str, ...] = (
    OBJECT, OBJECT_GUID, NAME, HOUSE, HOUSE_GUID, FLAT, FLAT_GUID, VERSION, REVISION,
)  # fmt: skip


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
