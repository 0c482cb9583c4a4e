"""WS-Addressing 1.0 (2005/08), and the submission of 2004/08: headers of requests and answers.

An answer goes where ReplyTo says: back on the connection (anonymous), nowhere (none), or to an
address, which only the gateway's operator can allow; that is judged by whoever sends it. The
endpoint's reference parameters come back as header blocks of the answer (SOAP Binding 1.0, 3.4).
"""

from __future__ import annotations

from hashlib import sha1
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn
from uuid import NAMESPACE_URL

from lxml import etree

from gateway import limits, ns
from gateway.errors import AddressingError, Violation
from gateway.xml import c14n, escape, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

_NAMESPACE: Final = NAMESPACE_URL.bytes
_VERSIONS: Final = (ns.WSA, ns.WSA_2004)
NAMES: Final = frozenset(
    ns.tag(space, name)
    for space in _VERSIONS
    for name in ("Action", "MessageID", "RelatesTo", "To", "From", "ReplyTo", "FaultTo")
)
"""Header blocks that we understand."""
ANONYMOUS: Final = {
    ns.WSA: ns.WSA_ANONYMOUS,
    ns.WSA_2004: f"{ns.WSA_2004}/role/anonymous",
}
"""Address that means the connection the message came on, by version."""
_NEWER: Final = f"{{{ns.WSA}}}"
_OLDER: Final = f"{{{ns.WSA_2004}}}"
_HEADER: Final = {
    ns.WSA: ("InvalidAddressingHeader", "MessageAddressingHeaderRequired"),
    ns.WSA_2004: ("InvalidMessageInformationHeader", "MessageInformationHeaderRequired"),
}
"""Names of the faults for a header that is wrong and for one that is missing, by version."""
_TAGS: Final = len("<a></a>")
_RESERVED: Final = (
    *(f"{{{space}}}" for space in (ns.SOAP11, ns.SOAP12, ns.WSSE, ns.WSU, ns.DS, ns.XENC)),
    ns.tag(ns.XML, "id"),
)
"""How names begin that nobody puts into our answers by a reference parameter."""


class Endpoint(NamedTuple):
    """An endpoint reference: where an answer is to go, and what has to go with it."""

    address: str
    parameters: tuple[bytes, ...] = ()
    """Reference parameters in canonical form, as they stand in the header of an answer."""


_ADDRESS: Final = {version: ns.tag(version, "Address") for version in _VERSIONS}
_BACK: Final = {version: Endpoint(address) for version, address in ANONYMOUS.items()}
"""What nearly every ReplyTo says."""


class Addressing(NamedTuple):
    """What the addressing headers of a request say."""

    action: str
    """Empty when there was none: WCF on SOAP 1.1 says it in the SOAPAction of HTTP alone."""
    message_id: str
    """Empty when there was none; then the answer relates to nothing."""
    reply_to: Endpoint | None = None
    """None: the request has no ReplyTo, which means anonymous."""
    fault_to: Endpoint | None = None
    """None: faults go where answers go."""
    to: str = ""
    version: str = ns.WSA
    """Namespace of the headers, in which the answer speaks too."""

    def target(self, *, fault: bool = False) -> Endpoint | None:
        """Return where an answer or a fault goes; None: back on the connection."""
        wanted = (self.fault_to if fault else None) or self.reply_to
        if wanted is None or wanted.address == ANONYMOUS[self.version]:
            return None
        return wanted

    def here(self) -> Addressing:
        """Return what the headers say to an answer that goes back on the connection."""
        back = ANONYMOUS[self.version]
        reply_to, fault_to = (
            found if found is not None and found.address == back else None
            for found in (self.reply_to, self.fault_to)
        )
        return self._replace(reply_to=reply_to, fault_to=fault_to)

    def echoed(self, *, fault: bool = False) -> tuple[bytes, ...]:
        """Return the reference parameters that the answer has to carry."""
        wanted = (self.fault_to if fault else None) or self.reply_to
        return wanted.parameters if wanted is not None else ()


def read(blocks: Sequence[_Element]) -> Addressing | None:
    """Return what the headers say, None when there are none of ours.

    blocks: header blocks meant for us; of two versions the newer one counts. Raise AddressingError
    for a header given twice, an endpoint reference that is none, or a request whose answer goes
    elsewhere and that has no MessageID.
    """
    version, found = _sorted(blocks)
    if not found:
        return None
    addressing = Addressing(
        action=_uri(found, "Action", version),
        message_id=_uri(found, "MessageID", version),
        reply_to=_endpoint(found, "ReplyTo", version),
        fault_to=_endpoint(found, "FaultTo", version),
        to=_uri(found, "To", version),
        version=version,
    )
    elsewhere = addressing.target() or addressing.target(fault=True)
    if elsewhere and not addressing.message_id and elsewhere.address != ns.WSA_NONE:
        required(version, "MessageID")
    return addressing


