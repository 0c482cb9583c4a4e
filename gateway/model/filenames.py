"""What a file may be called, wherever its name comes from: one rule for every wire and adapter.

A name is shown to clerks and becomes a file again at a peer's: a path would leave its folder, and
controls of direction make `exe.jpg` of what is called `gpj.exe`.
"""

from __future__ import annotations

import re
from typing import Final

NAMELESS: Final = "file"
"""What is called so when nothing of a name is left."""
_NEVER: Final = re.compile(
    r"[/\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
"""Separators of paths, control characters, ends of lines, and controls of direction."""


def flaw(name: str) -> str:
    """Say in words why this is no name of a file; empty when it is one."""
    if not name.strip(" .\u00a0\u3000"):
        return "a file is called by more than dots and spaces"
    if _NEVER.search(name):
        return "the name of a file has no path, no control character and no control of direction"
    return ""


def cleaned(name: str) -> str:
    """Return the name as one that a file may have, for documents that are not sent back for it."""
    kept = _NEVER.sub("_", name)
    return NAMELESS if flaw(kept) else kept
