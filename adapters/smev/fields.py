"""The payload of the profile as a document of the contract `urn:gov:appeals:v1`, and back.

Both have the same types, so the gateway's own binding reads and writes them, checked by the
contract's schema; what differs is the namespace, the name of the root where it answers, and that a
file is named by the header of its message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.smev.codes import CONTRACT, NAMESPACE, REQUESTS, RESPONSES
from adapters.smev.messages import schemas
from adapters.smev.messages.fragments import canonical
from adapters.smev.messages.names import local
from gateway import contracts, ns, xml
from gateway.errors import MalformedError, ValidationError
from gateway.wires import binding
from gateway.wires import contract as c

if TYPE_CHECKING:
    import msgspec
    from lxml.etree import _Element

_KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "SubmitAppeal": c.SubmitAppeal,
    "AmendAppeal": c.AmendAppeal,
    "WithdrawAppeal": c.WithdrawAppeal,
    "SubmitStatus": c.SubmitStatus,
    "SubmitAnswer": c.SubmitAnswer,
}
_OURS: Final = f"{{{NAMESPACE}}}"
_NAMED: Final = ("<AttachmentId>", "</AttachmentId>", "<ContentId>", "</ContentId>")


def root_of(root: _Element) -> str:
    """Return the local name of a root of the profile; raise MalformedError for another document."""
    name = local(root.tag)
    if not str(root.tag).startswith(_OURS) or name not in (*REQUESTS, *RESPONSES):
        raise MalformedError(
            "not a payload of the profile of appeals",
            found=str(root.tag)[:200],
            expected=f"{_OURS}{' | '.join((*REQUESTS, *RESPONSES))}",
        )
    return name


def read(root: _Element) -> Any:
    """Return a request, Status or Answer of the profile as the contract's struct.

    A file is named by the contentId or uuid of its header in `attachment_id`. Raises
    ValidationError with the places that do not fit.
    """
    name = CONTRACT.get(root_of(root), root_of(root))
    root.attrib.pop("Id", "")
    again = xml.parse(canonical(_renamed(root, name)))
    contracts.appeals().validate(again.root, again.nodes)
    return binding.read(_KINDS[name], again.root)


def write(document: msgspec.Struct, name: str) -> bytes:
    """Return the payload; name: of its root."""
    text = binding.write(document, name).decode()
    return _named(text.replace(f'xmlns="{ns.APPEALS}"', f'xmlns="{NAMESPACE}"', 1)).encode()


def checked(payload: bytes) -> bytes:
    """Return a payload that may leave; raise ValidationError naming what the profile forbids."""
    found = schemas.violations(schemas.profile(), xml.parse(payload).root)
    if found:
        raise ValidationError("the payload does not fit the profile", found)
    return payload


def _named(text: str) -> str:
    """Name files as the profile does; what is in a text has no `<`, so no word of a citizen is."""
    for ours, theirs in zip(_NAMED[:2], _NAMED[2:], strict=True):
        text = text.replace(ours, theirs)
    return text


def _renamed(root: _Element, name: str) -> _Element:
    for element in root.iter("*"):
        tag = str(element.tag)
        if tag.startswith(_OURS):
            inner = tag[len(_OURS) :]
            element.tag = ns.tag(ns.APPEALS, "AttachmentId" if inner == "ContentId" else inner)
    root.tag = ns.tag(ns.APPEALS, name)
    return root
