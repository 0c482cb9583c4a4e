"""ССТУ JSON → appeal: one document, a zip package of them, the node's list, or УРОГ's overview.

Taking in whole documents is a profile of our own: ССТУ itself only receives them. The letter case
of a field's first letter and the spelling `NotRecieved` are tolerated; values keep their spelling.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.sstu import analytics, document, package, review_csv
from adapters.sstu.codes import (
    FORMAT_SYSTEM,
    GUID,
    PEER,
    STATUS_SYSTEM,
    STATUSES,
    readable_topic,
    status_of,
)
from adapters.sstu.fields import Fields, parse
from gateway import limits
from gateway.adapter import Decoded, File, Inbound, Rejected, Wire
from gateway.archives import MAGIC
from gateway.errors import (
    GatewayError,
    MalformedError,
    TooLargeError,
    ValidationError,
    Violation,
)
from gateway.model.address import Address, AddressRole
from gateway.model.answer import Answer, Outcome
from gateway.model.appeal import Appeal, Regime
from gateway.model.assignment import TransferOut
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.base import Code, Day, Extra
from gateway.model.filenames import cleaned
from gateway.model.fold import number_key
from gateway.model.organisation import Organisation, OrganisationId
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import PeerState, Question, Topic
from gateway.model.registration import ReferralIn, Registration

if TYPE_CHECKING:
    from datetime import tzinfo

SOURCE: Final = Code(system="gateway.source", value=PEER)
_LIST: Final = re.compile(rb"[\xef\xbb\xbf \t\r\n]*+\[")
_MAGIC: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
)


def decode(wire: Wire, zone: tzinfo) -> Decoded:
    """Return everything in the message; one bad member or row never costs the others.

    zone: of the node's timestamps. Raises MalformedError, TooLargeError or ValidationError when
    nothing can be read.
    """
    body = wire.body
    if body.startswith(MAGIC):
        return decode_package(body)
    if review_csv.looks_like(body):
        return review_csv.decode(body)
    if _LIST.match(body):
        return analytics.decode(body, zone)
    if len(body) > limits.ZIP_MEMBER_BYTES:
        raise TooLargeError(
            "the document is too large",
            found=f"{len(body)} bytes",
            expected=f"{limits.ZIP_MEMBER_BYTES} bytes",
        )
    return Decoded(items=(decode_document(body),))


def decode_package(body: bytes) -> Decoded:
    """Return the documents of a zip package; what cannot be read is named by its member.

    The items do not keep their own bytes: some hundreds of megabytes may have been unpacked, and
    the package is archived whole.
    """
    items: list[Inbound] = []
    rejected: list[Rejected] = []
    for member in package.read(body):
        try:
            items.append(decode_document(member.data()))
        except ValidationError as e:
            rejected.append(Rejected(where=member.name, violations=e.violations))
        except GatewayError as e:
            violation = Violation(e.where, e.code, e.message, e.found, e.expected)
            rejected.append(Rejected(where=member.name, violations=(violation,)))
    return Decoded(items=tuple(items), rejected=tuple(rejected))


def decode_document(body: bytes) -> Inbound:
    """Return one appeal with its files; raise ValidationError naming everything that is wrong."""
    raw = parse(body, "the document")
    if not isinstance(raw, dict):
        raise MalformedError("one appeal is one JSON object", found=type(raw).__name__)
    wrong: list[Violation] = []
    card = Fields(raw, document.CARD, "", wrong)
    appeal, files = _appeal(card)
    if wrong:
        raise ValidationError("the document breaks the format of ССТУ", tuple(wrong))
    keys = [r.number_key for r in appeal.registrations] or [r.number_key for r in appeal.referrals]
    department = appeal.questions[0].owner_org
    owner = department.id_in(PEER).lower() if department else ""
    return Inbound(
        operation="submit",
        external_id=f"{owner}/{keys[0]}"[: limits.ID_CHARS],
        appeal=appeal,
        files=files,
    )


class _Part(NamedTuple):
    """What one element of `questions` turns into."""

    question: Question
    answer: Answer | None
    transfer: TransferOut | None
    file: File | None


def _appeal(card: Fields) -> tuple[Appeal, tuple[File, ...]]:
    department = _body(card, "departmentId")
    direct = card.flag("isDirect")
    number = card.text("number", limits.ID_CHARS, required=True)
    key = number_key(number)
    created = card.day("createDate")
    raw = card.parts("questions")
    if not raw:
        card.fault("questions", "required", "at least one question must be given")
    if len(raw) > limits.QUESTIONS_PER_APPEAL:
        raise TooLargeError("too many questions", found=str(len(raw)), where="/questions")
    parts = [_part(card, item, ordinal, department) for ordinal, item in enumerate(raw, start=1)]
    questions = tuple(part.question for part in parts)
    extras = card.rest()
    if direct and created:
        # a direct appeal has no covering letter whose date this could be
        extras = (*extras, Extra(peer=PEER, path="/createDate", value=created.isoformat()))
    files = {part.file.sha256: part.file for part in parts if part.file}
    appeal = Appeal(
        regime=Regime.FZ59,
        delivery_method=_format(card),
        source_system=SOURCE,
        direct=direct,
        registrations=_registrations(department, number, key, questions) if direct else (),
        referrals=() if direct else _referrals(number, key, created, questions),
        applicants=_applicants(card),
        questions=questions,
        answers=tuple(part.answer for part in parts if part.answer),
        transfers=tuple(part.transfer for part in parts if part.transfer),
        extras=extras,
    )
    return appeal, tuple(files.values())


def _registrations(
    department: Organisation | None, number: str, key: str, questions: tuple[Question, ...]
) -> tuple[Registration, ...]:
    dates = [q.registration_date for q in questions if q.registration_date]
    return (
        Registration(
            organisation=department,
            number=number,
            number_key=key,
            date=min(dates, default=None),
        ),
    )


def _referrals(
    number: str, key: str, created: Day | None, questions: tuple[Question, ...]
) -> tuple[ReferralIn, ...]:
    dates = [q.incoming_date for q in questions if q.incoming_date]
    return (
        ReferralIn(
            number=number,
            number_key=key,
            date=created,
            received_date=min(dates, default=None),
        ),
    )


def _applicants(card: Fields) -> tuple[Applicant, ...]:
    name, address, email = card.text("name"), card.text("address"), card.text("email")
    if not (name or address or email):
        return ()
    return (
        Applicant(
            person=Person(full_name_as_given=name) if name else None,
            contacts=(ContactPoint(kind=ContactKind.EMAIL, value=email),) if email else (),
            addresses=(
                (Address(role=AddressRole.APPLICANT_POSTAL, raw=address),) if address else ()
            ),
        ),
    )


def _format(card: Fields) -> Code | None:
    word = card.text("format", limits.ID_CHARS)
    if not word:
        return None
    if word not in {"Electronic", "Other"}:
        card.fault("format", "enumeration", "no such format", word, "Electronic, Other")
    return Code(system=FORMAT_SYSTEM, value=word)


def _body(fields: Fields, name: str) -> Organisation | None:
    guid = fields.text(name, limits.ID_CHARS)
    if not guid:
        return None
    if not GUID.fullmatch(guid):
        fields.fault(name, "pattern", "not a GUID", guid, "GUID")
    return _organisation(guid)


@lru_cache(maxsize=1_024)
def _organisation(guid: str) -> Organisation:
    return Organisation(ids=(OrganisationId(system=PEER, value=guid),))


@lru_cache(maxsize=4_096)
def _topic(code: str) -> tuple[Topic, ...]:
    return (Topic(code=Code(system=PEER, value=code)),)


@lru_cache(maxsize=64)
def _said(word: str, label: str) -> tuple[tuple[PeerState, ...], Code]:
    """A status in the peer's own word: of the question, and as the result of its outcome."""
    told = PeerState(peer=PEER, code=word, label=label)
    return (told,), Code(system=STATUS_SYSTEM, value=word, label=label)


