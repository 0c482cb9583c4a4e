"""What a peer's answer repeats of our request: a page about an error may show all its headers."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.http1 import Response

_SECRET_CHARS: Final = 8
_PLAIN: Final = frozenset(
    {"accept", "content-type", "soapaction", "user-agent", "host", "idempotency-key",
     "webhook-id", "webhook-timestamp", "webhook-signature", "traceparent"}
)  # fmt: skip
"""Headers of ours that are no secret; a key may stand in any other, as a peer's row names it."""


def hidden(response: Response, headers: Mapping[str, str]) -> Response:
    """Return an answer without the credentials that a page about an error may show of our request.

    The answer is kept as evidence, its first words stand in errors, logs and lists.
    """
    body = response.body
    for name, value in headers.items():
        if name.lower() in _PLAIN or len(value) < _SECRET_CHARS:
            continue
        scheme, _, credential = value.partition(" ")
        for secret in {value, credential, *_pair(scheme, credential)}:
            if len(secret) >= _SECRET_CHARS:
                body = body.replace(secret.encode("latin-1", "replace"), b"***")
    return response if body is response.body else response._replace(body=body)


def _pair(scheme: str, credential: str) -> tuple[str, ...]:
    """Return user:password and the password of HTTP Basic, as a page may have decoded them."""
    if scheme.lower() != "basic":
        return ()
    try:
        pair = base64.b64decode(credential, validate=True).decode("latin-1")
    except ValueError:
        return ()
    return pair, pair.partition(":")[2]
