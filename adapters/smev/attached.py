"""Files of a message: those that the payload names by their headers, and those that it does not."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec.structs import replace

from adapters.smev.codes import CONTENT_ID, PEER
from gateway import limits
from gateway.adapter import File
from gateway.errors import TooLargeError, ValidationError, Violation
from gateway.model.attachment import Attachment, Signature
from gateway.model.base import ExternalRef, Extra
from gateway.model.filenames import cleaned
from gateway.model.fold import check_characters
from gateway.soap.splitter import Part

if TYPE_CHECKING:
    from adapters.smev.messages.package import Packed
    from gateway.adapter import Inbound
    from gateway.wires import contract as c

T = TypeVar("T", bound="c.AppealIn | c.AnswerIn")
PKCS7: Final = "application/pkcs7-signature"
SIGNED: Final = "pkcs7-detached"


class Files:
    """The files of one message. packed: as they came, with the ids of their headers."""

    def __init__(self, packed: tuple[Packed, ...]) -> None:
        self._packed: dict[str, Packed] = {}
        self._named: list[str] = []
        for file in packed:
            for value in (file.id, file.name, file.media_type):
                check_characters(value, "AttachmentHeader")
            if max(map(len, (file.id, file.name, file.media_type))) > limits.ID_CHARS:
                raise TooLargeError("the header of a file is too long", where="AttachmentHeader")
            if file.id in self._packed:
                message = "two files of one message have one id"
                raise ValidationError(message, (Violation("AttachmentHeader", "twice", message),))
            self._packed[file.id] = file

    def taken_by(self, given: T) -> T:
        """Return a document whose files have their bytes; raise ValidationError for one missing."""
        attachments = []
        wrong = []
        for order, item in enumerate(given.attachments, 1):
            name = item.attachment_id or ""
            file = self._packed.get(name)
            self._named.append(name)
            if file is None and name:
                message = "no header of the message has this id"
                place = f"Attachments/AttachmentIn[{order}]/ContentId"
                wrong.append(Violation(place, "attachment", message, name))
            elif file is not None:
                digest = sha256(file.data).hexdigest()
                part = Part(file.id, item.media_type or file.media_type, digest, file.data)
                item = replace(item, content=part, attachment_id=None)  # noqa: PLW2901
            attachments.append(item)
        if wrong:
            raise ValidationError("a file is missing", tuple(wrong))
        kept: T = replace(given, attachments=tuple(attachments))
        return kept

    def of_appeal(self, item: Inbound) -> Inbound:
        """Return an appeal whose files know their headers and signatures, and those not named."""
        appeal = item.appeal
        assert appeal is not None
        files = list(item.files)
        found = [
            self._headed(one, self._packed.get(name), files)
            for one, name in zip(appeal.attachments, self._named, strict=True)
        ]
        for name, packed in self._packed.items():
            if name not in self._named:
                found.append(self._unnamed(packed, len(found) + 1, files))
        if len(found) > limits.ATTACHMENTS_PER_APPEAL:
            most = f"at most {limits.ATTACHMENTS_PER_APPEAL}"
            raise TooLargeError("too many files", found=str(len(found)), expected=most)
        return replace(item, appeal=replace(appeal, attachments=tuple(found)), files=tuple(files))

    def of_answer(self, item: Inbound) -> Inbound:
        """Return an answer that keeps what the headers of its files say, and those not named."""
        report = item.report
        assert report is not None
        assert report.answer is not None
        files, extras = list(item.files), list(report.extras)
        answer = report.answer
        for place, name in enumerate(self._named, 1):
            packed = self._packed.get(name)
            if packed is not None:
                at = f"Attachments/AttachmentIn[{place}]"
                extras.append(Extra(peer=PEER, path=f"{at}/ContentId", value=name))
                extras += self._signed(packed, at, files)
        for name, packed in self._packed.items():
            if name not in self._named:
                one = self._unnamed(packed, len(answer.attachments) + 1, files)
                at = f"Attachments/AttachmentIn[{len(answer.attachments) + 1}]"
                answer = replace(
                    answer,
                    attachments=(*answer.attachments, one.sha256),
                    roles=(*answer.roles, "answer") if answer.roles else (),
                )
                extras.append(Extra(peer=PEER, path=f"{at}/ContentId", value=name))
                extras += self._signed(packed, at, files)
        report = replace(report, answer=answer, extras=tuple(extras))
        return replace(item, report=report, files=tuple(files))

    def _headed(self, one: Attachment, packed: Packed | None, files: list[File]) -> Attachment:
        if packed is None:
            return one
        return replace(
            one,
            refs=(*one.refs, ExternalRef(peer=PEER, kind=CONTENT_ID, value=packed.id)),
            signatures=_signatures(packed, files),
        )

    def _unnamed(self, packed: Packed, order: int, files: list[File]) -> Attachment:
        digest = sha256(packed.data).hexdigest()
        name = cleaned(packed.name or packed.id)
        files.append(File(sha256=digest, media_type=packed.media_type, name=name, data=packed.data))
        one = Attachment(
            sha256=digest,
            size=len(packed.data),
            declared_name=name,
            declared_type=packed.media_type,
            order=order,
            extras=(Extra(peer=PEER, path="unnamed", value=packed.name),),
        )
        return self._headed(one, packed, files)

    def _signed(self, packed: Packed, at: str, files: list[File]) -> list[Extra]:
        return [
            Extra(peer=PEER, path=f"{at}/SignaturePKCS7", value=one.sha256)
            for one in _signatures(packed, files)
        ]


def _signatures(packed: Packed, files: list[File]) -> tuple[Signature, ...]:
    """Return the detached signature of a file, whose bytes are kept as a file of their own."""
    if not packed.signature:
        return ()
    digest = sha256(packed.signature).hexdigest()
    name = f"{digest[:12]}.sig"
    files.append(File(sha256=digest, media_type=PKCS7, name=name, data=packed.signature))
    return (Signature(sha256=digest, declared_name=name, type=SIGNED),)
