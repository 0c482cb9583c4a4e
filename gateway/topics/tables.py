"""What a peer's own codes mean in other classifiers, and which of them nobody knows.

A code of a peer is kept as it came. Where a table says what it means in another classifier, that
topic stands beside it; where neither a table nor a classifier has it, a person is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.model.base import Code
from gateway.model.question import AssignedBy, Topic
from gateway.topics import codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from gateway.topics.classifier import Classifier


class Seen(NamedTuple):
    """A code that nobody knows, as a question had it."""

    system: str
    code: str
    title: str


class Tables:
    """Classifiers by system, and maps: (system, code) → target system → code."""

    def __init__(
        self,
        classifiers: Mapping[str, Classifier],
        maps: Mapping[tuple[str, str], Mapping[str, str]],
    ) -> None:
        self.classifiers = classifiers
        self.maps = maps

    def mapped(self, topics: Sequence[Topic], on: date | None = None) -> tuple[Topic, ...]:
        """Return the topics that the tables put beside those of one question.

        None in a classifier in which the question has a topic already, whoever gave it: the tables
        know less of it than who read it.
        """
        there = {t.code.system for t in topics}
        found: dict[str, Topic] = {}
        for topic in topics:
            for system, code in self.maps.get(_key(topic), {}).items():
                if system not in there and system not in found:
                    found[system] = self._topic(system, code, on)
        return tuple(found.values())

    def unknown(self, topics: Sequence[Topic], on: date | None = None) -> tuple[Seen, ...]:
        """Return the codes of one question that no table and no classifier has.

        A code in a system whose classifier nobody keeps is no matter where the question stands in
        one that is kept: there is nothing to route by that is missing.
        """
        if not self.classifiers:
            return ()
        placed = any(self._stands(t, on) for t in topics)
        return tuple(
            dict.fromkeys(
                Seen(t.code.system, _key(t)[1], t.code.label or t.name_as_given)
                for t in topics
                if t.code.value
                and _key(t) not in self.maps
                and not self._stands(t, on)
                and not (placed and t.code.system not in self.classifiers)
            )
        )

    def _stands(self, topic: Topic, on: date | None) -> bool:
        classifier = self.classifiers.get(topic.code.system)
        return classifier is not None and classifier.may_have(topic.code.value, on)

    def _topic(self, system: str, code: str, on: date | None) -> Topic:
        classifier = self.classifiers.get(system)
        node = classifier.lookup(code, on) if classifier else None
        return Topic(
            code=Code(
                system=system, value=code,
                label=node.title if node else "", version=node.version if node else "",
            ),
            assigned_by=AssignedBy.RULE,
        )  # fmt: skip


def with_maps(
    classifiers: Iterable[Classifier], rows: Iterable[tuple[str, str, str, str]]
) -> Tables:
    """Return tables of classifiers and rows of (system, code, target system, target code)."""
    maps: dict[tuple[str, str], dict[str, str]] = {}
    for system, code, to_system, to_code in rows:
        maps.setdefault((system, codes.canonical(system, code)), {})[to_system] = to_code
    return Tables({c.system: c for c in classifiers}, maps)


def _key(topic: Topic) -> tuple[str, str]:
    return topic.code.system, codes.canonical(topic.code.system, topic.code.value)


EMPTY: Final = Tables({}, {})
"""Nothing is mapped, and nothing is said to be unknown by a classifier that is not there."""
