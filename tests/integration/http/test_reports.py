"""Reports that the rules refuse: before a receipt by what they say alone, else in the changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway import policies
from gateway.settings import Settings
from gateway.triage import Triage

OWNER = "portal"
BODY = "sed"
MENDED = "SELECT note->>'reason' FROM message WHERE key = $1 AND stage = 'refused'"


@pytest.fixture(scope="module")
def triage(house):
    """Works off what was accepted; `ahead` moves its clock, so that what was put off is due."""
    clock = {"ahead": timedelta()}
    room = Triage(house.url, policies.rules(Settings()), lambda: datetime.now(UTC) + clock["ahead"])
    with house.database() as db:  # the body decides the appeals, so it sees them whole
        db.execute(
            "UPDATE peer SET disclosure = 'full', disclosure_ground = 'исполнитель' "
            "WHERE code = $1",
            (BODY,),
        )

    def run(ahead: timedelta = timedelta()) -> None:
        clock["ahead"] = ahead
        while room.run_once().items:
            pass

    yield run
    room.close()


@pytest.fixture
def appeal(house, triage, request):
    """An appeal that the body was given, by its receipt number."""
    external_id = request.node.name[:80]
    answer = house.post("/appeals", {"externalId": external_id, "text": "Снег"})
    triage()
    house.give(external_id, BODY)
    return answer.json["receiptNumber"]


def status(receipt_number, key, event, **more):
    return {
        "messageKey": key,
        "key": {"receiptNumber": receipt_number},
        "event": event,
        "occurredOn": "2026-03-02",
        **more,
    }


def changes(house, key, peer=BODY):
    """What a peer is told of its own report, by SOAP's words in JSON."""
    items = house.get("/changes?max=1000", peer=peer).json["items"]
    return [item for item in items if item.get("messageKey") == key]


@pytest.mark.parametrize(
    ("event", "more", "place"),
    [
        ("Extended", {}, ("/extension", "required")),
        ("Answered", {}, ("/outcome", "required")),
        ("Answered", {"outcome": {"result": "supported"}}, ("/outcome/actionsTaken", "required")),
        ("Reopened", {}, ("/reason", "required")),
        ("EvidenceAccepted", {}, ("/event", "event")),
        ("TakenToWork", {"occurredOn": "2036-01-01"}, ("/occurredOn", "future")),
    ],
)
def test_what_the_report_alone_tells_is_refused_before_a_receipt(house, event, more, place):
    report = status("9EGFDYVT0C7", f"early-{event}-{len(more)}", event, **more)
    refused = house.post("/statuses", report, peer=BODY)
    assert (refused.status, refused.json["code"]) == (422, "validation")
    assert refused.places == [place]
    (stage,) = house.rows("SELECT stage FROM message ORDER BY id DESC LIMIT 1")[0]
    assert stage == "undecodable"


def test_soap_says_the_same_of_an_answer_without_its_outcome(house):
    refused = house.soap(
        "<SubmitAnswer><Answer><MessageKey>early-soap</MessageKey>"
        "<Key><ReceiptNumber>9EGFDYVT0C7</ReceiptNumber></Key><Kind>final</Kind>"
        "<Date>2026-03-02</Date></Answer></SubmitAnswer>",
        peer=BODY,
    )
    assert refused.status == 500
    assert b"<Path>/SubmitAnswer/Answer/Outcome</Path>" in refused.body


def test_what_an_event_needs_can_be_told(house, triage, appeal):
    """Reason, topic and the receiver's number have their places in the contract."""
    told = [
        ("TopicAssigned", {"topic": {"code": "0005.0005.0055.1122"}}, "applied"),
        ("PeerStateReported", {"peerState": "На исполнении"}, "applied"),
        (
            "Transferred",
            {"transfer": {"toOrganisation": "minzdrav", "date": "2026-03-02", "number": "П-1"}},
            "inferred",
        ),
        (
            "ReceiverRegistered",
            {"registration": {"number": "М-7", "date": "2026-03-03"}},
            "applied",
        ),
        ("ReturnedToUs", {"reason": "8.3", "occurredOn": "2026-03-04"}, "applied"),
    ]
    for n, (event, more, _) in enumerate(told):
        answer = house.post("/statuses", status(appeal, f"told-{n}", event, **more), peer=BODY)
        assert answer.status == 201, answer.body
    triage()
    found = house.rows("SELECT note->>'applied' FROM message WHERE key LIKE 'told-%' ORDER BY id")
    assert [word for (word,) in found] == [word for _, _, word in told]
    facts = house.rows(
        "SELECT e.type, convert_from(e.body, 'UTF8')::jsonb->'payload' FROM event e "
        "JOIN message m ON m.id = e.message_id WHERE m.key LIKE 'told-%' ORDER BY e.seq"
    )
    assert ("PeerStateReported", {"peer": BODY, "code": "На исполнении"}) in facts
    assert ("ReceiverRegistered", {"number": "М-7", "date": "2026-03-03"}) in facts


