"""Answers of the contract that only read, from the projections of the store."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

import msgspec

from gateway import ingest, limits
from gateway.disclosure import Level, files_of
from gateway.errors import NotFoundError, ValidationError, Violation
from gateway.model.appeal import Appeal
from gateway.model.base import NIL
from gateway.store import blobs as blob_store
from gateway.store import reading, work
from gateway.wires import binding, canonical, directories, shown
from gateway.wires import contract as c
from gateway.xml import UTF8, recode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.access.policy import Caller
    from gateway.store.blobs import BlobDirectory
    from gateway.store.entries import AppealName
    from gateway.store.pool import Pool

T = TypeVar("T", bound=msgspec.Struct)
DEFAULT_PAGE = 100
ENVELOPE_BYTES = 2_000
"""Room for the envelope, its headers and the wrapper around a list."""


class Reader:
    """Carries out the reading operations, each in one borrowed connection."""

    def __init__(self, pool: Pool, blobs: BlobDirectory, changes: Changes | None = None) -> None:
        self._pool = pool
        self._blobs = blobs
        self._changes = changes
        self._reads: dict[type, Callable[[Any, Caller], c.Response]] = {
            c.GetAppeal: self._appeal,
            c.GetAttachment: self._attachment,
        }
        self._lists: dict[type, Callable[[Any, Caller, str], c.Response]] = {
            c.GetStatus: self._status,
            c.FindAppeals: self._find,
            c.GetReceipts: self._receipts,
            c.GetDirectory: self._directory,
        }
        if changes is not None:
            self._lists[c.GetChanges] = changes.get
            self._reads[c.AckChanges] = changes.acknowledge

    def read(self, request: c.Request, caller: Caller, encoding: str = UTF8) -> c.Response:
        """Return the response to a reading request; raise InputError, NotFoundError, BusyError.

        encoding: of the answer, by which lists are kept under a size: of `xml.CHARSET_LABELS`.
        """
        kind = type(request)
        if kind in self._lists:
            return self._lists[kind](request, caller, encoding)
        return self._reads[kind](request, caller)

    def _appeal(self, request: c.GetAppeal, caller: Caller) -> c.GetAppealResponse:
        name = ingest.name(canonical.key(request.key))
        with self._pool.connection() as connection:
            appeal_id = self._one(connection, caller, name)
            head = reading.rows(connection, reading.APPEALS, [appeal_id])[0]
            questions = reading.rows(connection, reading.QUESTIONS, [appeal_id])
            due = shown.due_of(reading.rows(connection, reading.DUE, [appeal_id]))
            registrations = reading.rows(connection, reading.REGISTRATIONS, appeal_id)
            files = reading.rows(connection, reading.ATTACHMENTS, appeal_id)
            stored = reading.rows(connection, reading.CONTENT, appeal_id, head.content_id)
        content = shown.disclosed(_content(stored), head, caller)
        return c.GetAppealResponse(
            appeal=shown.appeal_out(
                head, questions, due, registrations, files, content,
                level=shown.level_for(head, caller), with_text=request.include_text,
            )
        )  # fmt: skip

    def _status(self, request: c.GetStatus, caller: Caller, encoding: str) -> c.GetStatusResponse:
        named = _named(request.keys)
        with self._pool.connection() as connection:
            rows = reading.find(connection, caller.peer, list(named.values()))
            found = dict(zip(named, (rows.get(n, []) for n in range(len(named))), strict=True))
            named_ids = {row[0] for rows in found.values() for row in rows}
            into = work.merged_into(connection, named_ids)
            ids = list(named_ids | set(into.values()))
            heads = {row.id: row for row in reading.rows(connection, reading.APPEALS, ids)}
            questions = reading.by_appeal(reading.rows(connection, reading.QUESTIONS, ids))
            due = shown.due_of(reading.rows(connection, reading.DUE, ids))
        items = [
            shown.status_item(key, found.get(n, []), into, heads, questions, due, caller=caller)
            for n, key in enumerate(request.keys)
        ]
        room = len(fitting(items, request.max_bytes, encoding))
        if room < len(items):
            raise _no_room(room, len(items))
        return c.GetStatusResponse(items=tuple(items))

    def _find(self, request: c.FindAppeals, caller: Caller, encoding: str) -> c.FindAppealsResponse:
        count = request.max or DEFAULT_PAGE
        window = {
            name: getattr(request, name)
            for name in (
                "changed_from", "changed_to", "registered_from", "registered_to", "state",
                "topic_prefix", "organisation_id",
            )
        }  # fmt: skip
        with self._pool.connection() as connection:
            found = reading.register_lines(
                connection, caller.peer, _after(request.cursor), window, count + 1
            )
        lines = [
            c.RegisterLine(
                external_id=row.external_id,
                receipt_number=row.receipt_number,
                registration_number=row.registration_number,
                state=row.state,
                content_digest=row.content_sha256.hex(),
                updated_at=row.changed_at.astimezone(UTC),
            )
            for row in found
        ]
        page = fitting(lines[:count], request.max_bytes, encoding)
        more = len(page) < len(lines)
        cursor = _cursor(found[len(page) - 1].id) if more and page else None
        return c.FindAppealsResponse(items=page, next_cursor=cursor)

    def _receipts(
        self, request: c.GetReceipts, caller: Caller, encoding: str
    ) -> c.GetReceiptsResponse:
        count = request.max or DEFAULT_PAGE
        with self._pool.connection() as connection:
            found = reading.receipt_lines(
                connection,
                caller.peer,
                _after(request.cursor),
                request.from_,
                request.to,
                count + 1,
            )
        lines = [
            c.ReceiptLine(
                operation=row.operation,
                external_id=row.external_id,
                revision=row.revision or None,
                message_key=None if row.operation in ("submit", "amend") else row.key,
                content_sha256=row.content_sha256.hex(),
                accepted_at=row.recorded_at.astimezone(UTC),
                applied=(row.note or {}).get("applied")
                or (None if row.stage == "accepted" else row.stage),
                state=row.state,
                receipt_number=row.receipt_number or "",
            )
            for row in found
        ]
        page = fitting(lines[:count], None, encoding)
        more = len(page) < len(lines)
        cursor = _cursor(found[len(page) - 1].id) if more and page else None
        return c.GetReceiptsResponse(items=page, next_cursor=cursor)

    def _attachment(self, request: c.GetAttachment, caller: Caller) -> c.GetAttachmentResponse:
        try:
            digest = bytes.fromhex(request.attachment_id)
        except ValueError as error:
            raise NotFoundError("no such file of yours", found=request.attachment_id) from error
        with self._pool.connection() as connection:
            found = [
                row
                for row in reading.rows(connection, reading.ATTACHMENT, digest, caller.peer)
                if self._may_read(connection, row, digest, caller)
            ]
            if not found:
                raise NotFoundError("no such file of yours", found=request.attachment_id)
            data = blob_store.read(connection, self._blobs, digest)
        row = found[0]
        own = caller.peer in (row.peer, row.sender)
        return c.GetAttachmentResponse(
            attachment_id=digest.hex(),
            file_name=row.name if own or caller.disclosure == Level.FULL else digest.hex()[:12],
            media_type=row.media_type or "application/octet-stream",
            size=row.size,
            sha256=digest.hex(),
            content=data,
        )

    @staticmethod
    def _may_read(connection: Any, row: Any, digest: bytes, caller: Caller) -> bool:
        """Whoever sent the file or its appeal may; others when the disclosed appeal names it."""
        if caller.peer in (row.peer, row.sender) or caller.disclosure == Level.FULL:
            return True
        head = reading.rows(connection, reading.APPEALS, [row.appeal_id])[0]
        stored = reading.rows(connection, reading.CONTENT, head.id, head.content_id)
        content = shown.disclosed(_content(stored), head, caller)
        return content is not None and digest.hex() in files_of(content)

    def _directory(
        self,
        request: c.GetDirectory,
        caller: Caller,  # noqa: ARG002 - directories are the same for all
        encoding: str,
    ) -> c.GetDirectoryResponse:
        if request.name != "Organisations":
            return directories.page(request.name, request.since_version, request.cursor)
        with self._pool.connection() as connection:
            found = reading.rows(connection, reading.ORGANISATIONS, request.cursor or "", 501)
        page = fitting(
            [
                c.DirectoryItem(
                    code=row.id, title=row.full_name, parent=row.parent or None,
                    valid_from=row.valid_from, valid_to=row.valid_to,
                )
                for row in found[:500]
            ],
            None,
            encoding,
        )  # fmt: skip
        more = len(page) < len(found)
        return c.GetDirectoryResponse(
            version="live", items=page, next_cursor=page[-1].code if more else None
        )

    @staticmethod
    def _one(connection: Any, caller: Caller, name: AppealName) -> UUID:
        found = {row[0] for row in reading.find(connection, caller.peer, [name]).get(0, [])}
        if len(found) != 1:
            raise NotFoundError(
                "more than one appeal has this number: name the organisation"
                if found
                else "no appeal of yours has this key",
                todo="check the key; FindAppeals lists yours",
            )
        appeal_id: UUID = found.pop()
        return appeal_id


class Changes(Protocol):
    """GetChanges and AckChanges; the pull channel of dispatch implements it."""

    def get(self, request: c.GetChanges, caller: Caller, encoding: str) -> c.GetChangesResponse:
        """Return what happened since the cursor, in the order of the caller's lane."""
        ...

    def acknowledge(self, request: c.AckChanges, caller: Caller) -> c.AckChangesResponse:
        """Settle everything up to the cursor."""
        ...


