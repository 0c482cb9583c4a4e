"""Cards to both simulated desks: taken, corrected, withdrawn, refused, in doubt."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from gateway.adapter import EncodeContext
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable, UnsupportedError
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.base import Code
from gateway.model.events import Actor, Event, EventType
from gateway.model.question import Question, Topic

CASES = Path(__file__).parents[2] / "contract" / "edds"
SEEN = msgspec.convert(json.loads((CASES / "o01-card-rest/appeal.json").read_bytes()), Appeal)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
VENDORS = ("rest", "soap")
NOTHING = f.NoFacts()


def event(kind, payload=NOTHING):
    return Event(
        appeal_id=UUID(int=1), seq=2, type=kind, occurred_at=date(2026, 3, 3), recorded_at=NOW,
        actor=Actor(kind="system"), payload=payload,
    )  # fmt: skip


def send(desk, key, kind=EventType.REGISTERED, appeal=SEEN, payload=NOTHING):
    wire = desk.encode(appeal, event(kind, payload), EncodeContext(now=NOW, key=key))
    return wire, desk.deliver(wire, key)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_card_is_taken_corrected_and_withdrawn_and_the_desks_number_is_told(
    connect, desks, vendor
):
    desk = connect(vendor)
    _, receipt = send(desk, "k-1")
    send(desk, "k-2", EventType.AMENDED, msgspec.structs.replace(SEEN, revision=2))
    send(desk, "k-3", EventType.WITHDRAWN, payload=f.ReasonFacts(code="withdrawal"))

    (held,) = desks.holds()
    assert (receipt.final, receipt.reference) == (True, "4711")
    assert (held["key"], held["vendor"]) == ("2026-00017", vendor)
    assert held["statuses"] == ["card", "amend", "cancel"]
    assert held["address"] == "Хабаровск, улица Ленина, д. 7, корп. 2"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_repeat_of_a_card_makes_no_second_one_and_another_body_is_refused(connect, desks, vendor):
    desk = connect(vendor)
    _, first = send(desk, "k-1")
    _, again = send(desk, "k-1")
    with pytest.raises(PeerRefused):
        send(desk, "k-1", appeal=msgspec.structs.replace(SEEN, concerned_count=99, revision=7))

    assert first.reference == again.reference
    assert [held["statuses"] for held in desks.holds()] == [["card"]]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_card_that_the_desk_does_not_understand_is_refused_with_its_reason(connect, vendor):
    topics = msgspec.convert([{"code": {"system": "x", "value": "пожар"}}], tuple, strict=False)
    question = msgspec.json.decode(
        msgspec.json.encode({"ordinal": 1, "topics": list(topics)}), type=type(SEEN.questions[0])
    )
    appeal = msgspec.structs.replace(SEEN, questions=(question,))

    with pytest.raises(PeerRefused) as caught:
        send(connect(vendor), "k-1", appeal=appeal)

    assert "Неизвестный тип" in caught.value.found


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("kind", "stored"),
    [("hang_before", False), ("reset", False), ("hang_after", True), ("garbage", True)],
)
def test_a_doubt_is_settled_by_the_key(connect, desks, vendor, kind, stored):
    desk = connect(vendor)
    hasty = connect(vendor, timeout=0.5)
    wire = desk.encode(SEEN, event(EventType.REGISTERED), EncodeContext(now=NOW, key="k-1"))
    desks.plan(kind, key="2026-00017", seconds=2)
    with pytest.raises(PeerDoubtful):
        hasty.deliver(wire, "k-1")

    told = desk.settle(wire, "k-1")

    assert (told.reference if told else "") == ("4711" if stored else "")


def test_a_busy_desk_has_taken_nothing_and_a_failing_one_leaves_a_doubt(connect, desks):
    desk = connect("soap")
    desks.plan("busy", key="2026-00017")
    with pytest.raises(PeerUnavailable):
        send(desk, "k-1")
    desks.plan("error", key="2026-00017")
    with pytest.raises(PeerDoubtful):
        send(desk, "k-1")


def test_an_answer_without_the_number_that_the_template_promises_is_a_doubt(
    connect, desks, tmp_path
):
    text = Path("adapters/edds/tables/card-rest.toml").read_text("utf-8")
    (tmp_path / "t.toml").write_text(text.replace('"/cardId"', '"/ticket"'), "utf-8")

    with pytest.raises(PeerDoubtful) as caught:
        send(connect("rest", tables=str(tmp_path / "t.toml")), "k-1")

    assert "answer.number" in caught.value.todo


def test_a_vendor_that_acknowledges_later_leaves_the_card_waiting(connect, tmp_path):
    text = Path("adapters/edds/tables/card-rest.toml").read_text("utf-8")
    path = tmp_path / "t.toml"
    path.write_text(text.replace("[card]\n", "[card]\nwaits = true\n"), "utf-8")
    desk = connect("rest", tables=str(path))

    wire, receipt = send(desk, "k-1")

    assert not receipt.final
    assert desk.settle(wire, "k-1").final


def test_a_vendor_that_cannot_be_asked_leaves_the_doubt_to_a_person(connect, tmp_path):
    text = Path("adapters/edds/tables/card-rest.toml").read_text("utf-8")
    start, end = text.index("[ask]"), text.index("[probe]")
    (tmp_path / "t.toml").write_text(text[:start] + text[end:], "utf-8")
    desk = connect("rest", tables=str(tmp_path / "t.toml"))
    wire, _ = send(desk, "k-1")
    with pytest.raises(UnsupportedError):
        desk.settle(wire, "k-1")


def test_a_credential_goes_where_the_row_says(connect, desks, tmp_path):
    (tmp_path / "password").write_text("тайна")
    (tmp_path / "key").write_text("k-9")
    desk = connect(
        "rest", user="gateway", password_file=str(tmp_path / "password"),
        key_header="X-Api-Key", key_file=str(tmp_path / "key"),
    )  # fmt: skip
    assert desk.probe().ok
    send(desk, "k-1")
    assert len(desks.holds()) == 1


def test_the_rows_that_the_simulator_prints_let_the_gateway_reach_it(desks):
    assert desks.facts["options"]["allow_private"] == ["127.0.0.1"]
    assert desks.facts["soap"]["allow_private"] == ["127.0.0.1"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_card_whose_place_is_told_in_words_only_is_taken(connect, desks, vendor):
    send(connect(vendor), "k-1", appeal=msgspec.structs.replace(SEEN, addresses=()))
    (held,) = desks.holds()
    assert held["address"] == "место не разобрано, уточните по обращению 2026-00017"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_code_that_the_desk_does_not_know_is_kept_back_by_the_classifier(connect, desks, vendor):
    topic = Topic(code=Code(system="incident.tag", value="gas_leak", label="Утечка газа"))
    appeal = msgspec.structs.replace(SEEN, questions=(Question(ordinal=1, topics=(topic,)),))
    with pytest.raises(PeerRefused):
        send(connect(vendor), "k-1", appeal=appeal)
    send(connect(vendor, classifier="sstu"), "k-2", appeal=appeal)
    assert len(desks.holds()) == 1
