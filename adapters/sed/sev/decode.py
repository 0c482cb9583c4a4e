"""DocInfo → a document with its citizens, files and topics; Report → what became of one of ours.

A private person who is the author of the document is the applicant. A rubric is a topic of the
sender's own classifier. What is not mapped stays as extras, by its place in the document.
"""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from adapters.sed.codes import PEER
from adapters.sed.document import key
from adapters.sed.edc.decode import zone_of
from adapters.sed.edc.leaves import Leaves
from adapters.sed.edc.passport import Members, part
from adapters.sed.sev import reports
from adapters.sed.sev.words import (
    DOC_INFO,
    DOCUMENTS,
    FILE,
    NS,
    REPEATED,
    REPORT,
    SOURCE,
    citizen_in,
    officer_in,
)
from gateway import limits
from gateway.adapter import Decoded, File, Inbound
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.model.appeal import Appeal
from gateway.model.attachment import Attachment, AttachmentGroup, Signature
from gateway.model.base import Code, ExternalRef, Extra
from gateway.model.fold import number_key
from gateway.model.question import Question, Topic
from gateway.model.registration import ReferralIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo

    from lxml.etree import _Element

    from gateway.model.organisation import Officer
    from gateway.model.person import Applicant

AUTHOR: Final = "#author"
"""Extra: which `Author` it was, when not the one of its own number."""
MAIN: Final = "#main"
"""Extra: which of several documents the appeal is."""
CARD_NAME: Final = "#file"
"""Extra: what the message's own file is called, when it is called otherwise."""
_ROOTS: Final = frozenset({DOC_INFO, REPORT})
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_MOST_DAYS: Final = 3_650


def is_container(root: _Element) -> bool:
    """Say whether it is a message of SEV."""
    namespace, _, name = str(root.tag).rpartition("}")
    return namespace[1:] == NS and name in _ROOTS


def decode(
    root: _Element, files: Mapping[str, bytes], options: Mapping[str, Any] = _NOTHING
) -> Decoded:
    """Return what a message says: one document, or each notification by itself.

    files: of the message folder by name. options: `zone`. Raises ValidationError naming everything
    that is wrong, UnsupportedError for additions and edits of documents.
    """
    if not is_container(root):
        message = "это не сообщение СЭВ · no message of SEV"
        raise ValidationError(message, (Violation("/", "unknown_element", message, str(root.tag)),))
    wrong: list[Violation] = []
    leaves = Leaves.of(root, NS, REPEATED, wrong, qualified=False)
    name = next((n for n, data in files.items() if _is_card(n, data)), "")
    members = Members(
        {n: d for n, d in files.items() if n not in {name, "envelope.ini"}}, wrong, "the folder"
    )
    reader = _Document(leaves, members, wrong, zone_of(options))
    if str(root.tag).endswith(f"}}{REPORT}"):
        items = reports.read(
            leaves,
            reader.resources(REPORT),
            members,
            reader.zone,
            wrong,
            name=name,
            files=files,
        )
    else:
        kind = leaves.values.get(f"{DOC_INFO}/Header/@MessageType", "MainDoc")
        if kind != "MainDoc":
            raise UnsupportedError(
                "дополнения к документам не принимаются · additions to a document are not taken",
                found=kind, expected="MainDoc", where=f"{DOC_INFO}/Header/@MessageType",
            )  # fmt: skip
        items = (reader.item(name),)
    if wrong:
        message = "сообщение СЭВ нарушает формат · the message of SEV breaks its format"
        raise ValidationError(message, tuple(dict.fromkeys(wrong)))
    return Decoded(items=items)


def _is_card(name: str, data: bytes) -> bool:
    return name.lower().endswith(".xml") and NS.encode() in data[: 4 * limits.KB]


