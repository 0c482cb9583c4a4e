"""SendRequest and SendResponse: what is checked, in which order, and what is kept of a message."""

from __future__ import annotations

import uuid
from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.smev import rules
from simulators.smev.account import Status
from simulators.smev.house import SMEV, House
from simulators.smev.names import Kind
from simulators.smev.queues import Letter, Stored
from simulators.smev.reading import contents, kind_of, primary
from simulators.smev.rules import Refusal
from simulators.smev.writing import element, metadata, raw

if TYPE_CHECKING:
    from lxml.etree import _Element

    from simulators.smev.reading import Asked
    from simulators.smev.registry import System

_REJECTED = "requestIsRejectedBySmev"


class Files(NamedTuple):
    """Attachments of a message: contents that came with it, and files of the storage."""

    contents: dict[str, bytes]
    stored: tuple[Stored, ...]
    stored_bytes: int


def check_number(house: House, asked: Asked) -> str:
    """Return the number of a message that may be sent; raise Refusal."""
    message_id = asked.text("MessageID")
    if house.account.repeated(message_id):
        raise Refusal("MessageIsAlreadySent", f"{message_id} уже отправлено")
    rules.check_id(message_id, house.now())
    return message_id


def request(house: House, asked: Asked, sender: System) -> Letter:
    """Return a request that may be sent; raise Refusal."""
    message_id = check_number(house, asked)
    eol = asked.text("EOL")
    if eol and datetime.fromisoformat(eol).astimezone() <= house.now():
        raise Refusal("EndOfLifeReached", f"EOL {eol}")
    content = _content(asked)
    kind = kind_of(content)
    service = house.registry.service(kind)
    if service is None:
        raise Refusal(
            "BusinessDataTypeIsNotSupported", f"вид сведений {kind} не зарегистрирован",
            RootElementLocalName=kind.root, RootElementNamespaceURI=kind.namespace,
        )  # fmt: skip
    _check_content(house, asked, content)
    recipient = house.registry.recipient(service, sender, _routed(house, asked))
    code = asked.text("TransactionCode")
    if service.codes and code not in service.codes:
        raise Refusal("TransactionCodeInvalid", f"код транзакции {code!r} не подходит")
    files = _files(house, asked, sender)
    house.account.room(recipient.mnemonic, "REQUEST", asked.names.version)
    return _letter(
        house, asked, sender, files, id=message_id, form="REQUEST", kind=kind,
        stands=frozenset({kind}), recipient=recipient.mnemonic, own_node=asked.text("NodeID"),
        reference=asked.text("ReferenceMessageID") or message_id, transaction=code,
        eol=datetime.fromisoformat(eol).astimezone() if eol else None,
    )  # fmt: skip


def response(house: House, asked: Asked, sender: System) -> Letter:
    """Return an answer that may be sent; raise Refusal."""
    message_id = check_number(house, asked)
    original = house.account.known(house.replied(asked.text("To")))
    if original is None or original.recipient != sender.mnemonic:
        raise Refusal("RecipientIsNotFound", "To выдан не этой системе")
    service = house.registry.service(original.kind)
    answers = frozenset(service.answers) if service else frozenset()
    content = primary(asked.target, asked.names)
    kind = kind_of(content) if content is not None else next(iter(answers), original.kind)
    if content is not None:
        if answers and kind not in answers:
            raise Refusal("IncorrectResponseContentType", f"на {original.kind} ответ {kind}")
        _check_content(house, asked, content)
    files = _files(house, asked, sender)
    house.account.room(original.sender, "RESPONSE", asked.names.version)
    return _letter(
        house, asked, sender, files, id=message_id, form="RESPONSE", kind=kind,
        stands=answers | {kind, original.kind}, recipient=original.sender, original=original.id,
        node=original.own_node, reference=original.reference, transaction=original.transaction,
    )  # fmt: skip


def keep(house: House, letter: Letter) -> dict[str, Any]:
    """Put a message into its queue, or reject it later, as planned."""
    operation = "SendRequest" if letter.form == "REQUEST" else "SendResponse"
    asked = letter.form == "REQUEST"
    told = Status(
        original=letter.id, category=_REJECTED, details="отклонено по плану испытания",
        code="simulator", description="отклонено по плану испытания",
    )  # fmt: skip
    if asked and house.troubles.take("reject", operation):
        house.account.status(letter.sender, letter.version, told)
        return house.account.put(letter, waits=False)
    if asked and house.troubles.take("reject_as_response", operation):
        kept = house.account.put(letter, waits=False)
        house.account.put(_rejection(house, letter, told))
        return kept
    if asked and house.statuses:
        passed = Status(original=letter.id, category="requestIsAcceptedBySmev")
        house.account.status(letter.sender, letter.version, passed)
    house.registry.system(letter.sender).used += letter.stored_bytes
    return house.account.put(letter, twice=house.troubles.take("twice", operation))


