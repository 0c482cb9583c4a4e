"""The roads between states: which steps are missing, and which events may be raised."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.lifecycle.table import BY_EVENT, ROWS, Row
from gateway.model.events import EventType as E

if TYPE_CHECKING:
    from gateway.model.events import State


_INFERABLE: Final = (
    E.MODERATION_PASSED,
    E.REGISTERED,
    E.ASSIGNED,
    E.TAKEN_TO_WORK,
    E.ANSWER_PREPARED,
)
_INFERABLE_LAST: Final = (E.ANSWERED, E.TRANSFERRED)


def missing_steps(state: State, row: Row) -> tuple[E, ...] | None:
    """Return the fewest steps that lead from a state to where a row's event may be raised.

    Rule (a): such steps are written as inferred. An answer or a transfer is inferred only when the
    event can follow nothing else (`Delivered` implies an answer); `Filed` may follow three ends, so
    nothing is inferred from it. Empty when no step is missing, None when no road leads there.
    """
    if state in row.sources:
        return ()
    if not state.is_open:
        return None
    alone = len(row.sources) == 1
    queue: deque[tuple[State, tuple[E, ...]]] = deque([(state, ())])
    seen = {state}
    while queue:
        at, path = queue.popleft()
        for event in _INFERABLE + (_INFERABLE_LAST if alone else ()):
            step = BY_EVENT[event]
            if at not in step.sources or step.to is None or step.to in seen:
                continue
            if step.to in row.sources:
                return (*path, event)
            if step.to.is_open:
                seen.add(step.to)
                queue.append((step.to, (*path, event)))
    return None


def allowed_events(state: State, regime: str, *, ahead: bool = True) -> tuple[str, ...]:
    """Name the events that may be raised now, in the table's order (for a StateFault).

    ahead: also those whose missing steps would be inferred (rule a).
    """
    return tuple(
        row.event.value
        for row in ROWS
        if not row.later
        and row.number
        and row.sources
        and regime not in row.never
        and (not row.only or regime in row.only)
        and (state in row.sources or (ahead and missing_steps(state, row) is not None))
    )
