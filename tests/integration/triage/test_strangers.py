"""A covering letter is easily guessed: knowing one gives nobody a right to another's appeal."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from importlib import import_module

import pytest
from msgspec.structs import replace

from gateway import acts, ingest, merging
from gateway.access.policy import Caller
from gateway.adapter import File, Inbound
from gateway.dispatch.ports import Policy
from gateway.dispatch.prepare import visible
from gateway.errors import NotFoundError
from gateway.model.appeal import Appeal
from gateway.model.attachment import AttachedFile, Attachment
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.facts import OutcomeFacts
from gateway.model.organisation import Organisation
from gateway.model.peer import Peer
from gateway.model.registration import ReferralIn
from gateway.snapshots import StoredSnapshots
from gateway.store import deliveries, peers
from gateway.store.lanes import Delivery
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.channels.pull import PullChanges
from gateway.wires.channels.webhook import WebhookCodec
from gateway.wires.reader import Reader
from tests.integration.accept.conftest import PEER
from tests.integration.triage.conftest import SAME_LETTERS

LETTER = ReferralIn(
    number="А26-02-12345678", date=date(2026, 1, 10),
    from_org=Organisation(full_name="Управление Президента"),
)  # fmt: skip
TEXT = "Сосед Примеров шумит по ночам"
OTHER = "В парке нет фонарей"
SCAN = b"%PDF passport"
LETTER_SCAN = b"%PDF the answer"
DIGEST, ANSWER = (sha256(data).hexdigest() for data in (SCAN, LETTER_SCAN))
LEVELS = ["full", "problem_only", "reference_only"]
SEEN = "SELECT count(*) FROM delivery d JOIN appeal a ON a.id = d.appeal_id WHERE a.peer = %s"


class Scene:
    """The portal sends `victim`; `thief` sends `bait` with the same covering letter."""

    def __init__(self, room, pool) -> None:
        self.room, self.reader = room, Reader(pool, room.blobs)
        self.snapshots = StoredSnapshots(pool, room.blobs, lambda _code: {}, lambda: room.now)
        self.changes = PullChanges(pool, self.snapshots, lambda: room.now)
        self.receipts: dict[str, str] = {}
        with room.connection() as db:
            peers.add(db, Peer(code="thief", name="thief"), room.now)

    def declare(self) -> None:
        """Let the operator say that both bring the same letters."""
        with self.room.connection() as db:
            peers.set_options(db, "thief", SAME_LETTERS)

    def send(self, external_id: str, peer: str = "thief") -> str:
        own = peer == PEER
        file = File(sha256=DIGEST, media_type="application/pdf", name="паспорт.pdf", data=SCAN)
        appeal = Appeal(
            text=TEXT if own else OTHER,
            referrals=(LETTER,),
            attachments=(Attachment(sha256=DIGEST, declared_name=file.name),) if own else (),
        )
        inbound = Inbound(
            operation="submit", external_id=external_id, appeal=appeal,
            files=(file,) if own else (),
        )  # fmt: skip
        self.receipts[external_id] = self._take(inbound, external_id, peer).receipt_number
        return self.receipts[external_id]

    def report(self, key: AppealKey, event: EventType, peer: str = "thief", **facts) -> str:
        """Report of an appeal; return what became of it."""
        message_key = f"{peer} {event}"
        day = self.room.now.date() + timedelta(days=1)  # not before the registration
        report = PeerReport(message_key=message_key, key=key, event=event, occurred_on=day, **facts)
        operation = "withdraw" if event is EventType.WITHDRAWN else "status"
        file = File(sha256=ANSWER, media_type="", name="ответ.pdf", data=LETTER_SCAN)
        files = (file,) if event is EventType.ANSWERED else ()
        inbound = Inbound(operation=operation, message_key=message_key, report=report, files=files)
        self._take(inbound, message_key, peer)
        [(note,)] = self.room.rows("SELECT note FROM message WHERE key = %s", message_key)
        return note["applied"]

    def answer(self) -> None:
        """Let the executor answer the victim's appeal."""
        with self.room.connection() as db:
            peers.set_options(db, "hook", {"grant": ["Answered"]})
        told = PeerAnswer(
            kind="final", number="О-17", attachments=(ANSWER,), text="Меры приняты", has_text=True,
        )  # fmt: skip
        key = AppealKey(receipt_number=self.receipts["victim"])
        outcome = OutcomeFacts(result="explained")
        assert self.report(key, EventType.ANSWERED, "hook", answer=told, outcome=outcome)

    def attach(self) -> None:
        digest = sha256(b"paper").hexdigest()
        told = AttachedFile(key=AppealKey(external_id="bait"), sha256=digest, name="a.pdf")
        file = File(sha256=digest, media_type="", name="a.pdf", data=b"paper")
        inbound = Inbound(operation="attach", message_key="f", attached=told, files=(file,))
        self._take(inbound, "f", "thief")

    def _take(self, inbound: Inbound, body: str, peer: str):
        arrival = replace(self.room.arrival(body.encode()), peer=peer)
        accepted = self.room.accept.submit_sync(ingest.entry(arrival, inbound, self.room.blobs))
        self.room.work_off()
        return accepted

    def unmerge(self) -> None:
        [(id_,)] = self.room.rows("SELECT id FROM appeal WHERE external_id = 'bait'")
        decision = merging.Decision(acts.person("ivanova"), "разные письма", self.room.now)
        with self.room.connection() as db, db.transaction():
            merging.unmerge(db, id_, None, decision, self.room.rules)

    def state(self, external_id: str) -> str:
        rows = self.room.rows("SELECT state FROM appeal WHERE external_id = %s", external_id)
        return rows[0][0]

    def merged(self) -> list[str]:
        rows = self.room.rows("SELECT external_id FROM appeal WHERE merged_into IS NOT NULL")
        return [row[0] for row in rows]

    def get(self, caller: Caller, **key: str) -> c.AppealOut:
        request = c.GetAppeal(key=c.AppealKey(**key), include_text=True)
        return self.reader.read(request, caller).appeal

    def told(self, caller: Caller) -> tuple[c.Change, ...]:
        return self.changes.get(c.GetChanges(max=100), caller).items

    def everything(self, caller: Caller) -> str:
        """All that a peer reads of its bait, and of whatever it was merged into."""
        status = c.GetStatus(keys=(c.AppealKey(external_id="bait"),))
        return " ".join(
            str(part)
            for part in (
                self.get(caller, external_id="bait"),
                self.reader.read(status, caller),
                self.told(caller),
                self.reader.read(c.GetReceipts(), caller),
            )
        )

    def hidden(self, caller: Caller) -> None:
        """Assert that the victim's appeal is as absent for a peer as one that never was."""
        keys = (
            {"receipt_number": self.receipts["victim"]},
            {"external_id": "victim"},
        )
        for key in keys:
            with pytest.raises(NotFoundError):
                self.get(caller, **key)
            status = c.GetStatus(keys=(c.AppealKey(**key),))
            assert not self.reader.read(status, caller).items[0].found
        with pytest.raises(NotFoundError):
            self.reader.read(c.GetAttachment(attachment_id=DIGEST), caller)
        with pytest.raises(NotFoundError):
            self.report(AppealKey(receipt_number=self.receipts["victim"]), EventType.FILED)

    def sent(self, owed: list[Delivery], policy: Policy) -> str:
        """All bytes of web hooks to the thief, encoded now."""
        loaded = self.snapshots.load(owed)
        bodies = []
        for delivery in owed:
            shown = visible(loaded[delivery.id], policy, "thief")
            bodies.append(WebhookCodec("x").encode(shown.appeal, shown.event, shown.context).body)
            assert DIGEST not in shown.context.files
        return b" ".join(bodies).decode()


