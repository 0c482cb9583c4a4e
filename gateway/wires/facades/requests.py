# ruff: noqa: N802, N805, N815 - spyne's form: the contract's own names, a desk where self would be
"""`/soap/requests.svc`: `RequestExecutionService`, by which executors report on their work.

A body that was given an appeal reports on it (`SendReport`) and, when it is responsible, ends it
(`SendFinalReport`); a report that was refused is mended and sent again under the same `importId`.

What a source shows (published client code of АС ДОУ, Воронеж): the names of service, operations,
types and fields, the words of `reviewResult.type`, and that `importId` names a report and
`parentId` the resolution it is about. What is ours, because no WSDL was found: the namespace, the
order and lengths of the fields, the fields of an attachment, which of them must be there, how lists
are written, every `SendResult.code`, and `ServiceFault`.

| element | in the gateway |
|---|---|
| `importId` | MessageKey: the key of idempotency; a file's, by AttachFile, is `importId#1` … |
| `parentId` | receipt number of the appeal; else the caller's own external id |
| `Report` | PeerStateReported `REPORT`, its text as comment, its files by AttachFile |
| `FinalReport`, `TRANSFERRED` | Transferred to orgSSTUId or orgName by regNumber, regDate; files |
| `FinalReport`, any other type | SubmitAnswer, final, with outcome, number, date, text and files |
| `infos`, `clCodeList`, who issued the answer | PeerStateReported `FINAL`, key `importId#infos` |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from gateway import limits
from gateway.errors import InputError, NotFoundError, TooLargeError, ValidationError
from gateway.model.ids import check_receipt_number
from gateway.soap.facade import (
    Boolean,
    ByteArray,
    ComplexModel,
    Date,
    Facade,
    Int,
    Service,
    Unicode,
    content,
    items,
    many,
    may,
    must,
    rpc,
)
from gateway.wires import contract as c
from gateway.wires.facades import result
from gateway.wires.facades.base import Desk, FacadeEndpoint, Parts
from gateway.wires.facades.media import type_of

if TYPE_CHECKING:
    from gateway.wires.endpoint import Endpoint

Requests = Callable[[Any, c.AppealKey], Iterator[c.Request]]
"""What a report asks of the gateway; the first says what it is about."""
NAMESPACE: Final = "urn:gov:appeals:facade:requests:v1"
OUTCOMES: Final = {
    "ANSWERED": "answered",
    "EXPLAINED": "explained",
    "LEFTWITHOUTANSWER": "left_without_answer",
    "NOTSUPPORTED": "not_supported",
    "SUPPORTED": "supported",
}
TRANSFERRED: Final = "TRANSFERRED"
_ID: Final = {"min_len": 1, "max_len": limits.ID_CHARS - 10, "pattern": r"\S+( \S+)*"}


class Attachment(ComplexModel):
    """A file, at most 5 MB in base64, beside the envelope (MTOM) as much as any other file."""

    __namespace__ = NAMESPACE
    name = must(Unicode, min_len=1, max_len=255, pattern=r"[^/\\\t\n\r]+")
    content = must(ByteArray)


class Author(ComplexModel):
    """Who signed."""

    __namespace__ = NAMESPACE
    firstName = may(Unicode, max_len=160)
    lastName = may(Unicode, max_len=160)
    middleName = may(Unicode, max_len=160)


class ResultDocument(ComplexModel):
    """The letter that the consideration ended with."""

    __namespace__ = NAMESPACE
    attachments = may(many(Attachment))
    orgName = may(Unicode, max_len=500)
    orgSSTUId = may(Unicode, max_len=64)
    regDate = may(Date)
    regNumber = may(Unicode, **{**_ID, "min_len": 0, "pattern": r"(\S+( \S+)*)?"})


class ReviewResult(ComplexModel):
    """How the appeal was decided."""

    __namespace__ = NAMESPACE
    type = must(Unicode, values=[*sorted((*OUTCOMES, TRANSFERRED))])
    measuresTaken = may(Boolean)
    replyDate = may(Date)
    resultDocument = may(ResultDocument)


class Report(ComplexModel):
    """What an executor did."""

    __namespace__ = NAMESPACE
    attachments = may(many(Attachment))
    author = may(Author)
    date = must(Date)
    importId = must(Unicode, **_ID)
    parentId = must(Unicode, **_ID)
    text = may(Unicode, max_len=limits.TEXT_CHARS)


class FinalReport(ComplexModel):
    """What the responsible executor ended the consideration with."""

    __namespace__ = NAMESPACE
    attachments = may(many(Attachment))
    author = may(Author)
    date = must(Date)
    importId = must(Unicode, **_ID)
    parentId = must(Unicode, **_ID)
    text = may(Unicode, max_len=limits.TEXT_CHARS)
    infos = may(many(Unicode))
    clCodeList = may(many(Unicode))
    reviewResult = must(ReviewResult)


class SendResult(ComplexModel):
    """What became of a report; only 0 means that it is stored.

    code 0: taken; a repeat of the same importId is answered so too. code 1: the report is not right
    (input): mend it and send it again under the same importId. code 2: no appeal that was given to
    you is found by parentId. code 3: this importId was used before for another report (conflict).
    code 4: the appeal is in a state that does not allow it. Any other trouble is a fault: send it
    again later. message: why, for people, in Russian and English.
    """

    __namespace__ = NAMESPACE
    code = must(Int)
    message = must(Unicode)


class RequestExecutionService(Service):
    """Reports of executors on the appeals they were given."""

    @rpc(must(Report), _returns=must(SendResult))
    async def SendReport(desk: Desk, report: Report) -> SendResult:
        """Takes a report on the execution; repeated by importId."""
        return await _carried_out(desk, report, _reported)

    @rpc(must(FinalReport), _returns=must(SendResult))
    async def SendFinalReport(desk: Desk, report: FinalReport) -> SendResult:
        """Takes the report that ends the consideration; repeated by importId."""
        transferred = report.reviewResult.type == TRANSFERRED
        return await _carried_out(desk, report, _transferred if transferred else _answered)


async def _carried_out(desk: Desk, report: Any, requests: Requests) -> SendResult:
    """Ask the gateway what a report asks, and say what became of it.

    A call that stopped half way is finished by its repeat: each request has a key of its own.
    """
    try:
        _check(report)
        receipt, rest = await _first(desk, report, requests)
        repeat = desk.context.repeat
        for request in rest:
            await desk.ask(request, c.Response)
        desk.context.repeat = repeat
    except result.REFUSALS as error:
        if isinstance(error, InputError):
            await desk.keep(error, f"Send{type(report).__name__}")
        code, message = result.refused(error)
        return SendResult(code=code, message=message)
    return SendResult(code=result.ACCEPTED, message=result.accepted(receipt.receipt_number))


async def _first(
    desk: Desk, report: Any, requests: Requests
) -> tuple[c.Receipt, Iterator[c.Request]]:
    """Ask what a report is about, by each of the keys that its parent may mean."""
    *others, last = _keys(report.parentId)
    for key in others:
        asked = requests(report, key)
        with suppress(NotFoundError):
            return _receipt(await desk.ask(next(asked), c.Response)), asked
    asked = requests(report, last)
    return _receipt(await desk.ask(next(asked), c.Response)), asked


def _reported(report: Any, key: c.AppealKey) -> Iterator[c.Request]:
    """An executor's report: what it says of the work, then its files."""
    yield c.SubmitStatus(report=_status(report, key, report.importId, "REPORT", report.text))
    yield from _attached(report.importId, key, items(report.attachments))


