"""A person takes merged appeals apart, or merges them: facts with a person and a ground."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

import pytest
from msgspec.structs import replace

from gateway import acts, ingest, merging
from gateway.adapter import File, Inbound
from gateway.errors import ConflictError, NotFoundError, StateError
from gateway.model.appeal import Appeal
from gateway.model.attachment import AttachedFile
from gateway.model.events import AppealKey, EventType
from gateway.model.facts import DeclineFacts, OutcomeFacts, RegistrationFacts
from gateway.model.organisation import Organisation, OrganisationId
from gateway.model.peer import Peer
from gateway.model.registration import ReferralIn
from gateway.store import organisations, peers
from tests.integration.accept.conftest import PEER
from tests.integration.triage.conftest import SAME_LETTERS

LETTER = ReferralIn(
    number="01-14/552", date=date(2026, 1, 10), from_org=Organisation(full_name="Минстрой")
)
TOLD = """
SELECT d.event_type FROM delivery d JOIN appeal a ON a.id = d.appeal_id
WHERE d.destination = %s AND a.external_id = %s ORDER BY d.lane, d.seq
"""
EVENTS = """
SELECT e.type, convert_from(e.body, 'UTF8')::jsonb FROM event e JOIN appeal a ON a.id = e.appeal_id
WHERE a.external_id = %s ORDER BY e.seq
"""


class Desk:
    """A registrar with the room's database: sends letters, decides, looks what has become."""

    def __init__(self, room) -> None:
        self.room = room
        with room.connection() as db:
            for code in ("node", "archive-2"):
                peers.add(db, Peer(code=code, name=code, options=SAME_LETTERS), room.now)

    def send(self, external_id: str, peer: str = PEER, letter: ReferralIn | None = LETTER) -> None:
        referrals = (letter,) if letter else ()
        self.room.submit_appeal(
            external_id, Appeal(text="Нет света", referrals=referrals), peer=peer
        )
        self.room.work_off()

    def id(self, external_id: str):
        [(id_,)] = self.room.rows("SELECT id FROM appeal WHERE external_id = %s", external_id)
        return id_

    def decision(self) -> merging.Decision:
        return merging.Decision(acts.person("ivanova"), "разные письма", self.room.now)

    def unmerge(self, external_id: str, other: str = "") -> merging.Parted:
        apart = self.id(other) if other else None
        with self.room.connection() as db, db.transaction():
            return merging.unmerge(
                db, self.id(external_id), apart, self.decision(), self.room.rules
            )

    def merge(self, external_id: str, into: str) -> None:
        with self.room.connection() as db, db.transaction():
            merging.merge(db, self.id(external_id), self.id(into), self.decision(), self.room.rules)

    def told(self, peer: str, external_id: str) -> list[str]:
        return [row[0] for row in self.room.rows(TOLD, peer, external_id)]

    def events(self, external_id: str) -> list[str]:
        return [row[0] for row in self.room.rows(EVENTS, external_id)]

    def state(self, external_id: str) -> str:
        rows = self.room.rows("SELECT state FROM appeal WHERE external_id = %s", external_id)
        return rows[0][0]

    def merged(self) -> list[str]:
        rows = self.room.rows("SELECT external_id FROM appeal WHERE merged_into IS NOT NULL")
        return [row[0] for row in rows]

    def twins(self) -> list[tuple[str, str]]:
        return self.room.rows(
            "SELECT a.external_id, o.external_id FROM twin t JOIN appeal a ON a.id = t.appeal_id"
            " JOIN appeal o ON o.id = t.other ORDER BY 1, 2"
        )

    def running(self, external_id: str) -> set[str]:
        return {
            row[0]
            for row in self.room.rows(
                "SELECT d.rule FROM deadline d JOIN appeal a ON a.id = d.appeal_id"
                " WHERE a.external_id = %s AND d.closed_at IS NULL",
                external_id,
            )
        }


@pytest.fixture
def desk(room):
    return Desk(room)


@pytest.fixture
def joined(desk):
    """Two appeals that one letter made one."""
    desk.send("first")
    desk.send("second", "node")
    assert desk.merged() == ["second"]
    return desk


def test_apart_the_second_begins_the_life_it_would_have_had(joined):
    joined.unmerge("second")

    assert joined.merged() == []
    assert joined.state("second") == "assigned"
    assert joined.room.rows("SELECT count(DISTINCT number) FROM registration") == [(2,)]
    assert joined.running("second") == joined.running("first") != set()
    assert joined.room.verified().faults == ()


