"""The contract `urn:gov:appeals:v1` as types: faults, the table of operations, the rest by name.

One frozen struct for each complex type of xsd/appeals/appeals-v1.xsd, of the same name: documents
are in `requests` and `responses`, wrappers in `operations`, simple types in `words`; all structs
are importable from here. REST uses them as JSON (camel case), SOAP and REST-XML through
`gateway.wires.binding`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway import ns
from gateway.wires.addressed import (
    AddressCandidate,
    AddressOut,
    AddressQuestion,
    AddressSuggestion,
    AddressToken,
)
from gateway.wires.operations import (
    AckChanges,
    AckChangesResponse,
    AmendAppeal,
    AmendAppealResponse,
    AttachFile,
    AttachFileResponse,
    FindAppeals,
    FindAppealsResponse,
    GetAppeal,
    GetAppealResponse,
    GetAttachment,
    GetAttachmentResponse,
    GetChanges,
    GetChangesResponse,
    GetDirectory,
    GetDirectoryResponse,
    GetReceipts,
    GetReceiptsResponse,
    GetStatus,
    GetStatusResponse,
    Ping,
    PingResponse,
    ResolveAddress,
    ResolveAddressResponse,
    SubmitAnswer,
    SubmitAnswerResponse,
    SubmitAppeal,
    SubmitAppealResponse,
    SubmitAppeals,
    SubmitAppealsResponse,
    SubmitStatus,
    SubmitStatusResponse,
    SuggestAddress,
    SuggestAddressResponse,
    WithdrawAppeal,
    WithdrawAppealResponse,
)
from gateway.wires.requests import (
    Address,
    AnswerIn,
    AppealIn,
    AppealKey,
    Applicant,
    ApplicantOrganisation,
    AttachmentIn,
    Decline,
    Executor,
    Extension,
    Extra,
    Identification,
    Link,
    Outcome,
    Person,
    QuestionIn,
    Referral,
    Registration,
    ReplyTo,
    StatusReport,
    Topic,
    Transfer,
)
from gateway.wires.responses import (
    AnswerOut,
    AppealOut,
    AttachmentOut,
    Change,
    DeclineOut,
    DirectoryItem,
    ExecutorOut,
    ExtensionOut,
    FieldError,
    ItemError,
    LinkOut,
    OutcomeOut,
    QuestionOut,
    QuestionState,
    Receipt,
    ReceiptLine,
    RegisterLine,
    RegistrationOut,
    StatusItem,
    StatusOut,
    SubmitResult,
    TopicOut,
    TransferOut,
)
from gateway.wires.words import (
    Int,
    Request,
    Response,
)

__all__ = [
    "FAULTS",
    "OPERATIONS",
    "AccessFault",
    "AckChanges",
    "AckChangesResponse",
    "Address",
    "AddressCandidate",
    "AddressOut",
    "AddressQuestion",
    "AddressSuggestion",
    "AddressToken",
    "AmendAppeal",
    "AmendAppealResponse",
    "AnswerIn",
    "AnswerOut",
    "AppealIn",
    "AppealKey",
    "AppealOut",
    "Applicant",
    "ApplicantOrganisation",
    "AttachFile",
    "AttachFileResponse",
    "AttachmentIn",
    "AttachmentOut",
    "BusyFault",
    "Change",
    "ConflictFault",
    "Decline",
    "DeclineOut",
    "DirectoryItem",
    "Executor",
    "ExecutorOut",
    "Extension",
    "ExtensionOut",
    "Extra",
    "Fault",
    "FieldError",
    "FindAppeals",
    "FindAppealsResponse",
    "GetAppeal",
    "GetAppealResponse",
    "GetAttachment",
    "GetAttachmentResponse",
    "GetChanges",
    "GetChangesResponse",
    "GetDirectory",
    "GetDirectoryResponse",
    "GetReceipts",
    "GetReceiptsResponse",
    "GetStatus",
    "GetStatusResponse",
    "Identification",
    "ItemError",
    "Link",
    "LinkOut",
    "NotFoundFault",
    "Operation",
    "Outcome",
    "OutcomeOut",
    "Person",
    "Ping",
    "PingResponse",
    "QuestionIn",
    "QuestionOut",
    "QuestionState",
    "Receipt",
    "ReceiptLine",
    "Referral",
    "RegisterLine",
    "Registration",
    "RegistrationOut",
    "ReplyTo",
    "Request",
    "ResolveAddress",
    "ResolveAddressResponse",
    "Response",
    "StateFault",
    "StatusItem",
    "StatusOut",
    "StatusReport",
    "SubmitAnswer",
    "SubmitAnswerResponse",
    "SubmitAppeal",
    "SubmitAppealResponse",
    "SubmitAppeals",
    "SubmitAppealsResponse",
    "SubmitResult",
    "SubmitStatus",
    "SubmitStatusResponse",
    "SuggestAddress",
    "SuggestAddressResponse",
    "Topic",
    "TopicOut",
    "Transfer",
    "TransferOut",
    "ValidationFault",
    "WithdrawAppeal",
    "WithdrawAppealResponse",
]


class Fault(Response, frozen=True, kw_only=True):
    """Base of the typed details of faults.

    code: of the error tree (docs/errors.md). correlation_id: names the call in the gateway's log.
    """

    code: str
    message: str
    correlation_id: str


class ValidationFault(Fault, frozen=True, kw_only=True):
    """The message is malformed, too large, against the contract, or asks for what is not offered.

    errors: at most 20.
    """

    errors: tuple[FieldError, ...] = ()


class ConflictFault(Fault, frozen=True, kw_only=True):
    """The same key and revision is stored with other content."""

    receipt_number: str | None = None
    existing_sha256: str | None = None
    existing_revision: Int | None = None


class StateFault(Fault, frozen=True, kw_only=True):
    """The life cycle does not allow the event now."""

    current_state: str | None = None
    allowed_events: tuple[str, ...] = ()


class NotFoundFault(Fault, frozen=True, kw_only=True):
    """Nothing with this key that the caller may see."""


class AccessFault(Fault, frozen=True, kw_only=True):
    """No credential, a wrong one, or not allowed; never says which."""


class BusyFault(Fault, frozen=True, kw_only=True):
    """Nothing was stored: send the same again later."""

    retry_after_seconds: Int


FAULTS: Final[dict[str, type[Fault]]] = {
    cls.__name__: cls
    for cls in (
        ValidationFault,
        ConflictFault,
        StateFault,
        NotFoundFault,
        AccessFault,
        BusyFault,
    )
}
"""Typed fault details by element name, the `fault` of `gateway.errors.WIRE`."""


class Operation(NamedTuple):
    """One operation of the port type, with the wrapper elements of its messages."""

    name: str
    request: type[Request]
    response: type[Response]
    faults: tuple[str, ...]
    """Element names of the faults that the WSDL declares for it."""

    @property
    def action(self) -> str:
        """SOAPAction and wsa:Action of the request."""
        return f"{ns.APPEALS}/{self.name}"


def _operation(request: type[Request], response: type[Response], faults: str) -> Operation:
    names = tuple(f"{word}Fault" for word in faults.split())
    return Operation(request.__name__, request, response, names)


OPERATIONS: Final[dict[str, Operation]] = {
    operation.name: operation
    for operation in (
        _operation(Ping, PingResponse, "Validation Access Busy"),
        _operation(SubmitAppeal, SubmitAppealResponse, "Validation Conflict Access Busy"),
        _operation(SubmitAppeals, SubmitAppealsResponse, "Validation Access Busy"),
        _operation(
            AmendAppeal, AmendAppealResponse, "Validation Conflict State NotFound Access Busy"
        ),
        _operation(
            WithdrawAppeal, WithdrawAppealResponse, "Validation Conflict State NotFound Access Busy"
        ),
        _operation(GetAppeal, GetAppealResponse, "Validation NotFound Access Busy"),
        _operation(GetStatus, GetStatusResponse, "Validation Access Busy"),
        _operation(FindAppeals, FindAppealsResponse, "Validation Access Busy"),
        _operation(GetChanges, GetChangesResponse, "Validation Access Busy"),
        _operation(AckChanges, AckChangesResponse, "Validation State Access Busy"),
        _operation(SubmitStatus, SubmitStatusResponse, "Validation Conflict NotFound Access Busy"),
        _operation(GetReceipts, GetReceiptsResponse, "Validation Access Busy"),
        _operation(SubmitAnswer, SubmitAnswerResponse, "Validation Conflict NotFound Access Busy"),
        _operation(AttachFile, AttachFileResponse, "Validation Conflict NotFound Access Busy"),
        _operation(GetAttachment, GetAttachmentResponse, "Validation NotFound Access Busy"),
        _operation(GetDirectory, GetDirectoryResponse, "Validation NotFound Access Busy"),
        _operation(ResolveAddress, ResolveAddressResponse, "Validation Access Busy"),
        _operation(SuggestAddress, SuggestAddressResponse, "Validation Access Busy"),
    )
}
"""Every operation of the contract by name, in the order of the WSDL."""
