"""Answers of the contract that only read, from the projections of the store."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from gateway import ingest
from gateway.adapter import File
from gateway.disclosure import Level, files_of
from gateway.errors import NotFoundError, TooLargeError, ValidationError, Violation
from gateway.limits import ATTACHMENT_ANSWER_BYTES
from gateway.store import blobs as blob_store
from gateway.store import reading, readings, topics, work
from gateway.store.readings import Origin
from gateway.topics import SSTU
from gateway.wires import canonical, directories, shown, whole
from gateway.wires import contract as c
from gateway.wires.addresses import Addresses
from gateway.wires.lists import Lists, fitting
from gateway.xml import UTF8

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from uuid import UUID

    from gateway.access.policy import Caller
    from gateway.store.blobs import BlobDirectory
    from gateway.store.entries import AppealName
    from gateway.store.pool import Pool
    from gateway.store.verdicts import Verdicts

NOWHERE: Final = Origin()
"""Of a call within the house."""


class Reader:
    """Carries out the reading operations, each in one borrowed connection.

    verdicts: let only clean files out; None lets everything out. regions: codes of those that
    addresses are likelier in.
    """

    def __init__(
        self,
        pool: Pool,
        blobs: BlobDirectory,
        changes: Changes | None = None,
        verdicts: Verdicts | None = None,
        regions: Sequence[str] = (),
    ) -> None:
        self._pool = pool
        self._blobs = blobs
        self._verdicts = verdicts
        self._changes = changes
        self._topics = topics.Kept()
        lists, addresses = Lists(pool), Addresses(pool, regions)
        self._lists: dict[type, Callable[[Any, Caller, str], c.Response]] = {
            c.GetStatus: self._status,
            c.FindAppeals: lists.appeals,
            c.GetReceipts: lists.receipts,
            c.GetDirectory: self._directory,
            c.ResolveAddress: addresses.resolve,
            c.SuggestAddress: addresses.suggest,
        }

    def read(
        self,
        request: c.Request,
        caller: Caller,
        encoding: str = UTF8,
        *,
        packs: bool = False,
        origin: Origin = NOWHERE,
    ) -> c.Response:
        """Return the response to a reading request; raise InputError, NotFoundError, BusyError.

        What gives personal data is in the register of readings before it is given: an appeal, a
        file, an answer among the changes. Lists and states hold none. encoding: of the answer, by
        which lists are kept under a size: of `xml.CHARSET_LABELS`. packs: a file may be answered as
        a part (`gateway.wires.parts`). origin: for the register.
        """
        if isinstance(request, c.GetAppeal):
            return self._appeal(request, caller, origin)
        if isinstance(request, c.GetAttachment):
            return self._attachment(request, caller, origin, packs=packs)
        if self._changes is not None and isinstance(request, c.GetChanges):
            return self._told(self._changes, request, caller, encoding, origin)
        if self._changes is not None and isinstance(request, c.AckChanges):
            return self._changes.acknowledge(request, caller)
        return self._lists[type(request)](request, caller, encoding)

    def _told(
        self, changes: Changes, request: c.GetChanges, caller: Caller, encoding: str, origin: Origin
    ) -> c.GetChangesResponse:
        response = changes.get(request, caller, encoding)
        told = dict.fromkeys(_subject(change) for change in response.items if _personal(change))
        if told:
            with self._pool.connection() as connection:
                _record(connection, caller, "GetChanges", told, origin)
        return response

    def _appeal(self, request: c.GetAppeal, caller: Caller, origin: Origin) -> c.GetAppealResponse:
        name = ingest.name(canonical.key(request.key))
        with self._pool.connection() as connection:
            appeal_id = self._one(connection, caller, name)
            appeal = whole.read(connection, appeal_id, caller, with_text=request.include_text)
            _record(connection, caller, "GetAppeal", [appeal.receipt_number], origin)
        return c.GetAppealResponse(appeal=appeal)

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

    def _attachment(
        self, request: c.GetAttachment, caller: Caller, origin: Origin, *, packs: bool
    ) -> c.GetAttachmentResponse:
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
            row = found[0]
            _record(connection, caller, "GetAttachment", [digest.hex()], origin)
            content = self._content(connection, row, packs=packs)
        if self._verdicts is not None:
            self._verdicts.require_clean(digest, row.size, lambda: self._pieces(digest, content))
        own = caller.peer in (row.peer, row.sender)
        return c.GetAttachmentResponse(
            attachment_id=digest.hex(),
            file_name=row.name if own or caller.disclosure == Level.FULL else digest.hex()[:12],
            media_type=row.media_type or "application/octet-stream",
            size=row.size,
            sha256=digest.hex(),
            content=content,
        )

    def _content(self, connection: Any, row: Any, *, packs: bool) -> Any:
        """Return the bytes of a file, or the file as a part; raise TooLargeError."""
        digest = bytes(row.sha256)
        if packs:
            return File(
                sha256=digest.hex(),
                media_type=row.media_type,
                name="",
                data=blob_store.find(connection, self._blobs, digest, row.size),
            )
        if row.size > ATTACHMENT_ANSWER_BYTES:
            raise TooLargeError(
                "the file is too large to be answered as base64",
                found=f"{row.size} bytes",
                expected=f"at most {ATTACHMENT_ANSWER_BYTES} bytes",
                where="AttachmentId",
                todo="ask for it by SOAP with MTOM: the port Mtom, or Accept: multipart/related",
            )
        return blob_store.read(connection, self._blobs, digest)

    def _pieces(self, digest: bytes, content: Any) -> Iterable[bytes]:
        data = content.data if isinstance(content, File) else content
        return [data] if isinstance(data, bytes) else self._blobs.blocks(digest)

    @staticmethod
    def _may_read(connection: Any, row: Any, digest: bytes, caller: Caller) -> bool:
        """Whoever sent the file or its appeal may; others when the disclosed appeal names it."""
        if caller.peer in (row.peer, row.sender):
            return True
        if row.given and caller.disclosure == Level.FULL:
            return True
        seen = whole.seen(connection, row.appeal_id, caller, shared=not row.given)
        return digest.hex() in files_of(seen)

    def _directory(
        self,
        request: c.GetDirectory,
        caller: Caller,  # noqa: ARG002 - directories are the same for all
        encoding: str,
    ) -> c.GetDirectoryResponse:
        if request.name == "Topics":
            return self._topics_page(request, encoding)
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

    def _topics_page(self, request: c.GetDirectory, encoding: str) -> c.GetDirectoryResponse:
        with self._pool.connection() as connection:
            revision, tables = self._topics.dated(connection)
        version, items, cursors = directories.topics(
            tables.classifiers[SSTU], revision, request.since_version, request.cursor
        )
        page = fitting(items[: directories.TOPICS_OF_PAGE], None, encoding)
        more = len(page) < len(items)
        return c.GetDirectoryResponse(
            version=version, items=page, next_cursor=cursors[len(page) - 1] if more else None
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


def _personal(change: c.Change) -> bool:
    """Whether a change holds words that may name people, not only a state and its day."""
    comment = change.status is not None and change.status.comment
    return change.answer is not None or change.file is not None or bool(comment)


def _subject(change: c.Change) -> str:
    return change.key.receipt_number or change.key.external_id or ""


def _record(
    connection: Any, caller: Caller, what: str, subjects: Collection[str], origin: Origin
) -> None:
    """Record that a peer is given personal data, before it is: without the record, no answer."""
    readings.record_call(
        connection, peer=caller.peer, role=caller.role, what=what, subjects=subjects, origin=origin
    )
