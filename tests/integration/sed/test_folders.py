"""The adapter against the simulated СЭД in a process of its own, over one directory."""

import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from adapters.sed.adapter import Sed
from adapters.sed.codes import document_uid
from gateway.adapter import EncodeContext, Landed, Verdict
from gateway.lifecycle import check_report
from gateway.model.events import EventType
from gateway.model.ids import receipt_of
from gateway.model.intake import check_intake
from gateway.testing.cases import Case, appeal_of, context_of, event_of
from simulators.process import running

CASES = Path(__file__).parents[2] / "contract" / "sed"
PATIENCE = 20.0
RECEIPT = receipt_of(0x2A5F3C1D9B7E4)


@pytest.fixture
def start(tmp_path):
    made = []

    def to(*arguments):
        place = str(tmp_path / "exchange")
        journal = str(tmp_path / "journal.jsonl")
        context = running("sed", "--directory", place, "--journal", journal, *arguments)
        made.append(context)
        simulator = context.__enter__()
        return simulator, Sed({**simulator.facts["options"], "settle_seconds": 0.1})

    yield to
    for context in made:
        context.__exit__(None, None, None)


def until(found):
    """Ask until there is an answer that is true."""
    end = time.monotonic() + PATIENCE
    while not (answer := found()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return answer


def take(sed, items):
    """Take what lies there: decode, acknowledge; return whether anything did."""
    batch = sed.receive("")
    now = datetime.now(UTC)
    for taken in batch.messages:
        (item,) = sed.decode(taken.wire).items
        if item.appeal:
            check_intake(item.appeal, now)
        elif item.report:
            check_report(item.report, now)
        items.append(item)
        sed.acknowledge((Verdict(token=taken.token, items=(Landed(),), now=now),))
    return items


def send(sed, case, key="k1", **changes):
    """Deliver what a golden case encodes; return the wire."""
    given = Case("sed", CASES / case)
    options = msgspec.to_builtins({})
    context = msgspec.structs.replace(context_of(given, options), key=key, now=datetime.now(UTC))
    wire = sed.encode(
        msgspec.structs.replace(appeal_of(given), **changes), event_of(given), context
    )
    assert not sed.deliver(wire, key).final
    return wire


def settled(sed, wire):
    def ask():
        take(sed, [])
        receipt = sed.settle(wire, "k1")
        return receipt if receipt and receipt.final else None

    return until(ask)


def test_a_document_is_registered_worked_on_and_answered(start):
    simulator, sed = start("--step", "0.15", "--refuse", "0")
    wire = send(sed, "m26-out-received")
    items = []

    def answered():
        take(sed, items)
        return [i for i in items if i.files and i.report]

    until(answered)
    until(lambda: len(take(sed, items)) == 7)

    reports = [item.report for item in items]
    assert [report.event for report in reports] == [
        EventType.REGISTERED, EventType.ASSIGNED, EventType.PEER_STATE_REPORTED,
        EventType.ANSWER_PREPARED, EventType.ANSWERED, EventType.ANSWERED,
        EventType.PEER_STATE_REPORTED,
    ]  # fmt: skip
    assert {report.key.receipt_number for report in reports} == {RECEIPT}
    assert reports[0].registration.number == "ВХ-1"
    assert reports[4].answer.number == reports[5].answer.number == "ИСХ-1"
    assert sed.settle(wire, "k1").final
    (held,) = simulator.holds()
    assert held["uid"] == document_uid(RECEIPT, "handed")


def test_a_transfer_is_refused_by_the_receiver_with_one_of_the_reasons(start):
    _, sed = start("--step", "0.1", "--refuse", "1")
    send(sed, "m26-out-transfer")
    items = []
    (item,) = until(lambda: take(sed, items))
    assert item.report.event is EventType.REFUSED_BY_RECEIVER
    assert item.report.reason.code
    assert item.report.ordinals == (2,)


def test_documents_of_theirs_are_taken_told_of_and_answered(start):
    simulator, sed = start()
    keys = simulator.control(emit=3, seed=7)["keys"]
    items = []
    until(lambda: len(take(sed, items)) == 3)
    assert sorted(item.external_id for item in items) == sorted(keys)

    appeal = msgspec.structs.replace(items[0].appeal, source_peer="ensk", receipt_number=RECEIPT)
    for n, case in enumerate(("m26-out-registered", "m26-out-executor", "m26-out-course")):
        event = event_of(Case("sed", CASES / case))
        told = EncodeContext(now=datetime.now(UTC), key=f"k{n}", peer="ensk")
        wire = sed.encode(appeal, event, told)
        sed.deliver(wire, f"k{n}")
        settled(sed, wire)

    held = {item["key"]: item for item in simulator.holds()}[items[0].external_id]
    assert held["statuses"] == ["Зарегистрирован", "Назначен исполнитель", "Исполнение"]
    assert held["receipt"] == "true"


def test_an_answer_with_a_file_comes_as_a_document_that_answers_theirs(start):
    simulator, sed = start()
    simulator.control(emit=1, seed=3)
    items = []
    until(lambda: take(sed, items))
    theirs = items[0].appeal
    wire = send(sed, "m26-out-answer", refs=theirs.refs, referrals=theirs.referrals)
    settled(sed, wire)
    (held,) = simulator.holds()
    assert held["answers"] == 1


@pytest.mark.parametrize("odd", ["version", "extension", "encoding", "half"])
def test_what_is_seen_in_the_wild_is_taken(start, odd):
    simulator, sed = start()
    keys = simulator.control(emit=2, seed=11, odd=odd)["keys"]
    items = []
    until(lambda: len(take(sed, items)) == 2)
    assert sorted(item.external_id for item in items) == sorted(keys)
    named = [a for item in items for a in item.appeal.attachments]
    assert all(a.sha256 for a in named)


def test_the_same_message_twice_is_the_same_item(start):
    simulator, sed = start()
    simulator.control(emit=1, seed=5, odd="duplicate")
    items = []
    until(lambda: len(take(sed, items)) == 2)
    assert items[0] == items[1]


def test_instead_of_what_was_sent_is_a_higher_revision(start):
    simulator, sed = start()
    (key,) = simulator.control(emit=1, seed=5)["keys"]
    simulator.control(emit=1, seed=6, replace=key)
    items = []
    until(lambda: len(take(sed, items)) == 2)
    first, second = sorted(items, key=lambda item: item.revision)
    assert first.external_id == second.external_id == key
    assert (first.revision, second.revision > 1) == (1, True)


def test_a_refusing_receipt_is_the_partners_no(start):
    simulator, sed = start()
    simulator.plan("refuse", text="Неверный адресат")
    wire = send(sed, "m26-out-received")

    def refused():
        take(sed, [])
        return sed.settle(wire, "k1").refused

    assert until(refused) == "Неверный адресат"
    assert simulator.holds() == []


@pytest.mark.parametrize("kind", ["busy", "drip", "reset_after"])
def test_a_late_receipt_and_one_that_comes_twice_settle_all_the_same(start, kind):
    simulator, sed = start("--step", "60")
    simulator.plan(kind, seconds=0.5)
    wire = send(sed, "m26-out-received")
    assert settled(sed, wire).at


def test_a_lost_folder_and_a_receipt_that_never_comes_wait(start):
    simulator, sed = start("--step", "0.1")
    simulator.plan("hang_after")
    wire = send(sed, "m26-out-received")
    until(simulator.holds)
    until(lambda: take(sed, []))
    assert not sed.settle(wire, "k1").final
