"""Where something is wrong, in the spelling of the wire that asks.

The mapping to the canonical model (`canonical`, `ingest`) names places relative to the document,
by element names: `Questions/QuestionIn[2]/Text`. SOAP wants them from the body element down, JSON
as a JSON Pointer: `/questions/1/text`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.errors import TooLargeError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.errors import GatewayError

_NAME: Final = re.compile(r"[A-Z]\w*")
_ITEM: Final = re.compile(r"(?:[A-Z]\w*)?\[(\d+)\]")


def pointer(path: str) -> str:
    """Return a relative place as a JSON Pointer; one that is absolute already stays."""
    if not path or path[0] in "/?{" or " " in path or "-" in path:
        return path
    steps = []
    for name in path.split("/"):
        item = _ITEM.fullmatch(name)
        steps.append(str(int(item[1]) - 1) if item else name[:1].lower() + name[1:])
    return "/" + "/".join(steps)


def as_pointers(error: GatewayError) -> GatewayError:
    """Return the error with its places as JSON Pointers."""
    error.where = pointer(error.where)
    if isinstance(error, ValidationError):
        error.violations = tuple(v._replace(path=pointer(v.path)) for v in error.violations)
    return error


def as_parameters(error: GatewayError, in_path: Collection[str] = ()) -> GatewayError:
    """Return the error of a call without a body, its places as parameters of the query.

    in_path: names of the parameters that stand in the path.
    """
    if isinstance(error, ValidationError):
        error.violations = tuple(
            v._replace(path=_parameter(v.path, in_path)) if _NAME.fullmatch(v.path) else v
            for v in error.violations
        )
        error.where = error.violations[0].path if error.violations else ""
    return error


def _parameter(path: str, in_path: Collection[str]) -> str:
    name = path[0].lower() + path[1:]
    return f"{{{name}}}" if name in in_path else f"?{name}"


def below(error: GatewayError, prefix: str) -> GatewayError:
    """Return the error with its relative places below a prefix such as `/SubmitAppeal/Appeal`."""
    if isinstance(error, ValidationError):
        error.violations = tuple(
            v._replace(path=f"{prefix}/{v.path}".rstrip("/")) if _is_relative(v.path) else v
            for v in error.violations
        )
    elif isinstance(error, TooLargeError) and error.where and _is_relative(error.where):
        error.where = f"{prefix}/{error.where}"
    return error


def _is_relative(path: str) -> bool:
    """Whether it is a place in the document: no parameter, header, or line of the source."""
    return path[:1] not in ("/", "?", "{") and "-" not in path and " " not in path