def receipt(house: House, asked: Asked, letter: Letter) -> str:
    """Return the answer to a message that was taken."""
    queued = "requestIsQueued"
    if letter.form == "RESPONSE":
        queued = "responseIsQueued" if letter.version == "1.3" else "responseIsAcceptedBySmev"
    told = metadata(
        asked.names, letter.id, letter.form, house.party(letter.sender), letter.sent,
        recipient=house.party(letter.recipient), status=queued,
    )  # fmt: skip
    name = f"t:{asked.operation.name}Response"
    return f"<{name}>{told}</{name}>"


def asynchronous(status: Status) -> str:
    """Return AsyncProcessingStatus."""
    out = element("t:OriginalMessageId", status.original)
    out += element("t:StatusCategory", status.category)
    if status.details:
        out += element("t:StatusDetails", status.details)
    if status.code:
        inside = element("b:Code", status.code) + element("b:Description", status.description)
        out += f"<t:SmevFault>{inside}</t:SmevFault>"
    return f"<t:AsyncProcessingStatus>{out}</t:AsyncProcessingStatus>"


def _letter(house: House, asked: Asked, sender: System, files: Files, **more: Any) -> Letter:
    return Letter(
        version=asked.names.version, sender=sender.mnemonic, sent=house.now(),
        data=raw(asked.target), signature=raw(asked.signature), contents=files.contents,
        files=files.stored, stored_bytes=files.stored_bytes, **more,
    )  # fmt: skip


def _content(asked: Asked) -> _Element:
    content = primary(asked.target, asked.names)
    if content is None:
        raise rules.invalid("нет MessagePrimaryContent")
    return content


def _check_content(house: House, asked: Asked, content: _Element) -> None:
    """Check a content by its own schema, and an official's signature over it (ЭП-СП)."""
    house.schemas.check_content(content)
    place = asked.target.find(asked.names.t("PersonalSignature"))
    if place is not None and len(place):
        house.ring.prove(place[0], content, house.now(), "ЭП-СП")


def _routed(house: House, asked: Asked) -> list[str]:
    """Return what Routing names; its own signature is checked, too."""
    r = asked.names.r
    information = asked.root.find(f"{r('Routing')}/{r('RoutingInformation')}")
    if information is None:
        return []
    place = asked.root.find(f"{r('Routing')}/{r('RoutingSignature')}")
    if place is None or len(place) != 1:
        raise rules.unproved("NoSignatureFound", "нет RoutingSignature")
    house.ring.prove(place[0], information, house.now())
    wanted = (r("IdentifierValue"), r("DynamicValue"))
    return [(one.text or "").strip() for one in information.iter(*wanted)]


def _files(house: House, asked: Asked, sender: System) -> Files:
    """Return the attachments of a message; raise Refusal for what does not agree."""
    b, found = asked.names.b, contents(asked)
    headers = [
        (one.findtext(b("contentId")) or "").strip()
        for one in asked.target.iterfind(f"{b('AttachmentHeaderList')}/{b('AttachmentHeader')}")
    ]
    rules.check_headers(headers, list(found))
    stored, size = [], 0
    path = f"{b('RefAttachmentHeaderList')}/{b('RefAttachmentHeader')}"
    for header in asked.target.iterfind(path):
        one, length = _stored(house, asked, header)
        stored.append(one)
        size += length
    left = sender.quota - sender.used
    if sender.quota and size > left:
        raise Refusal(
            "QuoteLimitExceeded", "квота файлового хранилища исчерпана",
            RemainedTotalQuoteSize=left, RealTotalAttachmentSize=size,
        )  # fmt: skip
    return Files(found, tuple(stored), size)


def _stored(house: House, asked: Asked, header: _Element) -> tuple[Stored, int]:
    b = asked.names.b
    uuid_, told = (header.findtext(b("uuid")) or "").strip(), header.findtext(b("Hash")) or ""
    place = house.storage.path(uuid_)
    if place is None:
        raise Refusal("AttachmentContentMiscoordination", f"файла {uuid_} нет в хранилище")
    data = place.read_bytes()
    if b64encode(house.ring.streebog(data)).decode() != told.strip():
        raise Refusal("AttachmentContentMiscoordination", f"Hash файла {uuid_} не его")
    name = header.findtext(b("FileName")) or house.storage.name(uuid_)
    return Stored(uuid_, name), len(data)


def _rejection(house: House, letter: Letter, status: Status) -> Letter:
    """Return СМЭВ's own answer that says why a request was rejected."""
    number = str(uuid.uuid1())
    inside = element("t:MessageID", number) + element("t:To", house.reply_to(letter.id))
    inside += asynchronous(status)
    kind = Kind(letter.kind.namespace, letter.kind.root)
    return Letter(
        id=number, form="RESPONSE", version=letter.version, kind=kind, stands=letter.stands,
        sender=SMEV.mnemonic, recipient=letter.sender, sent=house.now(), node=letter.own_node,
        data=f"<t:SenderProvidedResponseData>{inside}</t:SenderProvidedResponseData>",
        signature="", original=letter.id, reference=letter.reference,
        transaction=letter.transaction,
    )  # fmt: skip
