"""Columns of a batch, encoded as PostgreSQL binary arrays by us.

psycopg turns a Python list into an array element by element; for the eight tables of one accept
batch that was a third of the client's time (docs/adr/0002). These builders join prepared bytes in
one go. Layout: PostgreSQL `array_send` — int32 ndim, int32 has-null, oid of the element, int32
length, int32 lower bound, then int32 size (-1 for null) and bytes for each element.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from struct import Struct
from typing import TYPE_CHECKING, Any

from psycopg.adapt import Dumper
from psycopg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection
    from psycopg.abc import Buffer

_HEAD = Struct(">iiiii").pack
_INT4 = Struct(">i").pack
_INT4_ITEM = Struct(">ii").pack
_INT2_ITEM = Struct(">ih").pack
_INT8_ITEM = Struct(">iq").pack
_NULL = _INT4(-1)
_UUID_SIZE = _INT4(16)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1)


class Array:
    """An encoded array, ready to be bound as one parameter."""

    __slots__ = ("data",)
    oid = 0
    element = 0

    def __init__(self, count: int, items: bytes, *, has_null: bool = False) -> None:
        head = (
            _HEAD(1, int(has_null), self.element, count, 1)
            if count
            else _HEAD(0, 0, self.element, 0, 0)[:12]
        )
        self.data = head + items


class TextArray(Array):
    """An array of text."""

    oid, element = 1009, 25

    @classmethod
    def of(cls, values: Sequence[str | None]) -> TextArray:
        """Encode strings; None becomes null."""
        return cls(len(values), *_sized([None if v is None else v.encode() for v in values]))


class ByteaArray(Array):
    """An array of bytea."""

    oid, element = 1001, 17

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> ByteaArray:
        """Encode byte strings; None becomes null."""
        return cls(len(values), *_sized(values))


class UuidArray(Array):
    """An array of uuid."""

    oid, element = 2951, 2950

    @classmethod
    def of(cls, values: Sequence[UUID | None]) -> UuidArray:
        """Encode uuids; None becomes null."""
        try:
            items = b"".join([_UUID_SIZE + value.bytes for value in values])  # type: ignore[union-attr]
        except AttributeError:  # looking for None first would ask each uuid whether it equals it
            return cls(len(values), *_sized([None if v is None else v.bytes for v in values]))
        return cls(len(values), items)


class Int4Array(Array):
    """An array of int4."""

    oid, element = 1007, 23

    @classmethod
    def of(cls, values: Sequence[int]) -> Int4Array:
        """Encode 32-bit integers."""
        return cls(len(values), b"".join([_INT4_ITEM(4, value) for value in values]))


class Int2Array(Array):
    """An array of int2."""

    oid, element = 1005, 21

    @classmethod
    def of(cls, values: Sequence[int]) -> Int2Array:
        """Encode 16-bit integers."""
        return cls(len(values), b"".join([_INT2_ITEM(2, value) for value in values]))


class Int8Array(Array):
    """An array of int8."""

    oid, element = 1016, 20

    @classmethod
    def of(cls, values: Sequence[int]) -> Int8Array:
        """Encode 64-bit integers."""
        return cls(len(values), b"".join([_INT8_ITEM(8, value) for value in values]))


class BoolArray(Array):
    """An array of bool."""

    oid, element = 1000, 16

    @classmethod
    def of(cls, values: Sequence[bool]) -> BoolArray:
        """Encode booleans."""
        one, zero = _INT4(1) + b"\x01", _INT4(1) + b"\x00"
        return cls(len(values), b"".join([one if value else zero for value in values]))


class InstantArray(Array):
    """An array of timestamptz."""

    oid, element = 1185, 1184

    @classmethod
    def of(cls, values: Sequence[datetime | None]) -> InstantArray:
        """Encode aware instants as microseconds since 2000-01-01; None becomes null."""
        if None in values:
            items = [_NULL if v is None else _INT8_ITEM(8, microseconds(v)) for v in values]
            return cls(len(values), b"".join(items), has_null=True)
        return cls(len(values), b"".join([_INT8_ITEM(8, microseconds(v)) for v in values]))  # type: ignore[arg-type]


class DateArray(Array):
    """An array of date."""

    oid, element = 1182, 1082

    @classmethod
    def of(cls, values: Sequence[date]) -> DateArray:
        """Encode calendar days as days since 2000-01-01."""
        items = [_INT4_ITEM(4, (value - _EPOCH_DAY).days) for value in values]
        return cls(len(values), b"".join(items))


def microseconds(instant: datetime) -> int:
    """Return PostgreSQL's timestamptz: microseconds since 2000-01-01T00:00Z."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _sized(values: Sequence[bytes | None]) -> tuple[bytes]:
    size = _INT4
    return (b"".join([_NULL if v is None else size(len(v)) + v for v in values]),)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer:
        return obj.data


def register(connection: Connection[Any]) -> None:
    """Teach a connection to bind the arrays of this module."""
    for kind in (
        TextArray, ByteaArray, UuidArray, Int4Array, Int2Array, Int8Array, BoolArray, InstantArray,
        DateArray,
    ):  # fmt: skip
        dumper = type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": kind.oid})
        connection.adapters.register_dumper(kind, dumper)
