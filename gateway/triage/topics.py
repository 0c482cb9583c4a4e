"""Puts the topics that tables name beside those that peers gave; pure.

A peer's own code stays on its question as it came. What a table says it means in another classifier
becomes a fact of the question (`TopicAssigned`, by rule), so that routing, registers and other
peers work with a code they know. A code that nobody knows is told to a person, and stops nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.lifecycle import Claim
from gateway.model import facts as f
from gateway.model.base import Code
from gateway.model.events import EventType
from gateway.model.question import Topic
from gateway.triage.build import rule

if TYPE_CHECKING:
    from datetime import date

    from gateway.model.appeal import Appeal
    from gateway.topics.tables import Seen, Tables
    from gateway.triage.build import Build

TABLE: Final = "topic-table"
"""The rule that gives a topic by a table from one classifier to another."""
TOLD: Final = frozenset({EventType.TOPIC_ASSIGNED, EventType.TOPIC_CHANGED})


def seen(appeal: Appeal, tables: Tables, on: date) -> Appeal:
    """Return an appeal as routing looks at it: with the topics that tables put beside its own."""
    if not any(question.topics for question in appeal.questions):
        return appeal
    return replace(
        appeal,
        questions=tuple(
            replace(q, topics=(*q.topics, *tables.mapped(q.topics, on))) for q in appeal.questions
        ),
    )


def placed(build: Build, appeal: Appeal) -> tuple[Appeal, tuple[Seen, ...]]:
    """Return an appeal with the topics that tables add, which become events; and unknown codes."""
    tables, on = build.facts.topics, build.facts.now.date()
    whole = seen(appeal, tables, on)
    unknown: list[Seen] = []
    for question, with_more in zip(appeal.questions, whole.questions, strict=True):
        unknown += tables.unknown(question.topics, on)
        _assign(build, with_more.topics[len(question.topics) :], (question.ordinal,))
    return whole, tuple(dict.fromkeys(unknown))


def beside(build: Build, claim: Claim) -> tuple[Seen, ...]:
    """Put the topic that a table names beside one that a peer reported; return unknown codes."""
    told = claim.payload
    if claim.type not in TOLD or not isinstance(told, f.TopicFacts) or not told.code:
        return ()
    tables, on = build.facts.topics, build.facts.now.date()
    topics = (Topic(code=Code(system=told.system, value=told.code)),)
    _assign(build, tables.mapped(topics, on), claim.questions)
    return tables.unknown(topics, on)


def _assign(build: Build, topics: tuple[Topic, ...], ordinals: tuple[int, ...]) -> None:
    """Assign topics to open questions that have none in their classifier but a rule's own.

    What the report itself became is still what is said of it.
    """
    said = build.reason, build.warnings
    for topic in topics:
        given = f.TopicFacts(
            system=topic.code.system, code=topic.code.value, version=topic.code.version, by="rule"
        )
        free = tuple(
            q.ordinal
            for q in build.state.questions
            if (not ordinals or q.ordinal in ordinals)
            and q.state.is_open
            and all(t.system != given.system or (t.by == "rule" and t != given) for t in q.topics)
        )
        if free:
            build.claim(
                Claim(
                    type=EventType.TOPIC_ASSIGNED,
                    occurred_at=build.facts.now,
                    actor=rule(TABLE),
                    questions=free,
                    payload=given,
                )
            )
    build.reason, build.warnings = said
