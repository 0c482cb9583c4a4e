"""Arbitrary documents of the contract, within the facets of its words."""

from __future__ import annotations

import asyncio
import datetime as dt
from hashlib import sha256

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from gateway.model.filenames import cleaned
from gateway.wires import contract as c

CHARACTERS = st.characters(
    codec="utf-8",
    exclude_categories=("Cs",),
    exclude_characters="".join(
        chr(code) for code in (*range(32), 0xFFFE, 0xFFFF) if code not in (9, 10, 13)
    ),
)
WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
)
DIGITS = st.text("0123456789", min_size=15, max_size=15)
HEX = st.binary(max_size=9).map(lambda data: sha256(data).hexdigest())
FILE_NAME = WORD.map(cleaned)
PATTERNS = (
    ("[0-9a-fA-F]{64}", HEX),
    ("[0-9a-fA-F]{8}", st.uuids().map(str) | st.just("")),
    ("[0-9]{13}", DIGITS.map(lambda d: d[:13]) | DIGITS | st.just("")),
    ("[0-9]{10}", DIGITS.map(lambda d: d[:10]) | DIGITS.map(lambda d: d[:12]) | st.just("")),
    ("[0-9]{8}", DIGITS.map(lambda d: d[:8]) | DIGITS.map(lambda d: d[:11]) | st.just("")),
    ("[^/", FILE_NAME),
    ("[^ ", st.lists(WORD, min_size=1, max_size=3).map(" ".join)),
    ("[!-~]", st.text("abc123", min_size=1)),
    ("[0-9A-Za-z._", st.text("aZ9._:/-")),
)
OFFSETS = st.integers(-12, 14).map(lambda hours: dt.timezone(dt.timedelta(hours=hours)))
MOMENTS = st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2090, 1, 1), timezones=OFFSETS)  # noqa: DTZ001


def documents(kind: type[msgspec.Struct]) -> st.SearchStrategy:
    """Return arbitrary documents of a type of the contract."""
    if kind is c.AttachmentIn:
        return _attachments()
    fields = {
        field.name: (field.required, _values(field.type))
        for field in inspect.type_info(kind).fields
    }
    return st.fixed_dictionaries(
        {name: value for name, (required, value) in fields.items() if required},
        optional={name: value for name, (required, value) in fields.items() if not required},
    ).map(lambda values: kind(**values))


def _values(kind: inspect.Type) -> st.SearchStrategy:
    if isinstance(kind, inspect.Metadata):
        return _values(kind.type)
    if isinstance(kind, inspect.UnionType):
        return _values(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    made = {
        inspect.StructType: lambda: documents(kind.cls),
        inspect.VarTupleType: lambda: st.lists(_values(kind.item_type), max_size=2).map(tuple),
        inspect.LiteralType: lambda: st.sampled_from(kind.values),
        inspect.StrType: lambda: _texts(kind),
        inspect.IntType: lambda: st.integers(kind.ge or 0, min(kind.le or 10**9, 10**9)),
        inspect.FloatType: lambda: st.floats(kind.ge, kind.le),
        inspect.BytesType: lambda: st.binary(max_size=40),
        inspect.BoolType: st.booleans,
        inspect.DateType: lambda: st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31)),
        inspect.DateTimeType: lambda: MOMENTS,
    }
    return made[type(kind)]()


def _texts(kind: inspect.StrType) -> st.SearchStrategy:
    if kind.pattern:
        return next(made for mark, made in PATTERNS if mark in kind.pattern)
    return st.text(CHARACTERS, min_size=kind.min_length or 0, max_size=20)


@st.composite
def _attachments(draw) -> c.AttachmentIn:
    """A file in one of the ways it may come, in agreement with itself."""
    content = draw(st.none() | st.binary(max_size=20))
    digest = draw(HEX) if content is None else sha256(content).hexdigest()
    by_id = draw(st.booleans())
    spelled = digest.upper() if draw(st.booleans()) else digest
    return c.AttachmentIn(
        file_name=draw(FILE_NAME),
        media_type=draw(st.none() | st.text(CHARACTERS, max_size=9)),
        content=content,
        attachment_id=digest if by_id and content is None else None,
        sha256=spelled if (content is None and not by_id) or draw(st.booleans()) else None,
        role=draw(st.sampled_from([None, "appeal", "covering", "evidence"])),
    )


async def after(first, asked):
    """Ask until something else than the first comes, and return that."""
    for _ in range(1_000):
        later = await asked()
        if later != first:
            return later
        await asyncio.sleep(0.01)
    raise AssertionError(f"still {first}")
