"""Reads what a peer answered to a message of ours: a receipt, or the error that its fault means.

What a fault promises decides what becomes of a delivery (gateway.errors): a "no" is final, "later"
promises that nothing was stored, anything else leaves a doubt. Stacks spell faults differently, so
a fault is read by the local names of its elements and by the names that its codes resolve to, not
by prefixes, nor by the HTTP status: SOAP 1.2 has 400 for a sender's mistake, .NET reads 500 only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from gateway import limits, ns, xml
from gateway.adapter import Receipt
from gateway.errors import (
    GatewayError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    SecurityError,
)
from gateway.outbound import Answered, check
from gateway.soap import mime, security
from gateway.soap.splitter import media_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from gateway.outbound import Response
    from gateway.soap.vouched import Voucher

CREDENTIALS: Final = (
    "проверьте учётные данные и часы · check user, password, certificate and the clock "
    "(login, user, password_file, sign_cert)"
)
SIGNED: Final = (
    "сверьте сертификат системы; отказ без подписи — повод проверить и нашу подпись · compare the "
    "peer's certificate (answer_cert); an unsigned refusal may be of our own signature"
)
PROXY: Final = "проверьте учётные данные прокси · check user and password of the proxy (proxy)"
HEADERS: Final = (
    "проверьте версию SOAP и заголовки, которых ждёт система · check which version and headers "
    "the peer wants (soap12, addressing, login)"
)
_HINTS: Final = {401: CREDENTIALS, 403: CREDENTIALS, 407: PROXY, 415: HEADERS}
"""What to look at when HTTP says no without SOAP; 415: another version is spoken there."""
_TYPED: Final = frozenset(
    {"ValidationFault", "ConflictFault", "StateFault", "NotFoundFault", "AccessFault", "BusyFault"}
)
"""Details of our own contract; JAX-WS and PHP send them with the code of a server's failure."""
_SENDER: Final = frozenset({"Client", "Sender"})
_HEADER: Final = frozenset({"MustUnderstand", "VersionMismatch", "DataEncodingUnknown"})
_SECURITY: Final = frozenset(
    {
        "FailedAuthentication",
        "FailedCheck",
        "InvalidSecurity",
        "InvalidSecurityToken",
        "MessageExpired",
        "SecurityTokenUnavailable",
        "UnsupportedAlgorithm",
        "UnsupportedSecurityToken",
    }
)
"""WS-Security 1.1, section 12; also with a prefix that a stack forgot to declare."""
_SECURITY_SPACES: Final = (
    "http://docs.oasis-open.org/wss/",
    "http://docs.oasis-open.org/ws-sx/",
    "http://schemas.xmlsoap.org/ws/2005/02/sc",
    "http://schemas.xmlsoap.org/ws/2005/02/trust",
    "http://ws.apache.org/wss4j",
)
_LATER: Final = frozenset({"EndpointUnavailable", "ServerTooBusy"})
"""Of WS-Addressing 1.0 (SOAP binding, 6.4.5) and of WCF."""
_MISDIRECTED: Final = frozenset(
    {
        "ActionMismatch",
        "ActionNotSupported",
        "DestinationUnreachable",
        "InvalidAddressingHeader",
        "InvalidMessageInformationHeader",
        "MessageAddressingHeaderRequired",
        "MessageInformationHeaderRequired",
        "DeserializationFailed",
    }
)
"""Of WS-Addressing 1.0 and 2004/08, and WCF's word for a body that does not fit its contract."""
_RETRY: Final = frozenset({"RetryAfter", "RetryAfterSeconds"})
_UNRELATED: Final = f"{ns.WSA}/unspecified"
"""RelatesTo of an answer to a message whose MessageID could not be read (WS-Addressing, 3.2)."""
_REPLY: Final = frozenset({"", f"{ns.WSA}/reply", "wsa:Reply"})


class Name(NamedTuple):
    """A qualified name of a fault code; space is empty when its prefix is declared nowhere."""

    space: str
    local: str


class Fault(NamedTuple):
    """A fault, whatever its version: codes from the general to the particular, the detail's names.

    retry: the detail says when to come again.
    """

    codes: tuple[Name, ...]
    reason: str
    details: tuple[Name, ...]
    retry: bool = False

    @property
    def code(self) -> str:
        """The general code without what SOAP 1.1 lets stand after a dot."""
        return self.codes[0].local.partition(".")[0] if self.codes else ""


