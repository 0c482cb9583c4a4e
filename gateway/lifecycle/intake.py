"""What a report must say by itself, whatever its appeal: checked before its receipt is given.

What depends on the appeal (its state, its questions, its regime) or on the peer's grant is judged
by `apply`, after the report was stored. Nothing is looked up here (design §1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gateway.errors import ValidationError, Violation
from gateway.lifecycle import needs
from gateway.lifecycle.claim import claim_of_report
from gateway.lifecycle.table import BY_EVENT, ROWS, Row
from gateway.model.events import Actor
from gateway.model.intake import check_counts, future

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from gateway.lifecycle.claim import Claim
    from gateway.model.events import PeerReport


def _taken(row: Row) -> bool:
    return not {"peer", "source"}.isdisjoint(row.who) and not row.later and bool(row.sources)


TAKEN: Final = tuple(row.event.value for row in ROWS if row.number and _taken(row))
"""Events that peers may report in this release."""
_TODO: Final = "docs/reference/lifecycle.md names what each event needs"


def check_report(report: PeerReport, now: dt.datetime) -> None:
    """Raise ValidationError for a report that no state of its appeal would let through.

    That is: an event that no peer may report, a fact that its event needs and that is missing, a
    day that is later than it can be. Places are elements of StatusReport and AnswerIn. Raises
    TooLargeError for more questions, files or fields beside than may come.
    """
    row = BY_EVENT[report.event]
    if not _taken(row):
        why = "comes with a later release" if row.later else "is not reported by peers"
        message = f"the event {row.event} {why}"
        violation = Violation("Event", "event", message, row.event, ", ".join(TAKEN))
        raise ValidationError(message, (violation,), todo=_TODO)
    check_counts(
        max(len(report.questions), len(report.ordinals)),
        len(report.answer.attachments) if report.answer else 0,
        len(report.extras),
    )
    wrong = future(_days(report), now)
    if wrong:
        raise ValidationError("the report tells of what has not happened yet", tuple(wrong))
    # Which questions there are is not known here.
    claim = claim_of_report(replace(report, questions=()), actor=Actor(kind="peer"), ordinals={})
    lacking = needs.lacking(BY_EVENT[claim.type], claim, now)
    if lacking:
        raise ValidationError(
            f"the event {row.event} lacks facts it needs",
            tuple(_violations(report, claim, lacking)),
            todo=_TODO,
        )


def _days(report: PeerReport) -> Iterator[tuple[str, dt.date | dt.datetime | None]]:
    """Yield the days and instants of what is said to have happened, by their places."""
    answer = report.answer
    yield ("OccurredOn" if answer is None else "Date"), report.occurred_on
    yield "OccurredAt", report.occurred_at
    for name in ("registration", "transfer", "receiver"):
        told = getattr(report, name)
        yield f"{name.capitalize()}/Date", told.date if told else None
    yield "Extension/DecidedOn", report.extension.decided_on if report.extension else None
    if answer is not None and answer.date != report.occurred_on:
        yield "Date", answer.date


def _violations(report: PeerReport, claim: Claim, lacking: tuple[str, ...]) -> Iterator[Violation]:
    """Yield one violation a place; of an element that is missing as a whole only that one."""
    whole: dict[str, list[str]] = {}
    for name in lacking:
        need = needs.NEEDS[name]
        owner = need.path.partition("/")[0]
        if owner == need.path or getattr(report, owner.lower(), None) is not None:
            yield needs.violation(name, claim)
        else:
            whole.setdefault(owner, []).append(need.words)
    for owner, words in whole.items():
        yield Violation(owner, "required", f"нужно: {', '.join(words)}")
