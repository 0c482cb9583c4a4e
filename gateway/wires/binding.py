"""Fast binding between the contract's structs and XML: `read` an lxml element, `write` bytes.

Both directions are compiled once, at import, from the types of `gateway.wires.contract`; a call
does no introspection. `read` expects an element that `gateway.contracts` has validated: it trusts
the structure, and yet raises nothing but `ValidationError` whatever it gets. It walks one flat
iterator over all descendants, because an iterator for each element costs lxml five times as much.
`write` builds the text directly, without a tree.

An element's name is the JSON name of the field with a capital; a list is an element that holds one
element for each item, named as its type. An optional text that comes empty and an
optional value that comes nil are absent. What equals its default is not written, as in JSON.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec
from lxml.etree import _Element
from msgspec import inspect

from gateway import ns
from gateway.adapter import File
from gateway.errors import InternalError, ValidationError, Violation
from gateway.wires import contract
from gateway.wires.parts import Walk, pointer
from gateway.xml import escape

if TYPE_CHECKING:
    from gateway.soap.splitter import Part

T = TypeVar("T", bound=msgspec.Struct)
Scalar = Callable[[str], Any]
Deep = Callable[[_Element, Iterator[_Element]], Any]
Write = Callable[[Any, Callable[[str], None]], None]

_NO_PARTS: Final[Mapping[_Element, Part]] = MappingProxyType({})
_NIL: Final = ns.tag(ns.XSI, "nil")
_TRUE: Final = ("true", "1")


def read(cls: type[T], element: _Element, parts: Mapping[_Element, Part] = _NO_PARTS) -> T:
    """Return the struct that a validated element holds.

    parts: what elements hold that are empty because their bytes came beside the envelope; in the
    struct the part stands where bytes would (`gateway.wires.files`). Raise ValidationError for a
    value that Python cannot hold (24:00:00, the year 10000), a nil item, a list past its limit, or
    a structure that was not validated.
    """
    walk = element.iter() if not parts else Walk(element.iter(), parts)
    next(walk)
    return cast("T", _READERS[cls](element, walk))


def write(document: msgspec.Struct, name: str = "") -> bytes:
    """Return the document as one UTF-8 element with its namespace declared, ready for a Body.

    name: local name of the element, the name of the class when empty.
    """
    cls = type(document)
    name = name or cls.__name__
    parts = [f'<{name} xmlns="{ns.APPEALS}">']
    _WRITERS[cls](document, parts.append)
    parts.append(f"</{name}>")
    return "".join(parts).encode()


def _path(element: _Element) -> str:
    """Return where the element stands, from the contract's outermost element down."""
    steps: list[str] = []
    node: _Element | None = element
    while node is not None and str(node.tag).startswith(f"{{{ns.APPEALS}}}"):
        steps.append(node.tag.rpartition("}")[2])
        node = node.getparent()
    return "/" + "/".join(reversed(steps))


def _refuse(element: _Element, code: str, message: str, expected: str = "") -> ValidationError:
    line = cast("int | None", element.sourceline) or 0
    found = (element.text or "").strip()
    # The bytes of a file are never repeated.
    found = f"{len(found)} characters" if element.tag in FILES else found[:200]
    return ValidationError(
        message, (Violation(_path(element), code, message, found, expected, line),)
    )


def _read_bool(text: str) -> bool:
    return text.strip() in ("true", "1")


def _read_float(text: str) -> float:
    value = float(text)
    if not -1e308 < value < 1e308:
        message = "not a finite number"
        raise ValueError(message)
    return value


def _read_day(text: str) -> date:
    """A day keeps no offset: Java writes one after xs:date, and it says nothing about the day."""
    text = text.strip()
    if text[10:11] not in ("", "Z", "+", "-"):
        message = "not a day between the years 1 and 9999"
        raise ValueError(message)
    return date.fromisoformat(text[:10])


def _read_instant(text: str) -> datetime:
    value = datetime.fromisoformat(text.strip())
    if value.tzinfo is None:
        message = "the offset is missing"
        raise ValueError(message)
    return value


def _read_bytes(text: str) -> bytes:
    """Strictly: libxml2 lets anything stand behind whole groups of four, and it would be lost."""
    return a2b_base64("".join(text.split()), strict_mode=True)


