"""What two peers read over HTTP: each its own and what it was given, the same on both wires."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from lxml import etree

from gateway.model.ids import receipt_number
from gateway.wires import binding
from gateway.wires import contract as c
from tests.integration.http.conftest import SOAP11

TEXT = "Прошу починить лифт в доме 5"
SCAN = b"%PDF-1.7 scan"


def submit(house, external_id, peer="portal", **more):
    done = house.post("/appeals", {"externalId": external_id, "text": TEXT, **more}, peer=peer)
    assert done.status == 201, done.body
    return done.json


def over_soap(house, kind, inner, peer="portal"):
    """The response of an operation called by SOAP, as its struct."""
    answer = house.soap(inner, peer=peer)
    assert answer.status == 200, answer.body
    body = etree.fromstring(answer.body).find(f"{{{SOAP11}}}Body")
    return binding.read(kind, body[0]), answer


@pytest.fixture(scope="module")
def given(house):
    """An appeal of the portal with a scan in it, that `sed` was given."""
    files = [{"fileName": "Письмо Примеровой.pdf", "content": b64encode(SCAN).decode()}]
    place = {"street": "ул. Примерная", "house": "5", "apartment": "17", "raw": "Примерная 5-17"}
    receipt = submit(house, "read-given", attachments=files, problemAddress=place, subject="Лифт")
    house.give("read-given", "sed")
    return receipt


def test_the_sender_reads_its_own_in_full(house, given):
    shown = house.get(f"/appeals/{given['receiptNumber']}?includeText=true").json
    assert (shown["text"], shown["externalId"]) == (TEXT, "read-given")
    assert shown["attachments"][0]["fileName"] == "Письмо Примеровой.pdf"
    assert shown["problemAddress"]["street"] == "ул. Примерная"
    assert "text" not in house.get(f"/appeals/{given['receiptNumber']}").json


def test_whom_it_was_given_to_reads_what_its_level_allows(house, given):
    shown = house.get(f"/appeals/{given['receiptNumber']}?includeText=true", peer="sed").json
    assert shown["state"] == "received"
    hidden = {
        "text", "subject", "externalId", "attachments", "problemAddress", "contentSha256",
    }  # fmt: skip
    assert not hidden & set(shown)
    assert "Примеров" not in str(shown)
    file = house.get(f"/attachments/{sha256(SCAN).hexdigest()}", peer="sed")
    assert file.status == 404


def test_whom_it_was_given_to_is_never_told_its_senders_number(house, given):
    key = {"receiptNumber": given["receiptNumber"]}
    report = {
        "messageKey": "sed-work", "key": key, "event": "TakenToWork", "occurredOn": "2026-11-21",
    }  # fmt: skip
    first, again = (house.post("/statuses", report, peer="sed") for _ in range(2))
    assert (first.json["receiptNumber"], first.body) == (given["receiptNumber"], again.body)
    listed = house.get("/receipts", peer="sed").json["items"]
    assert [line["messageKey"] for line in listed] == ["sed-work"]
    assert "read-given" not in f"{first.json} {listed}"
    own = house.post("/statuses", {**report, "messageKey": "own-work"})
    assert own.json["externalId"] == "read-given"


def test_a_peer_that_was_given_nothing_sees_nothing_and_cannot_tell_why(house):
    receipt = submit(house, "read-own")["receiptNumber"]
    absent = house.get("/appeals/7K3M9QX2TBW", peer="sed")
    for path in (f"/appeals/{receipt}", "/appeal?externalId=read-own"):
        refused = house.get(path, peer="sed")
        assert (refused.status, refused.json["code"]) == (404, "not_found")
    assert absent.status in (404, 422)
    asked = house.post("/status", {"keys": [{"receiptNumber": receipt}]}, peer="sed").json
    assert asked["items"][0]["found"] is False
    report = {
        "messageKey": "sed-1", "key": {"receiptNumber": receipt}, "event": "Registered",
        "occurredOn": "2026-11-21", "registration": {"number": "1", "date": "2026-11-21"},
    }  # fmt: skip
    assert house.post("/statuses", report, peer="sed").status == 404
    listed = house.get("/appeals", peer="sed").json["items"]
    assert "read-own" not in str(listed)


def asked(house, key):
    """What `sed` is answered to everything it can ask or say of an appeal: status and document."""
    receipt, external_id, number, digest = key
    named = {"receiptNumber": receipt}
    day = {"occurredOn": "2026-11-21", "messageKey": f"alike-{receipt}"}
    scan = {"fileName": "a", "content": "YQ==", "messageKey": f"alike-{receipt}"}
    answer = {"kind": "final", "date": "2026-11-21", "outcome": {"result": "explained"}}
    answers = [
        house.get(f"/appeals/{receipt}", peer="sed"),
        house.get(f"/appeal?externalId={external_id}", peer="sed"),
        house.get(f"/appeal?registrationNumber={number}", peer="sed"),
        house.get(f"/attachments/{digest}", peer="sed"),
        house.post("/status", {"keys": [named]}, peer="sed"),
        house.post("/statuses", {"key": named, "event": "TakenToWork", **day}, peer="sed"),
        house.post("/withdrawals", {"key": named, **day}, peer="sed"),
        house.post("/answers", {"key": named, **answer, "messageKey": day["messageKey"]},
                   peer="sed"),
        house.post("/attachments", {"ownerKey": named, **scan}, peer="sed"),
        house.soap(f"<GetAppeal><Key><ReceiptNumber>{receipt}</ReceiptNumber></Key></GetAppeal>",
                   peer="sed"),
    ]  # fmt: skip
    told = []
    for got in answers:
        text = got.body.decode()
        for word in key:
            text = text.replace(word, "KEY")
        told.append((got.status, re.sub(r"[0-9a-f]{32}", "CORRELATION", text)))
    return told


def test_what_is_anothers_and_what_never_was_are_told_apart_by_nothing(house):
    files = [{"fileName": "a.pdf", "content": b64encode(b"alike").decode()}]
    receipt = submit(house, "hidden-1", attachments=files)["receiptNumber"]
    with house.database() as db:
        db.execute(
            "INSERT INTO registration (appeal_id, organisation, number, number_key, date)"
            " SELECT id, 'gzhi', 'А-1717', 'A-1717', '2026-11-20' FROM appeal"
            " WHERE receipt_number = $1",
            (receipt,),
        )
    others = asked(house, (receipt, "hidden-1", "A-1717", sha256(b"alike").hexdigest()))
    absent = asked(house, (receipt_number(), "hidden-2", "A-1718", sha256(b"none").hexdigest()))
    assert others == absent
    assert {status for status, _ in others} == {200, 404, 500}


def test_both_wires_give_the_same(house, given):
    number = given["receiptNumber"]
    by_soap, _ = over_soap(
        house,
        c.GetAppealResponse,
        f"<GetAppeal><Key><ReceiptNumber>{number}</ReceiptNumber></Key>"
        "<IncludeText>true</IncludeText></GetAppeal>",
    )
    by_xml = house.get(f"/appeals/{number}?includeText=true", Accept="application/xml")
    read = binding.read(c.GetAppealResponse, etree.fromstring(by_xml.body))
    by_json = house.get(f"/appeals/{number}?includeText=true").json
    assert by_soap == read
    assert by_json["contentSha256"] == by_soap.appeal.content_sha256
    assert by_json["questions"][0]["questionId"] == by_soap.appeal.questions[0].question_id


def test_an_answer_that_did_not_change_is_not_sent_again_and_a_change_is(house):
    receipt = submit(house, "read-tag")["receiptNumber"]
    first = house.get(f"/appeals/{receipt}")
    tag = first.headers["etag"]
    assert house.get(f"/appeals/{receipt}", If_None_Match=tag).status == 304
    house.rows(
        "UPDATE appeal SET changed_at = now() WHERE receipt_number = $1 RETURNING 1", receipt
    )
    assert house.get(f"/appeals/{receipt}", If_None_Match=tag).status == 200


def test_states_are_asked_for_many_at_once_and_a_typing_error_spoils_one(house):
    receipt = submit(house, "read-many")["receiptNumber"]
    keys = [
        {"externalId": "read-many"},
        {"receiptNumber": receipt.lower()},
        {"receiptNumber": receipt[:-1] + ("0" if receipt[-1] != "0" else "1")},
        {"externalId": "nothing"},
    ]
    items = house.post("/status", {"keys": keys}).json["items"]
    assert [item["found"] for item in items] == [True, True, False, False]
    assert items[0]["questions"] == items[1]["questions"]
    refused = house.post("/status", {"keys": [keys[0], {"externalId": "a", "receiptNumber": "b"}]})
    assert refused.places == [("/keys/1", "choice")]


def test_a_register_is_read_page_by_page_to_its_end(house):
    names = [f"page-{n:03d}" for n in range(25)]
    for name in names:
        submit(house, name, peer="sed")
    seen, cursor, pages = [], "", 0
    while True:
        page = house.get(f"/appeals?max=10{cursor}", peer="sed").json
        seen += [item["externalId"] for item in page["items"] if "page-" in item["externalId"]]
        pages += 1
        if "nextCursor" not in page:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert seen == names
    assert pages >= 3
    by_soap, _ = over_soap(house, c.FindAppealsResponse, "<FindAppeals/>", peer="sed")
    digests = {item.external_id: item.content_digest for item in by_soap.items}
    assert set(names) <= set(digests)


def test_the_next_reading_begins_where_the_last_was_complete(house):
    names = [f"chain-{n}" for n in range(3)]
    for name in names:
        submit(house, name, peer="other")
    for path, since in (("/appeals", "changedFrom"), ("/receipts", "from")):
        page = house.get(path, peer="other").json
        assert [item["externalId"] for item in page["items"]] == names
        later = f"{path}?{since}={page['completeUntil'].replace('+', '%2B')}"
        assert house.get(later, peer="other").json["items"] == []
        tag = house.get(path, peer="other").headers["etag"]
        assert house.get(path, peer="other", If_None_Match=tag).status == 304
    by_soap, _ = over_soap(house, c.GetReceiptsResponse, "<GetReceipts/>", peer="other")
    assert by_soap.complete_until is not None
    first, _ = over_soap(
        house, c.GetReceiptsResponse, "<GetReceipts><Max>1</Max></GetReceipts>", peer="other"
    )
    assert (len(first.items), first.complete_until) == (1, None)


def test_answers_stay_under_the_limit_of_wcf_unless_more_is_asked_for(house):
    items = [{"externalId": f"many-{n:04d}-{'x' * 150}", "text": TEXT} for n in range(300)]
    for start in range(0, 300, 100):
        done = house.post("/appeals/batch", {"items": items[start : start + 100]})
        assert all("receipt" in item for item in done.json["items"])
    page, answer = over_soap(
        house, c.FindAppealsResponse, "<FindAppeals><Max>1000</Max></FindAppeals>"
    )
    assert 50_000 < len(answer.body) < 60_000
    assert page.next_cursor
    small, answer = over_soap(
        house,
        c.FindAppealsResponse,
        "<FindAppeals><Max>1000</Max><MaxBytes>10000</MaxBytes></FindAppeals>",
    )
    assert len(answer.body) < 10_000
    large, answer = over_soap(
        house,
        c.FindAppealsResponse,
        "<FindAppeals><Max>1000</Max><MaxBytes>5000000</MaxBytes></FindAppeals>",
    )
    assert len(large.items) >= 300
    assert len(small.items) < len(page.items) < len(large.items)
    receipts, answer = over_soap(
        house, c.GetReceiptsResponse, "<GetReceipts><Max>1000</Max></GetReceipts>"
    )
    assert len(answer.body) < 60_000
    assert receipts.next_cursor


def as_utf16(house, inner):
    """Call an operation by SOAP 1.1 in UTF-16, as Mono does."""
    name = inner[1:].partition(">")[0]
    text = (
        f'<?xml version="1.0" encoding="utf-16"?><s:Envelope xmlns:s="{SOAP11}"><s:Body>'
        f'<{name} xmlns="urn:gov:appeals:v1">{inner.partition(">")[2]}</s:Body></s:Envelope>'
    )
    return house.call(
        "POST", "/soap/appeals.svc", text.encode("utf-16"), Content_Type="text/xml; charset=utf-16"
    )


def status_of(keys, more=""):
    listed = "".join(f"<AppealKey><ExternalId>{key}</ExternalId></AppealKey>" for key in keys)
    return f"<GetStatus><Keys>{listed}</Keys>{more}</GetStatus>"


def test_states_that_do_not_fit_are_refused_with_the_number_that_does(house):
    keys = [f"states-{n:03d}" for n in range(200)]
    for start in (0, 100):
        items = [{"externalId": key, "text": TEXT} for key in keys[start : start + 100]]
        house.post("/appeals/batch", {"items": items})
    refused = house.soap(status_of(keys))
    assert (refused.status, len(refused.body) < 60_000) == (500, True)
    room = int(re.search(rb"<Expected>at most (\d+)</Expected>", refused.body)[1])
    assert b"<Path>/GetStatus/Keys</Path>" in refused.body
    found, answer = over_soap(house, c.GetStatusResponse, status_of(keys[:room]))
    assert 50_000 < len(answer.body) < 60_000
    assert all(item.found for item in found.items)
    whole, _ = over_soap(house, c.GetStatusResponse, status_of(keys, "<MaxBytes>500000</MaxBytes>"))
    assert len(whole.items) == len(keys)
    by_json = house.post("/status", {"keys": [{"externalId": key} for key in keys]})
    assert by_json.places == [("/keys", "max_bytes")]
    more = {"keys": [{"externalId": key} for key in keys], "maxBytes": 500_000}
    assert len(house.post("/status", more).json["items"]) == len(keys)


def test_an_answer_in_utf16_is_measured_in_utf16(house):
    keys = [f"wide-{n:03d}" for n in range(100)]
    house.post("/appeals/batch", {"items": [{"externalId": k, "text": TEXT} for k in keys]})
    assert house.soap(status_of(keys[:70])).status == 200
    refused = as_utf16(house, status_of(keys[:70]))
    assert refused.status == 500
    room = int(re.search(r"at most (\d+)<", refused.body.decode("utf-16"))[1])
    answer = as_utf16(house, status_of(keys[:room]))
    assert (answer.status, 50_000 < len(answer.body) < 60_000) == (200, True)
    page = as_utf16(house, "<FindAppeals><Max>1000</Max></FindAppeals>")
    assert (page.status, 50_000 < len(page.body) < 60_000) == (200, True)


def test_receipts_tell_what_is_held_of_the_caller_and_nothing_of_others(house):
    receipt = submit(house, "held-1")
    house.post("/appeals", {"externalId": "held-1", "text": "Другое"})
    found, cursor = [], ""
    while True:
        page = house.get(f"/receipts?max=1000{cursor}").json
        found += page["items"]
        if "nextCursor" not in page:
            break
        cursor = f"&cursor={page['nextCursor']}"
    mine = [line for line in found if line.get("externalId") == "held-1"]
    assert mine[0]["contentSha256"] == receipt["contentSha256"]
    assert (mine[0]["operation"], mine[0]["acceptedAt"]) == ("submit", receipt["acceptedAt"])
    others = house.get("/receipts?max=1000", peer="sed").json["items"]
    assert "held-1" not in {line.get("externalId") for line in others}
    window = house.get("/receipts?from=2000-01-01T00:00:00Z&to=2000-01-02T00:00:00%2B03:00").json
    assert window["items"] == []


class TestFiles:
    def test_a_file_is_attached_once_and_read_by_both_wires(self, house):
        submit(house, "file-1")
        data = b"\x89PNG photo"
        call = {
            "ownerKey": {"externalId": "file-1"}, "fileName": "фото.png", "mediaType": "image/png",
            "content": b64encode(data).decode(), "size": len(data), "messageKey": "f-1",
        }  # fmt: skip
        first, again = house.post("/attachments", call), house.post("/attachments", call)
        assert (first.status, again.status, first.body) == (201, 200, again.body)
        assert again.headers["gateway-repeat"] == "true"
        digest = first.json["attachmentId"]
        by_json = house.get(f"/attachments/{digest}").json
        by_soap, _ = over_soap(
            house,
            c.GetAttachmentResponse,
            f"<GetAttachment><AttachmentId>{digest}</AttachmentId></GetAttachment>",
        )
        assert by_json["content"] == call["content"]
        assert (by_soap.content, by_soap.file_name) == (data, "фото.png")
        shown = house.get("/appeal?externalId=file-1").json
        assert [file["attachmentId"] for file in shown["attachments"]] == [digest]

    def test_it_must_be_as_long_and_the_same_as_it_was_said_to_be(self, house):
        submit(house, "file-2")
        call = {
            "ownerKey": {"externalId": "file-2"}, "fileName": "а.txt", "messageKey": "f-2",
            "content": b64encode(b"123").decode(),
        }  # fmt: skip
        assert house.post("/attachments", call | {"size": 4}).places == [("/size", "size")]
        wrong = house.post("/attachments", call | {"sha256": "0" * 64})
        assert wrong.places == [("/sha256", "sha256")]
        other = house.post("/attachments", call | {"ownerKey": {"externalId": "no such"}})
        assert other.status == 404

    def test_nobody_else_reads_it(self, house):
        digest = sha256(SCAN).hexdigest()
        assert house.get(f"/attachments/{digest}", peer="sed").status == 404
        assert house.get("/attachments/no-such-id").status == 404


class TestChanges:
    def test_what_was_given_comes_until_it_is_acknowledged(self, house):
        submit(house, "change-1")
        house.give("change-1", "sed")
        page = house.get("/changes", peer="sed").json
        again = house.get("/changes", peer="sed").json
        assert page["items"] == again["items"]
        assert page["items"]
        by_soap, _ = over_soap(house, c.GetChangesResponse, "<GetChanges/>", peer="sed")
        assert [item.sequence for item in by_soap.items] == [
            item["sequence"] for item in page["items"]
        ]
        done = house.post("/changes/ack", {"cursor": page["nextCursor"]}, peer="sed")
        assert done.status == 200
        after = house.get("/changes", peer="sed").json
        assert after["items"] == []

    def test_a_cursor_of_another_peer_is_refused(self, house):
        submit(house, "change-2")
        house.give("change-2", "sed")
        cursor = house.get("/changes", peer="sed").json["nextCursor"]
        assert house.get(f"/changes?cursor={cursor}").places == [("?cursor", "cursor")]
        assert house.post("/changes/ack", {"cursor": cursor}).status == 422


class TestDirectories:
    def test_they_are_the_same_on_both_wires_and_speak_russian(self, house):
        by_json = house.get("/directories/States").json
        by_soap, _ = over_soap(
            house, c.GetDirectoryResponse, "<GetDirectory><Name>States</Name></GetDirectory>"
        )
        assert {i["code"]: i["title"] for i in by_json["items"]} == {
            i.code: i.title for i in by_soap.items
        }
        for name in ("Outcomes", "DeclineGrounds", "DeliveryMethods", "Faults"):
            titles = [item["title"] for item in house.get(f"/directories/{name}").json["items"]]
            assert all(re.search("[а-яёА-Я]", title) for title in titles), name

    def test_organisations_are_read_in_pages_that_fit(self, house):
        house.rows(
            "INSERT INTO organisation (id, full_name) SELECT 'org-' || to_char(n, 'FM0000'), "
            "'Управляющая организация «Образец-' || n || '» ' || repeat('я', 60) "
            "FROM generate_series(0, 699) n RETURNING 1"
        )
        seen, cursor = [], ""
        while True:
            body = f"<GetDirectory><Name>Organisations</Name>{cursor}</GetDirectory>"
            page, answer = over_soap(house, c.GetDirectoryResponse, body)
            assert len(answer.body) < 60_000
            seen += [item.code for item in page.items]
            if not page.next_cursor:
                break
            cursor = f"<Cursor>{page.next_cursor}</Cursor>"
        assert len(seen) == len(set(seen)) == 700

    def test_topics_are_a_part_of_sstu_until_a_body_loads_its_own(self, house):
        first = house.get("/directories/Topics").json
        assert {"code": "0005.0005", "title": "Жилище", "parent": "0005"} in first["items"]
        again = house.get(f"/directories/Topics?sinceVersion={first['version']}").json
        assert again["items"] == []
        by_soap, _ = over_soap(
            house, c.GetDirectoryResponse, "<GetDirectory><Name>Topics</Name></GetDirectory>"
        )
        assert by_soap.version == first["version"]

    def test_one_that_there_is_not_is_said_so(self, house):
        assert house.get("/directories/Wrong").places == [("{name}", "enumeration")]
