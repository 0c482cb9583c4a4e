"""WS-Addressing 1.0 (2005/08): reads the headers of a request, writes those of its answer.

The simple case: request and answer on one connection, so ReplyTo and FaultTo are anonymous.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from gateway import ns
from gateway.errors import UnsupportedError, ValidationError, Violation
from gateway.xml import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

FAULT_ACTION: Final = f"{ns.WSA}/soap/fault"
"""Action of faults that no service declares: version, mandatory headers."""
NAMES: Final = frozenset(
    ns.tag(ns.WSA, name)
    for name in ("Action", "MessageID", "RelatesTo", "To", "From", "ReplyTo", "FaultTo")
)
"""Header blocks that we understand."""
_ONCE: Final = ("Action", "MessageID", "To", "ReplyTo", "FaultTo", "From")


class Addressing(NamedTuple):
    """What the addressing headers of a request say."""

    action: str
    """Empty when there was none: WCF on SOAP 1.1 says it in the SOAPAction of HTTP alone."""
    message_id: str
    """Empty when there was none; then the answer relates to nothing."""


def read(blocks: Sequence[_Element]) -> Addressing | None:
    """Return what the headers say, None when there are none of ours.

    blocks: header blocks meant for us. Raise ValidationError for a header given twice,
    UnsupportedError for a ReplyTo or FaultTo elsewhere.
    """
    prefix = f"{{{ns.WSA}}}"
    found: dict[str, _Element] = {}
    for block in blocks:
        if not block.tag.startswith(prefix):
            continue
        name = block.tag[len(prefix) :]
        if name in found and name in _ONCE:
            raise _invalid(block, "duplicate", "the addressing header stands twice")
        found[name] = block
    if not found:
        return None
    for name in ("ReplyTo", "FaultTo"):
        if name in found:
            _require_anonymous(found[name])
    return Addressing(_text(found.get("Action")), _text(found.get("MessageID")))


def peek(blocks: Sequence[_Element]) -> Addressing | None:
    """Return what can be read of the headers without judging them, for the frame of a fault."""
    found = {block.tag: _text(block) for block in blocks}
    if not any(tag.startswith(f"{{{ns.WSA}}}") for tag in found):
        return None
    return Addressing(
        found.get(ns.tag(ns.WSA, "Action"), ""), found.get(ns.tag(ns.WSA, "MessageID"), "")
    )


def write(action: str, relates_to: str, message_id: str = "") -> str:
    """Return the header blocks of an answer, for an envelope whose prefix is `s`.

    message_id: of the answer; derived from `relates_to` when empty, so that a repeat of the call
    gets the same bytes.
    """
    message_id = message_id or f"urn:uuid:{uuid5(NAMESPACE_URL, relates_to + action)}"
    blocks = [
        f'<a:Action xmlns:a="{ns.WSA}" s:mustUnderstand="1">{escape(action)}</a:Action>',
        f'<a:MessageID xmlns:a="{ns.WSA}">{escape(message_id)}</a:MessageID>',
    ]
    if relates_to:
        blocks.append(f'<a:RelatesTo xmlns:a="{ns.WSA}">{escape(relates_to)}</a:RelatesTo>')
    return "".join(blocks)


def _text(element: _Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _require_anonymous(endpoint: _Element) -> None:
    address = _text(endpoint.find(ns.tag(ns.WSA, "Address")))
    if address != ns.WSA_ANONYMOUS:
        raise UnsupportedError(
            "answers go back on the same connection only",
            found=address,
            expected=ns.WSA_ANONYMOUS,
            where=f"/Envelope/Header/{etree.QName(endpoint).localname}",
        )


def _invalid(block: _Element, code: str, message: str) -> ValidationError:
    path = f"/Envelope/Header/{etree.QName(block).localname}"
    return ValidationError(message, (Violation(path, code, message, _text(block)[:200]),))
