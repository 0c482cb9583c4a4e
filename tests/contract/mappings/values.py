"""Spellings of values: how a leaf of the wire reads into the model and is written back.

`read` returns None for what it does not understand: the leaf then stays an extra, verbatim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.model.base import day
from gateway.model.fold import clean_text

Files = dict[str, bytes]


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


SAME = pair(_text, _written)
TRUTH = choice({"true": True, "false": False})
DAY = pair(lambda raw: day(raw).isoformat(), lambda value: value.isoformat())
