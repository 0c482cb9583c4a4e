"""The directory of organisations: one record a body, with its identifier in every system.

An identifier that nobody has mapped is queued in `organisation_unmapped`, never dropped. GUIDs are
kept in one spelling (lower case, no braces), so that a body is found however a peer writes it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from psycopg.rows import dict_row

from gateway.errors import ConflictError, NotFoundError
from gateway.model.fold import fold_id
from gateway.model.organisation import Organisation
from gateway.store.arrays import TextArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from psycopg import Connection

    from gateway.model.appeal import Appeal
    from gateway.model.events import PeerReport

READ = """
SELECT id, full_name, short_name, parent, kind, zone, calendar, valid_from, valid_to, doc
FROM organisation ORDER BY id
"""

IDS = "SELECT organisation, system, value FROM organisation_id ORDER BY organisation, system, value"

WRITE = """
INSERT INTO organisation (id, full_name, short_name, parent, kind, zone, calendar, valid_from,
                          valid_to, doc)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb)
ON CONFLICT (id) DO UPDATE
SET full_name = excluded.full_name, short_name = excluded.short_name, parent = excluded.parent,
    kind = excluded.kind, zone = excluded.zone, calendar = excluded.calendar,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to, doc = excluded.doc
"""

DROP_IDS = "DELETE FROM organisation_id WHERE organisation = $1"

ADD_ID = "INSERT INTO organisation_id (system, value, organisation) VALUES ($1, $2, $3)"

MAP = """
INSERT INTO organisation_id (system, value, organisation) VALUES ($1, $2, $3)
ON CONFLICT (system, value) DO UPDATE SET organisation = excluded.organisation
"""

HOLDER = "SELECT organisation FROM organisation_id WHERE system = $1 AND value = $2"

UNMAPPED = """
SELECT system, value, name, first_seen, last_seen, count, message_id
FROM organisation_unmapped ORDER BY count DESC, system, value
"""

MAPPED_NOW = """
DELETE FROM organisation_unmapped u USING organisation_id i
WHERE i.system = u.system AND i.value = u.value
"""

QUEUE = """
INSERT INTO organisation_unmapped (system, value, name, first_seen, last_seen, message_id)
SELECT DISTINCT ON (u.system, u.value) u.system, u.value, u.name, $5::timestamptz, $5, u.message
FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS u (system, value, name, message)
WHERE NOT EXISTS (SELECT FROM organisation_id i WHERE i.system = u.system AND i.value = u.value)
  AND NOT (u.system LIKE '%:name' AND EXISTS (
        SELECT FROM organisation o WHERE u.value IN (o.id, o.full_name, o.short_name)))
ORDER BY u.system, u.value
ON CONFLICT (system, value) DO UPDATE
SET last_seen = excluded.last_seen, count = organisation_unmapped.count + 1,
    name = CASE WHEN organisation_unmapped.name = '' THEN excluded.name
                ELSE organisation_unmapped.name END