def _named(keys: Sequence[c.AppealKey]) -> dict[int, AppealName]:
    """Return place → name; a receipt number with a typing error names nothing."""
    named: dict[int, AppealName] = {}
    for place, key in enumerate(keys):
        try:
            known = canonical.key(key)
        except ValidationError as error:
            path = f"Keys/AppealKey[{place + 1}]"
            found = tuple(v._replace(path=path) for v in error.violations)
            raise ValidationError(error.message, found) from error
        with suppress(ValidationError):
            named[place] = ingest.name(known)
    return named


def _no_room(room: int, keys: int) -> ValidationError:
    """Refuse rather than answer some of the keys: a caller would take the rest for not found."""
    message = f"the answer has room for {room} of {keys} keys"
    return ValidationError(
        message,
        (Violation("Keys", "max_bytes", message, str(keys), f"at most {room}"),),
        todo="ask for fewer keys at once, or for more bytes with MaxBytes",
    )


def fitting(items: Sequence[T], max_bytes: int | None, encoding: str = UTF8) -> tuple[T, ...]:
    """Return as many items as the answer may hold; always at least one, so that a reader advances.

    Counted as XML in the answer's encoding; JSON is shorter. WCF refuses answers over 65,536 bytes
    unless its configuration was changed, hence the default of limits.RESPONSE_BYTES.
    """
    room = (max_bytes or limits.RESPONSE_BYTES) - ENVELOPE_BYTES
    taken: list[T] = []
    for item in items:
        room -= len(recode(binding.write(item), encoding))
        if room < 0 and taken:
            break
        taken.append(item)
    return tuple(taken)


def _content(stored: Sequence[Any]) -> Appeal | None:
    """The canonical appeal, or None after its personal data was erased."""
    if not stored or stored[0].bytes is None:
        return None
    return msgspec.json.decode(stored[0].bytes, type=Appeal)


def _cursor(last: UUID) -> str:
    return f"a{last.hex}"


def _after(cursor: str | None) -> UUID:
    if cursor is None:
        return NIL
    try:
        if cursor[0] != "a":
            raise ValueError(cursor)
        return UUID(hex=cursor[1:])
    except ValueError as error:
        message = "this cursor was not given by us"
        raise ValidationError(message, (Violation("Cursor", "cursor", message, cursor),)) from error
