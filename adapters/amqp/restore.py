"""Writes a decoded item back as the document that its message carried, without the envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from adapters.amqp.codes import JSON, TYPE, TYPE_PREFIX
from gateway.adapter import Wire
from gateway.wires import restored

if TYPE_CHECKING:
    from gateway.adapter import Inbound

_encode: Final = msgspec.json.Encoder().encode


def restore(item: Inbound) -> Wire:
    """Return the document of an item, in the contract's own spelling (`gateway.wires.restored`)."""
    name, document = restored.document(item)
    return Wire(
        media_type=JSON,
        body=_encode(document),
        name=f"{name}.json",
        headers={TYPE: f"{TYPE_PREFIX}{name}"},
    )
