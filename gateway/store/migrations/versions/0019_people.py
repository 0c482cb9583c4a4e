"""Adds people: accounts, bindings, sessions, their appeals, and what happened there."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ACCOUNT = """
CREATE TABLE account (
  id UUID NOT NULL,
  login TEXT NOT NULL,
  name TEXT DEFAULT '' NOT NULL,
  organisation TEXT DEFAULT '' NOT NULL,
  roles TEXT[] DEFAULT '{}' NOT NULL,
  password TEXT DEFAULT '' NOT NULL,
  must_change BOOLEAN DEFAULT false NOT NULL,
  password_until timestamp with time zone,
  totp BYTEA,
  totp_step BIGINT DEFAULT 0 NOT NULL,
  recovery BYTEA[] DEFAULT '{}' NOT NULL,
  subject BYTEA,
  provider TEXT DEFAULT '' NOT NULL,
  failures INTEGER DEFAULT 0 NOT NULL,
  locked_until timestamp with time zone,
  enabled BOOLEAN DEFAULT true NOT NULL,
  created_at timestamp with time zone NOT NULL,
  seen_at timestamp with time zone,
  PRIMARY KEY (id),
  CONSTRAINT account_bound_by_provider CHECK ((subject IS NULL) = (provider = ''))
)
"""
ACCOUNT_LOGIN = "CREATE UNIQUE INDEX account_login ON account (login)"
ACCOUNT_SUBJECT = """
CREATE UNIQUE INDEX account_subject ON account (subject) WHERE subject IS NOT NULL
"""
ACCOUNT_BINDING = """
CREATE TABLE account_binding (
  provider TEXT NOT NULL,
  external TEXT NOT NULL,
  role TEXT NOT NULL,
  organisation TEXT NOT NULL,
  roles TEXT[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  PRIMARY KEY (provider, external, role)
)
"""
PERSON_SESSION = """
CREATE TABLE person_session (
  id BYTEA NOT NULL,
  account UUID,
  subject BYTEA,
  provider TEXT DEFAULT '' NOT NULL,
  stage TEXT DEFAULT 'in' NOT NULL,
  identity BYTEA,
  address TEXT DEFAULT '' NOT NULL,
  created_at timestamp with time zone NOT NULL,
  seen_at timestamp with time zone NOT NULL,
  ends_at timestamp with time zone NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT person_session_of_one CHECK ((account IS NULL) <> (subject IS NULL))
)
"""
PERSON_SESSION_ACCOUNT = "CREATE INDEX person_session_account ON person_session (account)"
PERSON_SESSION_ENDS = "CREATE INDEX person_session_ends ON person_session (ends_at)"
PERSON_SESSION_SUBJECT = "CREATE INDEX person_session_subject ON person_session (subject)"
LOGIN_STATE = """
CREATE TABLE login_state (
  id BYTEA NOT NULL,
  browser BYTEA NOT NULL,
  provider TEXT NOT NULL,
  secret BYTEA NOT NULL,
  official BOOLEAN DEFAULT false NOT NULL,
  next TEXT DEFAULT '' NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  PRIMARY KEY (id)
)
"""
LOGIN_STATE_EXPIRES = "CREATE INDEX login_state_expires ON login_state (expires_at)"
CITIZEN_APPEAL = """
CREATE TABLE citizen_appeal (
  subject BYTEA NOT NULL,
  external_id TEXT NOT NULL,
  at timestamp with time zone NOT NULL,
  PRIMARY KEY (subject, external_id)
)
"""
ACCESS_EVENT = """
CREATE TABLE access_event (
  id UUID NOT NULL,
  at timestamp with time zone NOT NULL,
  kind TEXT NOT NULL,
  who TEXT DEFAULT '' NOT NULL,
  address TEXT DEFAULT '' NOT NULL,
  what TEXT DEFAULT '' NOT NULL,
  reason TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (id)
)
"""
ACCESS_EVENT_AT = "CREATE INDEX access_event_at ON access_event (at)"

STATEMENTS: tuple[str, ...] = (
    ACCOUNT,
    ACCOUNT_LOGIN,
    ACCOUNT_SUBJECT,
    ACCOUNT_BINDING,
    PERSON_SESSION,
    PERSON_SESSION_ACCOUNT,
    PERSON_SESSION_ENDS,
    PERSON_SESSION_SUBJECT,
    LOGIN_STATE,
    LOGIN_STATE_EXPIRES,
    CITIZEN_APPEAL,
    ACCESS_EVENT,
    ACCESS_EVENT_AT,
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
