"""The adapter against the simulated service in a process of its own, with each kind of failure."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from adapters.regional.asdou.adapter import Asdou
from adapters.regional.asdou.client import import_id, report_of
from gateway.adapter import EncodeContext, Window, Wire
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable, UnsupportedError
from gateway.model import facts as f
from gateway.model.answer import Answer, Outcome, Result
from gateway.model.appeal import Appeal
from gateway.model.assignment import Assignment
from gateway.model.attachment import Attachment
from gateway.model.base import ExternalRef
from gateway.model.events import Actor, Event, EventType
from gateway.model.organisation import Officer
from gateway.model.question import Question
from gateway.outbound import Outbound
from simulators.asdou import rules
from simulators.process import running

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
LETTER = UUID(int=7)
FILE = b"%PDF-1.4 answer"
GOLDEN = Path(__file__).parents[2] / "contract" / "asdou"


@pytest.fixture
def service(tmp_path):
    with running("asdou", "--journal", str(tmp_path / "journal.jsonl")) as simulator:
        simulator.control(assignment={"importId": "РЗ-1", "responsible": True})
        simulator.control(assignment={"importId": "РЗ-2", "responsible": False})
        yield simulator


@pytest.fixture
def connect():
    made = []

    def to(simulator, *, timeout=20.0, **options):
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=timeout)
        made.append(out)
        return Asdou(options, base=simulator.facts["options"]["url"], outbound=out)

    yield to
    for out in made:
        out.close()


def wire(adapter, parent="РЗ-1", *, responsible=True, text="Сделано."):
    digest = hashlib.sha256(FILE).hexdigest()
    letter = Answer(id=LETTER, number="О-1", date=date(2026, 4, 1), text=text,
                    signed_by=Officer(name="Примерова Анна Тестовна"),
                    attachments=(Attachment(sha256=digest, declared_name="О.pdf"),))  # fmt: skip
    ref = ExternalRef(peer="asdou", kind="importId", value=parent)
    appeal = Appeal(
        questions=(
            Question(
                state="answered", outcome=Outcome(result=Result.SUPPORTED, actions_taken=True)
            ),
        ),
        assignments=(Assignment(refs=(ref,), responsible=responsible),),
        answers=(letter,),
    )
    event = Event(appeal_id=UUID(int=1), seq=3, type=EventType.ANSWERED, occurred_at=NOW,
                  recorded_at=NOW, actor=Actor(kind="person", id="head"),
                  payload=f.AnswerFacts(kind="final", number="О-1"))  # fmt: skip
    ctx = EncodeContext(now=NOW, letter=str(LETTER), files={digest: FILE}, key="k")
    return adapter.encode(appeal, event, ctx)


def held(service):
    return {row["key"]: (row["reports"], row["statuses"]) for row in service.holds()}


def test_the_responsible_executor_sends_a_report_and_the_final_one_after_it(service, connect):
    adapter = connect(service)
    sent = wire(adapter)
    receipt = adapter.deliver(sent, "k")
    assert (receipt.final, receipt.reference) == (True, f"{LETTER}_РЗ-1_И")
    assert held(service) == {"РЗ-1": (1, ["SUPPORTED"])}


def test_one_that_is_not_responsible_sends_a_report_alone(service, connect):
    adapter = connect(service)
    adapter.deliver(wire(adapter, "РЗ-2", responsible=False), "k")
    assert held(service) == {"РЗ-2": (1, [])}


def test_a_repeat_is_known_and_counts_as_accepted(service, connect):
    adapter = connect(service)
    sent = wire(adapter)
    assert adapter.deliver(sent, "k").final
    assert adapter.deliver(sent, "k").final
    assert held(service) == {"РЗ-1": (1, ["SUPPORTED"])}
    with pytest.raises(PeerRefused) as caught:
        adapter.deliver(wire(adapter, text="Другое."), "k")
    assert "CONFLICT" in caught.value.found


def test_what_the_service_refuses_is_refused_with_its_words(service, connect):
    adapter = connect(service)
    with pytest.raises(PeerRefused) as caught:
        adapter.deliver(wire(adapter, "РЗ-404"), "k")
    assert "РЗ-404" in caught.value.found
    with pytest.raises(PeerRefused) as caught:
        adapter.deliver(wire(adapter, "РЗ-2"), "k")
    assert "FORBIDDEN" in caught.value.found
    assert held(service) == {"РЗ-2": (1, [])}


def test_a_latin_letter_in_the_key_is_refused(service, connect):
    adapter = connect(service)
    sent = wire(adapter, responsible=False)
    latin = sent.body.replace("_О<".encode(), b"_O<")
    with pytest.raises(PeerRefused) as caught:
        adapter.deliver(Wire(media_type=sent.media_type, body=latin, headers=sent.headers), "k")
    assert "кириллицей" in caught.value.found


@pytest.mark.parametrize(
    ("kind", "error", "stored"),
    [
        ("busy", PeerUnavailable, 0), ("error", PeerDoubtful, 0), ("hang_before", PeerDoubtful, 0),
        ("hang_after", PeerDoubtful, 1), ("drip", PeerDoubtful, 1), ("garbage", PeerDoubtful, 1),
        ("reset_after", PeerDoubtful, 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("letter", ["О", "И"])
def test_after_each_failure_of_either_message_the_same_delivery_ends_well(
    service, connect, kind, error, stored, letter
):
    sent = wire(connect(service))
    service.plan(kind, key=f"{LETTER}_РЗ-1_{letter}", seconds=3)
    with pytest.raises(error):
        connect(service, timeout=1.5).deliver(sent, "k")
    first = stored if letter == "О" else 1
    reports, finals = held(service).get("РЗ-1", (0, []))
    assert (reports, len(finals)) == (first, stored if letter == "И" else 0)
    assert connect(service).deliver(sent, "k").final
    assert held(service) == {"РЗ-1": (1, ["SUPPORTED"])}


def test_the_report_is_the_final_one_without_its_result(service, connect):
    sent = wire(connect(service))
    before = report_of(sent)
    assert import_id(before) == f"{LETTER}_РЗ-1_О"
    assert report_of(before) is None
    names = [etree.QName(e).localname for e in etree.fromstring(before.body)[0][0][0]]
    assert names == ["author", "date", "importId", "parentId", "text"]
    assert before.headers["soapaction"] == '"urn:asdou-profile:v0/SendReport"'


def test_probe_and_what_cannot_be_asked(service, connect):
    adapter = connect(service)
    assert adapter.probe().ok
    with pytest.raises(UnsupportedError):
        adapter.settle(Wire(media_type="", body=b""), "k")
    with pytest.raises(UnsupportedError):
        adapter.reconcile(Window(start=NOW, end=NOW))


def test_assignments_are_given_out_by_seed(service):
    told = service.control(emit=2, seed=3)
    others = service.control(emit=1, seed=3, responsible=False)
    assert told["keys"] == ["РЗ-2026-3-1", "РЗ-2026-3-2"]
    assert [one["responsible"] for one in told["assignments"]] == [True, True]
    assert [one["responsible"] for one in others["assignments"]] == [False]


@pytest.mark.parametrize("case", sorted(p.parent.name for p in GOLDEN.glob("*/wire_out.xml")))
def test_golden_messages_agree_with_the_rules_of_the_service(case):
    wire = (GOLDEN / case / "wire_out.xml").read_bytes()
    document = etree.fromstring(wire)[0][0][0]
    assert rules.refusals(etree.QName(document).localname, document) == []
