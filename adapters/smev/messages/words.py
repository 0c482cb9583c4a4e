"""RequestRejected, RequestStatus and AsyncProcessingStatus as documents: answers without a payload.

One of them is the document itself; of several rejections SenderProvidedResponseData is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.smev.messages import fragments, names
from adapters.smev.messages import types as t
from adapters.smev.messages.parts import Reader

if TYPE_CHECKING:
    from lxml.etree import _Element

    from adapters.smev.messages.types import Version

_OUTER: Final = "SenderProvidedResponseData"


class Words(NamedTuple):
    """What such a document says; one of the three is there."""

    rejected: tuple[t.RequestRejected, ...] = ()
    status: t.RequestStatus | None = None
    async_status: t.AsyncProcessingStatus | None = None


def write(version: Version, words: Words | t.ResponseData) -> bytes:
    """Return the document."""
    declared = f' xmlns:t="{names.types(version)}" xmlns:b="{names.basic(version)}"'
    if len(words.rejected) > 1:
        return f"<t:{_OUTER}{declared}>{fragments.rejected(words.rejected)}</t:{_OUTER}>".encode()
    if words.rejected:
        return fragments.rejected(words.rejected, declared=declared).encode()
    if words.status is not None:
        return fragments.status(words.status, declared=declared).encode()
    assert words.async_status is not None
    text = fragments.async_status(words.async_status)
    return text.replace(
        "<t:AsyncProcessingStatus>", f"<t:AsyncProcessingStatus{declared}>"
    ).encode()


def read(root: _Element) -> Words | None:
    """Return what a document says; None for a document of another kind."""
    if names.version_of(str(root.tag).rpartition("}")[0].lstrip("{")) is None:
        return None
    reader, name = Reader(), names.local(root.tag)
    if name == _OUTER:
        found = reader.rejected(root)
        return Words(rejected=found) if found else None
    if name == "RequestRejected":
        return Words(
            rejected=(
                t.RequestRejected(
                    code=reader.text(root, "RejectionReasonCode"),
                    description=reader.text(root, "RejectionReasonDescription"),
                ),
            )
        )
    if name == "RequestStatus":
        return Words(status=reader.status(root))
    if name == "AsyncProcessingStatus":
        return Words(async_status=reader.async_status(root))
    return None
