"""Says exactly what is wrong with a JSON document: a JSON Pointer, a reason, what was expected.

Runs only when msgspec has refused a document: msgspec stops at the first finding and does not point
at an unknown field. Here every part is tried on its own, up to 20 findings.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from gateway import limits
from gateway.errors import MalformedError, TooLargeError, ValidationError, Violation
from gateway.model.fold import FORBIDDEN
from gateway.rest import values
from gateway.xml import looks_like_1251

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUSPECT: Final = re.compile(
    rb"\\(?:[bf]|u00[01][0-9a-f]|ud[89a-f][0-9a-f]{2}|ufff[ef])|\xef\xbf[\xbe\xbf]", re.IGNORECASE
)
"""Bytes of JSON without which no forbidden character can be in it."""
_BOM: Final = b"\xef\xbb\xbf"
_TODO_1251: Final = (
    "the bytes look like windows-1251, and JSON is UTF-8 only (RFC 8259): send UTF-8, or XML with "
    "charset=windows-1251 in Content-Type"
)


def plain(body: bytes) -> Any:
    """Return the document as dicts and lists, lone surrogates included.

    Raise MalformedError with line and column, or TooLargeError for what nests too deeply.
    """
    try:
        return json.loads(body.removeprefix(_BOM).decode())
    except UnicodeDecodeError as error:
        raise MalformedError(
            "the body is not UTF-8",
            found=error.reason,
            where=f"byte {error.start}",
            todo=_TODO_1251 if looks_like_1251(body) else "",
        ) from error
    except json.JSONDecodeError as error:
        raise MalformedError(
            f"the body is not JSON: {error.msg}", where=f"line {error.lineno}, column {error.colno}"
        ) from error
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        raise MalformedError("a number in the body has too many digits") from error
    except RecursionError as error:
        raise TooLargeError(
            "the body is nested too deeply", expected=f"at most {limits.JSON_DEPTH} levels"
        ) from error


def check_characters(document: Any) -> None:
    """Raise ValidationError when a text, or a name of a member, holds a forbidden character."""
    found = tuple(islice(_characters(document, "", 0), limits.VIOLATIONS_REPORTED))
    if found:
        raise ValidationError("a character that no text may hold", found)


def refusal(kind: type[msgspec.Struct], document: Any, first: str) -> ValidationError:
    """Return what is wrong with a document of this kind; first: msgspec's own finding.

    Raise TooLargeError for a file that is past its limit.
    """
    found: list[Violation] = []
    for violation in _struct(kind, document, ""):
        found.append(violation)
        if len(found) == limits.VIOLATIONS_REPORTED:
            break
    found = found or [Violation("", "contract", first)]
    return ValidationError(
        "the document does not fit the contract", tuple(found), todo=values.ADVICE
    )


def step(name: str) -> str:
    """Return a member's name as one step of a JSON Pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _struct(kind: type[msgspec.Struct], document: Any, path: str) -> Iterator[Violation]:
    if not isinstance(document, dict):
        yield values.other_type(document, path, "object")
        return
    fields = _members(kind)
    for name, given in document.items():
        field = fields.get(name)
        if field is None:
            message = "no such field in the contract"
            yield Violation(path + step(name), "unexpected", message, name[:200], ", ".join(fields))
        else:
            yield from _field(field, given, path + step(name))
    for name, field in fields.items():
        if field.required and name not in document:
            said = values.expected(field.kind)
            yield Violation(path + step(name), "required", "the field is missing", "", said)


def _field(member: _Member, given: Any, path: str) -> Iterator[Violation]:
    nested, many, most = member.nested, member.many, member.most
    if nested is None or given is None:
        yield from values.all_wrong(member.kind, given, path)
    elif not many:
        yield from _struct(nested, given, path)
    elif not isinstance(given, list):
        yield values.other_type(given, path, "array")
    else:
        if most is not None and len(given) > most:
            message = f"the list is too long: {len(given)} items"
            yield Violation(path, "max_items", message, str(len(given)), f"at most {most}")
        for place, item in enumerate(given[:most]):
            yield from _struct(nested, item, f"{path}/{place}")


class _Member(NamedTuple):
    """One field of a struct. nested: the struct it holds; many: a list of them; most: its limit."""

    required: bool
    kind: Any
    nested: type[msgspec.Struct] | None
    many: bool
    most: int | None


@cache
def _members(kind: type[msgspec.Struct]) -> Mapping[str, _Member]:
    """Return the fields of a struct by name; a list of 20,000 items asks for them 20,000 times."""
    return {
        field.encode_name: _Member(field.required, field.type, *_nested(field.type))
        for field in msgspec.structs.fields(kind)
    }


def _nested(kind: Any) -> tuple[type[msgspec.Struct] | None, bool, int | None]:
    """Return the struct that a field holds, whether it is a list of them, and its longest."""
    info = inspect.type_info(kind)
    if isinstance(info, inspect.UnionType):
        info = next(one for one in info.types if not isinstance(one, inspect.NoneType))
    if isinstance(info, inspect.StructType):
        return info.cls, False, None
    if isinstance(info, inspect.VarTupleType) and isinstance(info.item_type, inspect.StructType):
        return info.item_type.cls, True, info.max_length
    return None, False, None


def _characters(node: Any, path: str, depth: int) -> Iterator[Violation]:
    if depth > limits.JSON_DEPTH:
        raise TooLargeError(
            "the body is nested too deeply", expected=f"at most {limits.JSON_DEPTH} levels"
        )
    if isinstance(node, str):
        bad = FORBIDDEN.search(node)
        if bad:
            found = f"U+{ord(bad[0]):04X} at character {bad.start() + 1}"
            yield Violation(path, "character", "a character that no text may hold", found)
    elif isinstance(node, dict):
        for name, item in node.items():
            clean = FORBIDDEN.sub("\ufffd", name)
            if clean != name:
                message = "a character that no name may hold"
                yield Violation(path + step(clean), "character", message)
            yield from _characters(item, path + step(clean), depth + 1)
    elif isinstance(node, list):
        for place, item in enumerate(node):
            yield from _characters(item, f"{path}/{place}", depth + 1)
