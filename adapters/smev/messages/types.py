"""Everything that travels through СМЭВ3, as values; the field names are the schema's own.

Three things stand between the exchange and the codec, and both keep to them:

**A wire that comes in** is what one message of a queue says, for `decode`. Its `media_type` is
`application/xml` and its body the single child of MessagePrimaryContent; with files it is
`PACKAGE_TYPE` and its body what `package.pack` makes of the payload and the files, read already
and looked up by their headers. RequestRejected, RequestStatus and AsyncProcessingStatus have no
payload: the wire's body is that element itself, media type `application/xml`. Headers:

- `x-smev-kind`: `request`, or `response`, `status`, `rejected`, `async` for what answers ours;
- `x-smev-message-id`: the message's own id; `x-smev-original-message-id`: of the request that is
  answered; `x-smev-appeal`: what the header of this name said on the request that is answered;
- `x-smev-sender`: mnemonic of the sender; `x-smev-sent-at`: SendingTimestamp, ISO;
- `x-smev-test`: `1` for a test message; `x-smev-version`: `1.1`, `1.2` or `1.3`.

**A wire that goes out** is what `encode` made, for the exchange: body and media type likewise.
Headers: `x-smev-kind` (`request`, `response`, `status`, `rejected`); `x-smev-appeal`: our number of
the appeal, which the exchange gives back with every answer to a request, and by which it finds the
newest message that brought the appeal, whose ReplyTo an answer goes to; `x-smev-in-reply-to`: id of
the message that is answered, only where it is known (`encode.receipt`, `encode.not_understood`);
`x-smev-test`. A `status` has its RequestStatus as body, a `rejected` its RequestRejected.

The adapter's `encode` is `telling.encode`, its `decode` `decode.decode`, its `restore`
`restore.restore`; `encode.receipt` and `encode.not_understood` make what a request gets that no
event answers.

**Signatures.** `write` takes `Sign`: a function that is given an element with its Id and returns
the ds:Signature over it; `read` gives the elements to verify as `Signed`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    Sign = Callable[[_Element], _Element]
    """Return ds:Signature over an element of a document, found by its Id (`gateway.xmldsig`)."""

Version = Literal["1.1", "1.2", "1.3"]
VERSIONS: Final[tuple[Version, ...]] = ("1.1", "1.2", "1.3")

KIND: Final = "x-smev-kind"
IN_REPLY_TO: Final = "x-smev-in-reply-to"
MESSAGE_ID: Final = "x-smev-message-id"
ORIGINAL_ID: Final = "x-smev-original-message-id"
APPEAL: Final = "x-smev-appeal"
SENDER: Final = "x-smev-sender"
SENT_AT: Final = "x-smev-sent-at"
TEST: Final = "x-smev-test"
VERSION: Final = "x-smev-version"
STATUS_CODE: Final = "x-smev-status-code"
PACKAGE_TYPE: Final = "application/vnd.appeals-gateway.smev+zip"

Operation = Literal[
    "SendRequest",
    "SendResponse",
    "GetRequest",
    "GetResponse",
    "GetStatus",
    "Ack",
    "GetIncomingQueueStatistics",
]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what travels."""


class Archived(Part, frozen=True, kw_only=True):
    """A file inside an attached archive that the header lists (1.3)."""

    name: str
    namespace: str


class AttachmentHeader(Part, frozen=True, kw_only=True):
    """What is signed of a file that travels inside the message (MTOM).

    content_id: the same as `AttachmentContent.id`. signature: detached PKCS#7 by the ЭП-СП, DER.
    namespace, archive: 1.3 only.
    """

    content_id: str
    mime_type: str
    signature: bytes = b""
    namespace: str = ""
    archive: tuple[Archived, ...] = ()


class RefAttachmentHeader(Part, frozen=True, kw_only=True):
    """What is signed of a file that lies in the file storage of СМЭВ.

    hash: base64 of the digest as it is sent. file_name, namespace, archive: 1.3 only.
    """

    uuid: str
    hash: str
    mime_type: str
    signature: bytes = b""
    file_name: str = ""
    namespace: str = ""
    archive: tuple[Archived, ...] = ()


class AttachmentContent(Part, frozen=True, kw_only=True):
    """The bytes of a file that travels inside the message; not signed.

    href: `cid:…` of the part that has them where they stand beside the envelope (XOP); content is
    empty then. What is not signed need not be inlined before a digest is taken.
    """

    id: str
    content: bytes = b""
    href: str = ""


class FSAttachment(Part, frozen=True, kw_only=True):
    """Where the receiver fetches a file of the storage; the password is for this message only."""

    uuid: str
    user_name: str
    password: str
    file_name: str

    def __repr__(self) -> str:
        """Say which file, without the password."""
        return f"FSAttachment({self.uuid!r}, {self.file_name!r})"


class RequestData(Part, frozen=True, kw_only=True):
    """SenderProvidedRequestData and the files beside it.

    content: the payload, one XML element as bytes. reference_message_id: of the first message of a
    chain, which for the first is its own; empty: not told (1.2 gets the message's own id, since it
    wants one). personal: a signature came with the payload.
    """

    message_id: str
    content: bytes = b""
    reference_message_id: str = ""
    transaction_code: str = ""
    node_id: str = ""
    eol: datetime | None = None
    headers: tuple[AttachmentHeader, ...] = ()
    ref_headers: tuple[RefAttachmentHeader, ...] = ()
    contents: tuple[AttachmentContent, ...] = ()
    test: bool = False
    personal: bool = False


