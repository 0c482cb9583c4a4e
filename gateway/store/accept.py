"""One accept batch inside one transaction: claim the keys, then write the winners' rows.

The outcome of an entry is an `Accepted` (stored now, or the first receipt of a repeat), a
`ConflictError` or a `NotFoundError`; the last two are stored as messages too, so that a person
sees what was refused and can replay it.

Locks are taken in one order by every node: keys of appeals first, then all other keys, each sorted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.errors import ConflictError, NotFoundError
from gateway.model.digest import DIGEST_VERSION
from gateway.store import accept_sql as sql
from gateway.store.arrays import (
    BoolArray,
    ByteaArray,
    InstantArray,
    Int2Array,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)
from gateway.store.entries import AMEND, APPEAL, KEEP, Accepted, Entry, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from psycopg import Connection

    from gateway.store.entries import AppealName, MessageRow

type_of_message = (
    UuidArray, TextArray, TextArray, TextArray, TextArray, Int4Array, InstantArray, TextArray,
    TextArray, ByteaArray, ByteaArray, ByteaArray, ByteaArray, ByteaArray, UuidArray, TextArray,
    TextArray,
)  # fmt: skip
type_of_appeal = (
    UuidArray, TextArray, TextArray, TextArray, Int4Array, TextArray, TextArray, InstantArray,
    Int4Array, ByteaArray, UuidArray, ByteaArray, BoolArray, BoolArray,
)  # fmt: skip
type_of_question = (UuidArray, Int2Array, UuidArray, TextArray, TextArray)
type_of_event = (
    UuidArray, Int4Array, TextArray, Int2Array, InstantArray, UuidArray, ByteaArray, ByteaArray,
    ByteaArray,
)  # fmt: skip
type_of_content = (UuidArray, UuidArray, ByteaArray, ByteaArray, ByteaArray)
type_of_work = (UuidArray, UuidArray, InstantArray)

Outcome = Accepted | Exception
Place = tuple[str, str, str, int]
"""Peer, kind, key and slot: the primary key in the ledger."""
Existing = tuple[Entry, Accepted, bytes]
"""An entry whose key was taken, its first receipt, the SHA-256 of the bytes it was given for."""


def write_batch(connection: Connection[Any], batch: Sequence[Entry]) -> list[tuple[Entry, Outcome]]:
    """Write a batch in the open transaction and say what became of each entry.

    A submission that amends stands there as the amendment it became; `origin` leads back to it.
    """
    outcomes: list[tuple[Entry, Outcome]] = []
    rows = _Rows()
    fresh = sorted((e for e in batch if e.kind == APPEAL), key=_place)
    others = [e for e in batch if e.kind not in (APPEAL, KEEP)]
    outcomes.extend((entry, rows.keep(entry)) for entry in batch if entry.kind == KEEP)
    amendments: list[Entry] = []
    if fresh:
        won, lost = _claim(connection, fresh)
        outcomes.extend((entry, rows.add(entry)) for entry in won)
        for entry, first, body in _existing(connection, lost):
            if first.revision == entry.revision:
                outcomes.append((entry, _repeat_or_conflict(entry, first, body, rows)))
            else:
                amendments.append(_as_amendment(entry, first))
    if others:  # after the new appeals: a call may be about one of this very batch
        others = _find_targets(connection, others, outcomes, rows)
        others = _unsaid(connection, others, outcomes, rows)
    others += amendments
    if others:
        others.sort(key=_place)
        won, lost = _claim(connection, others)
        outcomes.extend((entry, rows.add(entry)) for entry in won)
        for entry, first, body in _existing(connection, lost):
            outcomes.append((entry, _repeat_or_conflict(entry, first, body, rows)))
    rows.write(connection)
    return outcomes


def _place(entry: Entry) -> Place:
    return entry.place


def _claim(
    connection: Connection[Any], entries: Sequence[Entry]
) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """Return who got their keys, and whose keys were taken."""
    messages = [entry.message for entry in entries]
    cursor = connection.execute(
        sql.LEDGER,
        (
            TextArray.of([m.peer for m in messages]),
            TextArray.of([e.kind for e in entries]),
            TextArray.of([e.key for e in entries]),
            Int4Array.of([e.slot for e in entries]),
            Int4Array.of([e.revision for e in entries]),
            UuidArray.of([m.id for m in messages]),
            UuidArray.of([m.appeal_id for m in messages]),
            TextArray.of([_receipt_number(e) for e in entries]),
            InstantArray.of([m.recorded_at for m in messages]),
            ByteaArray.of([m.content_sha256 or m.body_sha256 for m in messages]),
            ByteaArray.of([m.body_sha256 for m in messages]),
            Int2Array.of([DIGEST_VERSION] * len(entries)),
        ),
        binary=True,
    )
    first = cursor.fetchone()  # a pipeline knows the count of rows only when one was asked for
    if cursor.rowcount == len(entries):
        return entries, ()
    got = {row[0] for row in (first, *cursor) if row is not None}
    won = [entry for entry in entries if entry.message.id in got]
    return won, [entry for entry in entries if entry.message.id not in got]


def _receipt_number(entry: Entry) -> str:
    if entry.new is not None:
        return entry.new.appeal.receipt_number
    return entry.target.receipt_number if entry.target else ""


def _unsaid(
    connection: Connection[Any],
    entries: Sequence[Entry],
    outcomes: list[tuple[Entry, Outcome]],
    rows: _Rows,
) -> list[Entry]:
    """Return the entries but for amendments under the revision of the submission they amend.

    Their key is taken: they are repeats of it, or conflicts.
    """
    said = set()
    amendments = [entry for entry in entries if entry.kind == AMEND]
    for entry, first, body in _existing(connection, amendments, _submission_of):
        if first.revision == entry.revision:
            outcomes.append((entry, _repeat_or_conflict(entry, first, body, rows)))
            said.add(entry)
    return [entry for entry in entries if entry not in said]


def _submission_of(amendment: Entry) -> Place:
    peer, _, key, _ = amendment.place
    return peer, APPEAL, key, 0


def _existing(
    connection: Connection[Any], entries: Sequence[Entry], of: Callable[[Entry], Place] = _place
) -> Iterator[Existing]:
    """Yield the entries whose key in the ledger is taken, each with the receipt it was taken by."""
    if not entries:
        return
    places = [of(entry) for entry in entries]
    peers, kinds, keys, slots = zip(*places, strict=True)
    cursor = connection.execute(
        sql.EXISTING,
        (
            TextArray.of(peers),
            TextArray.of(kinds),
            TextArray.of(keys),
            Int4Array.of(slots),
        ),
        binary=True,
    )
    taken = {(row[0], row[1], row[2], row[3]): row for row in cursor}
    for entry, place in zip(entries, places, strict=True):
        if (row := taken.get(place)) is not None:
            yield entry, _first(row), row[10]


def _first(row: Sequence[Any]) -> Accepted:
    """Return the receipt of the message that holds the key."""
    return Accepted(
        receipt_number=row[7],
        external_id=row[2],
        revision=row[4],
        accepted_at=row[8].astimezone(UTC),
        content_sha256=row[9],
        message_id=row[5],
        appeal_id=row[6],
        repeat=True,
    )


def _repeat_or_conflict(entry: Entry, first: Accepted, first_body: bytes, rows: _Rows) -> Outcome:
    same = (
        first.content_sha256 == (entry.message.content_sha256 or entry.message.body_sha256)
        or first_body == entry.message.body_sha256
    )
    external_id = entry.target.external_id if entry.target else first.external_id
    if same:
        return first._replace(repeat=True, external_id=external_id)
    error = ConflictError(
        "this key was used before for other content",
        receipt_number=first.receipt_number,
        existing_sha256=first.content_sha256.hex(),
        existing_revision=first.revision,
        sent_sha256=(entry.message.content_sha256 or entry.message.body_sha256).hex(),
        todo="send a higher revision if this is an amendment, another id if it is another appeal",
    )
    rows.refuse(entry, "conflict", error.message, appeal_id=first.appeal_id)
    return error


def _as_amendment(entry: Entry, first: Accepted) -> Entry:
    """A known external id at another revision changes the appeal it made before.

    The submission itself stays as it is: when this transaction is rolled back, perhaps because of
    the very entry that made the appeal, it may yet be the one that makes it.
    """
    said = entry.new.contents[0].bytes if entry.new is not None else entry.message.decoded
    amendment = Entry(
        kind=AMEND,
        key=entry.key,
        revision=entry.revision,
        message=entry.message._replace(operation=AMEND, appeal_id=first.appeal_id, decoded=said),
        blobs=entry.blobs,
    )
    amendment.target = Target(first.appeal_id, first.receipt_number, entry.key)  # type: ignore[arg-type]
    amendment.origin = entry
    return amendment


def _find_targets(
    connection: Connection[Any],
    entries: Iterable[Entry],
    outcomes: list[tuple[Entry, Outcome]],
    rows: _Rows,
) -> list[Entry]:
    entries = list(entries)
    named = [entry for entry in entries if entry.name is not None]
    found: dict[int, list[Target]] = {}
    for statement, wanted, first, second in (
        (sql.TARGETS, [(n, e) for n, e in enumerate(named) if not _by_number(e.name)], 1, 0),
        (
            sql.TARGETS_BY_REGISTRATION,
            [(n, e) for n, e in enumerate(named) if _by_number(e.name)],
            2,
            3,
        ),
    ):
        if not wanted:
            continue
        cursor = connection.execute(
            statement,
            (
                Int4Array.of([n for n, _ in wanted]),
                TextArray.of([e.message.peer for _, e in wanted]),
                TextArray.of([e.name[first] for _, e in wanted]),  # type: ignore[index]
                TextArray.of([e.name[second] for _, e in wanted]),  # type: ignore[index]
            ),
            binary=True,
        )
        for n, appeal_id, receipt, external_id in cursor:
            if appeal_id is not None:
                found.setdefault(n, []).append(Target(appeal_id, receipt, external_id))
    kept = [entry for entry in entries if entry.name is None]
    for n, entry in enumerate(named):
        targets = set(found.get(n, ()))
        if len(targets) == 1:
            entry.target = targets.pop()
            entry.message = entry.message._replace(appeal_id=entry.target.appeal_id)
            kept.append(entry)
            continue
        error = NotFoundError(
            "more than one appeal has this number: name the organisation"
            if targets
            else "no appeal of yours has this key",
            found=_spelled(entry.name),
            todo="check the key; GetReceipts lists what we hold of yours",
        )
        rows.refuse(entry, "refused", error.message, appeal_id=None)
        outcomes.append((entry, error))
    return kept


def _by_number(name: AppealName | None) -> bool:
    return bool(name and name.registration_key)


def _spelled(name: AppealName | None) -> str:
    return next((part for part in name or () if part), "")


def _receipt(entry: Entry) -> Accepted:
    message = entry.message
    return Accepted(
        receipt_number=_receipt_number(entry),
        external_id=entry.target.external_id if entry.target else entry.key,
        revision=entry.revision,
        accepted_at=message.recorded_at,
        content_sha256=message.content_sha256 or message.body_sha256,
        message_id=message.id,
        appeal_id=message.appeal_id,
        repeat=False,
    )


class _Rows:
    """The rows a batch will write, gathered column-ready and written once."""

    def __init__(self) -> None:
        self.messages: list[MessageRow] = []
        self.winners: list[Entry] = []
        self.kept: list[Entry] = []
        self.work: list[tuple[Any, Any, datetime]] = []

    def add(self, entry: Entry) -> Accepted:
        """Take the rows of a winner and make its receipt."""
        message = entry.message
        self.messages.append(message)
        self.winners.append(entry)
        self.work.append((message.id, message.appeal_id, message.recorded_at))
        return _receipt(entry)

    def keep(self, entry: Entry) -> Accepted:
        """Keep a message, with its files, that waits until a person replays it."""
        self.messages.append(entry.message)
        self.kept.append(entry)
        return _receipt(entry)

    def refuse(self, entry: Entry, stage: str, reason: str, *, appeal_id: Any) -> None:
        """Keep the message of a refused call; nothing is lost, nothing is worked on."""
        note = msgspec.json.encode({"reason": reason}).decode()
        self.messages.append(entry.message._replace(stage=stage, note=note, appeal_id=appeal_id))

    def write(self, connection: Connection[Any]) -> None:
        """Write everything in one statement, and attachments in one more."""
        if not self.messages:
            return
        new = [entry.new for entry in self.winners if entry.new is not None]
        connection.execute(
            sql.ROWS,
            (
                *_columns(type_of_message, self.messages),
                *_columns(type_of_appeal, [n.appeal for n in new]),
                *_columns(type_of_question, [q for n in new for q in n.questions]),
                *_columns(type_of_event, [e for n in new for e in n.events]),
                *_columns(type_of_content, [c for n in new for c in n.contents]),
                *_columns(type_of_work, self.work),
            ),
        )
        self._write_blobs(connection)

    def _write_blobs(self, connection: Connection[Any]) -> None:
        blobs = sorted(
            ((blob, entry) for entry in (*self.winners, *self.kept) for blob in entry.blobs),
            key=lambda pair: pair[0].sha256,
        )
        if not blobs:
            return
        connection.execute(
            sql.BLOBS,
            (
                ByteaArray.of([b.sha256 for b, _ in blobs]),
                Int8Array.of([b.size for b, _ in blobs]),
                TextArray.of([b.media_type for b, _ in blobs]),
                ByteaArray.of([b.bytes for b, _ in blobs]),
                blobs[0][1].message.recorded_at,
                ByteaArray.of([b.sha256 for b, _ in blobs]),
                UuidArray.of([e.target.appeal_id if e.target else b.owner for b, e in blobs]),
                TextArray.of([b.name for b, _ in blobs]),
                TextArray.of([e.message.peer for _, e in blobs]),
            ),
        )


def _columns(kinds: Sequence[Any], rows: Sequence[Sequence[Any]]) -> list[Any]:
    if not rows:
        return [kind.of(()) for kind in kinds]
    return [kind.of(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]
