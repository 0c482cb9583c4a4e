"""Cuts a JSON array that comes in pieces into its elements, so that a list of any size is read."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from json import JSONDecoder
from typing import TYPE_CHECKING, Final

from gateway import limits
from gateway.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ELEMENT_CHARS: Final = limits.MB
"""One row of the list; past it what is no end of a row is taken for a fault."""
AT_ONCE: Final = 64 * limits.KB
"""Bytes collected before they are looked at: a cut row is read again from its beginning."""

_AFTER: Final = frozenset(",] \t\n\r")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_scan: Final = JSONDecoder().raw_decode


def elements(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the elements of an array in UTF-8, each as it stood; raise MalformedError."""
    array = _Array()
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= AT_ONCE:
            yield from array.feed(bytes(waiting))
            waiting.clear()
    yield from array.feed(bytes(waiting), last=True)


class _Array:
    """Where in the array we stand; `_wants` holds the marks that may come next.

    An element is wanted where there are none, or, in a new array, instead of the closing one.
    """

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._at = 0
        self._wants = "["
        self._new = False
        self._closed = False

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[bytes]:
        """Take what came, yield the elements that are whole. last: nothing more will come."""
        try:
            self._text = self._text[self._at :] + self._decode(data, final=last)
        except UnicodeDecodeError as error:
            raise MalformedError("the list is not in UTF-8", found=str(error)) from error
        self._at = 0
        while self._skip_space():
            if self._wants or self._closed or (self._new and self._text[self._at] == "]"):
                self._mark()
            elif found := self._element(last=last):
                yield found
                self._wants, self._new = ",]", False
            else:
                return
        if last and not self._closed:
            raise MalformedError("the list ends before its array does")

    def _skip_space(self) -> bool:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._at < len(self._text)

    def _mark(self) -> None:
        """Pass a bracket or a comma."""
        mark = self._text[self._at]
        if self._closed or (mark not in self._wants and not self._new):
            raise MalformedError("the list is not a JSON array", found=mark, expected=self._wants)
        self._at += 1
        self._wants = ""
        self._new, self._closed = mark == "[", mark == "]"

    def _element(self, *, last: bool) -> bytes:
        """Return the element that begins here; empty when its end has not come yet."""
        fault = ""
        try:
            _, end = _scan(self._text, self._at)
        except RecursionError as error:
            raise MalformedError("a row of the list is nested too deep") from error
        except ValueError as error:  # no JSON, at least so far; or a number of 4,300 digits
            fault = str(error)
        else:
            # `1` may go on as `1.5`
            if last or self._text[end : end + 1] in _AFTER:
                text = self._text[self._at : end]
                self._at = end
                return text.encode()
        if last or len(self._text) - self._at > ELEMENT_CHARS:
            raise MalformedError(
                "a row of the list is not JSON, or too large",
                found=fault,
                expected=f"at most {ELEMENT_CHARS} characters",
            )
        return b""