def _read_file(element: _Element, walk: Iterator[_Element]) -> Any:
    """Return the bytes of an element, or the part that holds them."""
    text = element.text
    if not text:
        if isinstance(walk, Walk) and element in walk.parts:
            return walk.parts[element]
        if element.get(_NIL) in _TRUE:
            raise _refuse(element, "nil", "a file is nil: leave it out when there is none")
    return _read_bytes(text or "")


def _write_file(value: bytes | File) -> str:
    if isinstance(value, File):
        return pointer(value)
    return b2a_base64(value, newline=False).decode("ascii")


_SCALAR_READERS: Final[dict[type[inspect.Type], Scalar]] = {
    inspect.StrType: str,
    inspect.LiteralType: str,
    inspect.BoolType: _read_bool,
    inspect.IntType: int,
    inspect.FloatType: _read_float,
    inspect.DateType: _read_day,
    inspect.DateTimeType: _read_instant,
    inspect.BytesType: _read_bytes,
}


def _write_instant(value: datetime) -> str:
    offset = value.utcoffset()
    if offset is None:
        message = "an instant without offset reached an answer"
        raise InternalError(message)
    if not offset:
        return value.isoformat()[:-6] + "Z"
    if offset.seconds % 60:
        return _write_instant(value.astimezone(UTC))
    return value.isoformat()


_SCALAR_WRITERS: Final[dict[type[inspect.Type], Callable[[Any], str]]] = {
    inspect.StrType: escape,
    inspect.LiteralType: escape,
    inspect.BoolType: lambda value: "true" if value else "false",
    inspect.IntType: str,
    inspect.FloatType: repr,
    inspect.DateType: date.isoformat,
    inspect.DateTimeType: _write_instant,
    inspect.BytesType: _write_file,
}


def _plain(kind: inspect.Type) -> inspect.Type:
    """Return the type without its constraints' wrapper and without `| None`."""
    if isinstance(kind, inspect.Metadata):
        return _plain(kind.type)
    if isinstance(kind, inspect.UnionType):
        (kind,) = (item for item in kind.types if not isinstance(item, inspect.NoneType))
        return _plain(kind)
    return kind


def _item_name(field: inspect.Field, item: inspect.Type) -> str:
    """Name of a list's items: their type, or the field in the singular when they are plain."""
    if isinstance(item, inspect.StructType):
        return item.cls.__name__
    return element_name(field)[:-1] if field.name != "allowed_events" else "EventType"


_ELEMENTS: Final = {"region_code": "regionCode"}
"""Fields that have a shorter name in JSON and in a query: `?region=36`."""


def element_name(field: inspect.Field) -> str:
    """Return the element name of a field: its JSON name with a capital."""
    name = _ELEMENTS.get(field.name, field.encode_name)
    return name[0].upper() + name[1:]


def _too_long(element: _Element, limit: int) -> ValidationError:
    return _refuse(element, "max_items", "the list is too long", f"at most {limit} items")


def _nil(element: _Element) -> ValidationError:
    return _refuse(element, "nil", "an item of a list is empty", "an item with content")


def _list_reader(item: Deep, limit: int) -> Deep:
    def read_list(element: _Element, walk: Iterator[_Element]) -> tuple[Any, ...]:
        count = len(element)
        if count > limit:
            raise _too_long(element, limit)
        return tuple([item(child, walk) for child in islice(walk, count)])

    return read_list


def _plain_list_reader(item: Scalar, limit: int) -> Deep:
    def read_list(element: _Element, walk: Iterator[_Element]) -> tuple[Any, ...]:
        count = len(element)
        if count > limit:
            raise _too_long(element, limit)
        values = []
        for child in islice(walk, count):
            if not child.text and child.get(_NIL) in _TRUE:
                raise _nil(child)
            values.append(item(child.text or ""))
        return tuple(values)

    return read_list


def _struct_reader(
    cls: type[msgspec.Struct], fields: dict[str, tuple[str, Scalar | None, Deep | None]]
) -> Deep:
    """Return a reader of one type.

    A field is (attribute, converter of its text, reader of its elements); an optional text, the
    commonest, has neither.
    """

    def read_struct(element: _Element, walk: Iterator[_Element]) -> msgspec.Struct:
        values: dict[str, Any] = {}
        child = element
        try:
            for child in islice(walk, len(element)):
                name, scalar, deep = fields[child.tag]
                if deep is not None:
                    values[name] = deep(child, walk)
                elif text := child.text:
                    values[name] = text if scalar is None else scalar(text)
                elif scalar is not None and child.get(_NIL) not in _TRUE:
                    values[name] = scalar("")
            if not values and element.get(_NIL) in _TRUE:
                raise _nil(element)
            return cls(**values)
        except KeyError as error:
            raise _refuse(child, "unexpected", "the element is not of the contract") from error
        except TypeError as error:
            raise _refuse(element, "required", "an element is missing") from error
        except (ValueError, OverflowError) as error:
            raise _refuse(child, "value", f"the value cannot be taken: {error}") from error

    return read_struct


