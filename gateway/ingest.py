"""The first room: what a wire decoded becomes rows, and the peer gets its receipt after the commit.

`accept` only inserts. It looks nothing up in a registry and applies nothing: a new appeal becomes
rows with its first event, everything else becomes a message that triage will apply (design §1).
The functions here are pure but for ids and salts; the committer does the writing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from gateway import notes
from gateway.adapter import File, Stored
from gateway.errors import GatewayError, TooLargeError, ValidationError, Violation
from gateway.lifecycle import check_report
from gateway.limits import ID_CHARS
from gateway.model.base import Extra
from gateway.model.digest import canonical_json, content_sha256
from gateway.model.events import (
    Actor,
    Event,
    EventType,
    State,
    canonical_body,
    event_hash,
    first_prev,
)
from gateway.model.facts import ReceivedFacts
from gateway.model.fold import number_key
from gateway.model.ids import check_receipt_number, question_id, receipt_number, uuid7
from gateway.model.intake import check_intake, with_question
from gateway.store.blobs import fits_row
from gateway.store.entries import (
    AMEND,
    APPEAL,
    KEEP,
    AppealName,
    AppealRow,
    BlobRow,
    ContentRow,
    Entry,
    EventRow,
    MessageRow,
    NewAppeal,
    QuestionRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from gateway.adapter import Inbound
    from gateway.model.appeal import Appeal
    from gateway.model.events import AppealKey
    from gateway.store.blobs import BlobDirectory

SALT_BYTES = 16
_TYPE_CHARS: Final = 1_000
PACKAGE: Final = "package"
"""Operation of a message that held several items."""
CUT: Final = "cut"
"""In the note of a message of which only the beginning was kept: its size and digest."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it came: from whom, over which wire, when, and its bytes.

    wire: `soap11`, `soap12`, `rest`, `file`, or an adapter's name. correlation: the id that goes
    from wire to wire and stands in every log line. test: the peer or the stand is a test one.
    parts: of a package, what came beside its envelope, by Content-ID; `body` is the envelope then.
    """

    peer: str
    wire: str
    correlation: str
    now: datetime
    body: bytes
    media_type: str = ""
    test: bool = False
    parts: Mapping[str, File] = {}


def entry(arrival: Arrival, inbound: Inbound, blobs: BlobDirectory) -> Entry:
    """Return what the committer has to write for one decoded item; raise InputError.

    `blobs` takes bytes too large for a row before the row that names them exists.
    """
    if inbound.appeal is not None and inbound.operation == "submit":
        return _submission(arrival, inbound, inbound.appeal, blobs)
    if inbound.appeal is not None:
        return _amendment(arrival, inbound, inbound.appeal, blobs)
    return _report(arrival, inbound, blobs)


def kept(
    arrival: Arrival,
    error: GatewayError,
    operation: str,
    blobs: BlobDirectory,
    beside: Mapping[str, str] = _NOTHING,
    most: int | None = None,
) -> Entry:
    """Return an entry that only keeps what could not be decoded, so that it can be replayed.

    The note says where and why, never what was found: that is in the body, apart from the note.
    beside: what stood outside the body and a replay needs: keys and numbers. The parts of a package
    stay with the message, as its files. most: bytes of the body that are kept, None for all; the
    note of one that is cut has the size and digest of the whole.
    """
    why, held = notes.of(error), arrival
    if most is not None and len(arrival.body) > most:
        why[CUT] = {"size": len(arrival.body), "sha256": sha256(arrival.body).hexdigest()}
        held = replace(arrival, body=arrival.body[:most])
    note = _note({**notes.of_parts(arrival.parts), **beside}, why)
    message_id = uuid7()
    message = _message(held, message_id, operation, "", 0, None, None, blobs)
    if held is not arrival:
        message = message._replace(body_sha256=_digest(arrival))
    return Entry(
        kind=KEEP,
        key="",
        revision=0,
        message=message._replace(stage="undecodable", note=note),
        blobs=_blobs(arrival.parts.values(), message_id, blobs),
    )


def whole(arrival: Arrival, blobs: BlobDirectory) -> Entry:
    """Return an entry that keeps a message of several items as it came; they are stored apart."""
    message = _message(arrival, uuid7(), PACKAGE, "", 0, None, None, blobs)
    return Entry(kind=KEEP, key="", revision=0, message=message._replace(stage="applied"))


def _note(beside: Mapping[str, str], why: Mapping[str, Any] = _NOTHING) -> str | None:
    told = {"beside": {name: _storable(value) for name, value in beside.items()}} if beside else {}
    return msgspec.json.encode({**told, **why}).decode() if told or why else None


def _submission(arrival: Arrival, inbound: Inbound, appeal: Appeal, blobs: BlobDirectory) -> Entry:
    key = _key(inbound.external_id, "ExternalId")
    if not appeal.source_peer:
        appeal = replace(appeal, source_peer=arrival.peer)
    check_intake(appeal, arrival.now)
    digest = bytes.fromhex(content_sha256(appeal))
    message_id, appeal_id = uuid7(), uuid7()
    message = _message(
        arrival, message_id, "submit", key, inbound.revision, digest, None, blobs, appeal_id
    )
    new = new_appeal(
        with_question(appeal), message, external_id=key, test=arrival.test or appeal.test_message
    )
    return Entry(
        kind=APPEAL,
        key=key,
        revision=inbound.revision,
        message=message,
        new=new,
        blobs=_blobs(inbound.files, appeal_id, blobs),
    )


def new_appeal(appeal: Appeal, message: MessageRow, *, external_id: str, test: bool) -> NewAppeal:
    """Return the rows of a new appeal: its head, questions, first event and content.

    The event carries no personal data: the whole canonical appeal is the content, whose salted
    digest the event names (design §2.9).
    """
    appeal_id, now = message.appeal_id, message.recorded_at
    assert appeal_id is not None
    receipt = receipt_number()
    salt, body = os.urandom(SALT_BYTES), canonical_json(appeal)
    content_id, content_digest = uuid7(), sha256(salt + body).digest()
    regime = appeal.regime.value if appeal.regime else "fz59"
    event = Event(
        appeal_id=appeal_id,
        seq=1,
        type=EventType.RECEIVED,
        occurred_at=_utc(appeal.received_at or now),
        reported_at=appeal.sent_at,
        recorded_at=now,
        actor=Actor(kind="peer", id=message.peer),
        cause=message.id,
        payload=ReceivedFacts(
            regime=regime,
            peer=message.peer,
            external_id=external_id,
            revision=message.revision,
            receipt_number=receipt,
            questions=len(appeal.questions),
            digest=message.content_sha256.hex() if message.content_sha256 else "",
            test=test,
            urgency=appeal.urgency.value if appeal.urgency else "",
            priority=appeal.priority.value if appeal.priority else "",
        ),
        content=content_digest.hex(),
    )
    encoded, prev = canonical_body(event), first_prev(appeal_id)
    head = event_hash(prev, 1, event.type, encoded)
    return NewAppeal(
        appeal=AppealRow(
            id=appeal_id,
            peer=message.peer,
            external_id=external_id,
            receipt_number=receipt,
            revision=message.revision,
            regime=regime,
            state=State.RECEIVED.value,
            recorded_at=now,
            head_seq=1,
            head_hash=head,
            content_id=content_id,
            content_sha256=message.content_sha256 or b"",
            test=test,
            historical=appeal.historical,
        ),
        questions=tuple(
            QuestionRow(
                appeal_id=appeal_id,
                ordinal=question.ordinal,
                id=question_id(appeal_id, question.ordinal),
                state=State.RECEIVED.value,
                topic=question.topics[0].code.value if question.topics else "",
            )
            for question in appeal.questions
        ),
        events=(
            EventRow(appeal_id, 1, event.type.value, event.v, now, message.id, encoded, prev, head),
        ),
        contents=(ContentRow(appeal_id, content_id, content_digest, salt, body),),
    )


def _amendment(arrival: Arrival, inbound: Inbound, appeal: Appeal, blobs: BlobDirectory) -> Entry:
    key = _key(inbound.external_id, "ExternalId")
    if not appeal.source_peer:
        appeal = replace(appeal, source_peer=arrival.peer)
    check_intake(appeal, arrival.now)
    digest = bytes.fromhex(content_sha256(appeal))
    appeal = with_question(appeal)
    if inbound.reason:
        told = Extra(peer="gateway", path="AmendAppeal/Reason", value=inbound.reason)
        appeal = replace(appeal, extras=(*appeal.extras, told))
    message_id = uuid7()
    message = _message(
        arrival, message_id, AMEND, key, inbound.revision, digest, canonical_json(appeal), blobs
    )
    return Entry(
        kind=AMEND,
        key=key,
        revision=inbound.revision,
        message=message,
        name=AppealName(external_id=key),
        blobs=_blobs(inbound.files, message_id, blobs),
    )


def _report(arrival: Arrival, inbound: Inbound, blobs: BlobDirectory) -> Entry:
    named = inbound.report or inbound.attached
    subject = named or inbound.expectation
    if subject is None:
        raise ValidationError("the message says nothing we can keep")
    key = _key(inbound.message_key, "MessageKey")
    if inbound.report is not None:
        check_report(inbound.report, arrival.now)
    decoded = canonical_json(subject)
    message_id = uuid7()
    message = _message(
        arrival, message_id, inbound.operation, key, 0, sha256(decoded).digest(), decoded, blobs
    )
    return Entry(
        kind=inbound.operation,
        key=key,
        revision=0,
        message=message,
        name=name(named.key) if named is not None else None,
        blobs=_blobs(inbound.files, message_id, blobs),
    )


def name(key: AppealKey) -> AppealName:
    """Return how a key names its appeal, for the store; raise ValidationError for an empty key."""
    if key.receipt_number:
        return AppealName(receipt_number=check_receipt_number(key.receipt_number))
    if key.external_id:
        return AppealName(external_id=_key(key.external_id, "Key/ExternalId"))
    if key.registration_number:
        return AppealName(
            registration_key=number_key(key.registration_number), organisation=key.organisation
        )
    raise ValidationError(
        "the key names no appeal",
        (Violation("Key", "required", "one of ReceiptNumber, ExternalId, RegistrationNumber"),),
    )


def _message(  # noqa: PLR0917 - the columns of one row
    arrival: Arrival,
    message_id: UUID,
    operation: str,
    key: str,
    revision: int,
    digest: bytes | None,
    decoded: bytes | None,
    blobs: BlobDirectory,
    appeal_id: UUID | None = None,
) -> MessageRow:
    body, blob = arrival.body, None
    if not fits_row(body):
        blob = blobs.put(body)
    return MessageRow(
        id=message_id,
        peer=arrival.peer,
        wire=arrival.wire,
        operation=operation,
        key=key,
        revision=revision,
        recorded_at=arrival.now,
        correlation=arrival.correlation,
        media_type=_storable(arrival.media_type)[:_TYPE_CHARS],
        body=None if blob else body,
        blob=blob,
        body_sha256=_digest(arrival),
        content_sha256=digest,
        decoded=decoded,
        appeal_id=appeal_id,
        stage="accepted",
        note=_note(notes.of_parts(arrival.parts)),
    )


def _digest(arrival: Arrival) -> bytes:
    """Return what two messages have alike that are the same: envelope and files beside it."""
    digest = sha256(arrival.body)
    for cid, file in sorted(arrival.parts.items()):
        digest.update(f"\0{cid}\0{file.sha256}".encode())
    return digest.digest()


def _blobs(files: Iterable[File], owner: UUID, blobs: BlobDirectory) -> tuple[BlobRow, ...]:
    return tuple(
        BlobRow(
            sha256=_stored(file.data, blobs),
            size=file.size,
            media_type=_storable(file.media_type),
            bytes=file.data if isinstance(file.data, bytes) and fits_row(file.data) else None,
            owner=owner,
            name=_storable(file.name),
        )
        for file in files
    )


def _stored(data: bytes | Stored, blobs: BlobDirectory) -> bytes:
    """Return the digest of bytes that will be, or are, where its row says."""
    if isinstance(data, Stored):
        return bytes.fromhex(data.sha256)
    return sha256(data).digest() if fits_row(data) else blobs.put(data)


def _key(value: str, path: str) -> str:
    if not value:
        raise ValidationError("the call carries no key", (Violation(path, "required", "missing"),))
    if len(value) > ID_CHARS:
        raise TooLargeError("the key is too long", found=str(len(value)), expected=str(ID_CHARS))
    return value


def _storable(value: str) -> str:
    """Without NUL and halves of characters, which no text of PostgreSQL holds."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def _utc(moment: datetime | date) -> datetime | date:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment
