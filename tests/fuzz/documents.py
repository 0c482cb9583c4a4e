"""Valid requests of the contract, drawn from a seeded generator: seeds for the mutator."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import inspect

from gateway.wires import binding
from gateway.wires import contract as c

if TYPE_CHECKING:
    from random import Random

    import msgspec

WORDS = (
    "Примерова",
    "ул. Примерная",
    "д. 5",
    "А26-01",
    "ОГ-7",
    "x",
    "proba",
    "Ёж",
    "№ 1",
    "𝔛",
    "&<>",
)
DIGITS = ("[0-9]{13}", 13), ("[0-9]{10}", 10), ("[0-9]{8}", 8)
DEPTH = 6
"""Below it nothing optional is drawn."""

Draw = "Callable[[Random, int], Any]"


def request(random: Random, operation: str) -> bytes:
    """Return the body element of an operation, valid most of the time."""
    return binding.write(_struct(c.OPERATIONS[operation].request)(random, 0))


@cache
def _struct(cls: type[msgspec.Struct]) -> Draw:
    fields = [
        (field.name, field.required, _value(field.type)) for field in inspect.type_info(cls).fields
    ]

    def draw(random: Random, depth: int) -> Any:
        chance = 0.35 if depth < 3 else 0.1
        return cls(
            **{
                name: make(random, depth + 1)
                for name, required, make in fields
                if required or (depth < DEPTH and random.random() < chance)
            }
        )

    return draw


def _value(kind: inspect.Type) -> Draw:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return _value(next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
    if isinstance(kind, inspect.StructType):
        # The types of the contract may hold themselves: looked up when drawn.
        return lambda random, depth: _struct(kind.cls)(random, depth)  # noqa: PLW0108
    if isinstance(kind, inspect.VarTupleType):
        item = _value(kind.item_type)
        return lambda random, depth: tuple(item(random, depth) for _ in range(random.randint(1, 2)))
    if isinstance(kind, inspect.LiteralType):
        return lambda random, _depth: random.choice(kind.values)
    if isinstance(kind, inspect.StrType):
        return lambda random, _depth: _text(random, kind)
    return _PLAIN[type(kind)](kind)


def _text(random: Random, kind: inspect.StrType) -> str:
    pattern = kind.pattern or ""
    if "{64}" in pattern:
        return f"{random.getrandbits(256):064x}"
    if "0-9a-fA-F]{8}" in pattern:
        return "00000000-0000-4000-8000-000000000005"
    for mark, count in DIGITS:
        if mark in pattern:
            return "".join(random.choices("0123456789", k=count))
    if "0-9A-Za-z._" in pattern or "!-~" in pattern:
        return random.choice(("a.b-1", "code", "x:y/z"))
    words = " ".join(random.choices(WORDS, k=random.randint(1, 3)))
    return words.replace("/", "-")[: kind.max_length or 100]


def _whole(kind: Any) -> Draw:
    low, high = kind.ge if kind.ge is not None else -5, kind.le if kind.le is not None else 10**6
    return lambda random, _depth: random.choice((low, high, random.randint(low, high)))


def _instant(_kind: Any) -> Draw:
    zone = dt.timezone(dt.timedelta(hours=3))
    begin = dt.datetime(2026, 1, 1, tzinfo=zone)
    return lambda random, _depth: begin + dt.timedelta(seconds=random.randint(0, 3 * 10**7))


def _day(_kind: Any) -> Draw:
    return lambda random, _depth: dt.date(2026, 1, 1) + dt.timedelta(days=random.randint(0, 330))


_PLAIN: dict[type, Any] = {
    inspect.IntType: _whole,
    inspect.FloatType: lambda _kind: lambda random, _depth: random.uniform(-90, 90),
    inspect.BoolType: lambda _kind: lambda random, _depth: random.random() < 0.5,
    inspect.BytesType: lambda _kind: lambda random, _depth: random.randbytes(random.randint(0, 60)),
    inspect.DateTimeType: _instant,
    inspect.DateType: _day,
}