class Answer(NamedTuple):
    """An envelope that came back; relates_to: messages that it names, without the unreadable."""

    envelope: _Element
    body: _Element | None
    fault: Fault | None
    relates_to: tuple[str, ...]


def receipt(
    response: Response, peer: str, message_id: str = "", voucher: Voucher | None = None
) -> Receipt:
    """Return the receipt that an answer is; raise PeerRefused, PeerUnavailable or PeerDoubtful.

    message_id: of our message, which an answer that relates to any must relate to. voucher: whose
    signature it must have, a fault too. The answer stands behind what is raised, as its cause.
    """
    answer = read(response)
    if answer is None:
        _check_status(response, peer)
        raise PeerDoubtful(
            "the answer is no SOAP", found=str(response.status), where=peer
        ) from Answered(response)
    if voucher is not None:
        _require_vouched(answer, response, peer, voucher)
    if message_id and answer.relates_to and message_id not in answer.relates_to:
        raise PeerDoubtful(
            "the answer is about another message",
            found=answer.relates_to[0],
            expected=message_id,
            where=peer,
        ) from Answered(response)
    if answer.fault is not None:
        raise error_of(answer.fault, response, peer) from Answered(response)
    _check_status(response, peer)
    return Receipt(
        final=True,
        status=response.status,
        reference=_reference(answer.body),
        body=response.body,
    )


def read(response: Response) -> Answer | None:
    """Return the envelope of an answer, None when there is none that can be read."""
    try:
        data, charset = _root_part(response)
        if len(data) > limits.SOAP_ROOT_BYTES:
            return None
        root = xml.parse(data, charset).root
    except GatewayError:
        return None
    space = etree.QName(root).namespace
    if root.tag not in (ns.tag(ns.SOAP11, "Envelope"), ns.tag(ns.SOAP12, "Envelope")):
        return None
    body = root.find(f"{{{space}}}Body")
    if body is None:
        return None
    first = next(body.iterchildren("*"), None)
    is_fault = first is not None and etree.QName(first).localname == "Fault"
    return Answer(
        envelope=root,
        body=first,
        fault=fault_of(first) if first is not None and is_fault else None,
        relates_to=tuple(_related(root.find(f"{{{space}}}Header"))),
    )


def _require_vouched(answer: Answer, response: Response, peer: str, voucher: Voucher) -> None:
    """Raise PeerDoubtful for an answer that the peer did not sign: somebody else may have made it.

    What such a fault says is told, and nothing is done by it.
    """
    try:
        voucher.require(answer.envelope)
    except SecurityError as error:
        fault = answer.fault
        said = f"; {fault.code}: {fault.reason}" if fault is not None else ""
        raise PeerDoubtful(
            "the answer is not signed by the peer, and is not believed",
            found=f"{security.why(error)}{said}",
            expected="its Body signed by a certificate of answer_cert",
            where=peer,
            todo=SIGNED,
        ) from Answered(response)


def fault_of(fault: _Element) -> Fault:
    """Return what a Fault element of either version says. Never fails."""
    detail = _child(fault, "detail", "Detail")
    inside = [] if detail is None else list(_inside(detail))
    return Fault(
        codes=tuple(_codes(fault)),
        reason=_reason(fault),
        details=tuple(inside),
        retry=any(name.local in _RETRY for name in inside),
    )


def error_of(
    fault: Fault, response: Response, peer: str
) -> PeerRefused | PeerUnavailable | PeerDoubtful:
    """Return what a fault says about our message: only some promise anything."""
    found = f"{'.'.join(code.local for code in fault.codes[:3])}: {fault.reason}"
    typed = next((name.local for name in fault.details if _is_typed(name)), "")
    if typed == "BusyFault" or any(code.local in _LATER for code in fault.codes):
        return PeerUnavailable(f"{peer} asks to come later", found=found)
    refusal = _refusal(fault, typed, response.status)
    if refusal is not None:
        return PeerRefused(f"{peer} {refusal[0]}", found=found, todo=refusal[1])
    if fault.retry or response.status in {429, 503} or "retry-after" in response.headers:
        return PeerUnavailable(f"{peer} asks to come later", found=found)
    return PeerDoubtful(f"{peer} failed while it had our request", found=found)


def _refusal(fault: Fault, typed: str, status: int) -> tuple[str, str] | None:
    """Return what was refused and what to do about it; None for a fault that refuses nothing."""
    if typed == "AccessFault" or status in {401, 403} or any(map(_is_security, fault.codes)):
        return "refused our credentials", CREDENTIALS
    if fault.code in _HEADER:
        return f"refused: {fault.code}", HEADERS
    if typed:
        return f"refused: {typed}", ""
    if any(code.local in _MISDIRECTED for code in fault.codes):
        return "could not read our message", HEADERS
    return ("refused", "") if fault.code in _SENDER else None


