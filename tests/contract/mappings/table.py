"""A mapping as a table: pairs of a place in a peer's document and a place in the model.

A document is a flat dict of leaves, `path → value` (see `trees`). One `Row` says which leaf is
which attribute; the same row decodes and encodes. What no row brings back unchanged becomes an
`Extra` on the entity it belongs to, and the encoder puts extras back last: nothing can get lost,
and the golden canonical.json shows what has a home of its own and what has not.

Paths of the model: `questions[0]/topics[*]/code{system=nsi.220}/value`. `[…]` picks an item of a
list: a number, `*` (the n-th `*` of the wire path), `key=value` conditions that also hold for what
is made. `{…}` gives such conditions for a single object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from gateway.errors import ValidationError, Violation
from gateway.model.appeal import Appeal
from gateway.model.base import Extra
from tests.contract.mappings.values import SAME, Files, Value

Leaves = dict[str, Any]


class Row(NamedTuple):
    """One leaf of the wire and its home. one_way: told by another row on the way back."""

    wire: str
    model: str
    value: Value = SAME
    one_way: bool = False


class Part(NamedTuple):
    """One step of a model path: attribute, list index (number, `*` or None), conditions."""

    name: str
    number: str | None
    given: tuple[tuple[str, str], ...]
    listed: bool


_PART = re.compile(r"(\w+)(?:\[([^\]]*)\]|\{([^}]*)\})?\Z")


def parts(path: str) -> tuple[Part, ...]:
    """Return the steps of a model path."""
    found = []
    for text in path.split("/"):
        match = _PART.match(text)
        assert match, path
        words = [word for word in (match[2] or match[3] or "").split(",") if word]
        given = tuple(
            (word.split("=", 1)[0], word.split("=", 1)[1]) for word in words if "=" in word
        )
        index = next((word for word in words if "=" not in word), None)
        found.append(Part(match[1], index, given, match[2] is not None))
    return tuple(found)


def pattern(wire: str, *, prefix: bool = False) -> re.Pattern[str]:
    """Return the expression that a wire path matches; each `[*]` is a group."""
    body = re.escape(wire).replace(r"\[\*\]", r"\[(\d+)\]")
    return re.compile(body + ("(?:/.*)?" if prefix else "") + r"\Z", re.DOTALL)


class _Slots(dict[tuple[tuple[tuple[str, str], ...], int], dict[str, Any]]):
    """A list being made: items by (conditions, number)."""


class Table(NamedTuple):
    """A format's mapping. owners: (wire prefix, model path) of the entity that keeps its extras."""

    peer: str
    rows: tuple[Row, ...]
    owners: tuple[tuple[str, str], ...] = ()
    always: Mapping[str, Any] = {}
    """Attributes of the appeal that the format implies (`source_system`)."""
    wire_always: Mapping[str, Any] = {}
    """Leaves that every document of the format has (`@version`)."""

    def decode(self, leaves: Leaves, files: Files) -> Appeal:
        """Return the appeal that the leaves tell of; bytes of files go to `files` by SHA-256."""
        draft: dict[str, Any] = dict(self.always)
        for row in self.rows:
            expression, steps = pattern(row.wire), parts(row.model)
            for path, raw in leaves.items():
                match = expression.match(path)
                value = row.value.read(raw, files) if match else None
                if match and value is not None:
                    _put(draft, steps, [int(group) for group in match.groups()], value)
        back = self._rows_back(_finish(draft), files)
        for path, raw in leaves.items():
            if path not in back or not _same(back[path], raw):
                owner = self._owner(draft, path)
                owner.setdefault("extras", []).append(Extra(peer=self.peer, path=path, value=raw))
        return _finish(draft)

    def encode(self, appeal: Appeal, files: Files) -> Leaves:
        """Return the leaves of the document that tells of the appeal."""
        leaves = self._rows_back(appeal, files)
        leaves.update({extra.path: extra.value for extra in extras_of(appeal, self.peer)})
        return leaves

    def _rows_back(self, appeal: Appeal, files: Files) -> Leaves:
        leaves: Leaves = dict(self.wire_always)
        for row in self.rows:
            if row.one_way:
                continue
            for numbers, value in _get(appeal, parts(row.model), ()):
                raw = row.value.write(value, files)
                if raw is not None:
                    path = row.wire
                    for number in numbers:
                        path = path.replace("[*]", f"[{number}]", 1)
                    leaves[path] = raw
        return leaves

    def _owner(self, draft: dict[str, Any], path: str) -> dict[str, Any]:
        for prefix, model in self.owners:
            match = pattern(prefix, prefix=True).match(path)
            if match:
                numbers = [int(group) for group in match.groups()]
                found: dict[str, Any] | None = _find(draft, parts(model), numbers)
                if found is not None:
                    return found
        return draft


