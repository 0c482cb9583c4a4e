"""The adapter against the simulated node in a process of its own, with each kind of failure."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from adapters.sstu.adapter import SENT_AT, Sstu
from adapters.sstu.decode import decode_document
from adapters.sstu.encode import encode
from gateway.adapter import EncodeContext, Window, Wire
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.outbound import Outbound
from simulators.process import running, start

BODY = "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91"
GOLDEN = Path(__file__).parents[2] / "contract" / "sstu"
ALWAYS = Window(start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(3000, 1, 1, tzinfo=UTC))


@pytest.fixture
def node(tmp_path):
    with running("sstu", "--journal", str(tmp_path / "journal.jsonl")) as simulator:
        yield simulator


@pytest.fixture
def connect():
    made = []

    def to(simulator, *, timeout=20.0, **options):
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=timeout)
        made.append(out)
        table = {"department_id": BODY, **options}
        return Sstu(table, base=simulator.facts["api"], outbound=out)

    yield to
    for out in made:
        out.close()


def document(number="ОГ-1", status="InWork", code="0005.0005.0056.1147", **fields):
    question = {"code": code, "status": status, "incomingDate": "2026-03-02",
                "registrationDate": "2026-03-03", **fields}  # fmt: skip
    body = {"departmentId": BODY, "isDirect": True, "format": "Other", "number": number,
            "name": "Берёзкина Анна Львовна", "questions": [question]}  # fmt: skip
    return Wire(media_type="application/json", body=json.dumps(body, ensure_ascii=False).encode())


def numbers(node):
    return [item["number"] for item in node.holds()]


def test_a_delivery_is_stored_and_settled_at_once(node, connect, tmp_path):
    adapter = connect(node)
    receipt = adapter.deliver(document(), "key")
    assert (receipt.final, receipt.status) == (True, 200)
    assert receipt.body.decode() == "Обращение принято"
    assert numbers(node) == ["ОГ-1"]
    line = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[-1])
    assert (line["status"], line["key"], line["fault"]) == (200, "ОГ-1", None)
    assert line["stored"]["digest"] == node.holds()[0]["digest"]


def test_the_node_tells_how_it_is_spoken_to_and_shows_what_it_holds(node, connect):
    told = node.facts["options"]
    assert told["allow_private"] == ["127.0.0.1"]
    assert told["url"] == node.facts["api"]
    node.control(emit=3, seed=1)
    channel = connect(node, **told)
    assert len(list(channel.reconcile(ALWAYS))) == 3
    with build_opener(ProxyHandler({})).open(node.address) as page:
        shown = page.read().decode()
    assert all(item["key"] in shown for item in node.holds())


def test_every_golden_document_that_we_send_is_taken(node, connect):
    adapter = connect(node)
    sent = 0
    for case in sorted(GOLDEN.glob("s*")):
        if (case / "error.json").exists() or (case / "encode_error.json").exists():
            continue
        item = decode_document((case / "wire.json").read_bytes())
        files = {file.sha256: file.data for file in item.files}
        wire = encode(item.appeal, EncodeContext(now=datetime.now(UTC), files=files))
        assert adapter.deliver(wire, case.name).final
        sent += 1
    assert sent >= 12


def test_what_the_rules_refuse_the_node_refuses_and_says_why(node, connect):
    with pytest.raises(PeerRefused) as caught:
        connect(node).deliver(document(registrationDate="2026-03-01"), "key")
    assert "registrationDate раньше incomingDate" in caught.value.found
    assert numbers(node) == []


@pytest.mark.parametrize(
    ("kind", "error", "stored"),
    [
        ("refuse", PeerRefused, False), ("busy", PeerUnavailable, False),
        ("error", PeerDoubtful, False), ("hang_before", PeerDoubtful, False),
        ("reset", PeerDoubtful, False), ("hang_after", PeerDoubtful, True),
        ("drip", PeerDoubtful, True), ("garbage", PeerDoubtful, True),
        ("reset_after", PeerDoubtful, True),
    ],
)  # fmt: skip
def test_after_each_failure_asking_tells_the_truth(node, connect, kind, error, stored):
    adapter = connect(node)
    adapter.deliver(document("другое"), "0")
    node.plan(kind, key="ОГ-1", seconds=10, text="узел занят")
    hasty = connect(node, timeout=1.0)
    with pytest.raises(error) as caught:
        hasty.deliver(document(), "1")
    if kind == "refuse":
        assert "узел занят" in caught.value.found
    receipt = adapter.settle(document(), "1")
    assert (receipt is not None) is stored
    if receipt:
        assert receipt.final
        assert receipt.reference == node.holds()[-1]["requestId"]
    else:
        assert adapter.deliver(document(), "1").final
    assert numbers(node) == ["другое", "ОГ-1"]


def test_a_node_that_is_away_has_stored_nothing_and_cannot_be_asked(connect):
    simulator = start("sstu")
    simulator.stop()
    adapter = connect(simulator)
    with pytest.raises(PeerUnavailable):
        adapter.deliver(document(), "1")
    with pytest.raises(PeerDoubtful):
        adapter.settle(document(), "1")
    health = adapter.probe()
    assert not health.ok
    assert health.todo


def test_asking_through_a_broken_list_stays_a_doubt(node, connect):
    adapter = connect(node, timeout=1.0)
    for kind in ("error", "garbage", "hang_before", "busy", "drip"):
        node.plan(kind, key="analytics", times=2 if kind == "garbage" else 1, seconds=10)
        with pytest.raises(PeerDoubtful):
            adapter.settle(document(), "1")
        node.control(clear_faults=True)


def test_an_earlier_version_at_the_node_is_not_taken_for_the_new_one(node, connect):
    adapter = connect(node)
    adapter.deliver(document(status="InWork"), "1")
    node.plan("reset", key="ОГ-1")
    newer = document(status="InWorkExtended")
    with pytest.raises(PeerDoubtful):
        adapter.deliver(newer, "2")
    assert adapter.settle(newer, "2") is None
    adapter.deliver(newer, "2")
    assert adapter.settle(newer, "2").final
    assert adapter.settle(document(code="0005.0005.0055.1122"), "3") is None


def test_two_versions_that_look_alike_in_the_list_are_told_apart_by_time(node, connect):
    adapter = connect(node, clock_skew=0)
    first = document(registrationDate="2026-03-03")
    second = document(registrationDate="2026-03-04")
    adapter.deliver(first, "1")
    attempt = datetime.now(UTC)
    later = Wire(media_type="", body=second.body, headers={SENT_AT: attempt.isoformat()})
    assert adapter.settle(later, "2") is None
    assert connect(node, clock_skew=3600).settle(later, "2") is not None
    adapter.deliver(second, "2")
    assert adapter.settle(later, "2").final


def test_several_matching_rows_are_left_to_a_person(node, connect):
    adapter = connect(node)
    adapter.deliver(document(), "1")
    node.control(duplicate="ОГ-1")
    with pytest.raises(PeerDoubtful) as caught:
        adapter.settle(document(), "1")
    assert len(caught.value.found.split(", ")) == 2


def test_a_number_retyped_with_latin_letters_is_the_same_number(node, connect):
    adapter = connect(node)
    adapter.deliver(document("А26-02-1-СО1"), "1")  # Cyrillic
    latin = document("A26-02-1-CO1")
    assert adapter.settle(latin, "2").final
    adapter.deliver(latin, "2")
    assert numbers(node) == ["A26-02-1-CO1"]


def test_acknowledgement_by_upload_waits_for_the_third_stage(node, connect):
    node.control(stages={"forward_after": 3600, "upload_after": 3600})
    adapter = connect(node, ack="upload")
    assert not adapter.deliver(document(), "1").final
    waiting = adapter.settle(document(), "1")
    assert not waiting.final
    node.control(stages={"forward_after": 0, "upload_after": 0})
    done = adapter.settle(document(), "1")
    assert done.final
    assert done.at.tzinfo
    node.control(number="ОГ-1", exception="Неверный код вопроса")
    assert adapter.settle(document(), "1").refused == "Неверный код вопроса"


def test_reconciliation_sees_what_was_dropped_changed_planted_and_how_far_it_got(node, connect):
    adapter = connect(node)
    for number in ("1", "2", "3"):
        adapter.deliver(document(number), number)
    before = {state.key: state for state in adapter.reconcile(ALWAYS)}
    node.control(drop="1")
    node.control(change="2", status="NotRegistered")
    node.control(plant=json.loads(document("чужое").body))
    node.control(stages={"forward_after": 0, "upload_after": 3600})
    after = {state.key: state for state in adapter.reconcile(ALWAYS)}
    assert sorted(after) == ["2", "3", "чужое"]
    assert after["2"].states == {"0005.0005.0056.1147": "NotRegistered"}
    assert after["2"].digest != before["2"].digest
    assert after["3"].digest == before["3"].digest
    assert after["3"].stages["forwarded"]
    assert after["3"].stages["uploaded"] is None


def test_a_list_that_is_larger_than_any_other_answer_is_read_in_pieces(node, connect):
    adapter = connect(node)
    adapter.deliver(document("ОГ-1"), "1")
    for number in range(75):
        planted = json.loads(document(f"Б-{number}").body)
        node.control(plant={**planted, "address": f"{number} " + "я" * 450_000})
    states = list(adapter.reconcile(ALWAYS))
    assert sum(len(state.raw) for state in states) > 64 * 1024 * 1024
    assert {state.key for state in states} == {"ОГ-1", *(f"Б-{number}" for number in range(75))}
    assert adapter.settle(document("ОГ-1"), "1").final
    assert adapter.probe().detail.endswith("76")


def test_a_list_over_its_limit_is_said_with_what_to_do(node, connect):
    adapter = connect(node, list_bytes=2_000)
    adapter.deliver(document("1"), "1")
    assert adapter.settle(document("1"), "1").final
    for number in range(2, 6):
        adapter.deliver(document(str(number)), "1")
    with pytest.raises(PeerDoubtful) as caught:
        list(adapter.reconcile(ALWAYS))
    assert "gateway peer option" in caught.value.todo
    assert caught.value.expected == "options.list_bytes"
    with pytest.raises(PeerDoubtful) as caught:
        adapter.settle(document("1"), "1")
    assert "gateway peer option" in caught.value.todo


def test_a_long_list_has_its_own_time_in_reconciliation(node, connect):
    adapter = connect(node, timeout=0.5)
    adapter.deliver(document("1"), "1")
    node.plan("drip", key="analytics", times=0, seconds=20, pause=0.001)
    with pytest.raises(PeerDoubtful):
        adapter.settle(document("1"), "1")
    assert [state.key for state in adapter.reconcile(ALWAYS)] == ["1"]
    with pytest.raises(PeerUnavailable):
        list(connect(node, list_seconds=0.5).reconcile(ALWAYS))


def test_the_window_is_kept(node, connect):
    adapter = connect(node)
    adapter.deliver(document(), "1")
    (state,) = adapter.reconcile(ALWAYS)
    changed = state.modified_at
    assert list(adapter.reconcile(Window(start=changed, end=changed + timedelta(seconds=1))))
    assert not list(adapter.reconcile(Window(start=ALWAYS.start, end=changed)))


def test_the_digest_of_what_was_sent_is_that_of_what_the_list_shows(node, connect):
    """So that what was sent can be compared with the node without more requests."""
    adapter = connect(node)
    wire = document("А26-1")
    adapter.deliver(wire, "1")
    (state,) = adapter.reconcile(ALWAYS)
    assert adapter.digest(wire) == state.digest


def test_a_probe_changes_nothing(node, connect):
    health = connect(node).probe()
    assert health.ok
    assert numbers(node) == []


def test_a_store_survives_a_killed_node(tmp_path, connect):
    file = str(tmp_path / "store.jsonl")
    first = start("sstu", "--store", file)
    connect(first).deliver(document(), "1")
    first.process.kill()
    first.stop()
    with running("sstu", "--store", file) as second:
        assert numbers(second) == ["ОГ-1"]
        assert connect(second).settle(document(), "1").final


def test_failures_by_rate_repeat_with_their_seed(connect):
    def outcomes():
        arguments = ("--fail-rate", "0.5", "--fail-kinds", "error,busy", "--seed", "7")
        with running("sstu", *arguments) as simulator:
            adapter = connect(simulator)
            out = []
            for n in range(30):
                try:
                    adapter.deliver(document(str(n)), str(n))
                    out.append("ok")
                except (PeerDoubtful, PeerUnavailable) as e:
                    out.append(e.code)
            return out

    first = outcomes()
    assert first == outcomes()
    assert set(first) == {"ok", "peer_doubtful", "peer_unavailable"}
