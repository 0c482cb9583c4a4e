"""Writes a decoded item back as the payload, or the word, that its message carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from adapters.smev import fields
from adapters.smev.codes import CONTENT_ID, NAMESPACE, PEER, REFUSAL, REJECT
from adapters.smev.messages import package, words
from adapters.smev.messages import types as t
from gateway import xml
from gateway.adapter import Stored, Wire
from gateway.wires import contract as c
from gateway.wires import restored

if TYPE_CHECKING:
    from gateway.adapter import Inbound
    from gateway.model import events as e
    from gateway.model.attachment import Attachment

XML: Final = "application/xml"
VERSION: Final[t.Version] = "1.3"
"""Words of all versions are the same but for their namespace; which one it was is not kept."""


def restore(item: Inbound) -> Wire:
    """Return what a message carried, in the spelling of `gateway.wires.restored`.

    Every file has its `Sha256`; the roots of answers that are requests as well are those of
    requests, unless their key says that they answered.
    """
    report = item.report
    own = {x.path: x.value for x in report.extras if x.peer == PEER} if report else {}
    if report is not None and item.operation == "status":
        word = _word(report, own)
        if word is not None:
            return Wire(media_type=XML, body=word, name="payload.xml")
    files: list[package.Packed] = []
    name, document = restored.document(_bare(item))
    if item.operation in ("submit", "amend"):
        document = _appeal(item, document, files)
    elif item.operation == "answer":
        document = c.SubmitAnswer(answer=_answer(item, document, own, files))
    elif item.operation == "status":
        document = c.SubmitStatus(report=document)
    if report is not None and report.key.receipt_number and "Key/answers" in own:
        name, document = _answering(name, document, own)
    return package.wired(fields.write(document, name), tuple(files), "payload.xml")


def _bare(item: Inbound) -> Inbound:
    """The item without what is of СМЭВ: files that only a header named."""
    appeal = item.appeal
    if appeal is None:
        return item
    kept = tuple(one for one in appeal.attachments if _unnamed(one) is None)
    return replace(item, appeal=replace(appeal, attachments=kept))


def _unnamed(one: Attachment) -> str | None:
    return next((str(x.value) for x in one.extras if x.peer == PEER and x.path == "unnamed"), None)


def _appeal(item: Inbound, document: Any, files: list[package.Packed]) -> Any:
    given = document.appeal if isinstance(document, c.AmendAppeal) else document
    assert item.appeal is not None
    named = iter(given.attachments)
    attachments = []
    for one in item.appeal.attachments:
        name = next((r.value for r in one.refs if r.peer == PEER and r.kind == CONTENT_ID), "")
        signature = _bytes(item, one.signatures[0].sha256) if one.signatures else b""
        header = _unnamed(one)
        if name:
            files.append(
                package.Packed(
                    id=name, data=_bytes(item, one.sha256), signature=signature,
                    media_type=one.declared_type if header is not None else "",
                    name=header or "",
                )
            )  # fmt: skip
        if header is None:
            attachments.append(_referred(next(named), name, one.sha256))
    given = replace(given, attachments=tuple(attachments))
    if isinstance(document, c.AmendAppeal):
        return replace(document, appeal=given)
    return c.SubmitAppeal(appeal=given)


def _answer(
    item: Inbound, document: c.AnswerIn, own: dict[str, Any], files: list[package.Packed]
) -> c.AnswerIn:
    attachments = []
    assert item.report is not None
    assert item.report.answer is not None
    digests = item.report.answer.attachments
    for place, (one, digest) in enumerate(zip(document.attachments, digests, strict=True), 1):
        at = f"Attachments/AttachmentIn[{place}]"
        name = own.get(f"{at}/ContentId", "")
        signature = own.get(f"{at}/SignaturePKCS7", "")
        if name:
            files.append(
                package.Packed(
                    id=name,
                    data=_bytes(item, digest),
                    signature=_bytes(item, signature) if signature else b"",
                )
            )
        if one.file_name:
            attachments.append(_referred(one, name, digest))
    return replace(document, attachments=tuple(attachments))


def _referred(one: c.AttachmentIn, name: str, digest: str) -> c.AttachmentIn:
    """Return a file named by the header of its message, or by its digest alone."""
    return replace(one, content=None, attachment_id=name or None, sha256=digest)


def _bytes(item: Inbound, digest: str) -> bytes:
    found = next((one.data for one in item.files if one.sha256 == digest), b"")
    return b"" if isinstance(found, Stored) else found


def _answering(name: str, document: Any, own: dict[str, Any]) -> tuple[str, Any]:
    """Return an answer to a request of ours as it came: the key names what we had given."""
    key = c.AppealKey(
        receipt_number=own.get("Key/ReceiptNumber"),
        external_id=own["Key/answers"] or None,
        registration_number=own.get("Key/RegistrationNumber"),
        organisation_id=own.get("Key/OrganisationId"),
    )
    if name == "SubmitAnswer":
        return "Answer", replace(document, answer=replace(document.answer, key=key))
    return "Status", replace(document, report=replace(document.report, key=key))


def _word(report: e.PeerReport, own: dict[str, Any]) -> bytes | None:
    """Return an answer without a document of the contract; None for one that has one."""
    reason = report.reason
    if "RequestStatus" in own:
        code, told = own["RequestStatus"]
        status = t.RequestStatus(
            code=code, description=report.comment, parameters=tuple((k, v) for k, v in told)
        )
        return words.write(VERSION, words.Words(status=status))
    if "AsyncProcessingStatus" in own:
        assert report.peer_state is not None
        original, routing, fault = own["AsyncProcessingStatus"]
        told_of = t.AsyncProcessingStatus(
            original_message_id=original,
            category=report.peer_state.code,
            details=report.comment,
            fault=t.SmevFault(code=fault[0], description=fault[1]) if fault else None,
            routing=tuple((value, code) for value, code in routing),
        )
        return words.write(VERSION, words.Words(async_status=told_of))
    if reason is not None and reason.system == REJECT:
        first = t.RequestRejected(code=reason.code, description=report.comment)
        others = (
            t.RequestRejected(code=code, description=text)
            for code, text in own.get("RequestRejected", ())
        )
        return words.write(VERSION, words.Words(rejected=(first, *others)))
    if reason is not None and reason.system == REFUSAL:
        told = [("Code", reason.code), ("Description", report.comment)]
        return _small("Refusal", [*told, ("OccurredOn", report.occurred_on.isoformat())])
    if "Receipt/ReceiptNumber" in own:
        at = report.occurred_at
        assert at is not None
        told = [("ReceiptNumber", own["Receipt/ReceiptNumber"]), ("AcceptedAt", at.isoformat())]
        return _small("Receipt", [*told, ("ContentSha256", own.get("Receipt/ContentSha256", ""))])
    return None


def _small(name: str, told: list[tuple[str, str]]) -> bytes:
    inner = "".join(f"<{key}>{xml.escape(value)}</{key}>" for key, value in told if value)
    return f'<{name} xmlns="{NAMESPACE}">{inner}</{name}>'.encode()
