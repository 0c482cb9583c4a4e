"""What a СЭД tells of one appeal, from its registration to its answer, without a contradiction."""

import datetime as dt
import io
import zipfile
from random import Random
from uuid import UUID

import pytest

from adapters.sed.adapter import Sed
from adapters.sed.codes import document_uid
from adapters.sed.folder import pack
from gateway.lifecycle import Context, Kind, apply, claim_of_report, evolve
from gateway.lifecycle.state import EMPTY
from gateway.model import facts as f
from gateway.model.events import Actor, Event, EventType, State
from gateway.model.ids import receipt_of
from simulators.peer import clock
from simulators.sed import messages as m

RECEIPT = receipt_of(17)
NOW = clock()
HOUR = dt.timedelta(hours=1)
PEER = Actor(kind="peer", id="ensk")


def begun(*, transferred=False):
    """An appeal that was received, and perhaps registered here and transferred to the СЭД."""
    told = [(EventType.RECEIVED, f.ReceivedFacts(regime="fz59", peer="portal", questions=1))]
    if transferred:
        day = m.today()
        registered = f.RegistrationFacts(
            organisation="us", number="ЖН-1", date=dt.date.fromisoformat(day)
        )
        passed = f.TransferFacts(organisation="ensk", number="П-1", date=NOW.date())
        told += [(EventType.REGISTERED, registered), (EventType.TRANSFERRED, passed)]
    state = EMPTY
    for seq, (kind, payload) in enumerate(told, 1):
        state = evolve(
            state,
            Event(
                appeal_id=UUID(int=1), seq=seq, type=kind, occurred_at=NOW - HOUR, recorded_at=NOW,
                actor=Actor(kind="system"), payload=payload,
                question=1 if seq > 1 else None,
            ),
        )  # fmt: skip
    return state


def hears(state, folders):
    """Apply what the folders report; return the state and what became of each."""
    sed, kinds = Sed({}), []
    for files in folders:
        (item,) = sed.decode(pack("m", files)).items
        claim = claim_of_report(item.report, actor=PEER, ordinals={}, reported_at=NOW)
        outcome = apply(state, claim, Context(now=NOW + HOUR))
        for event in outcome.events:
            state = evolve(state, event)
        kinds.append(outcome.kind)
    return state, kinds


def story(purpose, question=0):
    draw = Random(3)
    about = (document_uid(RECEIPT, purpose, question), "ЖН-1")
    uid = lambda: m.new_uid(draw)  # noqa: E731 - a short word for a long table
    return {
        "accepted": m.accepted(uid(), about, "ВХ-1"),
        "refused": m.refused(uid(), about, "Ошибка адресации"),
        "assigned": m.assigned(uid(), about),
        "course": m.course(uid(), about),
        "prepared": m.prepared(uid(), about),
        "sent": m.sent(uid(), about, "ИСХ-1"),
        "answer": m.answer(uid(), uid(), about, "ИСХ-1", b"%PDF-1.4 answer"),
        "published": m.published(uid(), about, "ИСХ-1"),
    }


def test_an_appeal_that_was_handed_over_is_answered_with_its_file():
    told = story("handed")
    order = ("accepted", "assigned", "course", "prepared", "sent", "answer", "published")
    state, kinds = hears(begun(), [told[name] for name in order])
    assert Kind.CONFLICT not in kinds, kinds
    (question,) = state.questions
    assert question.state is State.ANSWERED


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_the_folders_are_read_nothing_contradicts(seed):
    told = story("handed")
    order = ["accepted", "assigned", "course", "prepared", "sent", "answer"]
    Random(seed).shuffle(order)
    state, kinds = hears(begun(), [told[name] for name in order])
    assert Kind.CONFLICT not in kinds, (order, kinds)
    assert state.questions[0].state is State.ANSWERED


def test_a_refused_registration_closes_what_was_handed_over():
    state, _ = hears(begun(), [story("handed")["refused"]])
    assert state.questions[0].state is State.CLOSED


def test_a_transfer_is_registered_and_answered_by_the_receiver():
    told = story("passed", 1)
    order = ("accepted", "assigned", "course", "prepared", "sent", "answer")
    state, kinds = hears(begun(transferred=True), [told[name] for name in order])
    assert Kind.CONFLICT not in kinds, kinds
    assert state.questions[0].state is State.TRANSFERRED


def test_a_transfer_that_is_refused_comes_back():
    state, _ = hears(begun(transferred=True), [story("passed", 1)["refused"]])
    assert state.questions[0].state is State.REGISTERED


def test_the_file_of_an_answer_comes_with_it():
    wire = pack("m", story("handed")["answer"])
    (item,) = Sed({}).decode(wire).items
    (digest,) = item.report.answer.attachments
    with zipfile.ZipFile(io.BytesIO(wire.body)) as zipped:
        assert zipped.read("answer.pdf") == item.files[0].data
    assert item.files[0].sha256 == digest