def _part(card: Fields, raw: Any, ordinal: int, department: Organisation | None) -> _Part:
    path = f"/questions/{ordinal - 1}"
    if not isinstance(raw, dict):
        card.fault(path[1:], "type", "must be an object", type(raw).__name__, "object")
        return _Part(Question(ordinal=ordinal), None, None, None)
    fields = Fields(raw, document.QUESTION, path, card.wrong)
    word = fields.text("status", limits.ID_CHARS, required=True)
    right = status_of(word)
    status = STATUSES.get(right)
    if word and status is None:
        fields.fault("status", "enumeration", "no such status", word, ", ".join(STATUSES))
    answered, incoming = fields.day("responseDate"), fields.day("incomingDate")
    extras = _question_extras(fields, word)
    if incoming and right == "NotReceived":
        # what did not come in has no day of coming in; the writer's date stays with the writer
        extras = (*extras, Extra(peer=PEER, path="/incomingDate", value=incoming.isoformat()))
        incoming = None
    question = Question(
        ordinal=ordinal,
        topics=_topics(fields),
        state=str(status.state) if status else "received",
        extended=right == "InWorkExtended" or bool(fields.flag("isExtend")),
        owner_org=department,
        incoming_date=incoming,
        registration_date=fields.day("registrationDate"),
        response_date=answered,
        peer_states=_said(word, status.label if status else "")[0],
        outcome=_outcome(fields, word, right, answered),
        extras=extras,
    )
    answer, file = _answer(fields, ordinal, answered, allowed=bool(status and status.attachment))
    return _Part(question, answer, _transfer(fields, ordinal, right), file)


