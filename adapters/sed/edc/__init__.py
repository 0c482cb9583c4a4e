"""МЭДО 2.7 and 2.7.1: a message whose document lies in a transport container (README)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.sed.codes import PEER
from adapters.sed.edc.decode import CARD, VERSIONS, decode, version_of
from adapters.sed.edc.encode import can_carry, encode
from adapters.sed.edc.restore import restore

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.adapter import Inbound

__all__ = ["can_carry", "decode", "encode", "is_container", "is_item", "restore"]


def is_container(root: _Element) -> bool:
    """Say whether a message brings a transport container, of any version."""
    return version_of(root) is not None


def is_item(item: Inbound) -> bool:
    """Say whether an item came in a container, so that `restore` knows it."""
    if item.report is not None:
        return any(e.peer == PEER and e.path == CARD for e in item.report.extras)
    source = item.appeal.source_system if item.appeal else None
    return source is not None and source.value in {v.source for v in VERSIONS.values()}