def _check_status(response: Response, peer: str) -> None:
    """Raise what the HTTP status says, with a hint where one can be given."""
    try:
        check(response, peer)
    except PeerRefused as error:
        error.todo = _HINTS.get(response.status, "")
        raise


def _is_typed(name: Name) -> bool:
    """Whether it is a detail of our contract; some stacks lose its namespace."""
    return name.local in _TYPED and name.space in ("", ns.APPEALS)


def _is_security(name: Name) -> bool:
    if name.space:
        return name.space.startswith(_SECURITY_SPACES)
    return name.local in _SECURITY


def _inside(detail: _Element) -> Iterator[Name]:
    """Yield the names in a detail, at any depth.

    PHP writes an array that it has no type for as `<item><key>…</key><value>…</value></item>`.
    """
    for element in detail.iter("*"):
        if element is not detail:
            name = _name(element)
            yield Name("", _text(element)) if name == ("", "key") and not len(element) else name


def _codes(fault: _Element) -> Iterator[Name]:
    """Yield the code and its subcodes; SOAP 1.1 has one."""
    code = _child(fault, "faultcode")
    if code is not None:
        yield _resolved(code)
        return
    level = _child(fault, "Code")
    while level is not None:
        value = _child(level, "Value")
        if value is not None:
            yield _resolved(value)
        level = _child(level, "Subcode")


def _reason(fault: _Element) -> str:
    """Return the words of a fault: faultstring, or the first of the Reason's languages."""
    words = _child(fault, "faultstring")
    if words is None:
        reason = _child(fault, "Reason")
        words = None if reason is None else _child(reason, "Text")
    return "" if words is None else _text(words)


def _resolved(element: _Element) -> Name:
    prefix, colon, local = _text(element).rpartition(":")
    space = element.nsmap.get(prefix if colon else None)
    if not colon and space not in (ns.SOAP11, ns.SOAP12):
        space = ""  # a bare word is a name of no namespace, whatever the element's own is
    return Name(space or "", local.strip())


def _child(element: _Element, *names: str) -> _Element | None:
    """Return the first child of these local names; some stacks qualify what SOAP 1.1 does not."""
    return next((e for e in element.iterchildren("*") if etree.QName(e).localname in names), None)


def _name(element: _Element) -> Name:
    name = etree.QName(element)
    return Name(name.namespace or "", name.localname)


def _text(element: _Element) -> str:
    return "".join(map(str, element.itertext())).strip()


def _related(header: _Element | None) -> Iterator[str]:
    """Yield the messages that an answer names as what it answers."""
    for block in () if header is None else header.iterchildren("*"):
        name = etree.QName(block)
        if name.namespace not in (ns.WSA, ns.WSA_2004) or name.localname != "RelatesTo":
            continue
        kind = block.get("RelationshipType", "").strip()
        text = _text(block)
        if (kind in _REPLY or kind.endswith(":Reply")) and text != _UNRELATED:
            yield text


def _reference(response: _Element | None) -> str:
    """Return the receipt number that the peer gave, when its answer has one."""
    if response is None:
        return ""
    for element in response.iter("*"):
        if etree.QName(element).localname == "ReceiptNumber":
            return (element.text or "").strip()
    return ""


def _root_part(response: Response) -> tuple[bytes, str]:
    """Return the envelope and its charset: the body, or the root part of a package.

    A peer that is called with MTOM answers with it. The root is the part that `start` names, or the
    first one; the others are passed over: no answer that we wait for has any.
    """
    media = media_type(response.headers.get("content-type", ""))
    if media.name != "multipart/related":
        return response.body, media.charset
    start = mime.bare_id(media.parameters.get("start", ""))
    reader = mime.Reader(media.parameters.get("boundary", ""))
    charset, data = "", list[bytes]()
    first, wanted = True, False
    for event in reader.feed(response.body):
        if isinstance(event, mime.Head):
            wanted = bool(start) and event.content_id == start
            if first or wanted:
                charset, data = media_type(event.content_type).charset, []
        elif isinstance(event, mime.Data):
            data += [event.data] if first or wanted else []
        elif wanted or not start:
            break
        else:
            first = False
    return b"".join(data), charset
