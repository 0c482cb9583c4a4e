"""A file that comes by itself is a fact of its appeal, told to whoever may know of it."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256

import msgspec
import pytest
from msgspec.structs import replace

from gateway import ingest
from gateway.access.policy import Caller
from gateway.adapter import File, Inbound
from gateway.errors import ConflictError, NotFoundError
from gateway.model.appeal import Appeal
from gateway.model.attachment import AttachedFile
from gateway.model.events import AppealKey, EventType
from gateway.model.facts import RegistrationFacts
from gateway.model.peer import Peer
from gateway.model.registration import ReferralIn
from gateway.snapshots import StoredSnapshots
from gateway.store import peers, verification
from gateway.store.pool import Pool
from gateway.store.readings import Origin
from gateway.wires import contract as c
from gateway.wires.channels.pull import PullChanges
from gateway.wires.reader import Reader
from tests.integration.accept.conftest import PEER
from tests.integration.triage.conftest import SAME_LETTERS

NAME = "Справка Примеровой.pdf"
SCAN = b"%PDF a paper that came later"
DIGEST = sha256(SCAN).hexdigest()
TOLD = """
SELECT d.destination, d.kind FROM delivery d WHERE d.event_type = 'FileAttached' ORDER BY 1
"""
BODY = "SELECT convert_from(body, 'UTF8') FROM event WHERE type = 'FileAttached'"


@pytest.fixture
def pool(room):
    made = Pool(room.url)
    made.open()
    yield made
    made.close()


@pytest.fixture
def attach(room):
    """Attach a file to an appeal by its external id, or by its receipt number."""

    def send(external_id: str, key: str = "f-1", *, peer=PEER, name=NAME, data=SCAN, receipt=""):
        digest = sha256(data).hexdigest()
        named = AppealKey(receipt_number=receipt, external_id="" if receipt else external_id)
        told = AttachedFile(key=named, sha256=digest, name=name, media_type="application/pdf")
        file = File(sha256=digest, media_type=told.media_type, name=name, data=data)
        inbound = Inbound(operation="attach", message_key=key, attached=told, files=(file,))
        arrival = replace(room.arrival(f"{external_id} {key} {name} {digest}".encode()), peer=peer)
        return room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))

    return send


def changes(room, pool, caller: Caller) -> list[c.Change]:
    snapshots = StoredSnapshots(pool, room.blobs, lambda _code: {}, lambda: room.now)
    pull = PullChanges(pool, snapshots, lambda: room.now)
    found = pull.get(c.GetChanges(max=100), caller).items
    return [change for change in found if change.event_type == "FileAttached"]


def test_it_becomes_an_event_that_does_not_hold_its_name(room, attach):
    room.submit("a")
    room.work_off()
    attach("a")
    room.work_off()

    [(body,)] = room.rows(BODY)
    facts = msgspec.json.decode(body)
    assert facts["payload"] == {"sha256": DIGEST, "role": "appeal"}
    assert "Примеров" not in body
    [(kept,)] = room.rows(
        "SELECT convert_from(bytes, 'UTF8') FROM content WHERE encode(digest, 'hex') = %s",
        facts["content"],
    )
    assert msgspec.json.decode(kept)["file_name"] == NAME
    assert room.rows("SELECT state FROM appeal") == [("assigned",)]
    assert room.rows(TOLD) == [("archive", "push"), ("hook", "push"), (PEER, "pull")]
    assert room.verified().faults == ()


def test_the_projections_made_again_from_the_events_are_the_same(room, attach):
    room.submit("a")
    attach("a")
    room.work_off()
    [(appeal_id,)] = room.rows("SELECT id FROM appeal")
    before = room.rows("SELECT ordinal, state, topic, executor, facts FROM question")
    with room.connection() as db:
        verification.rebuild(db, appeal_id)
    assert room.rows("SELECT ordinal, state, topic, executor, facts FROM question") == before
    assert room.verified().faults == ()


def test_a_repeat_gets_the_first_receipt_and_other_content_is_a_conflict(room, attach):
    room.submit("a")
    first = attach("a")
    again = attach("a")
    assert again.repeat
    assert again._replace(repeat=False) == first
    with pytest.raises(ConflictError):
        attach("a", name="другое имя.pdf")
    with pytest.raises(ConflictError):
        attach("a", data=b"other bytes")
    with pytest.raises(NotFoundError):
        attach("nothing", "f-2")
    room.work_off()
    assert len(room.rows(BODY)) == 1


def test_its_key_is_no_report_s(room, attach):
    """The keys of AttachFile and of SubmitStatus are two sets: neither hides the other's call."""
    for external_id, order in (("a", (attach, room.report)), ("b", (room.report, attach))):
        room.submit(external_id)
        for send in order:
            send(external_id, f"same-{external_id}")
    room.work_off()
    assert len(room.rows(BODY)) == 2
    assert room.rows("SELECT DISTINCT state FROM appeal") == [("in_work",)]
    assert room.verified().faults == ()


