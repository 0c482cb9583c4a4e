"""The installation's own rules, read from its files into what triage takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gateway import deadlines, places, registry, routing
from gateway.deadlines.terms import DEFAULT
from gateway.served import NOBODY, Served
from gateway.triage.build import Rules
from gateway.triage.lookup import Lookup

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
    route, doubts = _router(settings)
    zone = ZoneInfo(settings.zone)
    return Rules(
        route=route,
        doubts=doubts,
        lookup=Lookup(settings.address_regions, zone),
        terms=_clock(settings, terms),
        organisation=settings.organisation,
        register=settings.register,
        registers=frozenset(settings.register_channels),
        zone=zone,
        spell=_speller(settings),
        extension_days=lambda regime: deadlines.extension_days(terms, regime),
        manners=registry.manners(settings.adapters),
    )


def subject(appeal: Appeal, source: str, served: Served = NOBODY) -> routing.RouteSubject:
    """Return what routing looks at: every topic of the appeal, and the place of the problem.

    served: what that place was found to be, and who serves it.
    """
    place = places.problem(appeal)
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
        served=served,
    )


def _router(
    settings: Settings,
) -> tuple[
    Callable[[Appeal, str, Served], f.RoutedFacts | None],
    Callable[[Appeal, str, Served], tuple[str, ...]],
]:
    """Return what routes an appeal, and what says which rules lack nothing but a sure house."""
    if not settings.routing_file:
        return lambda *_: None, lambda *_: ()
    table = routing.read_rules(Path(settings.routing_file))

    def decide(appeal: Appeal, source: str, served: Served) -> f.RoutedFacts | None:
        found = routing.route(subject(appeal, source, served), table)
        return found.facts() if found else None

    def doubts(appeal: Appeal, source: str, served: Served) -> tuple[str, ...]:
        return routing.doubts(subject(appeal, source, served), table)

    return decide, doubts


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
