"""What the note of a message may say: where and why it was refused, never what stood there.

It also says what came beside the body: which files of a package, which headers.

The note lies beside the body, outlives it and is shown unmasked. Reasons quote values now and then,
and a path is made of names that a stranger chose: both are cleaned here.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from gateway.adapter import File, Stored, Wire
from gateway.errors import GatewayError, ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN: Final = "…"
_STEP: Final = re.compile(r"(?!.*\d{7})[\w\[\]{}?.:~=, -]{0,64}", re.ASCII)
"""A step of a path as our contracts have it; no word in Russian, and no number of a telephone."""
_SHORT: Final = 3
PART: Final = "part "
"""What the names of parts in a note begin with."""
HEADER: Final = "header "
"""What the names of headers in a note begin with."""
NAME: Final = "name"
_PLAIN: Final = re.compile(r"(?!(?:.*?\d){7})[\w:./+;=-]{1,200}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX_DIGITS: Final = 64
"""Of a SHA-256."""


def of(error: GatewayError) -> dict[str, Any]:
    """Return code, message, place and violations of an error without anything of the message."""
    violations: tuple[Violation, ...] = getattr(error, "violations", ())
    given = [error.found, *(violation.found for violation in violations)]
    paths = {error.where, *(violation.path for violation in violations)}
    hidden = {path: _path(path) for path in paths if _path(path) != path}
    hidden |= {found: HIDDEN for found in given if len(found) > _SHORT}
    return {
        "code": error.code,
        "message": _text(error.message, hidden),
        "where": _path(error.where),
        "violations": [
            {
                "path": _path(violation.path),
                "code": violation.code,
                "message": _text(violation.message, hidden),
                "expected": _text(violation.expected, {}),
                "line": violation.line,
            }
            for violation in violations
        ],
    }


def _path(path: str) -> str:
    """Return a place without names that no contract of ours has; a column is of our profile."""
    if not path.startswith(("/", "?")):
        return _text(path, {})
    return "/".join(step if _STEP.fullmatch(step) else HIDDEN for step in path.split("/"))


def _text(text: str, hidden: Mapping[str, str]) -> str:
    """Return a reason without what is hidden, and without NUL, which PostgreSQL does not hold."""
    for found, instead in hidden.items():
        text = text.replace(found, instead)
    return text.replace("\0", "")


def of_wire(wire: Wire) -> dict[str, str]:
    """Return name and headers of a message that its adapter may need to read it once more.

    Only words that can be no person's: types, codings, ids.
    """
    told = {NAME: wire.name} if _is_plain(wire.name) else {}
    return told | {
        f"{HEADER}{name}": text
        for name, text in wire.headers.items()
        if _PLAIN.fullmatch(name) and _is_plain(text)
    }


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text) or _UUID.fullmatch(text))


def wire_of(beside: Mapping[str, str], media_type: str, body: bytes) -> Wire:
    """Return a stored message of an adapter as it came, as far as `of_wire` kept it."""
    return Wire(
        media_type=media_type,
        body=body,
        name=beside.get(NAME, ""),
        headers={
            name.removeprefix(HEADER): text
            for name, text in beside.items()
            if name.startswith(HEADER)
        },
    )


def part_key(content_id: str) -> str:
    """Return the name of a part in the note of its message.

    A Content-ID is a stranger's word, and a note is shown unmasked: a digest stands for it.
    """
    return f"{PART}{sha256(content_id.encode()).hexdigest()[:32]}"


def part_of(told: str) -> Stored:
    """Return which bytes a note means; raise ValidationError."""
    digest, _, size = told.partition(" ")
    if not (len(digest) == _HEX_DIGITS and size.isdecimal()):
        raise ValidationError("the note of a message names no part", (Violation("", "cid", told),))
    return Stored(sha256=digest, size=int(size))


def of_parts(parts: Mapping[str, File]) -> dict[str, str]:
    """Return how a note tells of the parts of a package."""
    return {part_key(cid): f"{file.sha256} {file.size}" for cid, file in parts.items()}