def _struct_writer(fields: tuple[tuple[str, Any, str, str, Write | None, Any], ...]) -> Write:
    """Return a writer of one type.

    A field is (attribute, default or None, start tag, end tag, writer of what is inside or
    None, text of a scalar).
    """

    def write_struct(document: Any, out: Callable[[str], None]) -> None:
        for name, default, start, end, inside, text in fields:
            value = getattr(document, name)
            if value is None or (default is not None and value == default):
                continue
            if inside is None:
                out(f"{start}{text(value)}{end}")
            else:
                out(start)
                inside(value, out)
                out(end)

    return write_struct


def _list_writer(start: str, end: str, item: Write | None, text: Any) -> Write:
    def write_list(values: tuple[Any, ...], out: Callable[[str], None]) -> None:
        for value in values:
            if item is None:
                out(f"{start}{text(value)}{end}")
            else:
                out(start)
                item(value, out)
                out(end)

    return write_list


def _compile_field_reader(field: inspect.Field) -> tuple[Scalar | None, Deep | None]:
    kind = _plain(field.type)
    if isinstance(kind, inspect.StrType | inspect.LiteralType) and not field.required:
        return None, None
    if isinstance(kind, inspect.BytesType):
        return None, _read_file
    if isinstance(kind, inspect.StructType):
        return None, _reader(kind.cls)
    if isinstance(kind, inspect.VarTupleType):
        item = _plain(kind.item_type)
        limit = kind.max_length if kind.max_length is not None else 2**31
        if isinstance(item, inspect.StructType):
            return None, _list_reader(_reader(item.cls), limit)
        return None, _plain_list_reader(_SCALAR_READERS[type(item)], limit)
    return _SCALAR_READERS[type(kind)], None


def _compile_field_writer(field: inspect.Field) -> tuple[Write | None, Any]:
    kind = _plain(field.type)
    if isinstance(kind, inspect.StructType):
        return _writer(kind.cls), None
    if isinstance(kind, inspect.VarTupleType):
        item = _plain(kind.item_type)
        name = _item_name(field, item)
        inside, text = (
            (_writer(item.cls), None)
            if isinstance(item, inspect.StructType)
            else (None, _SCALAR_WRITERS[type(item)])
        )
        return _list_writer(f"<{name}>", f"</{name}>", inside, text), None
    return None, _SCALAR_WRITERS[type(kind)]


FILES: Final[set[str]] = set()
"""Tags of elements that hold bytes in base64."""
_READERS: Final[dict[type[msgspec.Struct], Deep]] = {}
_WRITERS: Final[dict[type[msgspec.Struct], Write]] = {}


def _fields(cls: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    return cast("inspect.StructType", inspect.type_info(cls)).fields


def _reader(cls: type[msgspec.Struct]) -> Deep:
    if cls not in _READERS:
        FILES.update(
            ns.tag(ns.APPEALS, element_name(field))
            for field in _fields(cls)
            if isinstance(_plain(field.type), inspect.BytesType)
        )
        _READERS[cls] = _struct_reader(
            cls,
            {
                ns.tag(ns.APPEALS, element_name(field)): (field.name, *_compile_field_reader(field))
                for field in _fields(cls)
            },
        )
    return _READERS[cls]


def _writer(cls: type[msgspec.Struct]) -> Write:
    if cls not in _WRITERS:
        compiled = []
        for field in _fields(cls):
            name = element_name(field)
            inside, text = _compile_field_writer(field)
            default = None if field.default is msgspec.NODEFAULT else field.default
            compiled.append((field.name, default, f"<{name}>", f"</{name}>", inside, text))
        _WRITERS[cls] = _struct_writer(tuple(compiled))
    return _WRITERS[cls]


for _name in contract.__all__:
    _entry = getattr(contract, _name)
    if isinstance(_entry, type) and issubclass(_entry, msgspec.Struct):
        _reader(_entry)
        _writer(_entry)
