"""Says what is wrong with one value of a JSON document or a parameter, in the words of JSON.

What was expected is told as the contract has it: the words of an enumeration, the note of the XSD
on a pattern, bounds, an example of a day. The bytes of a file are never repeated.
"""

from __future__ import annotations

import json
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    get_args,
    get_origin,
)

import msgspec
from msgspec import inspect

from gateway import contracts
from gateway.errors import TooLargeError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

ADVICE: Final = "correct what `errors` names; /openapi.json describes every field"
_FOUND: Final = 200
_PATTERN_END: Final = r"$(?!\n)"
_TYPES: Final[dict[type[inspect.Type], str]] = {
    inspect.StrType: "string",
    inspect.LiteralType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.BytesType: "string of base64",
    inspect.DateType: "string: a day as 2026-11-20",
    inspect.DateTimeType: "string: an instant as 2026-11-20T09:15:30+03:00",
    inspect.VarTupleType: "array",
    inspect.StructType: "object",
}


class _Said(NamedTuple):
    code: str
    message: str
    expected: str


def wrong(kind: Any, given: Any, path: str, *, strict: bool = True) -> Violation | None:
    """Return what is wrong with one value, or None; raise TooLargeError for a file past its limit.

    strict: as in JSON; otherwise a number may be told as text, as in a query.
    """
    return next(all_wrong(kind, given, path, strict=strict), None)


def all_wrong(kind: Any, given: Any, path: str, *, strict: bool = True) -> Iterator[Violation]:
    """Yield what is wrong with a value; of a list with each of its items."""
    try:
        msgspec.convert(given, kind, strict=strict)
    except msgspec.ValidationError as error:
        info = plain(kind)
        if isinstance(info, inspect.VarTupleType) and isinstance(given, list):
            yield from _items(kind, info.max_length, given, path)
            return
        said = _said(kind, given, str(error))
        if isinstance(info, inspect.BytesType):
            yield Violation(path, said.code, said.message, _size(given), said.expected)
            if said.code == "length":
                raise _too_large(path, given, said.expected) from error
        else:
            yield Violation(path, said.code, said.message, shown(given), said.expected)


def expected(kind: Any) -> str:
    """Return what a field of this type holds, for one that is missing."""
    return _TYPES.get(type(plain(kind)), "")


def shown(given: Any) -> str:
    """Return what was found, cut."""
    text = given if isinstance(given, str) else json.dumps(given, default=str, ensure_ascii=False)
    return text[:_FOUND]


def other_type(given: Any, path: str, expected: str) -> Violation:
    """Return the violation of a value that is no `expected`, as `array` or `object`."""
    return Violation(path, "type", f"the value is no {expected}", type_of(given), expected)


def type_of(given: Any) -> str:
    """Return what JSON calls the type of a value."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    return "number" if isinstance(given, float) else names.get(type(given), "null")


@cache
def plain(kind: Any) -> inspect.Type:
    """Return the type under an annotation, without `| None`."""
    info = inspect.type_info(kind)
    if isinstance(info, inspect.UnionType):
        info = next(one for one in info.types if not isinstance(one, inspect.NoneType))
    return info


def words(kind: Any) -> tuple[str, ...]:
    """Return the words of an enumeration in the order of the contract."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next(filter(None, map(words, get_args(kind))), ())


def _items(kind: Any, most: int | None, given: list[Any], path: str) -> Iterator[Violation]:
    if most is not None and len(given) > most:
        message = f"the list is too long: {len(given)} items"
        yield Violation(path, "max_items", message, str(len(given)), f"at most {most}")
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    item = get_args(kind)[0]
    for place, one in enumerate(given[:most]):
        yield from all_wrong(item, one, f"{path}/{place}")


def _said(kind: Any, given: Any, text: str) -> _Said:
    """Say it; text: msgspec's own words, which tell the rule that was broken."""
    info = plain(kind)
    name = _TYPES.get(type(info), "")
    if isinstance(info, inspect.LiteralType) and isinstance(given, str):
        return _Said("enumeration", "the value is not one of the list", ", ".join(words(kind)))
    if "matching regex" in text:
        return _Said("pattern", "the value does not match the pattern", _pattern(info))
    if "of length" in text:
        return _length(info, given)
    if ">=" in text or "<=" in text:
        low = ">=" in text
        bound = getattr(info, "ge" if low else "le", None)
        word = "small" if low else "large"
        return _Said(
            "range", f"the number is too {word}", f"at {'least' if low else 'most'} {bound}"
        )
    if "base64" in text:
        return _Said("base64", "the bytes are not base64", "base64")
    for mark, code, what in (
        ("encoded datetime", "date_time", "an instant with its offset"),
        ("timezone", "date_time", "an instant with its offset"),
        ("encoded date", "date", "a calendar day"),
    ):
        if mark in text:
            return _Said(code, f"the value is not {what}", name.removeprefix("string: "))
    if "got `" in text:
        return _Said("type", "the value is of another type", name)
    return _Said("value", "the value cannot be taken", name)


def _length(info: inspect.Type, given: Any) -> _Said:
    least, most = getattr(info, "min_length", None), getattr(info, "max_length", None)
    unit = "bytes" if isinstance(info, inspect.BytesType) else "characters"
    if least is not None and isinstance(given, str) and len(given) < least:
        return _Said("length", "the value is too short", f"at least {least} {unit}")
    return _Said("length", "the value is too long", f"at most {most} {unit}")


def _pattern(info: inspect.Type) -> str:
    pattern = getattr(info, "pattern", None) or ""
    bare = pattern.removeprefix("^").removesuffix(_PATTERN_END)
    return contracts.appeals().notes.get(bare, bare)


def _size(given: Any) -> str:
    return f"{len(given)} characters" if isinstance(given, str) else type_of(given)


def _too_large(path: str, given: Any, expected: str) -> TooLargeError:
    size = len(given) * 3 // 4 if isinstance(given, str) else 0
    return TooLargeError(
        "a file carried as base64 is too large",
        found=f"about {size} bytes",
        expected=expected,
        where=path,
        todo="send a larger file by SOAP, as a part of a package (MTOM)",
    )