"""
"""Sorted, as every batch of this house: two nodes that queue the same bodies must not deadlock."""

BY_NAME: Final = ":name"
"""End of the system of those that a peer names by a word: `epgu:name`."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One body of the directory.

    id: our own code. parent: id of the body it belongs to. kind: фоив, роив, осв, омсу,
    подразделение, уо, тсж, рсо, подвед. zone: IANA name. calendar: name of a production calendar.
    ids: system → its identifiers. doc: the rest (ОГРН, ИНН, КПП, ОКТМО, address).
    """

    id: str
    full_name: str
    short_name: str = ""
    parent: str = ""
    kind: str = ""
    zone: str = "Europe/Moscow"
    calendar: str = "ru"
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    ids: dict[str, tuple[str, ...]] = {}
    doc: dict[str, str] = {}


class Unmapped(NamedTuple):
    """An identifier that waits for a person."""

    system: str
    value: str
    name: str
    first_seen: dt.datetime
    last_seen: dt.datetime
    times: int
    message_id: UUID | None


class Named(NamedTuple):
    """An organisation as a message named it: an identifier in a system, and a name, if any."""

    system: str
    value: str
    name: str


def read_all(connection: Connection[Any]) -> dict[str, Record]:
    """Return the whole directory by id."""
    ids: dict[str, dict[str, tuple[str, ...]]] = {}
    for organisation, system, value in connection.execute(IDS):
        systems = ids.setdefault(organisation, {})
        systems[system] = (*systems.get(system, ()), value)
    with connection.cursor(row_factory=dict_row) as cursor:
        return {
            row["id"]: Record(**row, ids=ids.get(row["id"], {})) for row in cursor.execute(READ)
        }


def write(connection: Connection[Any], records: Sequence[Record]) -> None:
    """Put records in the place of those with the same id, and take their ids off the queue.

    All identifiers are dropped before any is added, so that one may move from body to body.
    Raises ConflictError when an identifier belongs to a body that is not among the records.
    """
    for record in records:
        connection.execute(
            WRITE,
            (
                record.id, record.full_name, record.short_name, record.parent, record.kind,
                record.zone, record.calendar, record.valid_from, record.valid_to,
                msgspec.json.encode(record.doc).decode(),
            ),
        )  # fmt: skip
        connection.execute(DROP_IDS, (record.id,))
    for record in records:
        for system, values in record.ids.items():
            for value in values:
                _free(connection, system, value, record.id)
                connection.execute(ADD_ID, (system, fold_id(value), record.id))
    connection.execute(MAPPED_NOW)


def map_id(
    connection: Connection[Any], system: str, value: str, organisation: str, *, move: bool = False
) -> None:
    """Say that an identifier of a system means a body of the directory.

    move: take it from the body that has it now. Raises NotFoundError for an unknown body,
    ConflictError when another one has the identifier.
    """
    if organisation not in read_all(connection):
        raise NotFoundError("no such organisation", found=organisation, todo="`gateway org list`")
    if not move:
        _free(connection, system, value, organisation)
    connection.execute(MAP, (system, fold_id(value), organisation))
    connection.execute(MAPPED_NOW)


def find(connection: Connection[Any], system: str, value: str) -> str:
    """Return the body that an identifier means, empty when nobody has mapped it."""
    row = connection.execute(HOLDER, (system, fold_id(value))).fetchone()
    return row[0] if row else ""


def unmapped(connection: Connection[Any]) -> list[Unmapped]:
    """Return the queue of identifiers nobody has mapped, the most frequent first."""
    return [Unmapped(*row) for row in connection.execute(UNMAPPED)]


def queue_unknown(
    connection: Connection[Any], named: Iterable[tuple[Named, UUID]], now: dt.datetime
) -> None:
    """Queue those of the organisations named by messages that the directory does not know."""
    rows = [(n.system, fold_id(n.value), n.name, message) for n, message in named if n.value]
    if not rows:
        return
    systems, values, names, messages = zip(*rows, strict=True)
    connection.execute(
        QUEUE,
        (
            TextArray.of(systems), TextArray.of(values), TextArray.of(names),
            UuidArray.of(messages), now,
        ),
    )  # fmt: skip


def named_in(appeal: Appeal, peer: str) -> tuple[Named, ...]:
    """Return every organisation that an appeal names, but for applicants' own; pure.

    A body without an identifier is named under the system `<peer>:name`: a person can map that too.
    """
    found: list[Named] = []
    for body in _bodies(msgspec.structs.replace(appeal, applicants=())):
        name = body.full_name or body.short_name
        ids = [Named(i.system, i.value, name) for i in body.ids if i.value]
        found += ids or ([Named(f"{peer}{BY_NAME}", name, name)] if name else [])
    return tuple(dict.fromkeys(found))


def named_in_report(report: PeerReport, peer: str) -> tuple[Named, ...]:
    """Return the organisations that a peer's report names by one word each; pure."""
    told = (report.registration, report.executor, report.transfer, report.receiver)
    names = dict.fromkeys(facts.organisation for facts in told if facts and facts.organisation)
    return tuple(Named(f"{peer}{BY_NAME}", name, name) for name in names)


def _bodies(node: Any) -> Iterator[Organisation]:
    if isinstance(node, Organisation):
        yield node
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from _bodies(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from _bodies(item)


def _free(connection: Connection[Any], system: str, value: str, organisation: str) -> None:
    holder = find(connection, system, value)
    if holder not in {"", organisation}:
        raise ConflictError(
            f"the identifier {system}={value} belongs to {holder}",
            todo="`gateway org map` with --move takes it from there",
        )
