"""Keeps the rows of ГАР as delivered, to which deltas are applied."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LOAD = """
CREATE TABLE gar_load (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  region SMALLINT NOT NULL,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT DEFAULT 'staging' NOT NULL,
  source TEXT DEFAULT '' NOT NULL,
  extras TEXT DEFAULT '' NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  report JSONB DEFAULT '{}' NOT NULL,
  PRIMARY KEY (id)
)
"""
LOAD_REGION = "CREATE INDEX gar_load_region ON gar_load (region, version)"
MEMBER = """
CREATE TABLE gar_member (
  load BIGINT NOT NULL,
  member TEXT NOT NULL,
  table_name TEXT NOT NULL,
  mark BIGINT NOT NULL,
  size BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  drift JSONB DEFAULT '{}' NOT NULL,
  done_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (load, member),
  FOREIGN KEY(load) REFERENCES gar_load (id) ON DELETE CASCADE
)
"""
TYPE = """
CREATE TABLE gar_type (
  dictionary TEXT NOT NULL,
  id INTEGER NOT NULL,
  level SMALLINT DEFAULT 0 NOT NULL,
  short TEXT NOT NULL,
  name TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  PRIMARY KEY (dictionary, id)
)
"""
ADDR_OBJ = """
CREATE TABLE gar_addr_obj (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  object BIGINT NOT NULL,
  guid UUID NOT NULL,
  name TEXT,
  type_name TEXT,
  level SMALLINT NOT NULL,
  prev BIGINT,
  next BIGINT,
  since DATE,
  until DATE,
  actual BOOLEAN,
  active BOOLEAN
) PARTITION BY LIST (region)
"""
HOUSES = """
CREATE TABLE gar_houses (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  object BIGINT NOT NULL,
  guid UUID NOT NULL,
  number TEXT,
  type SMALLINT,
  add1 TEXT,
  type1 SMALLINT,
  add2 TEXT,
  type2 SMALLINT
) PARTITION BY LIST (region)
"""
ADM_HIERARCHY = """
CREATE TABLE gar_adm_hierarchy (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  object BIGINT NOT NULL,
  parent BIGINT,
  path TEXT,
  since DATE
) PARTITION BY LIST (region)
"""
MUN_HIERARCHY = """
CREATE TABLE gar_mun_hierarchy (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  object BIGINT NOT NULL,
  parent BIGINT,
  oktmo TEXT,
  path TEXT,
  since DATE
) PARTITION BY LIST (region)
"""
ADDR_OBJ_DIVISION = """
CREATE TABLE gar_addr_obj_division (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  parent BIGINT NOT NULL,
  child BIGINT NOT NULL
) PARTITION BY LIST (region)
"""
APARTMENTS = """
CREATE TABLE gar_apartments (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  object BIGINT NOT NULL,
  guid UUID NOT NULL,
  number TEXT,
  type SMALLINT
) PARTITION BY LIST (region)
"""
STEADS = """
CREATE TABLE gar_steads (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  object BIGINT NOT NULL,
  guid UUID NOT NULL,
  number TEXT
) PARTITION BY LIST (region)
"""
PARAMS = """
CREATE TABLE {table} (
  region SMALLINT NOT NULL,
  id BIGINT NOT NULL,
  object BIGINT NOT NULL,
  type SMALLINT NOT NULL,
  value TEXT,
  since DATE,
  until DATE
) PARTITION BY LIST (region)
"""
WITH_PARAMS = (
    "gar_addr_obj_params",
    "gar_houses_params",
    "gar_apartments_params",
    "gar_steads_params",
)
STATEMENTS: tuple[str, ...] = (
    LOAD,
    LOAD_REGION,
    MEMBER,
    TYPE,
    ADDR_OBJ,
    HOUSES,
    ADM_HIERARCHY,
    MUN_HIERARCHY,
    ADDR_OBJ_DIVISION,
    APARTMENTS,
    STEADS,
    *(PARAMS.format(table=table) for table in WITH_PARAMS),
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