def _question_extras(fields: Fields, word: str) -> tuple[Extra, ...]:
    """What the format does not know; an `isExtend` too, unless it says that work goes on longer."""
    extras, flag = fields.rest(), fields.flag("isExtend")
    if flag is None or (flag and word == "InWork"):
        return extras
    return (*extras, Extra(peer=PEER, path="/isExtend", value=flag))


def _topics(fields: Fields) -> tuple[Topic, ...]:
    code = fields.text("code", limits.ID_CHARS)
    if not code:
        return ()
    if not readable_topic(code):
        fields.fault("code", "pattern", "not a code of the classifier", code, "4 or 5 blocks")
    return _topic(code)


def _outcome(fields: Fields, word: str, right: str, on: Day | None) -> Outcome | None:
    taken = fields.flag("actionsTaken")
    status = STATUSES.get(right)
    if taken is not None and right != "Supported":
        fields.fault("actionsTaken", "not_allowed", "only with Supported", taken)
    if status is None or status.result is None:
        return None
    return Outcome(
        result=status.result,
        actions_taken=taken,
        peer_result=_said(word, status.label)[1],
        on=on,
    )


def _answer(
    fields: Fields, ordinal: int, on: Day | None, *, allowed: bool
) -> tuple[Answer | None, File | None]:
    raw = fields.part("attachment")
    if raw is None:
        return None, None
    if not allowed:
        fields.fault("attachment", "not_allowed", "this status takes no attachment")
    inner = Fields(raw, document.ATTACHMENT, f"{fields.path}/attachment", fields.wrong)
    name, data = cleaned(inner.text("name", required=True)), inner.content("content")
    file = File(
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=media_type(data, name),
        name=name,
        data=data,
    )
    attachment = Attachment(
        sha256=file.sha256,
        size=len(data),
        media_type=file.media_type,
        declared_name=name,
        role=AttachmentRole.ANSWER,
        order=1,
        extras=inner.rest(),
    )
    return Answer(questions=(ordinal,), date=on, attachments=(attachment,)), file


def _transfer(fields: Fields, ordinal: int, right: str) -> TransferOut | None:
    raw = fields.part("transfer")
    if raw is None:
        return None
    if right != "Transferred":
        fields.fault("transfer", "not_allowed", "only with Transferred")
    inner = Fields(raw, document.TRANSFER, f"{fields.path}/transfer", fields.wrong)
    return TransferOut(
        questions=(ordinal,),
        to_org=_body(inner, "departmentId"),
        date=inner.day("transferDate"),
        number=inner.text("transferNumber", limits.ID_CHARS),
        extras=inner.rest(),
    )


def media_type(data: bytes, name: str) -> str:
    """The media type by the first bytes, by the name where they tell nothing."""
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    return _TYPES.guess_type(name)[0] or "application/octet-stream"


_TYPES: Final = mimetypes.MimeTypes()
"""The table of the standard library alone: the machine's own would change what we decode to."""