def _transferred(report: Any, key: c.AppealKey) -> Iterator[c.Request]:
    """The appeal went to the competent body; the covering letter is among the files."""
    letter = report.reviewResult.resultDocument or ResultDocument()
    yield c.SubmitStatus(
        report=c.StatusReport(
            message_key=report.importId,
            key=key,
            event="Transferred",
            occurred_on=report.date,
            transfer=c.Transfer(
                to_organisation=letter.orgSSTUId or letter.orgName or "",
                date=letter.regDate or report.reviewResult.replyDate or report.date,
                number=letter.regNumber or None,
            ),
            comment=report.text or None,
            executor=_executor(report.author),
        )
    )
    files = [*items(letter.attachments), *items(report.attachments)]
    yield from _attached(report.importId, key, files)
    yield from _besides(report, key)


def _answered(report: Any, key: c.AppealKey) -> Iterator[c.Request]:
    """The appeal was answered, or left without an answer."""
    review = report.reviewResult
    letter = review.resultDocument or ResultDocument()
    yield c.SubmitAnswer(
        answer=c.AnswerIn(
            message_key=report.importId,
            key=key,
            kind="final",
            number=letter.regNumber or None,
            date=review.replyDate or letter.regDate or report.date,
            text=report.text or None,
            outcome=c.Outcome(
                result=OUTCOMES[review.type],  # type: ignore[arg-type]  # the schema's own words
                actions_taken=review.measuresTaken,
            ),
            signed_by=_full_name(report.author) or None,
            attachments=tuple(
                c.AttachmentIn(
                    file_name=file.name,
                    media_type=type_of(file.name),
                    content=content(file.content),
                    role="answer",
                )
                for file in (*items(letter.attachments), *items(report.attachments))
            ),
        )
    )
    yield from _besides(report, key)


