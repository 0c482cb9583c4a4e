"""The e-mails in which inspectorates really get items of ПОС: decoded, counted, written back.

Sourced: the lines `phone`, `address`, `probplace`, and that the text ends at 9,999 characters. The
rest of the form is ours (README).
"""

from __future__ import annotations

import base64
import hashlib
import re
from email.header import Header
from email.utils import encode_rfc2231, format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from adapters.pos import letter
from adapters.pos.codes import (
    BY_MAIL,
    ITEM,
    ITEM_ID,
    KIND_SYSTEM,
    MESSAGE_ID,
    PEER,
    SOURCE,
)
from adapters.pos.fields import NAME, SHORT, Fields
from adapters.pos.files import sniffed
from adapters.pos.item import reference
from adapters.pos.letter import CUT, Letter, Line
from gateway import limits
from gateway.adapter import File, Inbound, Wire
from gateway.errors import ValidationError, Violation
from gateway.jsonfields import called
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal, Form, Regime
from gateway.model.attachment import Attachment
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Code, Extra
from gateway.model.fold import nfc
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import Question

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from adapters.pos.codes import Tables

MEDIA_TYPE: Final = "message/rfc822"
TRUNCATED: Final = "/truncated"
_SPELLING: Final = "/spelling/"
_LINE: Final = "/line/"
_NUMBER: Final = re.compile(
    r"№ ?([0-9A-Za-zА-ЯЁа-яё][0-9A-Za-zА-ЯЁа-яё/-]{0,99})|\b([0-9]{5,40})\b"
)
_BOUNDARY: Final = "=-pos-profile-0"
_HEADERS: Final = (("Subject", "subject"), ("Message-ID", "message_id"), ("Date", "date"),
                   ("From", "sender"))  # fmt: skip


def looks_like_mail(wire: Wire) -> bool:
    """Whether a wire is an e-mail: by its type, its name, or for want of a JSON object."""
    if wire.media_type.startswith(MEDIA_TYPE) or wire.name.endswith(".eml"):
        return True
    if "json" in wire.media_type or "json" in wire.name:
        return False
    start = wire.body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    return bool(start) and start[:1] not in b"{["


def read(body: bytes, tables: Tables) -> Letter:
    """Return what a letter says, by the labels of the tables."""
    return letter.read(body, _known(tables).keys(), frozenset(tables.mail.labels.get("text", ())))


def _known(tables: Tables) -> dict[str, str]:
    """Return label in small letters → field."""
    return {label: field for field, labels in tables.mail.labels.items() for label in labels}


def decode_mail(body: bytes, tables: Tables, zone: dt.tzinfo, regime: str) -> Inbound:
    """Return the one item of an e-mail; raise ValidationError naming everything that is wrong.

    Its number is that of the line or of the subject, else the Message-ID stands for it.
    """
    said = read(body, tables)
    wrong: list[Violation] = []
    fields = Fields({}, "", wrong)
    told, lines = _sorted(said, tables)
    number = told.get("number", "") or _number(said.subject)
    message_id = said.message_id if len(said.message_id) <= SHORT else ""
    if not (said.text.strip() or said.files):
        fields.fault("text", "required", "an item has a text or a file")
    received, beside = _beside(said, zone, named=bool(message_id))
    text = fields.clean("text", said.text, limits.TEXT_CHARS)
    appeal = Appeal(
        regime=_regime(said.subject, tables, regime),
        form=Form.ELECTRONIC,
        delivery_method=BY_MAIL,
        source_system=SOURCE,
        received_at=received,
        direct=True,
        subject=fields.clean("Subject", said.subject, limits.SUBJECT_CHARS),
        text=text,
        text_truncated=said.chars >= CUT,
        document_kind=Code(system=KIND_SYSTEM, value=ITEM),
        refs=tuple(
            reference(kind, fields.clean(kind, value, SHORT))
            for kind, value in ((ITEM_ID, number), (MESSAGE_ID, message_id))
            if value
        ),
        applicants=_applicants(told, fields),
        addresses=_place(told, fields),
        questions=(Question(text=text),),
        attachments=tuple(_attachment(file, n) for n, file in enumerate(said.files, start=1)),
        extras=tuple(_cleaned(extra, fields) for extra in (*lines, *beside)),
    )
    if wrong:
        refusal = ValidationError("the e-mail is no item of ПОС", tuple(wrong))
        refusal.about = called(number or message_id)
        raise refusal
    return Inbound(
        operation="submit",
        external_id=number or message_id or f"sha256:{hashlib.sha256(body).hexdigest()}",
        appeal=appeal,
        files=tuple({file.sha256: file for file in map(_retyped, said.files)}.values()),
    )


