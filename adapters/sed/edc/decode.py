"""A message with a container → one item: a document, or a letter that answers one of ours.

Every file of the message is an attachment, a signature or the picture of a stamp, byte for byte;
the passport is a file too, since somebody may have signed it. Signatures are carried, never judged.
Nothing is taken of a container in which something that the passport names is not there: it was
damaged on its way, and its sender shall know.
"""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.sed.codes import IDS, PEER, ours
from adapters.sed.document import key
from adapters.sed.edc import passport, zipped
from adapters.sed.edc.leaves import Leaves
from adapters.sed.edc.v271 import V271
from adapters.sed.edc.version import CONTAINER, KIND, V27, ZONE, Version
from gateway import limits, xml
from gateway.adapter import Decoded, Inbound
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    ValidationError,
    Violation,
    violations_of,
)
from gateway.model.answer import Result
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment, Signature
from gateway.model.base import FIRST_YEAR, Code, ExternalRef, Extra
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.facts import OutcomeFacts, ReceiverFacts
from gateway.model.organisation import Organisation, OrganisationId
from gateway.model.registration import ReferralIn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from adapters.sed.codes import Ours
    from adapters.sed.edc.passport import Members, Passport

VERSIONS: Final = {version.message: version for version in (V27, V271)}
FILE: Final = "#file"
"""Extra: what the message's own file is called, when it is called otherwise."""
CARD: Final = "#edc"
"""Extra of an answer: the leaves of its message."""
LISTING: Final = "#files"
"""Extra of an answer: names of its files and their SHA-256, in the `zip` and in the `folder`."""
NO_DAY: Final = dt.date(FIRST_YEAR, 1, 1)
"""Stands where a violation says that there is no day."""
BODY: Final = "communication/container/body"
SIGNATURE: Final = "communication/container/signature"
_PASSPORTS: Final = 8
"""So many letters one that is passed on may have gone through."""
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_REPEATED: Final = frozenset({"container/signature"})
_FORMAT: Final = "контейнер нарушает формат · the container breaks its format"


def version_of(root: _Element) -> Version | None:
    """Return the version of a message that brings a container; None for any other document."""
    namespace, _, name = str(root.tag).rpartition("}")
    version = VERSIONS.get(namespace[1:])
    if version is None or name != "communication":
        return None
    return version if root.find(f"{{{version.message}}}container") is not None else None


def decode(
    root: _Element, files: Mapping[str, bytes], options: Mapping[str, Any] = _NOTHING
) -> Decoded:
    """Return the one item of a message folder.

    root: of the message. files: of the folder by name, the message among them or not; the post's
    `envelope.ini` is passed over. options: `zone`, `xsd_271`. Raises ValidationError naming
    everything that is wrong, MalformedError, TooLargeError or UnsupportedError.
    """
    version = version_of(root)
    if version is None:
        message = "это не сообщение с контейнером · no message with a container"
        raise ValidationError(message, (Violation("/", "unknown_element", message, str(root.tag)),))
    wrong: list[Violation] = []
    reader = _Reader(version, files, zone_of(options), wrong)
    wrong += version.check(root, reader.file, options)
    leaves = Leaves.of(root, version.message, _REPEATED, wrong)
    body = leaves.values.get(BODY, "").strip()
    data = files.get(body)
    if data is None:
        message = (
            "контейнер назван, но его нет · the container is named and is not there"
            if body
            else "контейнер не назван · no container is named"
        )
        wrong.append(Violation(BODY, "missing_file", message, body, CONTAINER))
        raise ValidationError(_FORMAT, tuple(wrong))
    members = passport.Members(zipped.read(data, body, wrong), wrong, body)
    name, tree = _passport(members, version, body, wrong)
    wrong += version.check(tree, f"{body}/{name}", options)
    item = reader.item(
        leaves, Leaves.of(tree, version.container, passport.REPEATED, wrong), members, name
    )
    if wrong:
        raise ValidationError(_FORMAT, tuple(dict.fromkeys(wrong)))
    return Decoded(items=(item,))


def zone_of(options: Mapping[str, Any]) -> ZoneInfo:
    """Return the zone of instants without an offset; raise ConfigurationError."""
    try:
        return ZoneInfo(str(options.get("zone") or ZONE))
    except (ZoneInfoNotFoundError, ValueError) as e:
        raise ConfigurationError("no such time zone", found=str(e), where="options.zone") from e


