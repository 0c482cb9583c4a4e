"""Whoever was given an appeal reports of it what its level and its grant allow, and no more."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from gateway import ingest
from gateway.adapter import Inbound
from gateway.model.events import AppealKey, EventType, PeerReport
from gateway.model.facts import OutcomeFacts, RegistrationFacts
from gateway.store import peers
from tests.integration.accept.conftest import PEER

REFUSED = """
SELECT d.event_type FROM delivery d JOIN event e ON e.appeal_id = d.appeal_id
AND e.seq = d.event_seq WHERE d.destination = 'hook' AND e.type = 'ReportRefused'
"""


@pytest.fixture
def tell(room):
    """Report as `hook`, to which every appeal is routed; return what became of it and the state."""
    day = room.now.date() + timedelta(days=1)  # not before the registration, in whatever zone
    receipt = room.submit("a").receipt_number
    room.work_off()

    def send(event: EventType, peer: str = "hook", operation: str = "status", **facts):
        key = f"{peer} {event}"
        report = PeerReport(
            message_key=key, key=AppealKey(receipt_number=receipt), event=event,
            occurred_on=day, **facts,
        )  # fmt: skip
        inbound = Inbound(operation=operation, message_key=key, report=report)
        arrival = replace(room.arrival(key.encode()), peer=peer)
        room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))
        room.work_off()
        [(note,)] = room.rows("SELECT note FROM message WHERE key = %s", key)
        [(state,)] = room.rows("SELECT state FROM appeal")
        return note["applied"], state

    return send


def test_a_reference_closes_nothing_and_is_told_so(room, tell):
    assert tell(EventType.WITHDRAWN, operation="withdraw") == ("refused", "assigned")
    outcome = {"outcome": OutcomeFacts(result="explained")}
    assert tell(EventType.ANSWERED, **outcome) == ("refused", "assigned")
    assert tell(EventType.FILED) == ("refused", "assigned")
    assert len(room.rows(REFUSED)) == 3


def test_a_reference_may_say_that_it_works(room, tell):
    number = RegistrationFacts(organisation="hook", number="17-ж", date=date(2026, 3, 2))
    assert tell(EventType.TAKEN_TO_WORK, registration=number) == ("applied", "in_work")
    assert room.count("registration") == 1, "its number beside the event is not its to give"
    assert room.verified().faults == ()


def test_a_grant_lets_it_answer_and_never_lets_it_withdraw(room, tell):
    with room.connection() as db:
        peers.set_options(db, "hook", {"grant": ["Answered", "Withdrawn"]})
    assert tell(EventType.WITHDRAWN, operation="withdraw") == ("refused", "assigned")
    told = tell(EventType.ANSWERED, outcome=OutcomeFacts(result="explained"))
    assert told == ("applied", "answered")


def test_the_sender_withdraws_its_own(tell):
    assert tell(EventType.WITHDRAWN, PEER, "withdraw") == ("applied", "closed")
