"""What a new file does to a classifier: which nodes begin, change their wording, or end."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from gateway.errors import ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.topics.node import Node


class Kind(StrEnum):
    """What becomes of a node."""

    ADDED = "added"
    CHANGED = "changed"
    CLOSED = "closed"
    SAME = "same"


class Change(NamedTuple):
    """One node after the file, and as it stood; before is None for a new one."""

    kind: Kind
    node: Node
    before: Node | None


def compare(
    known: Iterable[Node],
    given: Iterable[Node],
    *,
    version: str,
    day: dt.date | None,
    whole: bool,
) -> list[Change]:
    """Return the changes, by code.

    known: every node there is, those not in force too. given: those of the file, without version
    and, unless it names them, without days. day: from which the version is in force, None for a
    first one that has no beginning. whole: what the file does not name has ended. A wording that
    changes ends with the day before, so that an old appeal is still read by the old one; the same
    version loaded again puts its own wording right. Raises ValidationError for a version that
    begins before one that is already there.
    """
    current = {node.code: node for node in known if node.valid_to is None}
    later = [n for n in current.values() if day and n.valid_from and n.valid_from > day]
    if later:
        newest = max(later, key=lambda n: (n.valid_from or dt.date.min, n.code))
        message = "a later version is loaded already"
        raise ValidationError(
            message,
            (Violation("version", "order", message, str(day), f"after {newest.valid_from}"),),
        )
    made = []
    named: set[str] = set()
    for node in given:
        named.add(node.code)
        begun = replace(node, version=version, valid_from=node.valid_from or day)
        made += _one(current.get(node.code), begun, version)
    if whole and day is not None:
        gone = (node for code, node in current.items() if code not in named)
        made += [Change(Kind.CLOSED, _ended(node, day), node) for node in gone]
    return sorted(made, key=lambda change: (change.node.code, change.kind))


def _one(before: Node | None, node: Node, version: str) -> list[Change]:
    if before is None:
        return [Change(Kind.ADDED, node, None)]
    if _worded(before) == _worded(node) and node.valid_to is None:
        return [Change(Kind.SAME, before, before)]
    if before.version == version:
        return [Change(Kind.CHANGED, replace(node, valid_from=before.valid_from), before)]
    if _worded(before) == _worded(node):
        return [Change(Kind.CLOSED, replace(before, valid_to=node.valid_to), before)]
    begins = node.valid_from or dt.date.min
    return [
        Change(Kind.CLOSED, _ended(before, begins), before),
        Change(Kind.CHANGED, node, before),
    ]


def _worded(node: Node) -> tuple[str, str, int]:
    return node.title, node.parent, node.level


def _ended(node: Node, day: dt.date) -> Node:
    """End a node with the day before one; one that began that very day is not there at all."""
    last = day - dt.timedelta(days=1) if day > dt.date.min else day
    return replace(node, valid_to=last)
