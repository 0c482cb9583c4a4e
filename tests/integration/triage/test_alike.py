"""What a destination of one level is told is the same in every channel, in the contract's names."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import msgspec
import pytest
from lxml import etree

from gateway import ns
from gateway.access.policy import Caller
from gateway.dispatch.ports import Policy
from gateway.dispatch.prepare import visible
from gateway.model.address import Address, AddressRole
from gateway.model.appeal import Appeal
from gateway.model.base import Code, ExternalRef, Extra
from gateway.model.events import EventType
from gateway.model.facts import ExecutorFacts, OutcomeFacts, RegistrationFacts
from gateway.model.person import Applicant, ContactKind, ContactPoint, Person
from gateway.model.question import Question, Topic
from gateway.outbound import Outbound
from gateway.snapshots import StoredSnapshots
from gateway.store import lanes, organisations, peers
from gateway.store.pool import Pool
from gateway.wires import contract as c
from gateway.wires.channels import soapback
from gateway.wires.channels.pull import PullChanges
from gateway.wires.channels.webhook import WebhookCodec
from tests.integration.accept.conftest import PEER
from tests.integration.triage.conftest import OURS

LEVELS = ("full", "problem_only", "reference_only")
OWED = (
    f"SELECT {', '.join(lanes.Delivery._fields)} FROM delivery WHERE destination = $1 ORDER BY id"
)
GIVEN = Appeal(
    source_peer=PEER,
    text="Нет отопления",
    refs=(ExternalRef(peer="gateway", kind="external_id", value="a"),),
    applicants=(
        Applicant(
            person=Person(family="Примерова", given="Анна"),
            contacts=(ContactPoint(kind=ContactKind.PHONE, value="+70000000000"),),
        ),
    ),
    addresses=(
        Address(role=AddressRole.PROBLEM, oktmo="04000000", street="Садовая", apartment="7"),
    ),
    questions=(
        Question(
            ordinal=1,
            topics=(Topic(code=Code(system="sstu", value="0005.0005.0055.1122")),),
            refs=(ExternalRef(peer="gateway", kind="external_id", value="q-1"),),
        ),
    ),
    extras=(Extra(peer="gateway", path="Канал", value="терминал"),),
)


@pytest.fixture
def channels(room):
    """An appeal with a history; what each channel says of each event, at a level, to a peer."""
    with room.connection() as db:
        body = organisations.Record(id=OURS, full_name="Жилищная инспекция", ids={"medo": ("M-1",)})
        organisations.write(db, [body])
        peers.set_options(db, "hook", {"tell": "pull"})
    room.submit_appeal("a", GIVEN)
    room.work_off()
    number = RegistrationFacts(organisation="sed", number="17-ж", date=date(2026, 3, 2))
    for key, event, facts in (
        ("number", EventType.REGISTERED, {"registration": number}),
        ("work", EventType.TAKEN_TO_WORK, {"executor": ExecutorFacts(organisation=OURS)}),
        ("done", EventType.ANSWERED, {"outcome": OutcomeFacts(result="explained")}),
        ("lost", EventType.TAKEN_TO_WORK, {"ordinals": (9,)}),
    ):
        room.report("a", key, event, **facts)
    room.work_off()
    pool = Pool(room.url)
    pool.open()
    snapshots = StoredSnapshots(pool, room.blobs, lambda _code: {}, lambda: room.now)
    outbound = Outbound(allowed_hosts=["partner.test"], timeout=5)

    class Channels:
        def pulled(self, peer, level):
            caller = Caller(peer=peer, disclosure=level)
            pull = PullChanges(pool, snapshots, lambda: room.now)
            return pull.get(c.GetChanges(max=100), caller).items

        def pushed(self, peer, level):
            with room.connection() as db:
                owed = [lanes.Delivery(*row) for row in db.execute(OWED, (peer,), binary=True)]
            policy = Policy(disclosure=level, disclosure_ground="59-ФЗ ст. 8")
            return [
                visible(snapshot, policy, peer, key=str(delivery.id))
                for delivery in owed
                if (snapshot := snapshots.load([delivery]).get(delivery.id))
            ]

        def hooked(self, peer, level):
            codec = WebhookCodec("urn:test")
            bodies = [
                json.loads(codec.encode(s.appeal, s.event, s.context).body)
                for s in self.pushed(peer, level)
            ]
            return [body["data"] for body in bodies]

        def called(self, peer, level):
            client = soapback.client("https://partner.test/back.svc", outbound, peer)
            codec = soapback.CallbackCodec(client)
            for shown in self.pushed(peer, level):
                if shown.event.type not in soapback._UNTOLD:
                    body = codec.encode(shown.appeal, shown.event, shown.context).body
                    yield etree.fromstring(body).find(f".//{{{ns.APPEALS}}}Report")

    yield Channels()
    outbound.close()
    pool.close()


def plain(change):
    told = json.loads(msgspec.json.encode(change))
    told.pop("sequence")
    return told


@pytest.mark.parametrize("level", LEVELS)
def test_a_web_hook_says_of_an_event_what_the_peer_would_pull(channels, level):
    pulled = [plain(change) for change in channels.pulled("hook", level)]
    hooked = channels.hooked("hook", level)
    assert len(pulled) == len(hooked) > 3
    for told in hooked:
        told.pop("appeal")
    assert hooked == pulled


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_told_registration_numbers_also_by_a_call_back(channels, level):
    numbers = {
        change.status.registration.number
        for change in channels.pulled("hook", level)
        if change.event_type == "Registered"
    }
    assert "17-ж" in numbers
    called = {
        report.findtext(f"{{{ns.APPEALS}}}Registration/{{{ns.APPEALS}}}Number")
        for report in channels.called("hook", level)
        if report.findtext(f"{{{ns.APPEALS}}}Event") == "Registered"
    }
    assert called == numbers


@pytest.mark.parametrize("level", LEVELS)
def test_a_call_back_says_the_facts_that_are_pulled(channels, level):
    pulled = [
        change
        for change in channels.pulled("hook", level)
        if EventType(change.event_type) not in soapback._UNTOLD
    ]
    for report, change in zip(channels.called("hook", level), pulled, strict=True):
        told = {etree.QName(node).localname for node in report} - {"MessageKey", "Key"}
        status = msgspec.to_builtins(change.status)
        assert told - {"QuestionOrdinal"} == {name[0].upper() + name[1:] for name in status}


@pytest.mark.parametrize("level", LEVELS)
def test_the_sender_reads_its_own_number_everywhere_and_nobody_else_does(channels, level):
    for own in channels.hooked(PEER, level):
        assert own["key"]["externalId"] == own["appeal"]["externalId"] == "a"
        assert own["appeal"]["questions"][0]["externalId"] == "q-1"
    for report in channels.called(PEER, level):
        key = report.find(f"{{{ns.APPEALS}}}Key")
        assert [etree.QName(node).localname for node in key] == ["ExternalId"]
    for other in channels.hooked("hook", level):
        assert "externalId" not in other["key"]
        assert "externalId" not in other["appeal"]
    for report in channels.called("hook", level):
        key = report.find(f"{{{ns.APPEALS}}}Key")
        assert [etree.QName(node).localname for node in key] == ["ReceiptNumber"]


@pytest.mark.parametrize("level", LEVELS)
def test_names_are_the_contract_s_and_a_body_has_one_id(channels, level):
    text = json.dumps(channels.hooked("hook", level), ensure_ascii=False)
    assert not re.findall(r'"(\w*_\w*)":', text)
    for stray in ("numberKey", "M-1", "medo", "epgu:name"):
        assert stray not in text
    last = channels.hooked("hook", level)[-1]["appeal"]
    assert {"organisation": "sed", "number": "17-ж", "date": "2026-03-02"} in last["registrations"]
    assert last["state"] == last["questions"][0]["state"] == "answered"
    assert OURS in {r.get("organisation") for r in last["registrations"]}


def test_of_the_appeal_no_more_is_pushed_than_the_level_allows(channels):
    full, problem, reference = (channels.hooked("hook", level)[-1]["appeal"] for level in LEVELS)
    person = full["applicants"][0]["person"]
    assert (person["familyName"], full["applicants"][0]["phone"]) == ("Примерова", "+70000000000")
    assert full["problemAddress"]["apartment"] == "7"
    assert full["extra"] == [{"name": "Канал", "value": "терминал"}]
    assert problem["problemAddress"] == {"oktmo": "04000000", "street": "Садовая"}
    assert {"topics", "outcome"} <= problem["questions"][0].keys()
    assert not {"applicants", "text", "extra", "externalId"} & problem.keys()
    assert reference.keys() <= {
        "receiptNumber", "revision", "state", "regime", "type", "receivedAt", "registrations",
        "questions", "testMessage",
    }  # fmt: skip
    assert not {"topics", "outcome", "ownerOrganisation", "text"} & reference["questions"][0].keys()


def test_the_sender_is_told_what_became_of_its_report_in_every_channel(channels, room):
    for _ in range(5):
        room.now += timedelta(hours=1)
        room.work_off()
    (pulled,) = [x for x in channels.pulled(PEER, "full") if x.applied == "refused"]
    assert pulled.message_key == "lost"
    for level in LEVELS:
        (told,) = [x for x in channels.hooked(PEER, level) if x.get("applied") == "refused"]
        assert (told["messageKey"], told["status"]["comment"]) == ("lost", pulled.status.comment)