def test_the_event_names_the_person_the_ground_and_the_key(joined):
    joined.unmerge("second")

    for external_id, other in (("second", "first"), ("first", "second")):
        [body] = [b for t, b in joined.room.rows(EVENTS, external_id) if t == "Unmerged"]
        assert body["actor"] == {"kind": "person", "id": "ivanova"}
        assert body["payload"]["ground"] == "разные письма"
        assert body["payload"]["appeal"] == str(joined.id(other))
        assert body["payload"]["number"] == LETTER.number


def test_everybody_who_was_told_of_either_is_told(joined):
    joined.unmerge("second")

    assert joined.told("node", "second") == [
        "MergedAsDuplicate", "Unmerged", "Registered", "Assigned",
    ]  # fmt: skip
    assert joined.told("hook", "second") == ["Received", "Unmerged", "Registered", "Assigned"]
    assert joined.told("hook", "first")[-1] == "Unmerged"
    assert joined.told(PEER, "first")[-1] == "Unmerged"


def test_what_happens_to_one_is_told_to_the_other_no_more(joined):
    joined.unmerge("second")
    before = joined.told("node", "first")
    joined.room.report("first", "work")
    declined = DeclineFacts(article="11", part="5")
    joined.room.report("second", "theirs", EventType.DECLINED, peer="node", decline=declined)
    joined.room.work_off()

    assert joined.told("node", "first") == before
    assert (joined.state("first"), joined.state("second")) != ("assigned", "assigned")
    assert joined.state("first") == "in_work"


def test_what_was_told_of_the_second_meanwhile_waits_for_a_person_and_is_told_of_it_again(joined):
    theirs = RegistrationFacts(organisation="sed", number="17-ж", date=date(2026, 3, 2))
    joined.room.report("second", "number", EventType.REGISTERED, peer="node", registration=theirs)
    joined.room.report("second", "work", peer="node")
    joined.room.report("first", "other", EventType.TAKEN_TO_WORK)
    joined.room.work_off()
    assert (joined.state("first"), joined.state("second")) == ("in_work", "received")
    asides = "SELECT peer, settled_at IS NULL FROM conflict ORDER BY message_id"
    assert joined.room.rows(asides) == [("node", True), ("node", True)]

    parted = joined.unmerge("second")

    assert [(r.key, r.applied) for r in parted.retold] == [("number", "late"), ("work", "applied")]
    assert joined.state("second") == "in_work"
    assert joined.room.rows(asides) == [("node", False), ("node", False)]
    assert joined.room.rows(
        "SELECT a.external_id FROM registration r JOIN appeal a ON a.id = r.appeal_id"
        " WHERE r.number = '17-ж' ORDER BY 1"
    ) == [("second",)]
    assert joined.room.verified().faults == ()


def test_a_file_that_came_for_the_second_meanwhile_is_its_own(joined):
    digest = sha256(b"paper").hexdigest()
    told = AttachedFile(key=AppealKey(external_id="second"), sha256=digest, name="a.pdf")
    file = File(sha256=digest, media_type="application/pdf", name="a.pdf", data=b"paper")
    inbound = Inbound(operation="attach", message_key="f-1", attached=told, files=(file,))
    arrival = replace(joined.room.arrival(b"f-1"), peer="node")
    joined.room.accept.submit_sync(ingest.entry(arrival, inbound, joined.room.blobs))
    joined.room.work_off()
    joined.unmerge("second")

    assert joined.events("second").count("FileAttached") == 1
    assert "FileAttached" not in joined.events("first")
    assert joined.room.verified().faults == ()


def test_a_conflict_told_of_both_is_shown_for_each(desk):
    with desk.room.connection() as db:  # a body that was given the first sends the letter, too
        options = {**SAME_LETTERS, "grant": ["Declined", "Answered"]}
        peers.set_options(db, "hook", options)
    desk.send("first")
    desk.send("second", "hook")
    for key, event, facts in (
        ("no", EventType.DECLINED, {"decline": DeclineFacts(article="11", part="5")}),
        ("yes", EventType.ANSWERED, {"outcome": OutcomeFacts(result="explained")}),
    ):
        desk.room.report("second", key, event, peer="hook", **facts)
    desk.room.work_off()
    before = desk.room.rows("SELECT message_id FROM conflict")
    assert before
    desk.unmerge("second")

    shown = desk.room.rows("SELECT message_id FROM conflict ORDER BY message_id")
    assert shown == sorted(before * 2)
    assert desk.room.verified().faults == ()


