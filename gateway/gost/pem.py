"""Values as PEM (RFC 7468): what the command line reads."""

from __future__ import annotations

import base64


def pem(label: str, der: bytes) -> bytes:
    """Return a value between its lines."""
    body = base64.encodebytes(der)
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), body, label.encode())
