"""What GetAppeal shows of answers, of files that came later, and of an appeal that was merged."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256

import pytest
from msgspec.structs import replace

from gateway import ingest
from gateway.access.policy import Caller
from gateway.adapter import File, Inbound
from gateway.model.answer import Answer
from gateway.model.appeal import Appeal
from gateway.model.attachment import AttachedFile, Attachment
from gateway.model.base import ExternalRef
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.facts import OutcomeFacts, RegistrationFacts
from gateway.model.organisation import Officer
from gateway.model.peer import Peer
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import Question
from gateway.model.registration import ReferralIn
from gateway.snapshots import StoredSnapshots
from gateway.store import peers
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.channels.pull import PullChanges
from gateway.wires.reader import Reader
from tests.integration.accept.conftest import PEER
from tests.integration.triage.conftest import SAME_LETTERS

SCAN = b"%PDF the answer"
DIGEST = sha256(SCAN).hexdigest()
OWN = Caller(peer=PEER)
BODY = Caller(peer="hook", disclosure="full")


@pytest.fixture
def pool(room):
    made = Pool(room.url)
    made.open()
    yield made
    made.close()


@pytest.fixture
def get(room, pool):
    """Read an appeal by its external id (of its sender) or by its receipt number."""

    def read(caller: Caller, *, external_id="", receipt="", with_text=False) -> c.AppealOut:
        key = c.AppealKey(external_id=external_id or None, receipt_number=receipt or None)
        request = c.GetAppeal(key=key, include_text=with_text)
        return Reader(pool, room.blobs).read(request, caller).appeal

    return read


@pytest.fixture
def answer(room):
    def send(external_id, key="answer", *, peer=PEER, receipt="", questions=(), **facts):
        given = {
            "kind": "final", "number": "О-17", "date": day(room), "attachments": (DIGEST,),
            "text": "Лифт починили", "has_text": True, "signed_by": "Образцов О. О.",
        } | facts  # fmt: skip
        event = EventType.ANSWERED if given["kind"] == "final" else EventType.LETTER_SENT
        named = AppealKey(receipt_number=receipt, external_id="" if receipt else external_id)
        report = PeerReport(
            message_key=key, key=named, event=event, occurred_on=given["date"],
            questions=questions,
            outcome=OutcomeFacts(result="supported", actions_taken=True),
            answer=PeerAnswer(**given),
        )  # fmt: skip
        file = File(name="Ответ Примеровой.pdf", media_type="", data=SCAN, sha256=DIGEST)
        inbound = Inbound(operation="answer", message_key=key, report=report, files=(file,))
        arrival = replace(room.arrival(f"{external_id}{receipt}{key}".encode()), peer=peer)
        room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))

    return send


def day(room):
    """Tomorrow: an answer is not before the registration, whatever zone the day is in."""
    return room.now.date() + dt.timedelta(days=1)


def attach(room, external_id, data, name, peer=PEER, role="evidence"):
    digest = sha256(data).hexdigest()
    key = AppealKey(external_id=external_id)
    told = AttachedFile(key=key, sha256=digest, name=name, role=role)
    file = File(sha256=digest, media_type="", name=name, data=data)
    inbound = Inbound(operation="attach", message_key=name, attached=told, files=(file,))
    arrival = replace(room.arrival(name.encode()), peer=peer)
    room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))
    return digest


class TestAnswers:
    @pytest.fixture
    def receipt(self, room, answer):
        two = (Question(ordinal=1, text="Лифт?"), Question(ordinal=2, text="Свет?"))
        receipt = room.submit_appeal("a", Appeal(text="Лифт", questions=two)).receipt_number
        room.work_off()
        answer("a", "first", kind="first_reaction", number="", attachments=(), text="Приняли")
        answer("a")
        room.work_off()
        return receipt

    def test_the_sender_reads_them_with_number_signer_and_files(self, room, get, receipt):
        shown = get(OWN, external_id="a")
        first, final = shown.answers
        assert (first.kind, first.number, first.attachments) == ("first_reaction", None, ())
        assert (final.kind, final.number, final.date) == ("final", "О-17", day(room))
        assert final.outcome == c.OutcomeOut(result="supported", actions_taken=True)
        assert final.signed_by == "Образцов О. О."
        assert final.question_ids == tuple(q.question_id for q in shown.questions)
        [file] = final.attachments
        assert (file.file_name, file.size) == ("Ответ Примеровой.pdf", len(SCAN))
        assert file.role == "answer"
        assert (first.text, final.text) == (None, None)
        whole = get(OWN, external_id="a", with_text=True)
        assert [a.text for a in whole.answers] == ["Приняли", "Лифт починили"]

    def test_its_files_are_no_fault_of_the_projections(self, room, receipt):
        assert room.verified().faults == ()

    def test_the_change_names_the_same_letter(self, room, pool, get, receipt):
        snapshots = StoredSnapshots(pool, room.blobs, lambda _code: {}, lambda: room.now)
        changes = PullChanges(pool, snapshots, lambda: room.now).get(c.GetChanges(max=100), OWN)
        told = [change.answer for change in changes.items if change.answer]
        assert len(told) == 4  # two letters, each to two questions
        assert list(dict.fromkeys(a.answer_id for a in told)) == [
            a.answer_id for a in get(OWN, external_id="a").answers
        ]
        assert {(a.text, a.signed_by) for a in told} == {
            ("Приняли", "Образцов О. О."), ("Лифт починили", "Образцов О. О."),
        }  # fmt: skip

    def test_others_read_them_in_full_or_not_at_all(self, room, get, receipt):
        assert len(get(BODY, receipt=receipt).answers) == 2
        for level in ("problem_only", "reference_only"):
            shown = get(Caller(peer="hook", disclosure=level), receipt=receipt, with_text=True)
            assert (shown.answers, shown.attachments) == ((), ())
        problem = get(Caller(peer="hook", disclosure="problem_only"), receipt=receipt)
        assert [q.outcome.result for q in problem.questions] == ["supported", "supported"]

    def test_what_was_erased_is_gone_and_the_numbers_stay(self, room, get, receipt):
        room.rows("UPDATE content SET bytes = NULL, salt = NULL, erased_at = now() RETURNING 1")
        shown = get(OWN, external_id="a", with_text=True)
        assert [(a.number, a.text, a.signed_by) for a in shown.answers] == [
            (None, None, None), ("О-17", None, None),
        ]  # fmt: skip
        assert shown.text is None


def test_an_answer_that_a_document_came_with_is_shown_once(room, get):
    letter = Answer(
        number="О-3", date=dt.date(2026, 2, 20), signed_by=Officer(name="Образцов О. О."),
        attachments=(Attachment(sha256=DIGEST, declared_name="ответ.pdf"),),
    )  # fmt: skip
    question = Question(ordinal=1, state="answered", response_date=dt.date(2026, 2, 20))
    room.submit_appeal("a", Appeal(text="Лифт", questions=(question,), answers=(letter,)))
    room.work_off()
    [shown] = get(OWN, external_id="a").answers
    assert (shown.number, shown.signed_by) == ("О-3", "Образцов О. О.")


class TestDueDate:
    def terms(self, room, rule):
        found = room.rows("SELECT question, due_legal FROM deadline WHERE rule = %s", rule)
        return dict(sorted(found))

    def status(self, room, pool):
        request = c.GetStatus(keys=(c.AppealKey(external_id="a"),))
        [item] = Reader(pool, room.blobs).read(request, OWN).items
        return item

    def test_it_is_the_day_by_law_of_the_answer_that_is_owed_first(self, room, pool, get):
        two = (Question(ordinal=1, text="Лифт?"), Question(ordinal=2, text="Свет?"))
        room.submit_appeal("a", Appeal(text="Лифт", questions=two))
        room.work_off()
        first = self.terms(room, "fz59-answer")[1]
        later = first + dt.timedelta(days=7)
        room.rows(
            "UPDATE deadline SET due_legal = %s WHERE rule = 'fz59-answer' AND question = 2"
            " RETURNING 1",
            later,
        )
        assert min(self.terms(room, "fz59-forwarding").values()) < first, "a window runs as well"
        for shown in (get(OWN, external_id="a"), self.status(room, pool)):
            assert shown.due_date == first
            assert [q.due_date for q in shown.questions] == [first, later]

    def test_it_is_absent_when_no_answer_is_owed(self, room, pool, get, answer):
        room.submit_appeal("a", Appeal(text="Лифт"))
        room.work_off()
        answer("a")
        room.work_off()
        room.rows("UPDATE deadline SET closed_at = NULL WHERE rule <> 'fz59-answer' RETURNING 1")
        for shown in (get(OWN, external_id="a"), self.status(room, pool)):
            assert (shown.due_date, [q.due_date for q in shown.questions]) == (None, [None])


def test_who_wrote_is_shown_with_the_texts_to_those_who_may_see_it_whole(room, get):
    person = Person(family="Примерова", given="Тестина")
    phone = ContactPoint(kind=ContactKind.PHONE, value="+7 000 000-00-00")
    letter = Appeal(text="Лифт", applicants=(Applicant(person=person, contacts=(phone,)),))
    receipt = room.submit_appeal("who", letter).receipt_number
    room.work_off()
    for caller in (OWN, BODY):
        (shown,) = get(caller, receipt=receipt, with_text=True).applicants
        assert (shown.person.family_name, shown.phone) == ("Примерова", "+7 000 000-00-00")
        assert get(caller, receipt=receipt).applicants == ()
    for level in ("problem_only", "reference_only"):
        caller = Caller(peer="hook", disclosure=level)
        assert get(caller, receipt=receipt, with_text=True).applicants == ()


def test_an_amended_appeal_shows_the_files_of_every_way_they_came(room, get):
    def send(operation, revision, name):
        data = name.encode()
        file = File(sha256=sha256(data).hexdigest(), media_type="", name=name, data=data)
        given = Attachment(sha256=file.sha256, declared_name=name)
        inbound = Inbound(
            operation=operation, external_id="a", revision=revision, files=(file,),
            appeal=Appeal(text=f"Лифт {revision}", attachments=(given,)),
        )  # fmt: skip
        arrival = room.arrival(f"a {revision}".encode())
        room.accept.submit_sync(ingest.entry(arrival, inbound, room.blobs))

    send("submit", 1, "первый.pdf")
    room.work_off()
    send("amend", 2, "второй.pdf")
    late = attach(room, "a", b"a paper", "справка.pdf")
    room.work_off()
    shown = {f.file_name: f.role for f in get(OWN, external_id="a").attachments}
    assert shown == {"первый.pdf": None, "второй.pdf": "appeal", "справка.pdf": "evidence"}
    assert late in {f.attachment_id for f in get(OWN, external_id="a").attachments}


def test_an_answer_under_the_key_of_a_status_is_an_answer_all_the_same(room, get, answer):
    """The ledger keeps the keys of each operation apart (design §6), and so must triage."""
    room.submit("a")
    room.report("a", "17")
    answer("a", "17")
    room.work_off()
    shown = get(OWN, external_id="a")
    assert (shown.state, [a.number for a in shown.answers]) == ("answered", ["О-17"])


def test_an_answer_to_the_senders_question_1_is_not_one_to_its_question_0(room, get, answer):
    def asked(place: int) -> Question:
        ref = ExternalRef(peer="gateway", kind="external_id", value=str(place))
        return Question(ordinal=place + 1, text=f"Вопрос {place}", refs=(ref,))

    room.submit_appeal("a", Appeal(text="Лифт", questions=(asked(0), asked(1))))
    room.work_off()
    answer("a", questions=("1",))
    room.work_off()
    shown = get(OWN, external_id="a").questions
    assert [(q.external_id, q.state) for q in shown] == [("0", "assigned"), ("1", "answered")]


class TestMerged:
    @pytest.fixture
    def receipts(self, room, answer):
        with room.connection() as db:
            peers.add(db, Peer(code="node", name="node", options=SAME_LETTERS), room.now)
        letter = ReferralIn(number="А26-01-000017", date=dt.date(2026, 1, 10))
        made = [
            room.submit_appeal(name, Appeal(text=f"Свет, {name}", referrals=(letter,)), peer=peer)
            for name, peer in (("first", PEER), ("second", "node"))
        ]
        room.work_off()
        attach(room, "second", b"a paper", "справка.pdf", peer="node")
        number = RegistrationFacts(organisation="sed", number="17-ж", date=dt.date(2026, 3, 2))
        room.report("first", "number", EventType.REGISTERED, registration=number)
        answer("first")
        room.work_off()
        return [receipt.receipt_number for receipt in made]

    def test_it_says_so_and_stands_where_the_other_stands(self, room, get, receipts):
        first, second = receipts
        node = Caller(peer="node", disclosure="full")
        shown = get(node, external_id="second", with_text=True)
        assert "Свет, first" not in str(shown)
        assert (shown.receipt_number, shown.merged_into) == (second, first)
        assert (shown.external_id, shown.text) == ("second", "Свет, second")
        assert shown.state == "answered"
        assert [q.state for q in shown.questions] == ["answered"]
        assert "17-ж" in [r.number for r in shown.registrations]
        assert [a.number for a in shown.answers] == ["О-17"]
        assert "справка.pdf" in {f.file_name for f in shown.attachments}
        assert [q.text for q in shown.questions] == ["Свет, second"]
        other = get(OWN, external_id="first")
        assert (other.receipt_number, other.merged_into) == (first, None)
        assert "справка.pdf" not in {f.file_name for f in other.attachments}

    def test_the_state_is_the_same_in_a_list_of_states(self, room, pool, receipts):
        keys = tuple(c.AppealKey(external_id=name) for name in ("second", "nothing"))
        found, absent = (
            Reader(pool, room.blobs).read(c.GetStatus(keys=keys), Caller(peer="node")).items
        )
        assert (found.receipt_number, found.merged_into) == (receipts[1], receipts[0])
        assert found.state == "answered"
        assert (absent.found, absent.receipt_number, absent.merged_into) == (False, None, None)

    def test_what_the_other_holds_is_shown_by_its_own_level(self, room, get, receipts):
        shown = get(Caller(peer="node"), external_id="second", with_text=True)
        assert (shown.text, shown.state) == ("Свет, second", "answered")
        assert shown.answers == ()
        assert {f.file_name for f in shown.attachments} == {"справка.pdf"}
        assert "first" not in str(shown)