def test_what_was_granted_to_somebody_else_is_final_at_once_and_its_sender_is_told(
    house, triage, appeal
):
    with house.database() as db:
        db.execute("""UPDATE peer SET options = options || '{"grant": ["Registered"]}'
                      WHERE code = 'sed'""")
    try:
        answer = house.post("/statuses", status(appeal, "granted-1", "TakenToWork"), peer=BODY)
        assert answer.status == 201
        triage()
    finally:
        with house.database() as db:
            db.execute("UPDATE peer SET options = options - 'grant' WHERE code = 'sed'")
    assert house.rows("SELECT count(*) FROM work") == [(0,)]
    ((reason,),) = house.rows(MENDED, "granted-1")
    assert "not in the peer's manifest" in reason
    (told,) = changes(house, "granted-1")
    assert (told["eventType"], told["applied"]) == ("ReportRefused", "refused")
    assert told["status"]["comment"] == f"TakenToWork: {reason}"
    assert not changes(house, "granted-1", OWNER)
    lines = house.get("/receipts?max=1000", peer=BODY).json["items"]
    assert [line["applied"] for line in lines if line.get("messageKey") == "granted-1"] == [
        "refused"
    ]


def test_a_question_that_never_comes_is_refused_in_the_end_and_nothing_overtakes(
    house, triage, appeal
):
    report = status(appeal, "nowhere-1", "TakenToWork", questionOrdinal=7)
    assert house.post("/statuses", report, peer=BODY).status == 201
    triage()
    assert house.rows("SELECT stage FROM message WHERE key = 'nowhere-1'") == [("accepted",)]
    for hours in range(1, 5):
        triage(timedelta(hours=hours))
    assert house.rows("SELECT stage FROM message WHERE key = 'nowhere-1'") == [("refused",)]
    (told,) = changes(house, "nowhere-1")
    assert told["applied"] == "refused"


def test_what_an_earlier_version_accepted_is_refused_at_once(house, triage, appeal):
    """Its receipt was given before reports were looked at; the answer after it is applied."""
    late = [
        status(appeal, "old-1", "TakenToWork", comment="взяли в работу"),
        status(appeal, "old-2", "TakenToWork"),
    ]
    for report in late:
        assert house.post("/statuses", report, peer=BODY).status == 201
    with house.database() as db:
        for key, event in (("old-1", "Extended"), ("old-2", "ClarificationAsked")):
            ((decoded,),) = house.rows("SELECT decoded FROM message WHERE key = $1", key)
            document = json.loads(bytes(decoded)) | {"event": event}
            db.execute(
                "UPDATE message SET decoded = $2 WHERE key = $1",
                (key, json.dumps(document).encode()),
            )
    answer = {
        "messageKey": "old-3",
        "key": {"receiptNumber": appeal},
        "kind": "final",
        "date": "2026-03-02",
        "outcome": {"result": "explained"},
    }
    assert house.post("/answers", answer, peer=BODY).status == 201
    triage()
    assert house.rows("SELECT key, stage FROM message WHERE key LIKE 'old-%' ORDER BY id") == [
        ("old-1", "refused"),
        ("old-2", "refused"),
        ("old-3", "applied"),
    ]
    order = house.rows(
        "SELECT e.type FROM event e JOIN message m ON m.id = e.message_id "
        "WHERE m.key LIKE 'old-%' AND e.type IN ('ReportRefused', 'Answered') ORDER BY e.seq"
    )
    assert order == [("ReportRefused",), ("ReportRefused",), ("Answered",)]
    ((reason,),) = house.rows(MENDED, "old-1")
    assert "основание продления" in reason
    assert "взяли в работу" not in reason
    ((reason,),) = house.rows(MENDED, "old-2")
    assert "59-ФЗ" in reason


def test_the_authors_word_on_an_answer_is_told_by_the_contract_of_the_first_version(house, triage):
    """A score has no element there: it is said that there was one, in the author's words."""
    sent = {"externalId": "a message", "text": "Яма", "regime": "message"}
    receipt = house.post("/appeals", sent).json["receiptNumber"]
    triage()
    house.give("a message", BODY)
    told = [
        ("m-1", "ClarificationAsked", {"comment": "Какая улица?"}),
        ("m-2", "ClarificationAnswered", {"comment": "Садовая"}),
        ("m-3", "Answered", {"outcome": {"result": "explained"}}),
        ("m-4", "Rated", {"comment": "Четыре из пяти"}),
        ("m-5", "ReturnedForRework", {"reason": "not_solved", "comment": "Яма на месте"}),
        ("m-6", "Answered", {"outcome": {"result": "supported", "actionsTaken": True}}),
        ("m-7", "Confirmed", {"comment": "Спасибо"}),
    ]
    for key, event, more in told:
        assert house.post("/statuses", status(receipt, key, event, **more), peer=BODY).status == 201
        triage()
        (change,) = changes(house, key)[-1:]
        assert change["applied"] in ("applied", "inferred"), (event, change)
        assert change["status"]["event"] == event
    [(state,)] = house.rows("SELECT state FROM appeal WHERE external_id = 'a message'")
    assert state == "closed"
    fz59 = house.post("/appeals", {"externalId": "a letter", "text": "Яма"}).json["receiptNumber"]
    triage()
    house.give("a letter", BODY)
    house.post("/statuses", status(fz59, "z-1", "ReturnedForRework", reason="no"), peer=BODY)
    triage()
    (refused,) = changes(house, "z-1")
    assert refused["applied"] == "refused"
    assert "повторное обращение" in refused["status"]["comment"]