@pytest.fixture
def scene(room):
    pool = Pool(room.url)
    pool.open()
    yield Scene(room, pool)
    pool.close()


@pytest.fixture
def joined(scene):
    """The operator has declared both, and their letter became one appeal: the victim's."""
    scene.declare()
    scene.send("victim", PEER)
    scene.send("bait")
    assert scene.merged() == ["bait"]
    return scene


@pytest.mark.parametrize("order", [("victim", "bait"), ("bait", "victim")])
def test_a_known_letter_closes_swallows_and_shows_nothing(scene, order):
    for external_id in order:
        scene.send(external_id, PEER if external_id == "victim" else "thief")
    assert scene.report(AppealKey(external_id="bait"), EventType.WITHDRAWN) == "applied"

    assert (scene.merged(), scene.state("bait"), scene.state("victim")) == (
        [], "closed", "assigned",
    )  # fmt: skip
    assert scene.room.rows("SELECT count(*) FROM twin") == [(1,)], "a person is shown both"
    whole = Caller(peer="thief", disclosure="full")
    scene.hidden(whole)
    told = scene.everything(whole)
    for secret in (scene.receipts["victim"], TEXT, DIGEST, "'victim'"):
        assert secret not in told
    assert scene.room.verified().faults == ()


def test_what_has_ended_swallows_no_new_appeal(scene):
    scene.declare()
    scene.send("bait")
    scene.report(AppealKey(external_id="bait"), EventType.WITHDRAWN)
    scene.send("victim", PEER)

    assert (scene.merged(), scene.state("victim")) == ([], "assigned")
    assert scene.room.rows(SEEN + " AND d.destination = 'hook'", PEER)[0][0] > 0
    assert scene.room.rows("SELECT count(*) FROM twin") == [(1,)]


def test_whoever_floods_a_letter_does_not_keep_two_declared_ones_apart(scene):
    with scene.room.connection() as db:
        peers.add(db, Peer(code="node", name="node", options=SAME_LETTERS), scene.room.now)
    for n in range(25):
        scene.send(f"bait-{n}")
    scene.send("victim", PEER)
    scene.send("second", "node")

    assert "second" in scene.merged()
    assert scene.room.rows(
        "SELECT h.external_id FROM appeal a JOIN appeal h ON h.id = a.merged_into"
        " WHERE a.external_id = 'second'"
    ) == [("victim",)]


