"""Wrapper elements of the operations: `X` asks, `XResponse` answers (document/literal wrapped)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway import limits
from gateway.wires.addressed import AddressOut, AddressQuestion, AddressSuggestion
from gateway.wires.requests import (
    AnswerIn,
    AppealIn,
    AppealKey,
    StatusReport,
)
from gateway.wires.responses import (
    AppealOut,
    Change,
    DirectoryItem,
    Receipt,
    ReceiptLine,
    RegisterLine,
    StatusItem,
    SubmitResult,
)
from gateway.wires.words import (
    AddressText,
    AttachmentRole,
    Content,
    Count,
    Cursor,
    Day,
    DirectoryName,
    FileName,
    Id,
    Instant,
    Label,
    MaxBytes,
    PageSize,
    QuestionStateName,
    RegionCode,
    Request,
    Response,
    Revision,
    Sha256,
    Subject,
    Suggested,
    Word,
)


class Ping(Request, frozen=True, kw_only=True):
    """Asks who answers and by which contract."""


class PingResponse(Response, frozen=True, kw_only=True):
    """The gateway's clock, version, the caller as it is known, and the digest of WSDL and XSD.

    peer_code: empty when the caller is not known.
    """

    server_time: Instant
    version: str
    peer_code: str
    contract_sha256: str


class SubmitAppeal(Request, frozen=True, kw_only=True):
    """Hands over one appeal; idempotent by ExternalId and Revision."""

    appeal: AppealIn


class SubmitAppealResponse(Response, frozen=True, kw_only=True):
    """The appeal is stored durably."""

    receipt: Receipt


class SubmitAppeals(Request, frozen=True, kw_only=True):
    """Hands over up to 100 appeals; each is taken or refused on its own."""

    items: Annotated[tuple[AppealIn, ...], Meta(max_length=limits.APPEALS_PER_BATCH)]


class SubmitAppealsResponse(Response, frozen=True, kw_only=True):
    """One result for each item, in order."""

    items: tuple[SubmitResult, ...]


class AmendAppeal(Request, frozen=True, kw_only=True):
    """Replaces the content of an appeal by a higher revision.

    revision: must equal Revision of the appeal when that is given.
    """

    external_id: Id
    revision: Revision
    appeal: AppealIn
    reason: Subject | None = None


class AmendAppealResponse(Response, frozen=True, kw_only=True):
    """The amendment is stored durably."""

    receipt: Receipt


class WithdrawAppeal(Request, frozen=True, kw_only=True):
    """The applicant withdrew the appeal.

    message_key: the sender's id of this call: the key of idempotency.
    """

    key: AppealKey
    occurred_on: Day
    reason: Subject | None = None
    message_key: Id


class WithdrawAppealResponse(Response, frozen=True, kw_only=True):
    """The withdrawal is stored durably."""

    receipt: Receipt


class GetAppeal(Request, frozen=True, kw_only=True):
    """Reads one appeal.

    include_text: false when absent.
    """

    key: AppealKey
    include_text: bool = False


class GetAppealResponse(Response, frozen=True, kw_only=True):
    """The appeal as the gateway holds it."""

    appeal: AppealOut


class GetStatus(Request, frozen=True, kw_only=True):
    """Asks where up to 500 appeals stand.

    max_bytes: 60,000 when absent, room for about 100 appeals of one question. An answer that would
    be longer is a ValidationFault that says how many keys fit.
    """

    keys: Annotated[tuple[AppealKey, ...], Meta(max_length=limits.KEYS_PER_STATUS_CALL)]
    max_bytes: MaxBytes | None = None


class GetStatusResponse(Response, frozen=True, kw_only=True):
    """One item for each key, in order."""

    items: tuple[StatusItem, ...]


class FindAppeals(Request, frozen=True, kw_only=True):
    """Lists the caller's appeals for its own reconciliation.

    registered_to: inclusive. changed_to: exclusive. max_bytes: 60,000 when absent, because WCF
    refuses answers over 65,536 bytes by default.
    """

    registered_from: Day | None = None
    registered_to: Day | None = None
    changed_from: Instant | None = None
    changed_to: Instant | None = None
    state: QuestionStateName | None = None
    topic_prefix: Word | None = None
    organisation_id: Id | None = None
    cursor: Cursor | None = None
    max: PageSize | None = None
    max_bytes: MaxBytes | None = None


class FindAppealsResponse(Response, frozen=True, kw_only=True):
    """A page of the register, in the order of the last change.

    An appeal that changes while the register is read comes again. next_cursor: absent on the last
    page. complete_until: on the last page: every change before it is in the list, so the next
    reading begins with it as ChangedFrom; later changes may be shown, and come again.
    """

    items: tuple[RegisterLine, ...]
    next_cursor: str | None = None
    complete_until: Instant | None = None


class GetChanges(Request, frozen=True, kw_only=True):
    """Reads what happened since, without acknowledging it.

    cursor: absent: from the first change not acknowledged.
    """

    cursor: Cursor | None = None
    max: PageSize | None = None
    max_bytes: MaxBytes | None = None


class GetChangesResponse(Response, frozen=True, kw_only=True):
    """Changes in the order of the lane.

    next_cursor: to be acknowledged once the items are stored.
    """

    items: tuple[Change, ...]
    next_cursor: str | None = None
    more: bool


class AckChanges(Request, frozen=True, kw_only=True):
    """Confirms that everything up to the cursor is stored at the caller."""

    cursor: Cursor


class AckChangesResponse(Response, frozen=True, kw_only=True):
    """Acknowledged."""


class SubmitStatus(Request, frozen=True, kw_only=True):
    """Reports what happened to an appeal; idempotent by MessageKey."""

    report: StatusReport


class SubmitStatusResponse(Response, frozen=True, kw_only=True):
    """The report is stored; what became of it comes as a Change and in GetReceipts."""

    receipt: Receipt


class GetReceipts(Request, frozen=True, kw_only=True):
    """Asks which of the caller's calls the gateway holds.

    from, to: by the instant at which a call was stored; to: exclusive.
    """

    from_: Instant | None = msgspec.field(name="from", default=None)
    to: Instant | None = None
    cursor: Cursor | None = None
    max: PageSize | None = None


class GetReceiptsResponse(Response, frozen=True, kw_only=True):
    """A page of stored calls, in the order in which they were stored.

    next_cursor: absent on the last page. complete_until: on the last page: every call stored before
    it is in the list, so the next reading begins with it as From; later calls may be shown, and
    come again.
    """

    items: tuple[ReceiptLine, ...]
    next_cursor: str | None = None
    complete_until: Instant | None = None


class SubmitAnswer(Request, frozen=True, kw_only=True):
    """Hands over an answer; idempotent by MessageKey."""

    answer: AnswerIn


class SubmitAnswerResponse(Response, frozen=True, kw_only=True):
    """The answer is stored durably."""

    receipt: Receipt


class AttachFile(Request, frozen=True, kw_only=True):
    """Adds a file to an appeal; idempotent by MessageKey.

    size: bytes after decoding; checked when present. sha256: of the decoded bytes; checked when
    present. message_key: the sender's id of this call: the key of idempotency.
    """

    owner_key: AppealKey
    file_name: FileName
    media_type: Label | None = None
    size: Count | None = None
    sha256: Sha256 | None = None
    content: Content
    message_key: Id
    role: AttachmentRole | None = None


class AttachFileResponse(Response, frozen=True, kw_only=True):
    """The file is stored durably."""

    attachment_id: str
    sha256: str


class GetAttachment(Request, frozen=True, kw_only=True):
    """Reads one file."""

    attachment_id: Id


class GetAttachmentResponse(Response, frozen=True, kw_only=True):
    """The file with its bytes."""

    attachment_id: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    content: bytes


class GetDirectory(Request, frozen=True, kw_only=True):
    """Reads a directory, whole or what changed since a version."""

    name: DirectoryName
    since_version: Word | None = None
    cursor: Cursor | None = None


class GetDirectoryResponse(Response, frozen=True, kw_only=True):
    """A page of a directory."""

    version: str
    items: tuple[DirectoryItem, ...]
    next_cursor: str | None = None


class ResolveAddress(Request, frozen=True, kw_only=True):
    """Finds an address in the register (ГАР): one text, or up to 500 questions.

    text: an address as a person wrote it. region_code: two digits of the region that is likelier;
    others may still be found. questions: instead of text. max_bytes: 60,000 when absent; an answer
    that would be longer is a ValidationFault that says how many questions fit.
    """

    text: AddressText | None = None
    region_code: RegionCode | None = msgspec.field(name="region", default=None)
    questions: Annotated[
        tuple[AddressQuestion, ...], Meta(max_length=limits.ADDRESSES_PER_CALL)
    ] = ()
    max_bytes: MaxBytes | None = None


class ResolveAddressResponse(Response, frozen=True, kw_only=True):
    """What was found, or in what the doubt is.

    address: of a text. items: of questions, one for each, in order.
    """

    address: AddressOut | None = None
    items: tuple[AddressOut, ...] = ()


class SuggestAddress(Request, frozen=True, kw_only=True):
    """Completes an address while it is typed.

    region_code: two digits of the region whose objects come first. limit: 10 when absent.
    """

    text: AddressText
    region_code: RegionCode | None = msgspec.field(name="region", default=None)
    limit: Suggested | None = None


class SuggestAddressResponse(Response, frozen=True, kw_only=True):
    """Completions, the likeliest first.

    gar_version: VersionId of the register.
    """

    items: tuple[AddressSuggestion, ...]
    gar_version: str
