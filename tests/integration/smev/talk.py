"""What the tests of the exchange say to a channel, and what they ask it and the stand."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import urllib3
from msgspec.structs import replace

from gateway.adapter import EncodeContext
from gateway.model import facts as f
from gateway.model.answer import Answer
from gateway.model.events import Actor, Event, EventType

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)


def told(channel, appeal, kind, payload, key="d-1", **options):
    event = Event(
        appeal_id=UUID(int=1), seq=2, type=kind, occurred_at=NOW, recorded_at=NOW,
        actor=Actor(kind="system"), payload=payload,
    )  # fmt: skip
    ctx = EncodeContext(now=NOW, key=key, peer="smev", options=options)
    return channel.encode(appeal, event, ctx)


def registered(channel, appeal, key="d-1", **options):
    facts = f.RegistrationFacts(organisation="b", number="ОГ-1", number_key="og1", date=NOW.date())
    return told(channel, appeal, EventType.REGISTERED, facts, key, **options)


def answered(channel, appeal, key="d-2", **options):
    outcome = f.OutcomeFacts(result="supported", actions_taken=True)
    facts = f.AnswerFacts(kind="final", number="1", date=NOW.date(), outcome=outcome)
    letter = Answer(number="1", date=NOW.date(), text="Сделано.")
    whole = replace(appeal, answers=(letter,))
    return told(channel, whole, EventType.ANSWERED, facts, key, **options)


def given(channel, appeal, key="d-3"):
    """Return a request to another body: an appeal that did not come through СМЭВ."""
    ours = replace(appeal, refs=(), source_peer="site", receipt_number="26-77")
    return told(channel, ours, EventType.RECEIVED, f.ReceivedFacts(regime="fz59"), key)


def counts(stand):
    return stand.control(counts=True)


def one(channel):
    batch = channel.receive("")
    assert len(batch.messages) == 1
    return batch, channel.decode(batch.messages[0].wire).items[0]


def overdue(channel):
    """Let the time be over in which the stand waits for an Ack; return how many come again."""
    stand = urlsplit(channel.options.url)
    answer = urllib3.request("POST", f"http://{stand.netloc}/_control", json={"overdue": True})
    return answer.json()["again"]


def patient(channel):
    """Ask for what was not acknowledged in time."""
    assert overdue(channel), "nothing comes again"
    batch = channel.receive("")
    assert batch.messages
    return batch


def state(stand, number):
    return next(one["status"] for one in stand.holds() if one["key"] == number)