def _passport(
    members: Members, version: Version, body: str, wrong: list[Violation]
) -> tuple[str, _Element]:
    """Return name and root of the passport: the XML file whose root is a container.

    Its name is looked at when we write it, not here: what else should it be.
    """
    mark = version.container.encode()
    named = [name for name in members.rest() if name.lower().endswith(".xml")]
    found = [name for name in named if mark in members.data(name)[: 4 * limits.KB]] or named
    # A passport that another one names is an enclosure: of a letter that is passed on.
    if 1 < len(found) <= _PASSPORTS:
        told = [members.data(name) for name in found]
        found = [name for name in found if not any(f'"{name}"'.encode() in data for data in told)]
    if len(found) != 1:
        code, message = (
            ("several", "паспортов больше одного · more than one passport")
            if found
            else ("required", "нет паспорта · no passport")
        )
        wrong.append(Violation(body, code, message, ", ".join(found), "one passport.xml"))
        raise ValidationError(_FORMAT, tuple(wrong))
    (name,) = found
    where = f"{body}/{name}"
    try:
        document = xml.parse(members.data(name))
    except GatewayError as error:
        wrong += (each._replace(path=f"{where}#{each.path}") for each in violations_of(error))
        raise ValidationError(_FORMAT, tuple(wrong)) from error
    if document.encoding not in {*version.reads, xml.UTF8}:
        message = "кодировка паспорта не та · the passport is in another encoding"
        wrong.append(
            Violation(where, "encoding", message, document.encoding, ", ".join(version.reads))
        )
    if document.root.tag != f"{{{version.container}}}{passport.ROOT}":
        message = "паспорт — другой документ · the passport is another document"
        wrong.append(
            Violation(where, "unknown_element", message, str(document.root.tag), "container")
        )
        raise ValidationError(_FORMAT, tuple(wrong))
    return name, document.root


class _Reader:
    """Makes the item of one message."""

    def __init__(
        self, version: Version, files: Mapping[str, bytes], zone: ZoneInfo, wrong: list[Violation]
    ) -> None:
        self._version = version
        self._files = files
        self._zone = zone
        self._wrong = wrong
        names = (version.file, "document.xml", "message.xml", "communication.xml")
        self.file = next((name for name in names if name in files), version.file)
        encoding = xml.encoding_of(files[self.file]) if self.file in files else xml.UTF8
        if encoding not in version.reads and encoding != xml.UTF8:
            message = "кодировка сообщения не та · the message is in another encoding"
            self._note(self.file, "encoding", message, encoding, ", ".join(version.reads))

    def _note(self, path: str, code: str, message: str, found: str, expected: str = "") -> None:
        self._wrong.append(Violation(path, code, message, found, expected))

    def item(self, message: Leaves, sheet: Leaves, members: Members, name: str) -> Inbound:
        """Return the document, or the report that answers one of ours."""
        whole = dict(message.values)
        kept = list(sheet.told("container/@version", self._version.passport))
        read = passport.read(sheet, members, self._wrong)
        beside = self._beside(whole)
        parts = self._parts(whole, members, beside, name)
        files = tuple((members.files | beside.files).values())
        mid = message.text("communication/header/@uid", limits.ID_CHARS)
        sent = message.moment("communication/header/@created", self._zone)
        about = _answers(read)
        if about is not None:
            body = _sender(whole)
            report = self._report(about, read, (mid or f"{body}/{read.uid}").lower(), sent, body)
            kept.append(Extra(peer=PEER, path=CARD, value=whole))
            kept += (*sheet.extras(), _listing(read, parts))
            return Inbound(
                operation="answer",
                message_key=report.message_key,
                report=msgspec.structs.replace(report, extras=tuple(kept)),
                files=files,
            )
        letters = _with_sender(read.letters, message, kept)
        kept += self._told(message)
        long = len(read.annotation) > limits.SUBJECT_CHARS
        appeal = Appeal(
            document_kind=Code(system="medo.kind", value=read.kind) if read.kind else None,
            source_system=Code(system="gateway.source", value=self._version.source),
            sent_at=sent,
            subject="" if long else read.annotation,
            text=read.annotation if long else "",
            sheet_count=read.main.pages,
            addressees=read.addressees,
            referrals=letters,
            refs=tuple(_refs(mid, read.uid)),
            links=read.links,
            attachments=(read.main, *read.enclosures, *parts),
            extras=(*kept, *message.extras(), *sheet.extras()),
        )
        if not (read.uid or mid):
            text = "документ ничем не назван · neither passport nor message has a uid"
            self._note("container/@uid", "required", text, "")
        sender = whole.get("communication/header/source/@uid", "").strip()
        return Inbound(
            operation="submit",
            external_id=key(f"{sender}/{read.uid or mid}".lower()),
            appeal=appeal,
            files=files,
        )

    def _told(self, message: Leaves) -> list[Extra]:
        """Take what every message of the version says in the same words."""
        found = [
            *message.told("communication/@version", self._version.name),
            *message.told("communication/header/@type", KIND),
            *message.told(BODY, CONTAINER),
        ]
        if self.file != self._version.file:
            found.append(Extra(peer=PEER, path=FILE, value=self.file))
        return found

    def _beside(self, message: Mapping[str, str]) -> Members:
        """Return the files of the folder that are neither message, container nor envelope."""
        known = {self.file, message[BODY].strip(), "envelope.ini"}
        return passport.Members(
            {name: data for name, data in self._files.items() if name not in known},
            self._wrong,
            "the folder",
        )

    def _parts(
        self, message: Mapping[str, str], members: Members, beside: Members, name: str
    ) -> tuple[Attachment, ...]:
        """Return what is no document: passport, files that nobody named, a signed container itself.

        A signature over the whole container would fit no other zip of the same files, so that the
        container is kept as it came when it has one.
        """
        over: list[Signature] = []
        within: list[Signature] = []
        for path, value in message.items():
            told = value.strip()
            if not path.startswith(SIGNATURE) or not told:
                continue
            here = beside if told in beside.rest() else members
            if file := here.take(told, path):
                found = Signature(sha256=file.sha256, declared_name=told)
                (over if here is beside else within).append(found)
        parts = []
        if sheet := members.take(name, ""):
            parts.append(passport.part(sheet, name, "passport", tuple(within)))
        for word, left in (("unlisted", members), ("beside", beside)):
            parts += [
                passport.part(file, other, word)
                for other in left.rest()
                if (file := left.take(other, other))
            ]
        if over or any(each.declared_name.lower().endswith(".p7s") and _is(each, "beside")
                       for each in parts):  # fmt: skip
            body = message[BODY].strip()
            signed = passport.Members(self._files, self._wrong, "the folder")
            if file := signed.take(body, BODY):
                beside.files.setdefault(file.sha256, file)
                parts.append(passport.part(file, body, "container", tuple(over)))
        return tuple(parts)

    def _report(
        self, about: Ours, read: Passport, message_key: str, sent: dt.datetime | None, body: str
    ) -> PeerReport:
        """Return the letter as an answer to the document of ours that it names."""
        letter = read.letters[0] if read.letters else ReferralIn()
        day = letter.date or (sent.astimezone(self._zone).date() if sent else None)
        if day is None:
            self._note(
                "container/authors/author[0]/registration/date", "required",
                "у письма нет даты · the letter has no date", "", "YYYY-MM-DD",
            )  # fmt: skip
        files = (read.main, *read.enclosures)
        passed = about.purpose == "passed"
        outcome = OutcomeFacts(result=Result.ANSWERED.value)
        answer = PeerAnswer(
            kind="final",
            number=letter.number,
            date=letter.date,
            outcome=outcome,
            attachments=tuple(dict.fromkeys(file.sha256 for file in files if file.sha256)),
            signed_by=next((one.name for one in letter.signed_by), ""),
            text=read.annotation,
            has_text=bool(read.annotation),
        )
        return PeerReport(
            message_key=key(message_key),
            key=AppealKey(receipt_number=about.receipt),
            event=EventType.RECEIVER_ANSWERED if passed else EventType.ANSWERED,
            occurred_on=day or NO_DAY,
            ordinals=(about.question,) if about.question else (),
            outcome=None if passed else outcome,
            answer=answer,
            receiver=ReceiverFacts(organisation=body, number=letter.number, date=day)
            if passed
            else None,
        )


