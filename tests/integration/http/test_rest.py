"""REST as a partner's engineer meets it: answers, refusals and their places, over real HTTP."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from base64 import b64encode

import pytest

from gateway import limits
from gateway.rest.docs import document
from gateway.wires import binding
from gateway.wires import contract as c

TEXT = "Не убирают снег во дворе"


def appeal(external_id, **more):
    return {"externalId": external_id, "text": TEXT, **more}


def as_xml(external_id, **more):
    return binding.write(c.SubmitAppeal(appeal=c.AppealIn(external_id=external_id, **more)))


def test_an_appeal_is_taken_and_its_repeat_gets_the_first_receipt(house):
    first = house.post("/appeals", appeal("r-1"))
    again = house.post("/appeals", appeal("r-1"))
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert "gateway-repeat" not in first.headers
    assert again.headers["gateway-repeat"] == "true"


def test_a_repeat_over_xml_is_the_same_call(house):
    first = house.post("/appeals", appeal("r-wires"))
    body = as_xml("r-wires", text=TEXT)
    again = house.post("/appeals", body, Content_Type="application/xml", Accept="application/json")
    assert (again.status, again.body) == (200, first.body)


def test_other_content_under_the_same_key_is_a_conflict_that_names_the_first(house):
    first = house.post("/appeals", appeal("r-conflict")).json
    refused = house.post("/appeals", appeal("r-conflict") | {"text": "Другое"})
    assert refused.status == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json["receiptNumber"] == first["receiptNumber"]
    assert (refused.json["code"], refused.json["existingRevision"]) == ("conflict", 1)


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({"text": "нет ключа"}, [("/externalId", "required")]),
        (
            appeal("r-2", questions=[{"topics": []}, {"topics": [{"code": "1"}, {"code": ""}]}]),
            [("/questions/1/topics/1/code", "length")],
        ),
        (appeal("r-2", regime="фз59"), [("/regime", "enumeration")]),
        (appeal("r-2", receivedAt="2026-11-20T09:00:00"), [("/receivedAt", "date_time")]),
        (appeal("r-2", concernedCount="12"), [("/concernedCount", "type")]),
        (appeal("r-2", **{"a/b~c": 1}), [("/a~1b~0c", "unexpected")]),
        (appeal("r-2", applicants=[{"person": {"familyNam": "x"}}]),
         [("/applicants/0/person/familyNam", "unexpected")]),
        (appeal("r-2", attachments=[{"fileName": "a.pdf", "content": "*"}]),
         [("/attachments/0/content", "base64")]),
        (appeal("r-2", attachments=[{"fileName": "a.pdf"}]), [("/attachments/0", "required")]),
        (appeal("r-2", text="\x00"), [("/text", "character")]),
        (appeal("r-2", questions=[{"text": "\ud83d"}]), [("/questions/0/text", "character")]),
        (appeal("r\x00"), [("/externalId", "character")]),
        ([1], [("", "type")]),
        (
            {"regime": "?", "revision": 0, "extra": [{}]},
            [("/regime", "enumeration"), ("/revision", "range"), ("/extra/0/name", "required"),
             ("/extra/0/value", "required"), ("/externalId", "required")],
        ),
    ],
    )  # fmt: skip
def test_a_refusal_points_at_every_place(house, document, places):
    refused = house.post("/appeals", document)
    assert refused.status == 422
    assert refused.places == places


def test_what_was_refused_is_kept_as_received(house):
    body = json.dumps(appeal("r-kept", regime="?")).encode()
    refused = house.post("/appeals", body, X_Correlation_Id="corr-kept-1")
    assert refused.headers["correlation-id"] == "corr-kept-1"
    assert refused.json["correlationId"] == "corr-kept-1"
    rows = house.rows(
        "SELECT body, stage, operation FROM message WHERE correlation = $1", "corr-kept-1"
    )
    assert rows == [(body, "undecodable", "SubmitAppeal")]


def test_the_key_in_the_header_and_the_numbers_of_the_path_are_kept_with_it(house):
    def kept(correlation):
        ((note,),) = house.rows("SELECT note FROM message WHERE correlation = $1", correlation)
        return note.get("beside")

    wrong = {"text": "Нет света", "regime": "?"}
    house.post("/appeals", wrong, X_Correlation_Id="corr-key-1", Idempotency_Key='"k-1"')
    house.post("/appeals", wrong, X_Correlation_Id="corr-key-2")
    path = "/appeals/%D0%90%2F1/revisions/2?reason=x"
    house.post(path, wrong, "PUT", X_Correlation_Id="corr-key-3")
    assert kept("corr-key-1") == {"idempotency-key": '"k-1"'}
    assert kept("corr-key-2") is None
    assert kept("corr-key-3") == {"externalId": "%D0%90%2F1", "revision": "2"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "malformed"),
        (b"{", {}, 400, "malformed"),
        (b'{"externalId": "x"} {}', {}, 400, "malformed"),
        (b'{"externalId": "\xff"}', {}, 400, "malformed"),
        (b"<a/>", {"Content_Type": "text/html"}, 415, "unsupported"),
        (b"{}", {"Content_Type": "application/json; charset=windows-1251"}, 415, "unsupported"),
        (b"{}", {"Content_Encoding": "br"}, 415, "unsupported"),
        (b"{}", {"Content_Encoding": "gzip"}, 400, "malformed"),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content_Encoding": "gzip"}, 400, "malformed"),
        (gzip.compress(b" " * (limits.REST_BODY_BYTES + 1)), {"Content_Encoding": "gzip"}, 413,
         "too_large"),
        (b"[" * 60_000, {}, 413, "too_large"),
        (b'{"questions":' + b"[" * 5000, {}, 413, "too_large"),
        (b'{"externalId": "x", "extra": [' + b"{}," * 60_000 + b"{}]}", {}, 413, "too_large"),
        (b"<SubmitAppeal", {"Content_Type": "application/xml"}, 400, "malformed"),
        (b"<Other/>", {"Content_Type": "application/xml"}, 404, "unknown_operation"),
        (as_xml("x"), {"Content_Type": "application/xml; charset=koi8-r"}, 415, "unsupported"),
        (b'<!DOCTYPE a><SubmitAppeal xmlns="urn:gov:appeals:v1"/>',
         {"Content_Type": "text/xml"}, 400, "malformed"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_so(house, body, headers, status, code):
    refused = house.post("/appeals", body, Accept="application/json", **headers)
    assert (refused.status, refused.json["code"]) == (status, code)
    assert refused.json["status"] == status


def test_a_body_over_12_mb_is_refused_whether_it_is_announced_or_not(house):
    head = (
        "POST /api/v1/appeals HTTP/1.1\r\nHost: gateway\r\n"
        f"X-API-Key: {house.keys['portal']}\r\nContent-Type: application/json\r\n"
    )
    announced = f"{head}Content-Length: {limits.REST_BODY_BYTES + 1}\r\n\r\n".encode()
    padded = announced.replace(b"Length: ", b"Length: " + b"0" * 5000)
    for told in (announced, padded):
        with socket.create_connection((house.host, house.port), timeout=30) as connection:
            connection.sendall(told)
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
    with socket.create_connection((house.host, house.port), timeout=30) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        for _ in range(13):
            connection.sendall(piece)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_brackets_and_commas_in_a_text_are_no_objects(house):
    text = "[{,}] " * 16_000
    taken = house.post("/appeals", appeal("r-brackets") | {"text": text})
    assert taken.status == 201


def test_packed_bodies_are_read(house):
    body = json.dumps(appeal("r-packed")).encode()
    bare = zlib.compressobj(wbits=-15)
    forms = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "Deflate": bare.compress(body) + bare.flush(),
    }
    receipts = {
        house.post("/appeals", packed, Content_Encoding=name).body for name, packed in forms.items()
    }
    assert len(receipts) == 1


def test_a_byte_order_mark_and_escaped_backslashes_are_read(house):
    marked = b"\xef\xbb\xbf" + json.dumps(appeal("r-bom")).encode()
    assert house.post("/appeals", marked).status == 201
    assert house.post("/appeals", rb'{"externalId": "r-bs", "text": "C:\\u0000\\b"}').status == 201


def test_of_a_member_given_twice_the_last_counts(house):
    body = b'{"externalId": "r-twice-1", "externalId": "r-twice-2", "text": "x"}'
    assert house.post("/appeals", body).json["externalId"] == "r-twice-2"


class TestIdempotencyKey:
    def test_it_stands_in_for_the_external_id(self, house):
        taken = house.post("/appeals", {"text": TEXT}, Idempotency_Key='"k-1"')
        assert (taken.status, taken.json["externalId"]) == (201, "k-1")
        assert house.post("/appeals", appeal("k-1")).body == taken.body

    def test_it_must_agree_with_the_external_id(self, house):
        refused = house.post("/appeals", appeal("k-2"), Idempotency_Key="k-other")
        assert refused.places == [("/externalId", "disagrees")]
        body = as_xml("k-2", text=TEXT)
        refused = house.post(
            "/appeals", body, Content_Type="text/xml", Accept="application/json",
            Idempotency_Key="k-other",
        )  # fmt: skip
        assert refused.places == [("/SubmitAppeal/Appeal/ExternalId", "disagrees")]

    def test_it_may_be_russian_and_must_be_a_key(self, house):
        given = "А26-7".encode().decode("latin-1")
        assert house.post("/appeals", {"text": "x"}, Idempotency_Key=given).json["externalId"] == (
            "А26-7"
        )
        refused = house.post("/appeals", {"text": "x"}, Idempotency_Key="k" * 201)
        assert refused.places == [("Idempotency-Key", "length")]

    def test_for_calls_with_a_message_key_it_stands_in_for_that(self, house):
        house.post("/appeals", appeal("k-status"))
        report = {
            "key": {"externalId": "k-status"},
            "event": "TakenToWork",
            "occurredOn": "2026-11-20",
        }
        taken = house.post("/statuses", report, Idempotency_Key="mk-1")
        assert (taken.status, taken.json["messageKey"]) == (201, "mk-1")

    def test_where_items_have_keys_of_their_own_it_says_nothing(self, house):
        done = house.post("/appeals/batch", {"items": [appeal("k-3")]}, Idempotency_Key="batch-1")
        assert done.json["items"][0]["receipt"]["externalId"] == "k-3"
        asked = house.post("/status", {"keys": [{"externalId": "k-3"}]}, Idempotency_Key="x")
        assert asked.json["items"][0]["found"] is True


class TestAmending:
    PATH = "/appeals/12%2F%D0%9E%D0%93%20%E2%84%96%201/revisions/2"
    ID = "12/ОГ № 1"

    def test_the_path_names_the_appeal_even_with_a_slash_in_its_number(self, house):
        first = house.post("/appeals", appeal(self.ID)).json
        body = {"text": "Дополнено"}
        done = house.post(self.PATH, body, method="PUT")
        assert done.status == 200
        assert (done.json["receiptNumber"], done.json["revision"]) == (first["receiptNumber"], 2)
        full = appeal(self.ID, revision=2) | body
        again = house.post(f"{self.PATH}?reason=%D0%B4%D0%B0", full, method="PUT")
        assert (again.body, again.headers["gateway-repeat"]) == (done.body, "true")
        other = house.post(self.PATH, full | {"text": "Другое"}, method="PUT")
        assert other.status == 409

    def test_xml_carries_the_whole_operation_and_must_agree_with_the_path(self, house):
        house.post("/appeals", appeal("amend-xml"))
        path = "/appeals/amend-xml/revisions/2"
        given = c.AmendAppeal(
            external_id="amend-xml", revision=2, reason="Уточнено",
            appeal=c.AppealIn(external_id="amend-xml", revision=2, text="Дополнено"),
        )  # fmt: skip
        headers = {"Content_Type": "application/xml", "Accept": "application/json"}
        done = house.post(path, binding.write(given), method="PUT", **headers)
        assert done.status == 200
        kept = house.rows(
            "SELECT decoded FROM message WHERE operation = 'amend' AND key = 'amend-xml'"
        )
        assert "Уточнено".encode() in kept[0][0]
        other = path.replace("revisions/2", "revisions/3")
        refused = house.post(other, binding.write(given), method="PUT", **headers)
        assert refused.places == [("/AmendAppeal/Revision", "disagrees")]

    def test_parameters_are_named_when_they_are_wrong(self, house):
        wrong = self.PATH.replace("revisions/2", "revisions/two")
        assert house.post(wrong, {"text": "x"}, method="PUT").places == [("{revision}", "type")]
        refused = house.post(self.PATH, appeal("other"), method="PUT")
        assert refused.places == [("/externalId", "disagrees")]
        refused = house.post("/appeals/%FF/revisions/2", {"text": "x"}, method="PUT")
        assert refused.places == [("{externalId}", "encoding")]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("max=0", ("?max", "range")),
        ("max=many", ("?max", "type")),
        ("max=1&max=2", ("?max", "repeated")),
        ("state=новое", ("?state", "enumeration")),
        ("changedFrom=2026-11-20T09:00:00+03:00", ("?changedFrom", "date_time")),
        ("registeredFrom=20.11.2026", ("?registeredFrom", "date")),
        ("cursor=abc", ("?cursor", "cursor")),
        ("nothing=1", ("?nothing", "unexpected")),
        ("state=%00", ("?state", "character")),
    ],
)
def test_a_wrong_parameter_is_named(house, query, place):
    query = query.replace("новое", "%D0%BD")
    refused = house.get(f"/appeals?{query}")
    assert (refused.status, refused.places) == (422, [place])


def test_empty_parameters_mean_absent(house):
    assert house.get("/appeals?state=&max=&cursor=").status == 200


class TestAccess:
    def test_without_a_credential_there_is_a_challenge_and_nothing_else(self, house):
        refused = house.get("/ping", peer="")
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert refused.json["code"] == "access"

    @pytest.mark.parametrize(
        "authorization", ["Basic \xe9\xe9", "Basic ===", "Bearer", "Digest x", "Basic Z3c6Z3c="]
    )
    def test_a_credential_that_cannot_be_read_is_a_wrong_one(self, house, authorization):
        assert house.get("/ping", peer="", Authorization=authorization).status == 401

    def test_basic_and_bearer_do_as_well_as_the_key_header(self, house):
        for value in (house.basic(), f"Bearer {house.keys['portal']}"):
            answer = house.get("/ping", peer="", Authorization=value)
            assert answer.json["peerCode"] == "portal"
        wrong = b64encode(f"sed:{house.keys['portal']}".encode()).decode()
        assert house.get("/ping", peer="", Authorization=f"Basic {wrong}").status == 401

    def test_every_refusal_is_recorded(self, house):
        before = house.rows("SELECT count(*) FROM refusal")[0][0]
        house.get("/ping?x=1", peer="", X_API_Key="gw_no_such")
        for _ in range(100):
            after = house.rows("SELECT count(*) FROM refusal")[0][0]
            if after > before:
                break
        assert after > before


class TestForms:
    def test_xml_is_answered_when_it_is_asked_for(self, house):
        answer = house.get("/ping", Accept="application/xml")
        assert answer.headers["content-type"].startswith("application/xml")
        assert b"<PingResponse " in answer.body
        assert b"<PeerCode>portal</PeerCode>" in answer.body

    def test_xml_is_answered_to_xml_unless_json_is_asked_for(self, house):
        body = as_xml("r-form", text=TEXT)
        answer = house.post("/appeals", body, Content_Type="application/xml")
        assert b"<SubmitAppealResponse " in answer.body
        assert b"<ReceiptNumber>" in answer.body

    def test_a_refusal_in_xml_is_the_typed_fault_with_line_and_path(self, house):
        body = as_xml("x").replace(b"<Appeal>", b"<Appeal>\n<Regime>x</Regime>")
        refused = house.post("/appeals", body, Content_Type="application/xml")
        assert refused.status == 422
        assert b"<ValidationFault " in refused.body
        assert b"<Line>2</Line>" in refused.body

    def test_preference_is_weighed(self, house):
        prefer = "application/json;q=0.4, application/xml;q=0.5, */*"
        assert b"<PingResponse" in house.get("/ping", Accept=prefer).body
        assert house.get("/ping", Accept="text/html,*/*;q=0.1").json["peerCode"] == "portal"


class TestAddresses:
    def test_an_unknown_address_and_method_are_problems_like_all_others(self, house):
        missing = house.get("/nothing")
        assert (missing.status, missing.json["status"], missing.json["code"]) == (
            404, 404, "unknown_operation",
        )  # fmt: skip
        wrong = house.call("DELETE", "/api/v1/appeals")
        assert (wrong.status, wrong.json["status"]) == (405, 405)
        assert set(wrong.headers["allow"].split(", ")) >= {"GET", "POST"}
        xml = house.get("/nothing", Accept="application/xml")
        assert (xml.status, b"<ValidationFault" in xml.body) == (404, True)

    def test_head_is_get_without_a_body(self, house):
        answer = house.call("HEAD", "/api/v1/ping")
        assert (answer.status, answer.body) == (200, b"")

    def test_what_did_not_change_is_not_sent_again(self, house):
        first = house.get("/directories/States")
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = house.get("/directories/States", If_None_Match=known)
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert house.get("/directories/States", If_None_Match='"other"').status == 200

    def test_every_route_of_the_description_is_there(self, house):
        for path, methods in document()["paths"].items():
            concrete = path
            for name in ("externalId", "revision", "receiptNumber", "attachmentId", "name"):
                concrete = concrete.replace("{" + name + "}", "1")
            for method in methods:
                answer = house.call(method.upper(), concrete, b"{}" if method != "get" else b"")
                assert answer.json.get("code") != "unknown_operation", (method, path)
                assert answer.status < 500, (method, path)


class TestPages:
    def test_the_front_page_leads_to_what_there_is(self, house):
        page = house.call("GET", "/", peer="")
        assert page.headers["content-type"].startswith("text/html")
        for link in ("/docs", "/openapi.json", "/soap/appeals.svc?wsdl", "/status", "/healthz"):
            assert f'"{link}"'.encode() in page.body
            assert house.call("GET", link, peer="").status == 200

    def test_pages_may_load_nothing_from_elsewhere(self, house):
        for path in ("/", "/docs", "/status"):
            policy = house.call("GET", path, peer="").headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "script" not in policy
        script = house.call("GET", "/static/vendor/swagger-ui-bundle.js", peer="")
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"

    def test_the_charset_of_a_page_is_said_once(self, house):
        for path in ("/", "/docs", "/status"):
            told = house.call("GET", path, peer="").headers["content-type"]
            assert told == "text/html; charset=utf-8", path

    def test_no_other_file_is_served(self, house):
        for path in ("../docs.py", "%2e%2e/docs.py", "vendor/LICENSE", "index.html", "vendor/"):
            assert house.call("GET", f"/static/{path}", peer="").status == 404

    def test_the_state_is_told_to_machines_and_people(self, house):
        assert house.call("GET", "/healthz", peer="").json["status"] == "ok"
        assert house.call("GET", "/readyz", peer="").json["status"] == "ready"
        assert "принимает".encode() in house.call("GET", "/status", peer="").body

    def test_metrics_count_calls_and_queues_and_are_for_this_machine(self, house):
        house.post("/appeals", appeal("r-metrics"))
        house.post("/appeals", b"{")
        seen = house.call("GET", "/metrics", peer="").body.decode()
        for line in (
            'gateway_calls_total{code="ok",operation="SubmitAppeal",wire="rest"}',
            'gateway_calls_total{code="malformed",operation="SubmitAppeal",wire="rest"}',
            'gateway_oldest_waiting_seconds{destination="",queue="triage",state=""}',
        ):
            assert line in seen
        beyond = house.call("GET", "/metrics", peer="", X_Forwarded_For="192.0.2.1")
        assert beyond.status == 403


def test_a_client_that_goes_away_is_no_defect(house):
    head = (
        "POST /api/v1/appeals HTTP/1.1\r\nHost: gateway\r\n"
        f"X-API-Key: {house.keys['portal']}\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n{"
    )
    with socket.create_connection((house.host, house.port), timeout=30) as connection:
        connection.sendall(head.encode())
    for _ in range(200):
        seen = house.call("GET", "/metrics", peer="").body.decode()
        if 'code="gone"' in seen:
            break
    assert 'gateway_calls_total{code="gone",operation="SubmitAppeal",wire="rest"}' in seen
