"""What is kept of a message: the envelope whose signatures were verified, as it was then.

The archive can show years later who signed what; `gateway smev verify` says of a stored message the
same as when it came. What MTOM took out of a signed element stands in it as base64; the bytes of
files stand beside (`package`), vouched for by the digests and signatures in the envelope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.smev.messages import read, words
from adapters.smev.messages import types as t
from gateway import ns
from gateway.errors import UnsupportedError

if TYPE_CHECKING:
    from lxml.etree import _Element

_ENVELOPE = ns.tag(ns.SOAP11, "Envelope")


def is_envelope(root: _Element) -> bool:
    """Whether a kept document is an envelope, and not the payload or the word alone."""
    return bool(root.tag == _ENVELOPE)


def content(envelope: bytes) -> bytes:
    """Return the payload or the word that a kept envelope brought; raise InputError."""
    found = read.answer(envelope)
    if isinstance(found, t.RequestMessage):
        return found.data.content
    if isinstance(found, t.ResponseMessage):
        data = found.data
        return data.content if data.kind == "response" else words.write(found.version, data)
    if isinstance(found, t.StatusMessage):
        return words.write(found.version, words.Words(async_status=found.status))
    raise UnsupportedError("neither a request, a response nor a status", where="Body")
