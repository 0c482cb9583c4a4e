"""People who log in: their accounts, bindings, sessions and own appeals, and what happened there.

No secret stands here that opens anything by itself: passwords are argon2id, what has to be read
again is sealed, and a cookie, a code or a person's id at a provider is kept as a digest.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from gateway.store.tables.base import flag, instant, metadata, word

account = Table(
    "account",
    metadata,
    Column("id", UUID, primary_key=True),
    word("login"),
    word("name", ""),
    word("organisation", ""),
    Column("roles", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    word("password", ""),
    flag("must_change"),
    instant("password_until", null=True),
    Column("totp", LargeBinary, nullable=True),
    Column("totp_step", BigInteger, nullable=False, server_default=text("0")),
    Column("recovery", ARRAY(LargeBinary), nullable=False, server_default=text("'{}'")),
    Column("subject", LargeBinary, nullable=True),
    word("provider", ""),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    instant("locked_until", null=True),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    instant("created_at"),
    instant("seen_at", null=True),
    Index("account_login", "login", unique=True),
    Index("account_subject", "subject", unique=True, postgresql_where=text("subject IS NOT NULL")),
    CheckConstraint("(subject IS NULL) = (provider = '')", name="account_bound_by_provider"),
)
"""An official, or whoever runs the house. password: PHC string of argon2id, empty: none.
password_until: end of a one-time password. totp: sealed secret; totp_step: the last step that was
used, so that no code counts twice. recovery: SHA-256 of the codes that are left. subject: keyed
digest of the id that the provider knows him by."""

binding = Table(
    "account_binding",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("external", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    word("organisation"),
    Column("roles", ARRAY(Text), nullable=False),
    instant("created_at"),
)
"""Who is let in by the provider's word: members of an organisation (its oid) with a role of the
provider's, `*` for any, get an account of a body of ours with roles of ours."""

session = Table(
    "person_session",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account", UUID, nullable=True),
    Column("subject", LargeBinary, nullable=True),
    word("provider", ""),
    word("stage", "in"),
    Column("identity", LargeBinary, nullable=True),
    word("address", ""),
    instant("created_at"),
    instant("seen_at"),
    instant("ends_at"),
    Index("person_session_account", "account"),
    Index("person_session_subject", "subject"),
    Index("person_session_ends", "ends_at"),
    CheckConstraint("(account IS NULL) <> (subject IS NULL)", name="person_session_of_one"),
)
"""One browser of one person. id: SHA-256 of the cookie. stage: `code` while the second factor is
awaited, then `in`. identity: what the provider said of a citizen, sealed with the cookie, so that
nobody reads it who has only this table."""

login_state = Table(
    "login_state",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("browser", LargeBinary, nullable=False),
    word("provider"),
    Column("secret", LargeBinary, nullable=False),
    flag("official"),
    word("next", ""),
    instant("expires_at"),
    Index("login_state_expires", "expires_at"),
)
"""A login that was begun at a provider. id: SHA-256 of its state; browser: SHA-256 of the cookie
that the browser must bring back, by which `secret` is sealed. Taken out when it is used."""

citizen_appeal = Table(
    "citizen_appeal",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("external_id", Text, primary_key=True),
    instant("at"),
)
"""Whose appeal it is that came through the cabinet; erasing a person's rows cuts the tie."""

access_event = Table(
    "access_event",
    metadata,
    Column("id", UUID, primary_key=True),
    instant("at"),
    word("kind"),
    word("who", ""),
    word("address", ""),
    word("what", ""),
    word("reason", ""),
    Index("access_event_at", "at"),
)
"""Security events of people, as they also go to the syslog. No personal data."""