def _beside(
    said: Letter, zone: dt.tzinfo, *, named: bool
) -> tuple[dt.datetime | None, list[Extra]]:
    """Return when it was sent, and what of the headers has no home; named: by its Message-ID."""
    received, spelt = _date(said.date, zone)
    kept: list[tuple[str, Any]] = []
    if said.sender:
        kept.append(("/From", said.sender))
    if spelt:
        kept.append(("/Date", said.date))
    if said.message_id and not named:
        kept.append(("/Message-ID", said.message_id))
    if said.chars >= CUT:
        kept.append((TRUNCATED, said.chars))
    return received, [Extra(peer=PEER, path=path, value=value) for path, value in kept]


def _cleaned(extra: Extra, fields: Fields) -> Extra:
    if not isinstance(extra.value, str):
        return extra
    value = fields.clean(extra.path[1:], extra.value, NAME)
    return Extra(peer=PEER, path=extra.path, value=value)


def _sorted(said: Letter, tables: Tables) -> tuple[dict[str, str], list[Extra]]:
    """Return the lines by field, and as extras those that are not known or spelt another way."""
    known = _known(tables)
    told: dict[str, str] = {}
    extras: list[Extra] = []
    for line in said.lines:
        field = known.get(line.label.lower(), "")
        if not field or field in told or (not line.value and field != "text"):
            extras.append(Extra(peer=PEER, path=_LINE + line.label, value=line.value))
            continue
        told[field] = line.value
        if line.label != tables.mail.labels[field][0] or field in ("number", "text"):
            extras.append(Extra(peer=PEER, path=_SPELLING + field, value=line.label))
    return told, extras


def _number(subject: str) -> str:
    found = _NUMBER.search(subject)
    return (found[1] or found[2]) if found else ""


def _regime(subject: str, tables: Tables, default: str) -> Regime:
    folded = subject.lower()
    if any(word in folded for word in tables.mail.fz59):
        return Regime.FZ59
    return Regime(default)


def _date(text: str, zone: dt.tzinfo) -> tuple[dt.datetime | None, bool]:
    """Return the instant, and whether its spelling must be kept beside it."""
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None, True
    if found is None or not FIRST_YEAR < found.year < LAST_YEAR:
        return None, bool(text)
    aware = found if found.tzinfo else found.replace(tzinfo=zone)
    return aware, format_datetime(aware) != text


def _applicants(told: Mapping[str, str], fields: Fields) -> tuple[Applicant, ...]:
    said = {
        field: fields.clean(field, told[field], NAME)
        for field in ("name", "phone", "email", "address")
        if field in told
    }
    if not said:
        return ()
    contacts = (("phone", ContactKind.PHONE), ("email", ContactKind.EMAIL))
    address = said.get("address", "")
    return (
        Applicant(
            person=Person(full_name_as_given=said["name"]) if "name" in said else None,
            contacts=tuple(
                ContactPoint(kind=kind, value=said[field])
                for field, kind in contacts
                if field in said
            ),
            addresses=(
                (Address(role=AddressRole.APPLICANT_POSTAL, raw=address),) if address else ()
            ),
        ),
    )


def _place(told: Mapping[str, str], fields: Fields) -> tuple[Address, ...]:
    raw = fields.clean("probplace", told.get("probplace", ""), NAME)
    return (Address(raw=raw),) if raw else ()


def _attachment(file: File, order: int) -> Attachment:
    return Attachment(
        sha256=file.sha256,
        size=file.size,
        media_type=_retyped(file).media_type,
        declared_name=file.name,
        declared_type=file.media_type,
        order=order,
    )


def _retyped(file: File) -> File:
    data = file.data if isinstance(file.data, bytes) else b""
    media = sniffed(data, file.media_type)
    return File(sha256=file.sha256, media_type=media, name=file.name, data=data)


