"""Spellings of values: how a leaf of the wire reads into the model and is written back.

`read` returns None for what it does not understand: the leaf then stays an extra, verbatim.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.model.base import day
from gateway.model.fold import clean_text, number_key

Files = dict[str, bytes]

MOSCOW = dt.timezone(dt.timedelta(hours=3))
"""МЭДО and the regional systems write local time without an offset; it is the peer's setting."""


class Value(NamedTuple):
    """One spelling: from the wire, and back."""

    read: Callable[[Any, Files], Any]
    write: Callable[[Any, Files], Any]


def pair(read: Callable[[Any], Any], write: Callable[[Any], Any]) -> Value:
    """Return a spelling that needs no files; what `read` cannot read becomes None."""

    def safe(raw: Any, _files: Files) -> Any:
        try:
            return read(raw)
        except (ValueError, TypeError, KeyError, GatewayError):
            return None

    return Value(safe, lambda value, _files: write(value))


def _text(raw: Any) -> str | None:
    return clean_text(raw) or None if isinstance(raw, str) else None


def _written(value: Any) -> str | None:
    return str(value) or None


def choice(words: Mapping[Any, Any]) -> Value:
    """Return the spelling of an enumeration: wire word → our word."""
    back = {ours: word for word, ours in words.items()}
    return pair(lambda raw: words[raw], back.get)


def fixed(word: Any) -> Value:
    """Return a reading that says `word` whenever the wire says anything, for one-way rows."""
    return pair(lambda raw: None if raw is None else word, lambda _value: None)


def _local(raw: str) -> str:
    at = dt.datetime.fromisoformat(raw)
    return (at if at.tzinfo else at.replace(tzinfo=MOSCOW)).isoformat()


def _midnight(raw: str) -> str:
    at = dt.datetime.fromisoformat(raw)
    return at.date().isoformat()


def _read_blob(raw: Any, files: Files) -> str | None:
    try:
        data = base64.b64decode(raw, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
    digest = hashlib.sha256(data).hexdigest()
    files[digest] = data
    return digest


SAME = pair(_text, _written)
NUMBER = pair(int, str)
DECIMAL = pair(float, lambda value: repr(value).removesuffix(".0"))
TRUTH = choice({"true": True, "false": False})
DAY = pair(lambda raw: day(raw).isoformat(), lambda value: value.isoformat())
LOCAL = pair(_local, lambda value: value.astimezone(MOSCOW).replace(tzinfo=None).isoformat())
"""An instant that the peer writes without offset, in Moscow time; one with offset is read too."""
INSTANT = pair(
    lambda raw: raw if dt.datetime.fromisoformat(raw).tzinfo else None,
    lambda value: value.isoformat().replace("+00:00", "Z"),
)
"""An instant with its offset; UTC is written Z."""
MIDNIGHT = pair(_midnight, lambda value: f"{value.isoformat()}T00:00:00")
"""A calendar date that the peer dresses as midnight; any other time stays an extra."""
COUNT = pair(lambda raw: raw if type(raw) is int else None, lambda value: value)
"""A JSON integer."""
DEGREES = pair(lambda raw: raw if type(raw) is float else None, lambda value: value)
"""A JSON number with a fraction."""
NUMBER_TEXT = pair(
    lambda raw: str(raw) if type(raw) is int else None,
    lambda value: int(value) if value.isdecimal() else None,
)
"""A JSON number that is a code."""
KEY = pair(number_key, lambda _value: None)
"""The folded key of a number, one way."""
BLOB = Value(
    _read_blob,
    lambda value, files: base64.b64encode(files[value]).decode() if value in files else None,
)
"""Base64 of a file; the model keeps the SHA-256."""
SIZE = pair(lambda raw: len(base64.b64decode(raw, validate=True)), lambda _value: None)