class RequestRejected(Part, frozen=True, kw_only=True):
    """Why a provider does not carry a request out.

    code: ACCESS_DENIED, NO_DATA, UNKNOWN_REQUEST_DESCRIPTION, FAILURE (the last not in 1.2).
    """

    code: str
    description: str


class RequestStatus(Part, frozen=True, kw_only=True):
    """How far a provider is: its own code, named values, and words."""

    code: int
    description: str
    parameters: tuple[tuple[str, str], ...] = ()


class SmevFault(Part, frozen=True, kw_only=True):
    """What СМЭВ says went wrong after it had queued a message."""

    code: str = ""
    description: str = ""


class AsyncProcessingStatus(Part, frozen=True, kw_only=True):
    """What СМЭВ says of a message after it had queued it.

    category: `requestIsRejectedBySmev`, … (InteractionStatusType). routing: (value, status code) of
    every addressee (1.3).
    """

    original_message_id: str
    category: str
    details: str = ""
    fault: SmevFault | None = None
    routing: tuple[tuple[str, str], ...] = ()

    @property
    def refused(self) -> bool:
        """Whether СМЭВ says that it will not carry the message."""
        return self.category.endswith("RejectedBySmev") or self.fault is not None


class ResponseData(Part, frozen=True, kw_only=True):
    """SenderProvidedResponseData and the files beside it; one of the four answers is there.

    to: ReplyTo of the request that is answered, letter by letter. content: as in `RequestData`.
    """

    message_id: str
    to: str
    content: bytes = b""
    headers: tuple[AttachmentHeader, ...] = ()
    ref_headers: tuple[RefAttachmentHeader, ...] = ()
    contents: tuple[AttachmentContent, ...] = ()
    rejected: tuple[RequestRejected, ...] = ()
    status: RequestStatus | None = None
    async_status: AsyncProcessingStatus | None = None
    personal: bool = False

    @property
    def kind(self) -> str:
        """Which of the answers it is: `response`, `rejected`, `status` or `async`."""
        if self.rejected:
            return "rejected"
        if self.status is not None:
            return "status"
        return "async" if self.async_status is not None else "response"


class Selector(Part, frozen=True, kw_only=True):
    """MessageTypeSelector: which messages of the queue are wanted; an empty one: any.

    namespace, local_name: root of the payload, both or neither. now: Timestamp.
    """

    now: datetime
    namespace: str = ""
    local_name: str = ""
    node_id: str = ""


class Metadata(Part, frozen=True, kw_only=True):
    """MessageMetadata: what СМЭВ itself says of a message."""

    message_id: str = ""
    message_type: str = ""
    sender: str = ""
    sender_name: str = ""
    sent_at: datetime | None = None
    recipient: str = ""
    recipient_name: str = ""
    delivered_at: datetime | None = None
    status: str = ""


class Signed(Part, frozen=True, kw_only=True):
    """One signature of a message, and what it has to be over.

    who: `smev`, `sender` or `personal`. signature: ds:Signature; None where there is none.
    element: the only element that its reference may point at.
    """

    who: Literal["smev", "sender", "personal"]
    element: Any
    signature: Any = None


class Answer(Part, frozen=True, kw_only=True):
    """Base of what a call to СМЭВ returned.

    root: the child of the Body, in the tree that the elements of `signed` stand in. deviations:
    where the answer is not as the schema has it; to be logged, nothing is refused for it.
    """

    version: Version
    root: Any
    signed: tuple[Signed, ...] = ()
    deviations: tuple[str, ...] = ()


class Sent(Answer, frozen=True, kw_only=True):
    """SendRequestResponse, SendResponseResponse: the message is queued."""

    metadata: Metadata


class RequestMessage(Answer, frozen=True, kw_only=True):
    """GetRequestResponse with a message. reply_to: opaque; never parsed, never used twice."""

    data: RequestData
    metadata: Metadata
    reply_to: str = ""
    storage: tuple[FSAttachment, ...] = ()


class ResponseMessage(Answer, frozen=True, kw_only=True):
    """GetResponseResponse with a message."""

    data: ResponseData
    metadata: Metadata
    original_message_id: str = ""
    original_transaction_code: str = ""
    reference_message_id: str = ""
    storage: tuple[FSAttachment, ...] = ()


class StatusMessage(Answer, frozen=True, kw_only=True):
    """GetStatusResponse with a message."""

    status: AsyncProcessingStatus


class Cancelled(Answer, frozen=True, kw_only=True):
    """GetRequestResponse whose message is a cancellation of an earlier request (1.1, 1.2)."""

    message_id: str
    reference: str
    metadata: Metadata


class Empty(Answer, frozen=True, kw_only=True):
    """The queue is empty."""


class Acknowledged(Answer, frozen=True, kw_only=True):
    """AckResponse."""


class Statistics(Answer, frozen=True, kw_only=True):
    """GetIncomingQueueStatisticsResponse: queue and how many messages wait in it."""

    queues: tuple[tuple[str, int], ...] = ()


class Fault(Part, frozen=True, kw_only=True):
    """A SOAP fault, known by the element of its detail.

    name: `StaleMessageId`, …; empty where the detail names none. code, description: of СМЭВ, e.g.
    `SMEV-301`. text: faultstring. details: what the fault says besides (ValidationError, sizes).
    """

    name: str = ""
    code: str = ""
    description: str = ""
    text: str = ""
    details: tuple[tuple[str, str], ...] = ()
