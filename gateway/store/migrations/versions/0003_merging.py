"""Makes what merging decides a projection: of events, or of the contents that events name.

Covering letters get the words for who gave their number, and every appeal its own; conflicts are
one row a message and appeal; ids of questions follow from their appeal. Rows for letters merged
before, and the senders that contents name, come with `gateway verify --rebuild --commit`.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LETTERS = """
ALTER TABLE letter DROP CONSTRAINT letter_pkey;
ALTER TABLE letter ADD PRIMARY KEY (appeal_id);
ALTER TABLE letter ADD COLUMN senders text[] NOT NULL DEFAULT '{}';
CREATE INDEX letter_key ON letter (number_key, date);
UPDATE letter SET senders = '{urog}' WHERE number_key ~ '^A26-[0-9]{2}-[0-9]{5,}(-[0-9A-Z]+)*$';
"""

TWINS = """
CREATE TABLE twin (
  appeal_id UUID NOT NULL,
  other UUID NOT NULL,
  number TEXT NOT NULL,
  date DATE NOT NULL,
  noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (appeal_id, other)
);
"""

CONFLICTS = """
ALTER TABLE conflict DROP CONSTRAINT conflict_pkey;
ALTER TABLE conflict ADD PRIMARY KEY (appeal_id, message_id);
"""

QUESTIONS = """
UPDATE question SET id = encode(set_byte(set_byte(set_byte(uuid_send(appeal_id),
    6, (get_byte(uuid_send(appeal_id), 6) & 15) | 128),
    14, get_byte(uuid_send(appeal_id), 14) # (ordinal::int / 256)),
    15, get_byte(uuid_send(appeal_id), 15) # (ordinal::int % 256)), 'hex')::uuid;
"""
"""As `gateway.model.ids.question_id`."""


def upgrade() -> None:
    """Change the keys of letters and conflicts, and name the questions anew."""
    for statement in (LETTERS, TWINS, CONFLICTS, QUESTIONS):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: a database goes back by restoring the backup taken before the upgrade."""
    message = "a database goes back by restoring the backup taken before the upgrade"
    raise RuntimeError(message)