def test_no_rule_joins_again_what_a_person_took_apart(joined):
    joined.unmerge("second")
    joined.send("third", "archive-2")

    assert joined.merged() == []
    assert joined.twins() == [("third", "first"), ("third", "second")]


def test_the_message_that_came_with_the_letter_may_be_worked_on_again(joined):
    joined.unmerge("second")
    joined.room.rows(
        "INSERT INTO work (message_id, appeal_id, due) SELECT id, appeal_id, now() FROM message"
        " WHERE operation = 'submit' AND key = 'second' RETURNING 1"
    )
    joined.room.work_off()

    assert (joined.merged(), joined.twins()) == ([], [])


def test_what_is_not_merged_cannot_be_taken_apart(joined):
    joined.send("alone", letter=None)
    joined.unmerge("second")

    with pytest.raises(NotFoundError):
        joined.unmerge("alone")
    with pytest.raises(NotFoundError):
        joined.unmerge("second")
    with pytest.raises(StateError):
        joined.unmerge("second", "first")


UNKNOWN = replace(LETTER, from_org=None)


@pytest.fixture
def suspected(desk):
    """Two appeals that may be one letter: one sender was not told."""
    desk.send("first", letter=UNKNOWN)
    desk.send("second", "node")
    assert desk.twins() == [("second", "first")]
    return desk


def test_a_suspicion_that_a_person_dismissed_is_shown_no_more(suspected):
    before = suspected.told("node", "second")
    suspected.unmerge("second")

    assert suspected.twins() == []
    assert suspected.told("node", "second") == before, "nobody was told of it in the first place"
    assert suspected.room.verified().faults == ()


@pytest.mark.parametrize(("gone", "stays"), [("second", "first"), ("first", "second")])
def test_a_person_merges_twins_and_one_goes_on_for_both(suspected, gone, stays):
    suspected.merge(gone, stays)
    suspected.room.report(gone, "work", peer="hook")
    suspected.room.work_off()

    assert (suspected.merged(), suspected.twins()) == ([gone], [])
    assert (suspected.state(gone), suspected.state(stays)) == ("assigned", "in_work")
    assert suspected.running(gone) == set()
    assert suspected.running(stays)
    assert suspected.room.verified().faults == ()


def test_a_person_may_undo_a_persons_merger_and_the_terms_run_on(suspected):
    terms = suspected.room.rows(
        "SELECT rule, start, due_legal FROM deadline WHERE closed_at IS NULL ORDER BY appeal_id, 1"
    )
    suspected.merge("second", "first")
    assert suspected.told("node", "first") == ["Registered", "Assigned"]
    parted = suspected.unmerge("second")

    assert parted.merged
    assert suspected.merged() == []
    assert suspected.state("second") == "assigned"
    assert terms == suspected.room.rows(
        "SELECT rule, start, due_legal FROM deadline WHERE closed_at IS NULL ORDER BY appeal_id, 1"
    )
    assert suspected.events("second").count("Registered") == 1
    assert suspected.room.verified().faults == ()


def test_what_must_not_be_merged_is_refused(suspected):
    suspected.send("third", letter=None)
    suspected.merge("second", "first")

    for gone, into in (("third", "third"), ("third", "second"), ("first", "third")):
        with pytest.raises(StateError):
            suspected.merge(gone, into)
    suspected.room.submit_appeal("fresh", Appeal(text="Нет света"))
    with pytest.raises(StateError):
        suspected.merge("fresh", "first")


def test_which_twin_is_meant_must_be_said_when_there_are_several(desk):
    for external_id in ("first", "second", "third"):
        desk.send(external_id, letter=UNKNOWN)

    with pytest.raises(ConflictError):
        desk.unmerge("third")
    desk.unmerge("third", "second")
    assert desk.twins() == [("second", "first"), ("third", "first")]


def test_the_directory_says_that_an_identifier_and_a_name_are_one_body(desk):
    guid = "0a1b2c3d-0000-4000-8000-00000000000f"
    with desk.room.connection() as db:
        record = organisations.Record(id="stroy", full_name="Минстрой", ids={"sstu": (guid,)})
        organisations.write(db, [record])
    desk.send("first")
    body = Organisation(ids=(OrganisationId(system="sstu", value="{" + guid.upper() + "}"),))
    desk.send("second", "node", replace(LETTER, from_org=body))

    assert desk.merged() == ["second"]
