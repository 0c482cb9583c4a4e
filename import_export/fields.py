"""Where a cell goes in the appeal: dotted paths of a profile, checked against the model.

    text                                      a field of the appeal
    questions[].text                          the question of this row (several rows, one appeal)
    questions[1].text                         the second question (several columns, one row)
    applicants[0].person.family               an item of a list, by its place
    addresses[role=problem].oktmo             an item of a list, by what it is
    questions[].topics[*].code                one item for each part of a split cell

`plant` puts values into a tree of dicts; `harvest` makes lists of it and converts it to an Appeal.
"""

from __future__ import annotations

import re
import types
import typing
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.appeal import Appeal
from gateway.model.base import Code
from gateway.model.intake import PAST
from import_export.reasons import refuse

_STEP: Final = re.compile(r"([a-z_]+)(?:\[(?:(\d{1,3})|(\*)|([a-z_]+)=([\w.-]+)|)\])?", re.ASCII)
_NEEDS_PEER: Final = ("refs", "extras")


class Step(NamedTuple):
    """One segment of a path; `items` says that it is a list."""

    name: str
    items: bool = False
    at: int | None = None
    each: bool = False
    select: tuple[str, str] | None = None

    @property
    def here(self) -> bool:
        """Whether the segment means the question of the current row."""
        return self.items and self.at is None and not self.each and self.select is None


class Field(NamedTuple):
    """A path that the model has, with the type at its end and the name of a folded key beside."""

    path: str
    steps: tuple[Step, ...]
    type: Any
    key_name: str = ""

    @property
    def per_row(self) -> bool:
        """Whether the value belongs to the question of the row."""
        return any(step.here for step in self.steps)

    @property
    def past(self) -> bool:
        """Whether the value tells what has happened already."""
        return ".".join(step.name for step in self.steps) in PAST

    @property
    def each(self) -> bool:
        """Whether a cell gives several values."""
        return any(step.each for step in self.steps)


class _Items(dict[Any, Any]):
    """A list under construction: place or selector → item."""


def parse(path: str, where: str = "") -> Field:
    """Return the field of a path; raise ConfigurationError when the model has no such place."""
    steps = tuple(_step(part, path, where) for part in path.split("."))
    cls: Any = Appeal
    key_name = ""
    for number, step in enumerate(steps):
        names = _fields(cls) if _is_struct(cls) else {}
        if step.name not in names:
            raise ConfigurationError(
                "the model has no such field",
                found=step.name,
                expected=", ".join(sorted(names)) or "nothing below it",
                where=f"{where}: {path}",
            )
        kind, many = names[step.name]
        if many != step.items:
            raise ConfigurationError(
                "this field is a list: say which item" if many else "this field is no list",
                found=step.name,
                expected=f"{step.name}[0]" if many else step.name,
                where=f"{where}: {path}",
            )
        if step.here and (number or step.name != "questions"):
            raise ConfigurationError(
                "only questions[] may stand for the row", found=path, where=where
            )
        if number == len(steps) - 1:
            key_name = next((k for k in (f"{step.name}_key",) if k in names), "")
        cls = kind
    if _is_struct(cls) and cls is not Code:
        raise ConfigurationError(
            "the path ends too early",
            found=path,
            expected=", ".join(f"{path}.{name}" for name in sorted(_fields(cls))),
            where=where,
        )
    return Field(path, steps, cls, key_name)


def plant(tree: dict[str, Any], field: Field, value: Any, ordinal: int, part: int = 0) -> None:
    """Put a value at its place; `ordinal` is the question of the row, `part` that of the cell."""
    node = tree
    for step in field.steps[:-1]:
        node = _down(node, step, ordinal, part)
    last = field.steps[-1]
    if last.items:
        node.setdefault(last.name, _Items())[_place(last, ordinal, part)] = value
    else:
        node[last.name] = value


def plant_beside(tree: dict[str, Any], field: Field, value: Any, ordinal: int, part: int) -> None:
    """Put the folded key beside the number that it is the key of."""
    node = tree
    for step in field.steps[:-1]:
        node = _down(node, step, ordinal, part)
    node[field.key_name] = value


