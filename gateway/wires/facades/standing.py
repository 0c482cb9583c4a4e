"""Where an appeal stands, for who submitted it, or who knows its number and its phone.

No operation of the main contract answers the second, because its keys belong to peers. Whoever
shows both is told what the lowest level of disclosure is told as well: numbers, states and terms
(59-ФЗ art. 6; docs/adr/0014). What is not there and what is not his take the same road: the same
statement, and a content read and searched for the phone.
"""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway.errors import ValidationError
from gateway.model.appeal import Appeal
from gateway.model.ids import check_receipt_number
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.store import reading, work
from gateway.wires import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from gateway.store.pool import Pool

NUMBERED: Final = """
SELECT a.id, a.peer, a.recorded_at, k.bytes
FROM ledger l
JOIN appeal a ON a.id = l.appeal_id
LEFT JOIN content k ON k.appeal_id = a.id AND k.id = a.content_id
WHERE l.kind = 'appeal' AND l.receipt_number = $1
"""
"""By `ledger_receipt`. The appeal of a number, whosever it is, with its content to look for the
phone in; content without bytes was erased, and then no phone is right."""
NOBODY: Final = "-----------"
"""Looked for in place of what can be no number: it is none itself."""
_NOBODY: Final = msgspec.json.encode(
    Appeal(
        text="-" * 400,
        applicants=(
            Applicant(
                person=Person(full_name_as_given="-" * 30),
                contacts=(ContactPoint(kind=ContactKind.PHONE, value=""),),
            ),
        ),
    )
)
"""Read in place of the content of an appeal that is not there."""


class Standing(NamedTuple):
    """Where one appeal stands. registration: the number of the body that registered it first."""

    number: str
    state: str
    accepted_at: datetime
    changed_at: datetime
    due: date | None
    registration: str


def find(
    pool: Pool, peer: str, number: str, phone: str, guessed: Callable[[], None]
) -> Standing | None:
    """Return where an appeal stands, None for what the caller may not ask about; blocks.

    Without a phone the caller must have submitted it. With one the phone must be the applicant's,
    whoever asks: the peer passes on what a citizen typed. guessed: called, before it is known what
    the answer is, for what is not the caller's own appeal; what it raises comes out.
    """
    wanted = numbered(number) or NOBODY
    with pool.connection() as connection:
        [row] = reading.rows(connection, NUMBERED, wanted) or [None]
        content = (row and row.bytes) or _NOBODY
        known = _has(msgspec.json.decode(content, type=Appeal), phone)
        own = row is not None and row.peer == peer
        told = known if phone else own
        if not own:
            guessed()
        if row is None or not told:
            return None
        return _standing(connection, row, wanted)


def numbered(number: str) -> str:
    """Return a receipt number as we write it, empty for what can be none."""
    try:
        return check_receipt_number(number)
    except ValidationError:
        return ""


def spelled(phone: str) -> str:
    """Return the digits of a phone number, a Russian one from 7: `8 (842) …` and `+7842…`."""
    digits = "".join(char for char in phone if char in "0123456789")
    if len(digits) == 10:
        return f"7{digits}"
    return f"7{digits[1:]}" if len(digits) == 11 and digits[0] == "8" else digits


def _has(appeal: Appeal, phone: str) -> bool:
    """Whether the phone is one of an applicant's; each is compared in the same time."""
    asked = spelled(phone).encode()
    found = False
    for applicant in appeal.applicants:
        for contact in applicant.contacts:
            if contact.kind is ContactKind.PHONE:
                given = spelled(contact.value).encode()
                found |= bool(given) and hmac.compare_digest(given, asked)
    return found


def _standing(connection: Connection[Any], row: Any, number: str) -> Standing:
    stands = work.merged_into(connection, [row.id]).get(row.id, row.id)
    [head] = reading.rows(connection, reading.APPEALS, [stands])
    registered = reading.rows(connection, reading.REGISTRATIONS, stands)
    due = shown.due_of(reading.rows(connection, reading.DUE, [stands])).get(stands, {})
    return Standing(
        number=number,
        state=head.state,
        accepted_at=row.recorded_at.astimezone(UTC),
        changed_at=head.changed_at.astimezone(UTC),
        due=min(due.values(), default=None),
        registration=registered[0].number if registered else "",
    )
