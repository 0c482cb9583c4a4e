"""JSON before it is made into objects: how many values a text would make.

A megabyte of `[],` makes 350,000 lists of 56 bytes each; a limit on bytes alone is none on memory.
"""

from __future__ import annotations

import re
from typing import Final

from gateway import limits
from gateway.errors import TooLargeError

STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A string, or what begins as one and never ends. It gives nothing back, so that it takes time in
proportion to the text: with backtracking 115 packed bytes took 18 s."""


def check_values(body: bytes, limit: int = limits.JSON_VALUES) -> None:
    """Raise TooLargeError for more values than `limit`; what stands within strings is none."""
    if _marks(body, 0, len(body)) <= limit:
        return
    values = end = 0
    for strings, string in enumerate(STRING.finditer(body), 1):
        values += _marks(body, end, string.start())
        end = string.end()
        # JSON has two strings a value at most: with more of them it is none, as its decoder says.
        if values > limit or strings > 2 * limit + 2:
            break
    else:
        values += _marks(body, end, len(body))
    if values > limit:
        raise TooLargeError("too many values in the body", expected=f"at most {limit}")


def _marks(body: bytes, start: int, end: int) -> int:
    return sum(body.count(mark, start, end) for mark in (b"{", b"[", b","))