def _sender(message: Mapping[str, str]) -> str:
    """Return how the sender is known: by its uid, else by its name."""
    at = "communication/header/source"
    return (message.get(f"{at}/@uid") or message.get(f"{at}/organization", "")).strip()


def _answers(read: Passport) -> Ours | None:
    """Return which document of ours the letter answers, by the uid that we gave it."""
    for link in read.links:
        for extra in link.extras:
            if extra.path.endswith(("/@uid", "/@{}uid")):
                found = ours(str(extra.value).strip())
                if found is not None and found.purpose != "answer":
                    return found
    return None


def _listing(read: Passport, parts: tuple[Attachment, ...]) -> Extra:
    """Which file is what, by name: a report has no attachments that could say it."""
    listed: dict[str, dict[str, str]] = {"zip": {}, "folder": {}}
    for file in (read.main, *read.enclosures, *parts):
        if _is(file, "container"):
            continue
        place = listed["folder" if _is(file, "beside") else "zip"]
        place[passport.file_name(file)] = file.sha256
        for one in file.signatures:
            place[one.declared_name] = one.sha256
        for stamp in file.stamps:
            place[stamp.image] = stamp.image_sha256
    return Extra(peer=PEER, path=LISTING, value=listed)


def _is(file: Attachment, word: str) -> bool:
    return any(
        ref.peer == PEER and ref.kind == passport.PART and ref.value == word for ref in file.refs
    )


def _with_sender(
    letters: tuple[ReferralIn, ...], message: Leaves, kept: list[Extra]
) -> tuple[ReferralIn, ...]:
    """Tie the participant that sent the message to the first author, who is the sender."""
    uid = message.text("communication/header/source/@uid", limits.ID_CHARS)
    path = "communication/header/source/organization"
    first = letters[0] if letters else ReferralIn()
    body = first.from_org or Organisation()
    title = message.values.get(path)
    if title is None or title == body.full_name:
        kept += message.told(path, body.full_name)
    elif not body.full_name:
        body = msgspec.structs.replace(body, full_name=message.text(path))
    if uid:
        ids = (OrganisationId(system=IDS, value=uid),)
        body = msgspec.structs.replace(body, ids=ids)
    if body == Organisation():
        return letters
    return (msgspec.structs.replace(first, from_org=body), *letters[1:])


def _refs(mid: str, uid: str) -> list[ExternalRef]:
    return [
        ExternalRef(peer=PEER, kind=kind, value=value)
        for kind, value in (("mid", mid), ("uid", uid))
        if value
    ]
