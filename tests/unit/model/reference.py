"""Make docs/reference/model.md from the classes: `-m tests.unit.model.reference --write`."""

from __future__ import annotations

import sys
import typing
from enum import Enum
from importlib import import_module
from pathlib import Path

import msgspec

from gateway.model.base import Entity, Fact

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "model.md"
FAMILIES = (
    "base", "appeal", "registration", "person", "organisation", "address", "question", "answer",
    "assignment", "attachment", "deadline", "later", "message",
)  # fmt: skip
_HEAD = """# The canonical model

Every entity and field, made from the classes of `gateway/model/` (`python -m
tests.unit.model.reference --write`); a test fails when this page is behind them.

- Nothing an intake needs is mandatory but a source and one of text, file, external number
  (`gateway.model.intake`). An appeal always has at least one question; the question has the state.
- `Code` is value + system, and keeps the peer's spelling beside our mapping.
- Three times: `occurred_at` (by the peer's word; a field of type `Day` where only the date is
  known), `reported_at` (the peer's message), `recorded_at` (ours). `Day` is never midnight,
  `Moment` always has an offset.
- What a decoder does not map is an `Extra` of the entity it belongs to. `make
  conformance` prints mapped / extras / lost for each adapter; lost is 0.
- `questions` of answers, assignments, transfers, extensions and feedback are ordinals of the
  appeal's questions; empty means all of them.
- Fields without a mark are optional: `T?` may be absent (None), a list may be empty, text may be
  "". `!` marks what the entity cannot be without.
- Digest: `gateway.model.digest`, version 1. Keys of numbers: the table in `gateway/model/fold.py`.
  Receipt numbers: ten random characters and a check character over GF(32), `gateway/model/ids.py`.
"""


def page() -> str:
    """Return the page as the classes say it."""
    lines = [_HEAD]
    for family in FAMILIES:
        module = import_module(f"gateway.model.{family}")
        title = (module.__doc__ or "").splitlines()[0].rstrip(".")
        lines.append(f"## {title}\n\n`gateway/model/{family}.py`\n")
        for value in vars(module).values():
            if not isinstance(value, type) or value.__module__ != module.__name__:
                continue
            if issubclass(value, Entity) and value not in (Entity, Fact):
                lines.append(_entity(value))
            elif issubclass(value, Enum):
                words = " · ".join(f"`{word.value}`" for word in value)
                lines.append(f"**{value.__name__}**: {words}\n")
    return "\n".join(lines)


def _entity(cls: type[Entity]) -> str:
    title = (cls.__doc__ or "").splitlines()[0]
    hints = typing.get_type_hints(cls)
    times = set(Fact.__struct_fields__) if issubclass(cls, Fact) else set()
    fields = [
        f"`{field.name}{'!' if field.required else ''}` {_type(hints[field.name])}"
        for field in msgspec.structs.fields(cls)
        if field.name not in times
    ]
    mark = " · three times" if times else ""
    return f"### {cls.__name__}\n\n{title}\n\n{' · '.join(fields)}{mark}\n"


def _type(hint: object) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return f"{_type(arguments[0])}[]"
    if origin is not None and type(None) in arguments:
        return f"{_type(next(kind for kind in arguments if kind is not type(None)))}?"
    if origin is not None:
        return "map"
    names = {"str": "text", "date": "Day", "datetime": "Moment", "UUID": "uuid", "float": "number"}
    name = getattr(hint, "__name__", str(hint))
    return names.get(name, name)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page())
    else:
        sys.stdout.write(page())
