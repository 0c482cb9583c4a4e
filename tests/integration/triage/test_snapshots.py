"""What dispatch reads to send: an appeal with its own files, and with nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from msgspec.structs import replace

from gateway import ingest
from gateway.adapter import File, Inbound
from gateway.model.appeal import Appeal
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.facts import OutcomeFacts
from gateway.model.peer import Peer
from gateway.snapshots import StoredSnapshots
from gateway.store import peers
from gateway.store.lanes import Delivery
from gateway.store.pool import Pool
from tests.integration.accept.conftest import PEER

SCAN = b"%PDF the same form, filled in by nobody"
DIGEST = sha256(SCAN).hexdigest()


@pytest.fixture
def snapshot(room):
    pool = Pool(room.url)
    pool.open()

    def load(external_id: str):
        [(appeal_id,)] = room.rows("SELECT id FROM appeal WHERE external_id = %s", external_id)
        asked = Delivery(
            id=appeal_id, destination="hook", lane="", seq=1, kind="push", appeal_id=appeal_id,
            event_seq=None, event_type="", state="ready", attempts=0,
            created_at=datetime.now(UTC), may_reach_citizen=False, test=False, payload_sha256=None,
        )  # fmt: skip
        store = StoredSnapshots(pool, room.blobs, lambda _code: {}, lambda: room.now)
        return store.load([asked])[appeal_id]

    yield load
    pool.close()


def answer(room, external_id: str, peer: str, file: str = "") -> None:
    """Answer with a file that is sent along under a name, or only named by its digest."""
    day = room.now.date() + timedelta(days=1)
    told = PeerAnswer(kind="final", number="О-1", date=day, attachments=(DIGEST,))
    report = PeerReport(
        message_key=f"answer-{external_id}", key=AppealKey(external_id=external_id),
        event=EventType.ANSWERED, occurred_on=day, answer=told,
        outcome=OutcomeFacts(result="explained"),
    )  # fmt: skip
    files = (File(name=file, media_type="", data=SCAN, sha256=DIGEST),) if file else ()
    inbound = Inbound(
        operation="answer", message_key=report.message_key, report=report, files=files
    )
    arrival = room.arrival(report.message_key.encode())
    arrival = replace(arrival, peer=peer)
    room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))


def test_each_appeal_has_its_file_under_the_name_it_came_with(room, snapshot):
    for external_id, name in (("a", "ответ Иванову.pdf"), ("b", "ответ Яковлеву.pdf")):
        room.submit(external_id)
        answer(room, external_id, PEER, name)
    room.work_off()
    for external_id, name in (("a", "ответ Иванову.pdf"), ("b", "ответ Яковлеву.pdf")):
        shown = snapshot(external_id)
        [letter] = shown.appeal.answers
        assert [file.declared_name for file in letter.attachments] == [name]
        assert shown.context.files == {DIGEST: SCAN}


def test_naming_the_digest_of_a_strangers_file_does_not_send_it(room, snapshot):
    with room.connection() as db:
        peers.add(db, Peer(code="node", name="node"), room.now)
    room.submit("a")
    answer(room, "a", PEER, "ответ.pdf")
    room.submit_appeal("b", Appeal(text="Нет света"), peer="node")
    answer(room, "b", "node")
    room.work_off()
    assert snapshot("a").context.files == {DIGEST: SCAN}
    assert snapshot("b").context.files == {}
