"""Says what is wrong with a stored message, and where: each by the road of the wire it came on.

A call of SOAP or REST is held against our own contract, a document of a channel is read by the
codec of its adapter, a row of a file with the file that it stood in.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway import contracts_explain
from gateway.commands import foreign, redecode
from gateway.errors import GatewayError, InputError, TrustError, Violation, violations_of
from gateway.masking import looks_like_xml
from gateway.store import messages, peers
from gateway.store.blobs import BlobDirectory
from gateway.wires.xmlbody import charset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import psycopg

    from gateway.commands.context import Opened
    from import_export.bundle import Bundle
    from import_export.csvfile import Table
    from import_export.documents import Documents
    from import_export.lines import Line

MOST: Final = 100
"""Faults of one message that are told; whoever mends them asks again."""


def explained(gw: Opened, db: psycopg.Connection[Any], row: Any) -> tuple[Violation, ...]:
    """Return what is wrong with a stored message, () when it reads without a fault.

    Raises GatewayError when it cannot be looked at: its adapter is not switched on, its file has no
    profile any more, it is a façade's.
    """
    body = messages.body(db, BlobDirectory(gw.settings.blobs), row.id)
    if row.wire == redecode.FILE:
        return _of_file(gw, db, row, body)
    if row.wire in redecode.HTTP:
        foreign.check(body, row.media_type, gw.settings)
        return _of_call(body, row, gw.now(), messages.beside(row))
    return _of_document(gw, db, row, body)


def _of_call(
    body: bytes, row: Any, now: datetime, beside: Mapping[str, str]
) -> tuple[Violation, ...]:
    """How a call breaks the contract, by a second library where it is XML."""
    if looks_like_xml(body):
        return contracts_explain.explain(body, charset(row.media_type))
    try:
        redecode.request(body, row.media_type, row.operation, now, beside)
    except GatewayError as error:
        return _told(error)
    return ()


def _of_document(
    gw: Opened, db: psycopg.Connection[Any], row: Any, body: bytes
) -> tuple[Violation, ...]:
    """What the codec of its adapter cannot read, with the options of its peer's row."""
    codec = redecode.codec_of(gw.settings, peers.read_all(db).get(row.peer), row.wire)
    try:
        found = redecode.documents(body, row.media_type, codec, messages.beside(row))
    except InputError as error:
        return violations_of(error)
    except TrustError as error:
        message = f"{error.message} ({error.todo})" if error.todo else error.message
        return (Violation(error.where, error.code, message, error.found, error.expected),)
    return tuple(
        islice(
            (
                violation._replace(path=_joined(one.where, violation.path))
                for one in found.rejected
                for violation in one.violations
            ),
            MOST,
        )
    )


def _of_file(
    gw: Opened, db: psycopg.Connection[Any], row: Any, body: bytes
) -> tuple[Violation, ...]:
    """What is wrong in a file, or in the one row of it that was kept."""
    note: Mapping[str, Any] = row.note or {}
    only = None
    if "file" in note:
        only, whole = int(note["row"]), messages.one(db, UUID(note["file"]))
        body = messages.body(db, BlobDirectory(gw.settings.blobs), whole.id)
        note = whole.note or {}
    try:
        reader = redecode.open_file(gw.settings, row.peer, body, note)
    except InputError as error:
        return violations_of(error)
    return tuple(islice(_problems(reader, only), MOST))


def _problems(reader: Table | Bundle | Documents, only: int | None) -> Iterator[Violation]:
    lines: Iterator[Line] = iter(reader)
    for line in lines:
        for number, found in line.problems:
            if only is None or line.row == only:
                message = f"{found.ru} · {found.en}"
                yield Violation(
                    found.column, found.code, message, found.found, found.expected, number
                )


def _told(error: GatewayError) -> tuple[Violation, ...]:
    return getattr(error, "violations", ()) or (
        Violation(error.where, error.code, error.message, error.found, error.expected),
    )


def _joined(where: str, path: str) -> str:
    """Return a place within an item with the item's own before it, once."""
    return path if path.startswith(where) else f"{where}{path}"
