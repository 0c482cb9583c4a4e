"""МЭДО → the model: a document, a notification or a receipt; other formats go to their own rooms.

Read as it is seen in the wild: an empty or wrong version, file names without extension, encodings
declared wrongly, no envelope, files that are named and missing, kinds of notifications that no
schema knows. What is not mapped stays as extras where it stood, by its place in the card.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from adapters.sed import document, edc, notice, sev, tree
from adapters.sed.codes import DOCUMENT, NOTICE, RECEIPT, Reasons
from adapters.sed.folder import of_files, unpack
from adapters.sed.reader import Reader
from gateway.adapter import Decoded
from gateway.errors import UnsupportedError, ValidationError, Violation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from adapters.sed.folder import Folder
    from gateway.adapter import Inbound, Wire

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_BODIES: Final = {"document": DOCUMENT, "notification": NOTICE, "acknowledgment": RECEIPT}


def decode(
    wire: Wire, zone: dt.tzinfo, reasons: Reasons, options: Mapping[str, Any] = _NOTHING
) -> Decoded:
    """Return what a message says; raise GatewayError when it can be neither read nor told apart."""
    folder = unpack(wire)
    root, note = tree.parse(folder.body)
    if edc.is_container(root):
        return edc.decode(root, folder.files, options)
    if sev.is_container(root):
        return sev.decode(root, folder.files, options)
    card = tree.card(root, note)
    kind = kind_of(card)
    if kind == RECEIPT:
        return Decoded(items=(notice.receipt(Reader(card, zone), wire.body),))
    return Decoded(items=(_item(kind, card, folder, zone, reasons),))


def named(files: Mapping[str, bytes]) -> str:
    """Return the uid of the message of these files, by which its folder is called."""
    root, _ = tree.parse(of_files("", dict(files)).body)
    return uid_of(tree.card(root))


def uid_of(card: tree.Card) -> str:
    """Return the uid of a message in small letters, empty when it has none.

    SEV calls it `MessageID`.
    """
    found = card.values.get("header/@uid") or card.values.get("Header/@MessageID", "")
    return found.strip().lower()


def kind_of(card: tree.Card) -> str:
    """Return which of the three a card is: by what it holds, then by what its header says."""
    heads = {place.partition("/")[0] for place in card.values}
    for element, word in _BODIES.items():
        if element in heads:
            return word
    return card.values.get("header/@type", "").strip()


def _item(kind: str, card: tree.Card, folder: Folder, zone: dt.tzinfo, reasons: Reasons) -> Inbound:
    reader = Reader(card, zone)
    match kind:
        case "Документ":
            return document.submission(reader, folder)
        case "Уведомление":
            return notice.report(reader, folder, reasons)
        case other:
            if card.root not in {tree.ROOT, "envelope", "message"}:
                raise UnsupportedError(
                    "это не сообщение МЭДО · not a message of МЭДО",
                    found=card.root[:100],
                    expected="communication",
                )
            message = "ни документа, ни уведомления, ни квитанции · none of the three kinds"
            wrong = Violation("header/@type", "enumeration", message, other, ", ".join(_BODIES))
            raise ValidationError("the message says nothing that is known", (wrong,))