def peek(blocks: Sequence[_Element]) -> Addressing | None:
    """Return what can be read of the headers without judging them, for the frame of a fault.

    The fault then goes back on the connection, wherever answers were to go.
    """
    found = {block.tag: block for block in blocks}
    for version, prefix in ((ns.WSA, _NEWER), (ns.WSA_2004, _OLDER)):
        if any(str(tag).startswith(prefix) for tag in found):
            names = (ns.tag(version, "Action"), ns.tag(version, "MessageID"))
            action, message_id = (_text(found.get(name)) for name in names)
            if max(len(action), len(message_id)) > limits.ADDRESS_CHARS:
                action = message_id = ""
            return Addressing(action, message_id, version=version)
    return None


def write(
    action: str,
    request: Addressing,
    message_id: str = "",
    *,
    fault: bool = False,
) -> str:
    """Return the header blocks of an answer, for an envelope whose prefix is `s`.

    request: what the request said. message_id: of the answer; derived from the request's when
    empty, so that a repeat of the call gets the same bytes.
    """
    space = request.version
    relates_to = request.message_id
    message_id = escape(message_id) if message_id else _derived(relates_to + action)
    blocks = [
        f'<a:Action xmlns:a="{space}" s:mustUnderstand="1">{escape(action)}</a:Action>',
        f'<a:MessageID xmlns:a="{space}">{message_id}</a:MessageID>',
    ]
    if relates_to:
        blocks.append(f'<a:RelatesTo xmlns:a="{space}">{escape(relates_to)}</a:RelatesTo>')
    target = request.target(fault=fault)
    if target is not None:
        blocks.append(
            f'<a:To xmlns:a="{space}" s:mustUnderstand="1">{escape(target.address)}</a:To>'
        )
    blocks += [parameter.decode() for parameter in request.echoed(fault=fault)]
    return "".join(blocks)


def fault_action(version: str, *, about_addressing: bool) -> str:
    """Return the action of a fault that no service declares.

    about_addressing: it is one of WS-Addressing itself; else of SOAP: version, mandatory headers.
    """
    if version == ns.WSA_2004:
        return f"{ns.WSA_2004}/fault"
    return f"{ns.WSA}/fault" if about_addressing else f"{ns.WSA}/soap/fault"


def required(version: str, name: str) -> NoReturn:
    """Raise the fault for an addressing header that is missing."""
    message = f"the addressing headers lack wsa:{name}"
    path = f"/Envelope/Header/{name}"
    raise AddressingError(
        message,
        (Violation(path, "required", message),),
        names=(ns.tag(version, _HEADER[version][1]),),
        header=ns.tag(version, name),
    )


def mismatch(version: str, found: str, expected: str, *, declared: bool) -> NoReturn:
    """Raise the fault for an action that is another than the message's.

    found: what wsa:Action says. expected: the action of the body, or SOAPAction. declared: two
    places name the action and disagree; else the action belongs to no or another operation.
    """
    message = "wsa:Action names another operation than the rest of the message"
    names: tuple[str, ...] = (ns.tag(version, "ActionNotSupported"),)
    if declared and version == ns.WSA:
        names = (ns.tag(version, _HEADER[version][0]), ns.tag(version, "ActionMismatch"))
    raise AddressingError(
        message,
        (Violation("wsa:Action", "action", message, found, expected),),
        names=names,
        header=ns.tag(version, "Action"),
        action=found,
    )


def only_anonymous(request: Addressing, message: str, todo: str, *, fault: bool) -> AddressingError:
    """Return the error for an answer address that is not allowed here."""
    name = "FaultTo" if fault and request.fault_to is not None else "ReplyTo"
    target = request.target(fault=fault)
    names = [ns.tag(request.version, _HEADER[request.version][0])]
    if request.version == ns.WSA:
        names.append(ns.tag(ns.WSA, "OnlyAnonymousAddressSupported"))
    found = target.address[:200] if target is not None else ""
    path = f"/Envelope/Header/{name}"
    return AddressingError(
        message,
        (Violation(path, "address", message, found, ANONYMOUS[request.version]),),
        names=tuple(names),
        header=ns.tag(request.version, name),
        todo=todo,
    )


def _sorted(blocks: Sequence[_Element]) -> tuple[str, dict[str, _Element]]:
    """Return the version that counts and its headers by name; raise AddressingError."""
    newer: dict[str, _Element] = {}
    older: dict[str, _Element] = {}
    twice: list[tuple[str, str]] = []
    for block in blocks:
        tag = block.tag
        if tag.startswith(_NEWER):
            name, found, version = tag[len(_NEWER) :], newer, ns.WSA
        elif tag.startswith(_OLDER):
            name, found, version = tag[len(_OLDER) :], older, ns.WSA_2004
        else:
            continue
        if name in found and name != "RelatesTo":
            twice.append((version, name))
        found[name] = block
    chosen = (ns.WSA, newer) if newer else (ns.WSA_2004, older)
    for version, name in twice:
        if version == chosen[0]:
            _refuse(version, name, "InvalidCardinality", "duplicate", "stands twice")
    return chosen


