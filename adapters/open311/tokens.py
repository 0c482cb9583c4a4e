"""Tokens of requests whose number is not told at once.

A token holds the key under which its sender's request is stored, so nothing has to be kept for it;
it names nothing to anybody else, because a key is looked up among the caller's own requests.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from adapters.open311.codes import BATCH, BLACKBOX
from gateway.limits import ID_CHARS
from gateway.model.fold import FORBIDDEN

_MARKS: Final = {BATCH: "b", BLACKBOX: "x"}


def token_of(kind: str, key: str) -> str:
    """Return the token of a request. kind: type of its service."""
    return _MARKS[kind] + urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_in(token: str) -> tuple[str, str]:
    """Return the type of service and the key that a token holds; empty texts for no token."""
    kind = next((kind for kind, mark in _MARKS.items() if token.startswith(mark)), "")
    try:
        key = urlsafe_b64decode(token[1:] + "=" * (-len(token[1:]) % 4)).decode()
    except ValueError:
        return "", ""
    fine = bool(kind and key) and len(key) <= ID_CHARS and FORBIDDEN.search(key) is None
    return (kind, key) if fine and token_of(kind, key) == token else ("", "")
