"""Appeals for the tests of the model: a full one, and arbitrary ones."""

import datetime as dt
import typing
import uuid
from enum import Enum

import msgspec
from hypothesis import strategies as st

from gateway.model.base import Entity

_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
_OFFSETS = st.integers(-12, 14).map(lambda hours: dt.timezone(dt.timedelta(hours=hours)))
_MOMENTS = st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2090, 1, 1), timezones=_OFFSETS)  # noqa: DTZ001
_LEAVES = {
    str: _WORDS,
    int: st.integers(0, 10**9),
    float: st.floats(-180, 180),
    bool: st.booleans(),
    dt.date: st.dates(dt.date(1850, 1, 1), dt.date(2199, 12, 31)),
    dt.datetime: _MOMENTS,
    uuid.UUID: st.uuids(),
}


def any_of(hint: object, depth: int) -> st.SearchStrategy:
    """Return values of a field's type; entities nest only so deep."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return any_of(arguments[0], depth)
    if origin is tuple:
        return (
            st.just(())
            if depth < 1
            else st.lists(any_of(arguments[0], depth), max_size=2).map(tuple)
        )
    if arguments:
        kinds = [kind for kind in arguments if kind is not type(None)]
        return st.none() | any_of(kinds[0], depth)
    if hint in _LEAVES:
        return _LEAVES[hint]
    if hint is typing.Any:
        return st.none() | _WORDS | st.integers(0, 9) | st.dictionaries(_WORDS, _WORDS, max_size=2)
    assert isinstance(hint, type), hint
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    return entity(hint, depth - 1)


def entity(cls: type[Entity], depth: int = 3) -> st.SearchStrategy:
    """Return arbitrary entities of a class; below the depth only what is required is filled."""
    hints = typing.get_type_hints(cls, include_extras=True)
    required = {f.name for f in msgspec.structs.fields(cls) if f.required}
    fields = {
        name: any_of(hint, depth) for name, hint in hints.items() if depth > 0 or name in required
    }
    return st.fixed_dictionaries(
        {name: value for name, value in fields.items() if name in required},
        optional={name: value for name, value in fields.items() if name not in required},
    ).map(lambda values: cls(**values))


def filled(cls: type[Entity]) -> Entity:
    """Return an entity with every field set, one item in every list, as deep as it goes."""

    def value(hint: object, path: tuple[type, ...]) -> object:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return value(arguments[0], path)
        if origin is tuple:
            return () if arguments[0] in path else (value(arguments[0], path),)
        if arguments:
            kind = next(kind for kind in arguments if kind is not type(None))
            return None if kind in path else value(kind, path)
        if isinstance(hint, type) and issubclass(hint, Entity):
            return make(hint, path)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return list(hint)[-1]
        return {
            str: "значение", int: 7, float: 1.5, bool: True, dt.date: dt.date(2026, 3, 2),
            uuid.UUID: uuid.UUID(int=7), typing.Any: {"a": ["б", None, 1]},
            dt.datetime: dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC),
        }[hint]  # fmt: skip

    def make(kind: type, path: tuple[type, ...]) -> Entity:
        hints = typing.get_type_hints(kind, include_extras=True)
        return kind(**{name: value(hint, (*path, kind)) for name, hint in hints.items()})

    return make(cls, ())
