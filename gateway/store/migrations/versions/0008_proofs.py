"""Lets a peer prove itself by more than a key: secrets for digests, certificates, nonces seen.

What answers to a peer must carry stands in its row.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PEERS = "ALTER TABLE peer ADD COLUMN answers text NOT NULL DEFAULT ''"

CREDENTIALS = """
ALTER TABLE credential ALTER COLUMN secret_sha256 DROP NOT NULL;
ALTER TABLE credential ADD COLUMN sealed bytea;
ALTER TABLE credential ADD COLUMN der bytea;
ALTER TABLE credential ADD COLUMN subject text NOT NULL DEFAULT '';
ALTER TABLE credential ADD COLUMN not_after timestamp with time zone;
ALTER TABLE credential ADD CONSTRAINT credential_of_its_kind CHECK (
  CASE kind WHEN 'key' THEN secret_sha256 IS NOT NULL WHEN 'digest' THEN sealed IS NOT NULL
  WHEN 'certificate' THEN der IS NOT NULL ELSE false END);
CREATE UNIQUE INDEX credential_certificate ON credential (sha256(der))
  WHERE der IS NOT NULL AND disabled_at IS NULL;
"""

NONCES = """
CREATE TABLE nonce (key bytea PRIMARY KEY, expires_at timestamp with time zone NOT NULL);
CREATE INDEX nonce_expires ON nonce (expires_at);
"""


def upgrade() -> None:
    """Add the columns and the table."""
    for statement in (PEERS, CREDENTIALS, NONCES):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