def leaves(body: bytes, tables: Tables) -> dict[str, Any]:
    """Return what an e-mail says as places and values, so that two can be compared.

    Four headers decoded, each line with a label under the label as it is spelt, the text behind
    them, and of each file name and digest; texts in NFC, as the content's digest has them.
    Encodings, boundaries and transport headers do not count, nor does the HTML of a letter that
    says the same in plain text.
    """
    said = read(body, tables)
    found: dict[str, Any] = {}
    for name, field in _HEADERS:
        if value := getattr(said, field):
            found[f"/{name}"] = value
    for number, line in enumerate(sorted(said.lines, key=lambda one: one.label)):
        key = f"/line/{line.label}"
        found[f"{key}#{number}" if key in found else key] = line.value
    if said.text:
        found["/text"] = said.text
    for number, file in enumerate(said.files):
        found[f"/files/{number}/name"] = file.name
        found[f"/files/{number}/sha256"] = file.sha256
    return {nfc(place): nfc(value) for place, value in found.items()}


def write(item: Inbound, tables: Tables) -> bytes:
    """Return an item as the e-mail that it came in; boundaries and encodings are ours."""
    appeal = item.appeal
    assert appeal is not None
    kept = [(e.path, e.value) for e in appeal.extras if e.peer == PEER]
    one = dict(kept)
    refs = {ref.kind: ref.value for ref in appeal.refs if ref.peer == PEER}
    when = format_datetime(appeal.received_at) if appeal.received_at else ""
    headers = (
        ("Subject", appeal.subject),
        ("Message-ID", one.get("/Message-ID", refs.get(MESSAGE_ID, ""))),
        ("Date", one.get("/Date", when)),
        ("From", one.get("/From", "")),
    )
    spelt = {p.removeprefix(_SPELLING): v for p, v in kept if p.startswith(_SPELLING)}
    lines = [
        Line(spelt.get(field, tables.mail.labels[field][0]), value)
        for field, value in _fields_of(appeal, spelt, refs)
        if value
    ]
    lines += [Line(p.removeprefix(_LINE), v) for p, v in kept if p.startswith(_LINE)]
    head = "".join(f"{line.label}: {line.value}\n" for line in lines)
    if "text" in spelt:
        text = f"{head}{spelt['text']}: {appeal.text}"
    else:
        text = f"{head}\n{appeal.text}" if head else appeal.text
    return _written(headers, text, item)


def _fields_of(
    appeal: Appeal, spelt: Mapping[str, str], refs: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the values of the lines that were mapped."""
    author = appeal.applicants[0] if appeal.applicants else Applicant()
    contacts = {contact.kind: contact.value for contact in author.contacts}
    return [
        ("number", refs.get(ITEM_ID, "") if "number" in spelt else ""),
        ("name", author.person.full_name_as_given if author.person else ""),
        ("phone", contacts.get(ContactKind.PHONE, "")),
        ("email", contacts.get(ContactKind.EMAIL, "")),
        ("address", author.addresses[0].raw if author.addresses else ""),
        ("probplace", appeal.addresses[0].raw if appeal.addresses else ""),
    ]


def _written(headers: tuple[tuple[str, str], ...], text: str, item: Inbound) -> bytes:
    out = [f"{name}: {_header(name, value)}" for name, value in headers if value]
    out += [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: base64",
        "",
        _base64(text.encode()),
    ]
    files = {file.sha256: file.data for file in item.files}
    for attachment in item.appeal.attachments if item.appeal else ():
        data = files.get(attachment.sha256, b"")
        name = encode_rfc2231(attachment.declared_name, "utf-8")
        out += [
            f"--{_BOUNDARY}",
            f"Content-Type: {_media(attachment.declared_type)}",
            f"Content-Disposition: attachment; filename*={name}",
            "Content-Transfer-Encoding: base64",
            "",
            _base64(data if isinstance(data, bytes) else b""),
        ]
    return "\r\n".join([*out, f"--{_BOUNDARY}--", ""]).encode("ascii")


def _header(name: str, value: str) -> str:
    if value.isascii() and "=?" not in value:
        return value
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def _media(declared: str) -> str:
    """The type as it was declared; a letter within the letter is written as the bytes it is."""
    kind = declared if declared.isascii() and declared else "application/octet-stream"
    return "application/octet-stream" if kind.startswith(("message/", "multipart/")) else kind


def _base64(data: bytes) -> str:
    return base64.encodebytes(data).decode("ascii").replace("\n", "\r\n").rstrip("\r\n")