def extras_of(node: Any, peer: str) -> Iterator[Extra]:
    """Yield every extra of `peer` anywhere below an entity."""
    if isinstance(node, Extra):
        if node.peer == peer:
            yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from extras_of(item, peer)
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from extras_of(getattr(node, name), peer)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _step(node: dict[str, Any], part: Part, numbers: list[int], *, make: bool) -> Any:
    """Return the child of a draft that one step leads to, making it when asked."""
    if not part.listed:
        if part.name not in node and make:
            node[part.name] = dict(part.given)
        return node.get(part.name)
    slots = node.setdefault(part.name, _Slots()) if make else node.get(part.name, {})
    number = numbers.pop(0) if part.number == "*" else int(part.number or 0)
    key = (part.given, number)
    if key not in slots and make:
        slots[key] = dict(part.given)
    return slots.get(key)


def _put(draft: dict[str, Any], steps: tuple[Part, ...], numbers: list[int], value: Any) -> None:
    node = draft
    for part in steps[:-1]:
        node = _step(node, part, numbers, make=True)
    node.setdefault(steps[-1].name, value)


def _find(draft: dict[str, Any], steps: tuple[Part, ...], numbers: list[int]) -> Any:
    node: Any = draft
    for part in steps:
        if node is None:
            return None
        node = _step(node, part, numbers, make=False)
    return node


def _get(node: Any, steps: tuple[Part, ...], numbers: tuple[int, ...]) -> Iterator[Any]:
    """Yield (numbers of the stars, value) for every place that a model path leads to."""
    if node is None:
        return
    if not steps:
        yield numbers, node
        return
    part, rest = steps[0], steps[1:]
    child = getattr(node, part.name)
    if not part.listed:
        if child is not None and all(getattr(child, key) == value for key, value in part.given):
            yield from _get(child, rest, numbers)
        return
    items = [item for item in child if all(getattr(item, key) == v for key, v in part.given)]
    if part.number == "*":
        for number, item in enumerate(items):
            yield from _get(item, rest, (*numbers, number))
    elif int(part.number or 0) < len(items):
        yield from _get(items[int(part.number or 0)], rest, numbers)


def _finish(draft: dict[str, Any]) -> Appeal:
    def plain(node: Any) -> Any:
        if isinstance(node, _Slots):
            return [plain(node[key]) for key in sorted(node, key=_by_number(node))]
        if isinstance(node, dict):
            return {key: plain(value) for key, value in node.items()}
        return node

    try:
        return msgspec.convert(plain(draft), Appeal)
    except msgspec.ValidationError as error:
        message = "the document does not fit the model"
        raise ValidationError(message, (Violation("", "type", str(error)),)) from error


def _by_number(slots: _Slots) -> Callable[[Any], tuple[int, int]]:
    """Sort items of one kind by number, kinds as they were first met."""
    kinds = {given: place for place, given in enumerate(dict.fromkeys(key[0] for key in slots))}
    return lambda key: (kinds[key[0]], key[1])
