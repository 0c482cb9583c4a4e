"""The life cycle of a question: the table as data, the fold, and the judgement of what peers say.

    state = fold(events)                          what the recorded events amount to
    claim = claim_of_report(report, …)            what a peer says has happened
    outcome = apply(state, claim, Context(now=…)) the events it becomes, by the four rules

Pure: no clock, no network, no database. docs/reference/lifecycle.md is generated from the table.
"""

from gateway.lifecycle import ties
from gateway.lifecycle.apply import Outcome, QuestionOutcome, apply, set_aside
from gateway.lifecycle.claim import (
    Claim,
    claim_of_report,
    content_of_file,
    content_of_report,
)
from gateway.lifecycle.intake import check_report
from gateway.lifecycle.judge import Context, Kind
from gateway.lifecycle.roads import allowed_events, missing_steps
from gateway.lifecycle.state import (
    EMPTY,
    AppealState,
    QuestionState,
    appeal_state,
    evolve,
    fold,
)
from gateway.lifecycle.table import BY_EVENT, ROWS, Row

__all__ = [
    "BY_EVENT",
    "EMPTY",
    "ROWS",
    "AppealState",
    "Claim",
    "Context",
    "Kind",
    "Outcome",
    "QuestionOutcome",
    "QuestionState",
    "Row",
    "allowed_events",
    "appeal_state",
    "apply",
    "check_report",
    "claim_of_report",
    "content_of_file",
    "content_of_report",
    "evolve",
    "fold",
    "missing_steps",
    "set_aside",
    "ties",
]