def test_what_the_second_sender_tells_acts_on_its_own_and_waits_for_a_person(joined):
    key = AppealKey(external_id="bait")
    assert joined.report(key, EventType.WITHDRAWN) == "conflict"
    assert joined.report(key, EventType.FILED) == "conflict"
    joined.attach()
    change = Inbound(operation="amend", external_id="bait", revision=2, appeal=Appeal(text="Иначе"))
    joined._take(change, "bait 2", "thief")

    assert joined.state("victim") == "assigned"
    touched = (
        "SELECT count(*) FROM event e JOIN appeal a ON a.id = e.appeal_id JOIN message m"
        " ON m.id = e.message_id WHERE a.external_id = 'victim' AND m.peer = 'thief'"
    )
    assert joined.room.rows(touched) == [(0,)]
    assert joined.room.rows("SELECT peer FROM conflict") == [("thief",), ("thief",)]
    own = joined.get(Caller(peer="thief"), external_id="bait")
    assert (own.text, [f.file_name for f in own.attachments]) == ("Иначе", ["a.pdf"])
    assert joined.room.verified().faults == ()


def test_the_first_sender_withdraws_nothing_that_another_sent_too(joined):
    key = AppealKey(external_id="victim")
    assert joined.report(key, EventType.WITHDRAWN, PEER) == "conflict"
    assert joined.state("victim") == "assigned"
    [(reason,)] = joined.room.rows("SELECT reason FROM conflict")
    assert "другой отправитель" in reason


def test_taken_apart_a_withdrawal_that_waited_ends_its_own(joined):
    joined.report(AppealKey(external_id="bait"), EventType.WITHDRAWN)
    joined.unmerge()

    assert (joined.state("bait"), joined.state("victim")) == ("closed", "assigned")
    assert joined.room.rows("SELECT settled_at IS NULL FROM conflict") == [(False,)]
    joined.hidden(Caller(peer="thief", disclosure="full"))
    assert joined.room.verified().faults == ()


@pytest.mark.parametrize("level", LEVELS)
def test_the_second_sender_reads_where_the_letter_stands_and_nothing_of_the_others(joined, level):
    caller = Caller(peer="thief", disclosure=level)
    joined.answer()
    joined.hidden(caller)

    own = joined.get(caller, external_id="bait")
    assert (own.state, own.text, own.external_id) == ("answered", OTHER, "bait")
    assert own.merged_into == joined.receipts["victim"]
    assert [(q.state, q.text) for q in own.questions] == [("answered", OTHER)]
    [number] = {r.number for r in own.registrations}
    assert joined.get(caller, registration_number=number).receipt_number == own.receipt_number
    told = joined.everything(caller)
    for secret in (TEXT, DIGEST, "'victim'", "паспорт", "Примеров"):
        assert secret not in told
    assert ("explained" in told) == (level != "reference_only")
    assert ("Меры приняты" in told) == (level == "full")
    if level == "full":
        answer = c.GetAttachment(attachment_id=ANSWER)
        assert joined.reader.read(answer, caller).content == LETTER_SCAN
    else:
        with pytest.raises(NotFoundError):
            joined.reader.read(c.GetAttachment(attachment_id=ANSWER), caller)


def test_changes_name_the_readers_own_appeal(joined):
    joined.answer()
    told = joined.told(Caller(peer="thief", disclosure="full"))
    assert [change.event_type for change in told] == [
        "MergedAsDuplicate", "Registered", "Assigned", "Answered",
    ]  # fmt: skip
    assert {(change.key.receipt_number, change.key.external_id) for change in told} == {
        (joined.receipts["bait"], "bait")
    }


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_sent_to_the_second_sender_is_its_own_appeal(joined, level):
    joined.answer()
    with joined.room.connection() as db:
        sent = [f.delivery for f in deliveries.find(db, destination="thief", states=("ready",))]
    assert len(sent) == 4
    policy = Policy(disclosure=level, disclosure_ground="договор")
    text = joined.sent(sent, policy)
    assert (TEXT in text, OTHER in text) == (False, True)
    assert joined.receipts["victim"] not in text
    assert DIGEST not in text
    assert ("Меры приняты" in text, ANSWER in text) == (level == "full", level == "full")


def test_what_waited_to_be_sent_tells_nothing_that_came_after_they_were_taken_apart(joined):
    with joined.room.connection() as db:
        owed = [f.delivery for f in deliveries.find(db, destination="thief", states=("ready",))]
    joined.unmerge()
    joined.answer()

    text = joined.sent(owed, Policy(disclosure="full", disclosure_ground="договор"))
    assert OTHER in text
    assert not {word for word in (TEXT, "Меры приняты", "answered", ANSWER) if word in text}


def test_an_upgrade_closes_what_merged_senders_were_told_of_before(joined):
    through = "SELECT destination, through FROM delivery ORDER BY id"
    now = joined.room.rows(through)
    with joined.room.connection() as db:
        db.execute("UPDATE delivery SET through = NULL")
        migration = import_module("gateway.store.migrations.versions.0006_through")
        db.execute(migration.MERGED.encode())

    assert joined.room.rows(through) == now
    assert {peer for peer, own in now if own is not None} == {"thief"}
    joined.hidden(Caller(peer="thief", disclosure="full"))
