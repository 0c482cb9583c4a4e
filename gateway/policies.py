"""The installation's own rules, read from its files into what triage takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway import deadlines, registry, routing
from gateway.deadlines.terms import DEFAULT
from gateway.triage.build import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.lifecycle import AppealState
    from gateway.model import facts as f
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.settings import Settings
    from gateway.store.registers import RegisterKey


def rules(settings: Settings) -> Rules:
    """Return the rules of triage; raise ConfigurationError naming file, rule and key."""
    terms = deadlines.read_terms(Path(settings.terms_file) if settings.terms_file else DEFAULT)
    return Rules(
        route=_router(settings),
        terms=_clock(settings, terms),
        organisation=settings.organisation,
        register=settings.register,
        registers=frozenset(settings.register_channels),
        zone=ZoneInfo(settings.zone),
        spell=_speller(settings),
        extension_days=lambda regime: deadlines.extension_days(terms, regime),
        manners=registry.manners(settings.adapters),
    )


def subject(appeal: Appeal, source: str) -> routing.RouteSubject:
    """Return what routing looks at: every topic of the appeal, and the place of the problem."""
    place = next((a for a in appeal.addresses if a.role.value == "problem"), None)
    return routing.RouteSubject(
        topics=tuple(t.code.value for q in appeal.questions for t in q.topics),
        oktmo=place.oktmo if place else "",
        region=place.region if place else "",
        settlement=place.settlement if place else "",
        source=source,
        regime=appeal.regime.value if appeal.regime else "fz59",
        type=appeal.type.value,
        urgency=appeal.urgency.value if appeal.urgency else "",
        subject=appeal.subject,
        text=" ".join((appeal.text, *(q.text for q in appeal.questions))),
    )


def _router(settings: Settings) -> Callable[[Appeal, str], f.RoutedFacts | None]:
    if not settings.routing_file:
        return lambda _appeal, _source: None
    table = routing.read_rules(Path(settings.routing_file))

    def decide(appeal: Appeal, source: str) -> f.RoutedFacts | None:
        found = routing.route(subject(appeal, source), table)
        return found.facts() if found else None

    return decide


def _clock(
    settings: Settings, terms: tuple[deadlines.Term, ...]
) -> Callable[[AppealState, Event], tuple[deadlines.Change, ...]]:
    """Return what an event does to the terms of its appeal, by the table of terms."""
    calendar = deadlines.read_calendar()
    zone = ZoneInfo(settings.zone)

    def changes(state: AppealState, event: Event) -> tuple[deadlines.Change, ...]:
        registered = [
            q.registered_on for q in state.questions if event.question in (None, q.ordinal)
        ]
        subject = deadlines.Subject(
            regime=state.regime,
            received=state.received_at or event.occurred_at,
            registered_on=min((day for day in registered if day), default=None),
            marks=state.marks,
            zone=zone,
        )
        return deadlines.changes(event, subject, running(state), terms, calendar)

    return changes


def running(state: AppealState) -> Iterator[deadlines.DeadlineSpec]:
    """Yield the terms that run on an appeal and on its questions."""
    for facts in state.deadlines:
        yield deadlines.DeadlineSpec(question=None, facts=facts)
    for question in state.questions:
        for facts in question.deadlines:
            yield deadlines.DeadlineSpec(question=question.ordinal, facts=facts)


def _speller(settings: Settings) -> Callable[[RegisterKey, int], str]:
    return lambda key, number: settings.register_format.format(
        register=key.code, number=number, year=key.year
    )