def _derived(name: str) -> str:
    """Return the URN of a UUID of version 5 (RFC 9562, 5.5): the same name, the same UUID."""
    found = bytearray(sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    found[6] = found[6] & 0x0F | 0x50
    found[8] = found[8] & 0x3F | 0x80
    text = found.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _text(element: _Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _uri(found: dict[str, _Element], name: str, version: str) -> str:
    """Return what a header of one URI says, empty when it is not there; raise AddressingError."""
    text = _text(found.get(name))
    if len(text) > limits.ADDRESS_CHARS:
        _refuse(version, name, "", "too_large", "is too long", text)
    return text


def _endpoint(found: dict[str, _Element], name: str, version: str) -> Endpoint | None:
    """Read an endpoint reference; raise AddressingError when it has no or no one address."""
    element = found.get(name)
    if element is None:
        return None
    wanted = _ADDRESS[version]
    addresses = [child for child in element if child.tag == wanted]
    if not addresses:
        _refuse(version, name, "MissingAddressInEPR", "required", "has no Address")
    address = _text(addresses[0])
    if len(element) == 1 and address == ANONYMOUS[version]:
        return _BACK[version]
    if len(addresses) > 1:
        _refuse(version, name, "InvalidEPR", "duplicate", "has more than one Address")
    if not address or len(address) > limits.ADDRESS_CHARS or " " in address:
        _refuse(version, name, "InvalidAddress", "address", "holds no address", address)
    return Endpoint(address, _parameters(element, name, version))


def _parameters(element: _Element, name: str, version: str) -> tuple[bytes, ...]:
    """Return the reference parameters as header blocks of the answer, within a limit.

    What is too much is refused before anything is made canonical: the time for that grows with all
    prefixes in scope. So a holder is made canonical once, and its parameters by what came of it,
    where only the prefixes stand that they use; the message itself stays as it was signed.
    """
    kinds = (
        ("ReferenceParameters",)
        if version == ns.WSA
        else ("ReferenceProperties", "ReferenceParameters")
    )
    holders = [each for kind in kinds for each in element.findall(ns.tag(version, kind))]
    if sum(map(len, holders)) > limits.REFERENCE_PARAMETERS or len(holders) > len(kinds):
        _refuse(version, name, "InvalidEPR", "too_large", "has too many reference parameters")
    if sum(map(_least, holders)) > limits.REFERENCE_PARAMETERS_BYTES:
        _refuse(version, name, "InvalidEPR", "too_large", "has too long reference parameters")
    if any(_reserved(parameter) for holder in holders for parameter in holder):
        _refuse(version, name, "InvalidEPR", "unexpected", "has a parameter of SOAP's own")
    blocks = []
    for holder in holders:
        try:
            small = parse(c14n(holder)).root
        except etree.C14NError:  # a namespace that is no absolute URI (Canonical XML 1.0, 1.3)
            _refuse(version, name, "InvalidEPR", "namespace", "has a relative namespace")
        for parameter in small:
            if version == ns.WSA:
                parameter.set(ns.tag(ns.WSA, "IsReferenceParameter"), "true")
            blocks.append(c14n(parameter))
    if sum(map(len, blocks)) > limits.REFERENCE_PARAMETERS_BYTES:
        _refuse(version, name, "InvalidEPR", "too_large", "has too long reference parameters")
    return tuple(blocks)


def _reserved(parameter: _Element) -> bool:
    """Say whether a parameter is none of an application's, or something in it is not.

    In the header of our answer it would be taken for ours: another Body by its id, a second
    Security, a mandatory block, a block for somebody else.
    """
    space = etree.QName(parameter).namespace
    return (
        not space
        or space in _VERSIONS
        or any(
            str(name).startswith(_RESERVED)
            for each in parameter.iter()
            for name in (each.tag, *each.attrib)
        )
    )


def _least(holder: _Element) -> int:
    """Return what the parameters of a holder take at least; stops when it is too much."""
    size = 0
    for each in islice(holder.iter(), 1, None):
        size += _TAGS + len(each.text or "") + len(each.tail or "")
        size += sum(len(name) + len(value) for name, value in each.attrib.items())
        if size > limits.REFERENCE_PARAMETERS_BYTES:
            break
    return size


def _refuse(
    version: str, name: str, subcode: str, code: str, what: str, found: str = ""
) -> NoReturn:
    message = f"the addressing header {name} {what}"
    names = [ns.tag(version, _HEADER[version][0])]
    if version == ns.WSA and subcode:
        names.append(ns.tag(version, subcode))
    raise AddressingError(
        message,
        (Violation(f"/Envelope/Header/{name}", code, message, found[:200]),),
        names=tuple(names),
        header=ns.tag(version, name),
    )