class _Document:
    """Reads one DocInfo."""

    def __init__(
        self, leaves: Leaves, members: Members, wrong: list[Violation], zone: ZoneInfo
    ) -> None:
        self.zone = zone
        self._leaves = leaves
        self._members = members
        self._wrong = wrong

    def resources(self, root: str) -> dict[str, tuple[str, str]]:
        """Return name of the file and place in the list by the identifier of a resource."""
        at = f"{root}/Header/ResourceList/Resource"
        values = self._leaves.values
        return {
            values.get(f"{at}[{n}]/@UID", ""): (
                values.get(f"{at}[{n}]/@UniqueName", ""),
                f"{at}[{n}]/@UniqueName",
            )
            for n in range(self._leaves.count(at))
        }

    def item(self, name: str) -> Inbound:
        """Return the document as an appeal."""
        leaves, values = self._leaves, self._leaves.values
        count = range(leaves.count(DOCUMENTS))
        main = next(
            (n for n in count if values.get(f"{DOCUMENTS}[{n}]/@MainDocument") in {"true", "1"}), 0
        )
        at = f"{DOCUMENTS}[{main}]"
        header = f"{DOC_INFO}/Header"
        sender = values.get(f"{header}/Sender/Contact/Organization/@UID", "").strip()
        uid = values.get(f"{at}/@UID", "").strip() or values.get(f"{at}/@DocumentID", "").strip()
        mid = values.get(f"{header}/@MessageID", "").strip()
        if not (uid or mid):
            text = "документ ничем не назван · neither document nor message has an identifier"
            self._wrong.append(Violation(f"{at}/@UID", "required", text))
        resources = self.resources(DOC_INFO)
        attachments = tuple(self._files(count, main, resources))
        people, officers = self._authors(at)
        sent = leaves.moment(f"{header}/@Time", self.zone)
        letter = self._letter(at, header, sent, officers)
        annotation = leaves.text(f"{at}/Annotation", limits.SUBJECT_CHARS)
        kept = [Extra(peer=PEER, path=MAIN, value=main)] if main else []
        if name not in {"", FILE}:
            kept.append(Extra(peer=PEER, path=CARD_NAME, value=name))
        control = values.get(f"{at}/Control/@State")
        if control in {"NoControl", "UnderControl"}:
            leaves.text(f"{at}/Control/@State")
        addressees = tuple(self._addressees(at))
        questions = self._questions(at, annotation)
        refs = tuple(self._refs(at))
        kind, access = self._code(at, "Group", kept), self._code(at, "Access", kept)
        collective = leaves.flag(f"{at}/Collective")
        appeal = Appeal(
            source_system=Code(system="gateway.source", value=SOURCE),
            sent_at=sent,
            subject=annotation,
            collective=collective,
            under_control={"NoControl": False, "UnderControl": True}.get(control or ""),
            document_kind=kind,
            classification=access,
            addressees=addressees,
            referrals=(letter,),
            refs=refs,
            applicants=people,
            questions=questions,
            attachments=(*attachments, *self._beside()),
            extras=(*kept, *leaves.extras()),
        )
        files = tuple(self._members.files.values())
        external_id = key(f"{sender}/{uid or mid}".lower())
        return Inbound(operation="submit", external_id=external_id, appeal=appeal, files=files)

    def _refs(self, at: str) -> Iterator[ExternalRef]:
        leaves = self._leaves
        for kind, path in (
            ("mid", f"{DOC_INFO}/Header/@MessageID"),
            ("returnId", f"{DOC_INFO}/Header/@ReturnID"),
            ("uid", f"{at}/@UID"),
            ("documentId", f"{at}/@DocumentID"),
        ):
            if value := leaves.text(path, limits.ID_CHARS):
                yield ExternalRef(peer=PEER, kind=kind, value=value)

    def _letter(
        self, at: str, header: str, sent: dt.datetime | None, officers: tuple[Officer, ...]
    ) -> ReferralIn:
        """Return the sender's letter: by its number, with the term that the sender controls.

        `StopDayCount` counts from the day of sending; it stays what it is, and a date that is told
        goes before it.
        """
        leaves = self._leaves
        number = leaves.text(f"{at}/RegistrationInfo/Number")
        term = self._alone(f"{at}/Control/Deadline").day("")
        days = leaves.values.get(f"{DOC_INFO}/Subscriptions/@StopDayCount", "")
        if term is None and sent is not None and days.isdecimal() and 0 < int(days) <= _MOST_DAYS:
            term = sent.astimezone(self.zone).date() + dt.timedelta(days=int(days))
        contact = f"{header}/Sender/Contact"
        sender = officer_in(leaves, contact)
        return ReferralIn(
            from_org=sender.organisation,
            number=number,
            number_key=number_key(number),
            date=leaves.day(f"{at}/RegistrationInfo/Date"),
            control_term=term,
            signed_by=officers,
            executor=replace(sender, organisation=None) if sender.name or sender.post else None,
        )

    def _authors(self, at: str) -> tuple[tuple[Applicant, ...], tuple[Officer, ...]]:
        people: list[Applicant] = []
        officers: list[Officer] = []
        for n in range(self._leaves.count(f"{at}/Author")):
            author = f"{at}/Author[{n}]"
            place = Extra(peer=PEER, path=AUTHOR, value=n)
            if self._leaves.has(f"{author}/PrivatePerson"):
                citizen = citizen_in(self._leaves, f"{author}/PrivatePerson")
                where = () if n == len(people) else (place,)
                people.append(replace(citizen, extras=(*where, *self._leaves.extras(author))))
            else:
                officer = officer_in(self._leaves, f"{author}/Contact")
                where = () if n == len(officers) else (place,)
                officers.append(replace(officer, extras=(*where, *self._leaves.extras(author))))
        return tuple(people), tuple(officers)

    def _addressees(self, at: str) -> Iterator[Officer]:
        for n in range(self._leaves.count(f"{at}/Addressee")):
            one = f"{at}/Addressee[{n}]"
            yield replace(
                officer_in(self._leaves, f"{one}/Contact"), extras=self._leaves.extras(one)
            )

    def _questions(self, at: str, annotation: str) -> tuple[Question, ...]:
        """Return one question with the rubrics as topics; none where there are no rubrics."""
        topics = []
        for n in range(min(self._leaves.count(f"{at}/Rubric"), limits.TOPICS_PER_QUESTION)):
            path = f"{at}/Rubric[{n}]"
            name, uid = self._leaves.text(path), self._leaves.values.get(f"{path}/@UID", "")
            if uid != name:
                uid = self._leaves.text(f"{path}/@UID")
            if uid or name:
                topics.append(
                    Topic(code=Code(system="sev.rubric", value=uid or name), name_as_given=name)
                )
        if not topics:
            return ()
        return (Question(ordinal=1, text=annotation, topics=tuple(topics)),)

    def _code(self, at: str, name: str, kept: list[Extra]) -> Code | None:
        """Take a word with its identifier; a word that is not told is kept as such."""
        label, place = self._leaves.text(f"{at}/{name}"), f"{at}/{name}/@UID"
        uid = self._leaves.text(place) if label else self._leaves.values.get(place, "").strip()
        if not (uid or label):
            return None
        if not label and f"{at}/{name}" not in self._leaves.values:
            kept.append(Extra(peer=PEER, path=f"{at}/{name}", value=None))
        return Code(system=f"sev.{name.lower()}", value=uid or label, label=label if uid else "")

    def _files(
        self, count: range, main: int, resources: Mapping[str, tuple[str, str]]
    ) -> Iterator[Attachment]:
        """Yield the files of all documents, those of the main one first."""
        leaves = self._leaves
        first = True
        for n in sorted(count, key=lambda each: each != main):
            for m in range(leaves.count(f"{DOCUMENTS}[{n}]/File")):
                at = f"{DOCUMENTS}[{n}]/File[{m}]"
                name, file = self._resource(f"{at}/@ResourceID", resources)
                text = first and n == main
                first = False
                size = leaves.told(f"{at}/@Size", str(file.size)) if file else ()
                signatures = tuple(self._signatures(at, resources))
                yield Attachment(
                    sha256=file.sha256 if file else "",
                    size=file.size if file else None,
                    media_type=file.media_type if file else "",
                    declared_name=name,
                    declared_type=leaves.text(f"{at}/Extension"),
                    description=leaves.text(f"{at}/Description"),
                    group=AttachmentGroup.TEXT if text else AttachmentGroup.ENCLOSURE,
                    order=m + 1,
                    refs=(ExternalRef(peer=PEER, kind="place", value=f"{n}/{m}"),),
                    signatures=signatures,
                    extras=(*size, *leaves.extras(at)),
                )

    def _signatures(self, at: str, resources: Mapping[str, tuple[str, str]]) -> Iterator[Signature]:
        for k in range(self._leaves.count(f"{at}/EDS")):
            path = f"{at}/EDS[{k}]"
            name, file = self._resource(f"{path}/@ResourceID", resources)
            yield Signature(
                sha256=file.sha256 if file else "",
                declared_name=name,
                at=self._alone(f"{path}/@Date").moment("", self.zone),
            )

    def _alone(self, path: str) -> Leaves:
        """Return a table of one leaf, at "", so that reading it takes nothing."""
        alone = Leaves([])
        alone.values[""] = self._leaves.values.get(path, "")
        return alone

    def _resource(
        self, path: str, resources: Mapping[str, tuple[str, str]]
    ) -> tuple[str, File | None]:
        told = self._leaves.values.get(path, "").strip()
        if told not in resources:
            text = "файла нет в списке ресурсов · no such resource"
            self._wrong.append(
                Violation(path, "missing_file", text, told, ", ".join(resources)[:200])
            )
            return "", None
        name, where = resources[told]
        return name, self._members.take(name, where)

    def _beside(self) -> Iterator[Attachment]:
        """Yield the files of the folder that the list of resources does not name."""
        for other in self._members.rest():
            if file := self._members.take(other, other):
                yield part(file, other, "beside")
