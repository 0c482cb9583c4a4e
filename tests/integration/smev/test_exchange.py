"""The exchange against a stand of СМЭВ that keeps its own books."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid1

import pytest
from msgspec.structs import replace

from adapters.smev import ids
from adapters.smev.messages import package
from adapters.smev.messages import types as t
from gateway.adapter import EncodeContext, Wire
from gateway.errors import (
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    TrustError,
    ValidationError,
    Violation,
)
from gateway.model import facts as f
from gateway.model.events import Actor, Event, EventType
from gateway.testing.memory import FakeMemory
from tests.gost_kit import needs_gost, pki
from tests.integration.smev.talk import (
    NOW,
    answered,
    counts,
    given,
    one,
    overdue,
    patient,
    registered,
    state,
)

pytestmark = needs_gost
VERSIONS = ("1.1", "1.2", "1.3")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_appeal_comes_is_acknowledged_when_stored_and_gets_its_answers_back(
    stand, connect, stored, version
):
    channel = connect(stand, version=version)
    sent = stand.control(emit=1, seed=3, version=version)
    batch, item = one(channel)
    assert item.external_id == sent["keys"][0]
    assert batch.messages[0].wire.headers[t.MESSAGE_ID] == sent["ids"][0]
    channel.acknowledge(stored(batch))
    assert overdue(channel) == 0
    assert channel.receive("").messages == ()
    appeal = replace(item.appeal, receipt_number="26-1", source_peer="smev")
    for wire in (
        registered(channel, appeal, "d-1", version=version),
        answered(channel, appeal, "d-2", version=version),
    ):
        receipt = channel.deliver(wire, wire.headers[t.KIND])
        assert receipt.final is False
        assert channel.settle(wire, wire.headers[t.KIND]).final is True
    stand.control(answer=True, version=version)
    heard = stand.control(heard=True)["heard"][sent["ids"][0]]
    assert heard == ["RequestStatus", "Answer"]


def test_what_is_not_acknowledged_comes_again_and_is_given_again_until_it_is_stored(
    stand, connect, stored
):
    memory_of = connect(stand)
    stand.control(emit=1, seed=3)
    first = memory_of.receive("").messages
    again = patient(memory_of)
    assert [m.token for m in again.messages] == [m.token for m in first]
    memory_of.acknowledge(stored(again))
    assert overdue(memory_of) == 0
    assert memory_of.receive("").messages == ()


def test_a_message_that_was_stored_and_comes_again_is_acknowledged_and_given_to_nobody(
    stand, connect, stored, clock
):
    memory = FakeMemory(clock)
    stand.control(emit=1, seed=3)
    stand.control(trouble={"kind": "again_late", "times": 1})
    channel = connect(stand, memory=memory)
    batch = channel.receive("")
    channel.acknowledge(stored(batch))
    assert overdue(channel) == 1
    assert connect(stand, memory=memory).receive("").messages == ()
    assert overdue(channel) == 0
    assert channel.receive("").messages == ()


def test_the_newest_reply_to_is_the_one_that_is_used(stand, connect, stored, clock):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory)
    number = stand.control(emit=1, seed=3)["ids"][0]
    channel.receive("")
    first = memory.get("received", number)["reply_to"]
    batch = patient(channel)
    assert memory.get("received", number)["reply_to"] != first
    channel.acknowledge(stored(batch))
    item = channel.decode(batch.messages[0].wire).items[0]
    appeal = replace(item.appeal, receipt_number="26-1", source_peer="smev")
    assert channel.deliver(registered(channel, appeal), "d").reference


def test_a_lost_answer_costs_nothing_the_repeat_has_the_same_number(stand, connect, clock):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory, timeout=3.0)
    stand.control(emit=1, seed=3)
    _, item = one(channel)
    wire = given(channel, item.appeal)
    stand.plan("reset_after", key="SendRequest")
    with pytest.raises(PeerDoubtful):
        channel.deliver(wire, "d-3")
    number = memory.get(ids.SENT, "d-3")["id"]
    assert channel.settle(wire, "d-3") is None
    receipt = connect(stand, memory=memory).deliver(wire, "d-3")
    assert receipt.reference == number
    assert len([one for one in stand.holds() if one["key"] == number]) == 1


def test_the_number_is_written_down_before_the_first_byte_leaves(stand, connect, clock):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory, timeout=3.0)
    stand.control(emit=1, seed=3)
    _, item = one(channel)
    stand.plan("reset", key="SendRequest")
    with pytest.raises((PeerUnavailable, PeerDoubtful)):
        channel.deliver(given(channel, item.appeal), "d-3")
    assert UUID(memory.get(ids.SENT, "d-3")["id"]).version == 1


def test_a_stale_number_is_followed_by_a_new_one_and_is_kept(stand, connect, clock, tmp_path):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory)
    stand.control(emit=1, seed=3)
    _, item = one(channel)
    old = uuid1()
    fields = (old.time - 3 * 864_000_000_000) & ((1 << 60) - 1)
    stale = str(UUID(fields=(
        fields & 0xFFFFFFFF, fields >> 32 & 0xFFFF, fields >> 48 & 0x0FFF | 0x1000,
        old.clock_seq_hi_variant, old.clock_seq_low, old.node,
    )))  # fmt: skip
    memory.put(ids.SENT, "d-3", {"id": stale, "state": "made", "before": []})
    receipt = channel.deliver(given(channel, item.appeal), "d-3")
    kept = memory.get(ids.SENT, "d-3")
    assert kept["before"] == [stale]
    assert receipt.reference == kept["id"] != stale
    assert "StaleMessageId" in (tmp_path / "journal.jsonl").read_text("utf-8"), "it was refused"
    assert stale not in [one["key"] for one in stand.holds()]


def test_a_body_that_we_asked_answers_and_its_answers_name_our_appeal(stand, connect, stored):
    theirs = connect(stand)
    stand.control(emit=1, seed=3)
    batch, item = one(theirs)
    theirs.acknowledge(stored(batch))
    theirs.deliver(given(theirs, item.appeal), "d-3")
    stand.control(answer=True)
    batch = theirs.receive("")
    found = [theirs.decode(m.wire).items[0] for m in batch.messages]
    assert [i.report.event for i in found] == [
        EventType.PEER_STATE_REPORTED, EventType.REGISTERED, EventType.TAKEN_TO_WORK,
        EventType.ANSWERED,
    ]  # fmt: skip
    assert {i.report.key.receipt_number for i in found} == {"26-77"}
    theirs.acknowledge(stored(batch, operation="status"))
    assert overdue(theirs) == 0
    assert theirs.receive("").messages == ()


def test_a_rejection_by_the_other_body_is_read(stand, connect, stored):
    ours = connect(stand)
    stand.control(emit=1, seed=3)
    batch, item = one(ours)
    ours.acknowledge(stored(batch))
    ours.deliver(given(ours, item.appeal), "d-3")
    stand.control(answer=True, **{"as": "rejected"})
    batch, item = one(ours)
    assert item.report.event is EventType.REGISTRATION_REFUSED
    assert item.report.key.receipt_number == "26-77"


def spoiled(channel, batch):
    with pytest.raises(TrustError) as refused:
        channel.decode(batch.messages[0].wire)
    assert refused.value.reason in {"signature_wrong", "digest_mismatch"}
    return refused.value


def test_what_smev_did_not_sign_is_kept_as_it_came_and_refused_when_it_is_no_better_again(
    stand, connect, stored, clock
):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory)
    number = stand.control(emit=1, seed=3)["ids"][0]
    stand.control(trouble={"kind": "broken_signature", "times": 2})
    batch = channel.receive("")
    assert number.encode() in batch.messages[0].wire.body
    channel.acknowledge(stored(batch, error=spoiled(channel, batch)))
    assert state(stand, number) == "given"
    batch = patient(channel)
    channel.acknowledge(stored(batch, error=spoiled(channel, batch)))
    assert state(stand, number) == "ignored"
    assert memory.get("received", number) is None


def test_a_signature_that_was_broken_on_the_way_loses_no_message(stand, connect, stored):
    channel = connect(stand)
    number = stand.control(emit=1, seed=3)["ids"][0]
    stand.control(trouble={"kind": "broken_signature", "times": 1})
    batch = channel.receive("")
    channel.acknowledge(stored(batch, error=spoiled(channel, batch)))
    batch = patient(channel)
    assert channel.decode(batch.messages[0].wire).items[0].external_id
    channel.acknowledge(stored(batch))
    assert state(stand, number) == "accepted"


def test_a_request_that_cannot_be_taken_gets_a_rejection(stand, connect, stored):
    channel = connect(stand)
    number = stand.control(emit=1, seed=3)["ids"][0]
    wrong = ValidationError("нет темы", (Violation("Topic", "required", "нет темы"),))
    channel.acknowledge(stored(channel.receive(""), error=wrong))
    stand.control(answer=True)
    assert stand.control(heard=True)["heard"][number] == ["RequestRejected"]


def test_smev_that_refuses_later_what_it_queued_ends_the_delivery(stand, connect, stored):
    channel = connect(stand)
    stand.control(emit=1, seed=3)
    batch, item = one(channel)
    channel.acknowledge(stored(batch))
    stand.control(trouble={"kind": "reject", "times": 1})
    wire = given(channel, item.appeal)
    assert channel.deliver(wire, "d-3").refused == ""
    batch, item = one(channel)
    assert item.report.key.receipt_number == "26-77"
    assert channel.settle(wire, "d-3").refused
    channel.acknowledge(stored(batch, operation="status"))
    assert channel.receive("").messages == ()


def test_what_smev_refused_later_is_sent_under_a_new_number_when_a_person_says_so(
    stand, connect, stored
):
    channel = connect(stand)
    stand.control(emit=1, seed=3)
    batch, item = one(channel)
    channel.acknowledge(stored(batch))
    stand.control(trouble={"kind": "reject", "times": 1})
    wire = given(channel, item.appeal)
    first = channel.deliver(wire, "d-3").reference
    channel.acknowledge(stored(channel.receive(""), operation="status"))
    again = channel.deliver(wire, "d-3")
    assert again.reference != first
    assert channel.settle(wire, "d-3").refused == ""
    assert stand.control(answer=True)["answered"] == 1


def test_a_status_that_was_given_and_not_stored_is_given_again(stand, connect, stored, clock):
    memory = FakeMemory(clock)
    channel = connect(stand, memory=memory)
    stand.control(emit=1, seed=3)
    batch, item = one(channel)
    channel.acknowledge(stored(batch))
    stand.control(trouble={"kind": "reject", "times": 1})
    channel.deliver(given(channel, item.appeal), "d-3")
    first = channel.receive("").messages
    again = connect(stand, memory=memory).receive("").messages
    assert [m.token for m in again] == [m.token for m in first]
    assert again[0].wire.body == first[0].wire.body


@pytest.mark.parametrize("version", VERSIONS)
def test_files_come_inside_of_the_message(stand, connect, version):
    channel = connect(stand, version=version)
    stand.control(emit=3, seed=5, files=True, version=version)
    given_now = channel.receive("").messages
    assert any(package.is_package(m.wire.body) for m in given_now)
    for m in given_now:
        whole = package.is_package(m.wire.body)
        kept = package.unpack(m.wire.body)[0] if whole else m.wire.body
        assert b"SenderInformationSystemSignature" in kept, "kept as it was signed"
    found = [channel.decode(m.wire).items[0] for m in given_now]
    assert sum(len(item.files) for item in found) > 0
    for item in found:
        assert {a.sha256 for a in item.appeal.attachments} <= {file.sha256 for file in item.files}


@pytest.mark.parametrize("most", [5_000_000, 0], ids=["inside", "by the storage"])
@pytest.mark.parametrize("version", VERSIONS)
def test_files_of_ours_arrive_whole(stand, connect, stored, tmp_path, version, most):
    password = tmp_path / "ftp"
    ftp = stand.facts["ftp"]
    password.write_text(ftp["password"], "utf-8")
    more = {
        "storage": f"{ftp['host']}:{ftp['port']}", "storage_user": ftp["user"],
        "storage_password_file": str(password), "attached_bytes": most, "version": version,
        "personal_key": "smev",
    }  # fmt: skip
    channel = connect(stand, **more)
    stand.control(emit=4, seed=5, files=True, version=version)
    batch = channel.receive("")
    items = [channel.decode(m.wire).items[0] for m in batch.messages]
    channel.acknowledge(stored(batch))
    item = next(i for i in items if i.files)
    ours = replace(item.appeal, refs=(), source_peer="site", receipt_number="26-77")
    event = Event(
        appeal_id=UUID(int=1), seq=1, type=EventType.RECEIVED, occurred_at=NOW, recorded_at=NOW,
        actor=Actor(kind="system"), payload=f.ReceivedFacts(regime="fz59"),
    )  # fmt: skip
    ctx = EncodeContext(
        now=NOW, key="d", peer="smev", options={"version": version},
        files={file.sha256: file.data for file in item.files},
    )  # fmt: skip
    before = counts(stand)["files"].get("uploaded", 0)
    number = channel.deliver(channel.encode(ours, event, ctx), "d").reference
    uploaded = counts(stand)["files"].get("uploaded", 0) - before
    assert uploaded == (0 if most else len(ours.attachments))
    stand.control(answer=True, version=version)
    assert [m.wire.headers[t.ORIGINAL_ID] for m in channel.receive("").messages][:1] == [number]


def test_a_key_that_is_not_registered_is_named_as_ours_to_mend(stand, connect):
    made = pki()
    channel = connect(stand, signer={"cert": str(made.ours.cert), "key": str(made.ours.key)})
    with pytest.raises(PeerRefused, match="SenderIsNotRegistered") as refused:
        channel.receive("")
    assert "не зарегистрирован" in refused.value.todo


def test_an_answer_to_nobody_is_not_sent(stand, connect):
    channel = connect(stand)
    wire = Wire(
        media_type="application/xml", body=b"<a xmlns='urn:a'/>",
        headers={t.KIND: "response", t.IN_REPLY_TO: str(uuid1())},
    )  # fmt: skip
    with pytest.raises(PeerRefused):
        channel.deliver(wire, "d-9")
    assert counts(stand).get("sent", 0) == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_probe_changes_nothing_and_says_what_it_found(stand, connect, version):
    stand.control(emit=2, seed=3, version=version)
    channel = connect(stand, version=version)
    health = channel.probe()
    assert health.ok, health
    assert version in health.detail
    assert len(channel.receive("").messages) == 2


def test_parameters_in_pieces_are_read(tmp_path, keys, connect):
    from simulators.process import running

    with running(
        "smev", "--journal", str(tmp_path / "j.jsonl"), "--keys", str(keys), "--issue", "GATEWAY",
        "--split-parameters",
    ) as stand:  # fmt: skip
        stand.control(emit=2, seed=5, files=True)
        assert len(connect(stand).receive("").messages) == 2


def test_a_clock_that_is_wrong_is_told(stand, connect, clock):
    clock.ahead = timedelta(days=30)
    health = connect(stand).probe()
    assert health.ok or health.todo