def _besides(report: Any, key: c.AppealKey) -> Iterator[c.Request]:
    """Tell people what an answer has no place for; the text of an answer is the citizen's."""
    text = _told(report)
    if text:
        yield c.SubmitStatus(report=_status(report, key, f"{report.importId}#infos", "FINAL", text))


def _status(
    report: Any, key: c.AppealKey, message_key: str, state: str, comment: str | None
) -> c.StatusReport:
    return c.StatusReport(
        message_key=message_key,
        key=key,
        event="PeerStateReported",
        occurred_on=report.date,
        peer_state=state,
        comment=comment or None,
        executor=_executor(report.author),
    )


def _attached(import_id: str, key: c.AppealKey, files: Any) -> Iterator[c.Request]:
    for place, file in enumerate(files, 1):
        yield c.AttachFile(
            owner_key=key,
            file_name=file.name,
            media_type=type_of(file.name),
            content=content(file.content),
            message_key=f"{import_id}#{place}",
            role="evidence",
        )


def _keys(parent: str) -> tuple[c.AppealKey, ...]:
    """Return what an appeal's name may mean: our number, when it can be one, or the caller's."""
    own = c.AppealKey(external_id=parent)
    try:
        return c.AppealKey(receipt_number=check_receipt_number(parent)), own
    except ValidationError:
        return (own,)


def _told(report: Any) -> str:
    """Return what a final report says besides its answer, a line each."""
    letter = report.reviewResult.resultDocument or ResultDocument()
    told = {
        "infos": items(report.infos),
        "clCodeList": items(report.clCodeList),
        "orgName": [letter.orgName],
        "orgSSTUId": [letter.orgSSTUId],
    }
    return "\n".join(
        f"{name}: {value}" for name, values in told.items() for value in values if value
    )


def _check(report: Any) -> None:
    """Refuse what is too large before anything of the report is stored."""
    letter = None
    if isinstance(report, FinalReport):
        letter = report.reviewResult.resultDocument
        told = len(_told(report))
        if told > limits.TEXT_CHARS:
            raise _too_large("the report says too much besides its answer", "infos", told, "")
    for where, owner in (("attachments", report), ("reviewResult/resultDocument", letter)):
        files = items(owner.attachments) if owner is not None else []
        if len(files) > limits.ATTACHMENTS_PER_APPEAL:
            raise _too_large("too many files", where, len(files), "files")
        for place, file in enumerate(files, 1):
            held = content(file.content)
            size = len(held) if isinstance(held, bytes) else 0  # a part has bounds of its own
            if size > limits.ATTACHMENT_INLINE_BYTES:
                message = "a file carried as base64 is too large"
                raise _too_large(message, f"{where}[{place}]", size, "bytes")


def _too_large(message: str, where: str, found: int, unit: str) -> TooLargeError:
    most = {"files": limits.ATTACHMENTS_PER_APPEAL, "bytes": limits.ATTACHMENT_INLINE_BYTES}
    return TooLargeError(
        message,
        found=f"{found} {unit}".strip(),
        expected=f"at most {most.get(unit, limits.TEXT_CHARS)} {unit}".strip(),
        where=where,
    )


def _executor(author: Any) -> c.Executor | None:
    name = _full_name(author)
    return c.Executor(name=name) if name else None


def _full_name(author: Any) -> str:
    if author is None:
        return ""
    return " ".join(filter(None, (author.lastName, author.firstName, author.middleName)))


def _receipt(response: c.Response) -> c.Receipt:
    assert isinstance(response, c.SubmitStatusResponse | c.SubmitAnswerResponse)
    return response.receipt


FACADE: Final = Facade(RequestExecutionService, name="requests", namespace=NAMESPACE)


def endpoint(parts: Parts) -> Endpoint:
    """Return the façade for the SOAP wire."""
    return FacadeEndpoint(FACADE, parts)