def add_extra(tree: dict[str, Any], peer: str, path: str, value: str, ordinal: int | None) -> None:
    """Keep a cell of a column that the profile does not know; with the question, if given."""
    if ordinal is not None:
        tree = tree.setdefault("questions", _Items()).setdefault(ordinal, {})
    extras = tree.setdefault("extras", _Items())
    extras[len(extras)] = {"peer": peer, "path": path, "value": value}


def harvest(tree: dict[str, Any], peer: str) -> Appeal:
    """Return the appeal of a tree; raise ValidationError when the values do not form one.

    A single question of which only a date was told has the words of the appeal. A letter comes in
    as a whole: a day of coming in that is told for one question holds for those without one.
    """
    plain = _plain(tree, peer)
    questions = plain.get("questions", ())
    incoming = next((q["incoming_date"] for q in questions if "incoming_date" in q), None)
    for ordinal, question in enumerate(questions, 1):
        question["ordinal"] = ordinal
        if incoming is not None:
            question.setdefault("incoming_date", incoming)
    if len(questions) == 1 and "topics" not in questions[0]:
        questions[0].setdefault("text", plain.get("text") or plain.get("subject", ""))
    try:
        return msgspec.convert(plain, Appeal)
    except msgspec.ValidationError as error:
        raise refuse("structure", str(error)) from error


def add_external_id(tree: dict[str, Any], value: str) -> None:
    """Name the external id among the references, as `gateway.wires.canonical` does."""
    refs = tree.setdefault("refs", _Items())
    refs.setdefault(("external_id", ""), {"peer": "gateway", "kind": "external_id", "value": value})


def _down(node: dict[str, Any], step: Step, ordinal: int, part: int) -> dict[str, Any]:
    below: dict[str, Any]
    if not step.items:
        below = node.setdefault(step.name, {})
        return below
    items = node.setdefault(step.name, _Items())
    place = _place(step, ordinal, part)
    if place not in items:
        items[place] = dict([step.select]) if step.select else {}
    below = items[place]
    return below


def _place(step: Step, ordinal: int, part: int) -> Any:
    if step.here:
        return ordinal
    if step.each:
        return part
    return step.at if step.select is None else step.select


def _plain(node: Any, peer: str, name: str = "") -> Any:
    if isinstance(node, _Items):
        keys = list(node)
        if all(isinstance(key, int) for key in keys):
            keys.sort()
        return [_plain(node[key], peer, name) for key in keys]
    if isinstance(node, dict):
        found = {key: _plain(value, peer, key) for key, value in node.items()}
        if name in _NEEDS_PEER:
            found.setdefault("peer", peer)
        return found
    return node


def _step(part: str, path: str, where: str) -> Step:
    match = _STEP.fullmatch(part)
    if not match:
        raise ConfigurationError(
            "this is no path into the model",
            found=path,
            expected="text, questions[].text, addresses[role=problem].raw",
            where=where,
        )
    name, index, each, key, value = match.groups()
    return Step(
        name=name,
        items="[" in part,
        at=int(index) if index else None,
        each=bool(each),
        select=(key, value) if key else None,
    )


@cache
def _fields(cls: type[Any]) -> dict[str, tuple[Any, bool]]:
    """Return field name → (type of the value or item, whether it is a list) of a struct."""
    return {
        name: _unwrapped(kind) for name, kind in typing.get_type_hints(cls).items()
        if name in cls.__struct_fields__
    }  # fmt: skip


def _unwrapped(kind: Any) -> tuple[Any, bool]:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _unwrapped(next(a for a in typing.get_args(kind) if a is not type(None)))
    if origin is tuple:
        return _unwrapped(typing.get_args(kind)[0])[0], True
    return kind, False


def _is_struct(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, msgspec.Struct)


def default_conversion(field: Field) -> str:
    """Return the conversion that fits the type at the end of a path."""
    kind = field.type
    if kind is Code:
        return "code"
    if not isinstance(kind, type):
        return "line"
    by_type = {bool: "bool", int: "int", float: "decimal", datetime: "moment", date: "day"}
    if kind in by_type:
        return by_type[kind]
    if issubclass(kind, Enum):
        return "word"
    if field.key_name:
        return "number"
    return {"text": "text", "oktmo": "oktmo", "fias_guid": "guid"}.get(field.steps[-1].name, "line")