def test_one_that_comes_after_the_end_is_kept_and_ends_nothing_anew(room, attach):
    room.submit("a")
    room.report("a", "gone", EventType.WITHDRAWN, comment="прошу не рассматривать")
    attach("a")
    room.work_off()
    assert room.rows("SELECT state FROM appeal") == [("closed",)]
    assert len(room.rows(BODY)) == 1
    [(stage, note)] = room.rows("SELECT stage, note FROM message WHERE operation = 'attach'")
    assert (stage, note) == ("applied", {"applied": "applied"})


def test_its_name_is_told_to_those_who_see_the_appeal_in_full(room, attach, pool):
    with room.connection() as db:
        peers.set_options(db, "hook", {"tell": "pull"})
    room.submit("a")
    attach("a")
    room.work_off()

    [own] = changes(room, pool, Caller(peer=PEER))
    assert (own.message_key, own.applied, own.status.event) == ("f-1", "applied", "FileAttached")
    assert own.file == c.AttachmentOut(
        attachment_id=DIGEST, file_name=NAME, media_type="application/pdf", size=len(SCAN),
        sha256=DIGEST, role="appeal",
    )  # fmt: skip
    [full] = changes(room, pool, Caller(peer="hook", disclosure="full"))
    assert (full.file.file_name, full.message_key) == (NAME, None)
    for level in ("problem_only", "reference_only"):
        [other] = changes(room, pool, Caller(peer="hook", disclosure=level))
        assert (other.event_type, other.file) == ("FileAttached", None)


def test_an_erased_name_is_shown_by_the_digest(room, attach, pool):
    room.submit("a")
    attach("a")
    room.work_off()
    room.rows(
        "UPDATE content SET bytes = NULL, salt = NULL, erased_at = now() "
        "WHERE convert_from(bytes, 'UTF8') LIKE '%%file_name%%' RETURNING 1"
    )
    [own] = changes(room, pool, Caller(peer=PEER))
    assert own.file.file_name == DIGEST[:12]
    assert room.verified().faults == ()


def test_one_for_a_merged_appeal_stays_its_senders_and_whoever_works_on_the_letter_hears(
    room, attach, pool
):
    with room.connection() as db:
        peers.add(db, Peer(code="node", name="node", options=SAME_LETTERS), room.now)
        peers.set_options(db, "hook", {"tell": "pull"})
    letter = ReferralIn(number="А26-01-000017", date=dt.date(2026, 1, 10))
    for external_id, peer in (("first", PEER), ("second", "node")):
        room.submit_appeal(external_id, Appeal(text="Нет света", referrals=(letter,)), peer=peer)
        room.work_off()
    attach("second", peer="node")
    room.work_off()

    holders = room.rows(
        "SELECT a.external_id FROM event e JOIN appeal a ON a.id = e.appeal_id "
        "WHERE e.type = 'FileAttached'"
    )
    assert holders == [("second",)]
    hook = Caller(peer="hook", disclosure="full")
    [change] = changes(room, pool, hook)
    assert change.file.file_name == NAME
    reader = Reader(pool, room.blobs)
    shown = reader.read(c.GetAppeal(key=change.key), hook).appeal
    assert shown.merged_into is not None
    file = reader.read(c.GetAttachment(attachment_id=DIGEST), hook)
    assert (file.content, file.file_name) == (SCAN, NAME)
    assert changes(room, pool, Caller(peer=PEER, disclosure="full")) == []
    with pytest.raises(NotFoundError):
        reader.read(c.GetAttachment(attachment_id=DIGEST), Caller(peer=PEER, disclosure="full"))
    assert room.verified().faults == ()


def test_whom_an_appeal_was_given_may_add_to_it_and_its_sender_hears(room, attach, pool):
    receipt = room.submit("a").receipt_number
    room.work_off()
    number = RegistrationFacts(organisation="sed", number="17-ж", date=dt.date(2026, 3, 2))
    room.report("a", "number", EventType.REGISTERED, registration=number)
    attach("a", peer="hook", receipt=receipt)
    room.work_off()
    [change] = changes(room, pool, Caller(peer=PEER))
    assert (change.file.file_name, change.message_key) == (NAME, None)
    with pytest.raises(NotFoundError):
        attach("a", "f-2", peer="stranger", receipt=receipt)


def test_a_change_that_may_name_people_is_in_the_register_before_it_is_told(room, attach, pool):
    receipt = room.submit("a").receipt_number
    room.work_off()
    number = RegistrationFacts(organisation="sed", number="17-ж", date=dt.date(2026, 3, 2))
    room.report("a", "number", EventType.REGISTERED, registration=number)
    room.work_off()
    snapshots = StoredSnapshots(pool, room.blobs, lambda _code: {}, lambda: room.now)
    reader = Reader(pool, room.blobs, PullChanges(pool, snapshots, lambda: room.now))
    caller, origin = Caller(peer=PEER), Origin("203.0.113.7", "c-1")

    def told() -> list[tuple[object, ...]]:
        assert reader.read(c.GetChanges(max=100), caller, origin=origin).items
        return room.rows("SELECT who, what, subject, address, correlation FROM reading")

    assert told() == [], "a number and its day name nobody"
    attach("a", peer="hook", receipt=receipt)
    room.work_off()
    assert told() == [(f"peer:{PEER}", "GetChanges", receipt, "203.0.113.7", "c-1")]
