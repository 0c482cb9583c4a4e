"""The SOAP address over real HTTP: the description, the two versions, refusals, and hard bodies."""

from __future__ import annotations

import gzip
import http.client
import socket
from pathlib import Path

import pytest
from lxml import etree

from gateway import contracts, limits, ns
from gateway.wires import binding
from gateway.wires import contract as c
from tests.integration.http.conftest import SOAP11

SAMPLE = (Path(__file__).parents[2] / "data/submit_appeal_2k.xml").read_bytes()
SOAP12 = "application/soap+xml; charset=utf-8"
TEXT11 = "text/xml; charset=utf-8"


def post(house, body, peer="portal", path="/soap/appeals.svc", **headers):
    headers.setdefault("Content_Type", TEXT11)
    return house.call("POST", path, body, peer=peer, **headers)


def submission(external_id, inner="<Text>Течёт кровля</Text>"):
    key = f"<ExternalId>{external_id}</ExternalId>"
    return f"<SubmitAppeal><Appeal>{key}{inner}</Appeal></SubmitAppeal>"


def response(answer, kind):
    body = etree.fromstring(answer.body).find(f"{{{SOAP11}}}Body")
    return binding.read(kind, body[0])


def detail(answer, kind):
    (found,) = etree.fromstring(answer.body).iter(ns.tag(ns.APPEALS, kind.__name__))
    return binding.read(kind, found)


class TestDescription:
    @pytest.mark.parametrize(
        "query", ["?wsdl", "?WSDL", "?singleWsdl", "?SINGLEWSDL=", "", "?wsdl=1"]
    )
    def test_it_is_served_in_any_spelling_without_a_credential(self, house, query):
        answer = house.call("GET", f"/soap/appeals.svc{query}", peer="")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert house.soap_address.encode() in answer.body
        assert etree.fromstring(answer.body).tag == ns.tag(ns.WSDL, "definitions")

    def test_the_schema_is_where_the_description_says(self, house):
        wsdl = house.call("GET", "/soap/appeals.svc?wsdl", peer="").body
        (place,) = etree.fromstring(wsdl).iter(ns.tag(ns.XSD, "import"))
        path = place.get("schemaLocation").removeprefix(house.address)
        schema = house.call("GET", path, peer="").body
        assert etree.XMLSchema(etree.fromstring(schema))
        for alone in ("?xsd", "?XSD="):
            assert house.call("GET", f"/soap/appeals.svc{alone}", peer="").body == schema
        assert house.call("GET", "/soap/appeals.svc?xsd=other", peer="").status == 404
        assert house.call("GET", "/soap/appeals.svc?other", peer="").status == 404

    def test_head_says_how_long_it_is(self, house):
        head = house.call("HEAD", "/soap/appeals.svc?wsdl", peer="")
        full = house.call("GET", "/soap/appeals.svc?wsdl", peer="")
        assert head.headers["content-length"] == str(len(full.body))
        assert head.body == b""

    def test_the_address_is_written_only_for_a_host_that_is_ours(self, house):
        for host, status in (("localhost:1", 200), ("[::1]:99", 200), ("evil.example", 404),
            ("localhost:1@evil.example", 404), ("localhost:65536", 404), ("localhost", 200),
        ):  # fmt: skip
            connection = http.client.HTTPConnection(house.host, house.port, timeout=30)
            connection.putrequest("GET", "/soap/appeals.svc?wsdl", skip_host=True)
            connection.putheader("Host", host)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == status
            assert (f"http://{host}/soap/appeals.svc".encode() in body) == (status == 200)
            connection.close()

    def test_any_case_of_the_address_is_the_address_and_no_other_is(self, house):
        assert post(house, SAMPLE, path="/soap/Appeals.svc").status == 200
        assert post(house, SAMPLE, path="/soap/other.svc").status == 404
        wrong = house.call("DELETE", "/soap/appeals.svc")
        assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, POST")

    def test_ping_names_the_contract(self, house):
        answer = house.soap("<Ping/>")
        assert response(answer, c.PingResponse).contract_sha256 == contracts.contract_sha256()


class TestCalls:
    def test_a_repeat_gets_the_first_receipt_and_says_so_in_a_header(self, house):
        first, again = house.soap(submission("s-1")), house.soap(submission("s-1"))
        assert (first.status, again.status) == (200, 200)
        assert first.body == again.body
        assert "gateway-repeat" not in first.headers
        assert again.headers["gateway-repeat"] == "true"

    def test_the_callers_correlation_id_goes_through(self, house):
        taken = house.soap(submission("s-corr"), X_Correlation_Id="soap-corr-17")
        assert taken.headers["correlation-id"] == "soap-corr-17"
        rows = house.rows("SELECT count(*) FROM message WHERE correlation = $1", "soap-corr-17")
        assert rows == [(1,)]

    def test_soap_12_is_answered_in_soap_12(self, house):
        body = SAMPLE.replace(SOAP11.encode(), ns.SOAP12.encode())
        answer = post(house, body, Content_Type=SOAP12)
        assert (answer.status, answer.headers["content-type"]) == (200, SOAP12)

    def test_packed_and_chunked_envelopes_are_read(self, house):
        assert post(house, gzip.compress(SAMPLE), Content_Encoding="gzip").status == 200
        refused = post(house, b"x", Content_Encoding="br")
        assert (refused.status, detail(refused, c.ValidationFault).code) == (500, "unsupported")
        assert b"gzip, deflate or identity" in refused.body

    def test_a_large_envelope_is_taken(self, house):
        text = "<Text>" + "Снег! " * 16_000 + "</Text>"
        files = "".join(
            f"<AttachmentIn><FileName>{n}.bin</FileName>"
            f"<Content>{'QUJD' * 700_000}</Content></AttachmentIn>"
            for n in range(3)
        )
        answer = house.soap(submission("s-large", f"{text}<Attachments>{files}</Attachments>"))
        assert answer.status == 200, answer.body[:2000]

    def test_the_encoding_of_the_question_is_that_of_the_answer(self, house):
        text = SAMPLE.decode().replace("utf-8", "utf-16")
        answer = post(house, text.encode("utf-16"), Content_Type="text/xml; charset=utf-16")
        assert answer.body.decode("utf-16").startswith("<?xml")


class TestFaults:
    def test_a_missing_credential_is_a_challenge_with_a_fault(self, house):
        refused = post(house, SAMPLE, peer="")
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert detail(refused, c.AccessFault).code == "access"
        accepted = post(house, SAMPLE, peer="", Authorization=house.basic())
        assert accepted.status == 200

    def test_a_wrong_document_is_refused_with_path_line_and_reason_and_kept(self, house):
        wrong = submission(
            "s-bad", "\n<Regime>nope</Regime><Questions><QuestionIn/></Questions><No/>"
        )
        refused = house.soap(wrong, X_Correlation_Id="soap-bad-1")
        fault = detail(refused, c.ValidationFault)
        assert (refused.status, fault.code, fault.correlation_id) == (
            500,
            "validation",
            "soap-bad-1",
        )
        assert fault.errors[0].path.endswith("/Appeal/Regime")
        assert fault.errors[0].line == 2
        rows = house.rows("SELECT stage FROM message WHERE correlation = $1", "soap-bad-1")
        assert rows == [("undecodable",)]

    def test_what_only_the_mapping_refuses_is_placed_from_the_body_down(self, house):
        wrong = "<Attachments><AttachmentIn><FileName>а</FileName></AttachmentIn></Attachments>"
        fault = detail(house.soap(submission("s-map", wrong)), c.ValidationFault)
        assert fault.errors[0].path == "/SubmitAppeal/Appeal/Attachments/AttachmentIn[1]"

    def test_a_conflict_names_what_is_stored(self, house):
        house.soap(submission("s-conf"))
        refused = house.soap(submission("s-conf", "<Text>Другое</Text>"))
        fault = detail(refused, c.ConflictFault)
        assert (refused.status, fault.existing_revision) == (500, 1)
        assert fault.receipt_number

    @pytest.mark.parametrize(
        ("body", "content_type", "code"),
        [
            (b"", TEXT11, "malformed"),
            (b"<a", TEXT11, "malformed"),
            (SAMPLE[:700], TEXT11, "malformed"),
            (b"\xff" + SAMPLE, TEXT11, "malformed"),
            (SAMPLE.replace("кровли".encode(), b"a\xd0"), TEXT11, "malformed"),
            (SAMPLE.replace("кровли".encode(), b"&#0;"), TEXT11, "malformed"),
            (SAMPLE.replace("кровли".encode(), b"&#xD800;"), TEXT11, "malformed"),
            (
                b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + SAMPLE[SAMPLE.index(b"<s:") :],
                TEXT11,
                "malformed",
            ),
            (SAMPLE, "text/xml; charset=koi8-r", "unsupported"),
            (SAMPLE, "application/json", "unsupported"),
            (SAMPLE, SOAP12, "version_mismatch"),
            (SAMPLE.replace(b"SubmitAppeal", b"NoSuch"), TEXT11, "unknown_operation"),
            (SAMPLE.replace(b"appeals:v1", b"appeals:v9"), TEXT11, "unknown_operation"),
            (SAMPLE.replace(b"<Text>", b"<b>" * 200 + b"<Text>"), TEXT11, "too_large"),
            (b"<a>" * 200 + b"</a>" * 200, TEXT11, "too_large"),
            (b"<a>" + b"<b/>" * 60_000 + b"</a>", TEXT11, "too_large"),
            (b" " * (limits.SOAP_ROOT_BYTES + 1), TEXT11, "too_large"),
            (SAMPLE, "multipart/related; type=x", "unsupported"),
        ],
        ids=lambda value: value[:20] if isinstance(value, str) else None,
    )
    def test_whatever_comes_is_a_fault_in_our_words(self, house, body, content_type, code):
        refused = post(house, body, Content_Type=content_type)
        assert refused.status == 500
        if code == "version_mismatch":
            assert b"VersionMismatch" in refused.body
            return
        found = next(etree.fromstring(refused.body).iter(ns.tag(ns.APPEALS, "Code")))
        assert found.text == code

    def test_calls_and_refusals_are_counted_once(self, house):
        def count(code):
            seen = house.call("GET", "/metrics", peer="").body.decode()
            name = f'gateway_calls_total{{code="{code}",operation="SubmitAppeal",wire="soap"}} '
            return sum(
                float(line.split()[-1]) for line in seen.splitlines() if line.startswith(name)
            )

        house.soap(submission("s-count"))
        taken, refused = count("ok"), count("conflict")
        house.soap(submission("s-count", "<Text>Другое</Text>"))
        assert (count("ok"), count("conflict")) == (taken, refused + 1)

    def test_a_client_that_goes_away_is_no_defect(self, house):
        head = (
            "POST /soap/appeals.svc HTTP/1.1\r\nHost: gateway\r\n"
            f"X-API-Key: {house.keys['portal']}\r\nContent-Type: text/xml\r\n"
            "Content-Length: 1000\r\n\r\n<a>"
        )
        with socket.create_connection((house.host, house.port), timeout=30) as connection:
            connection.sendall(head.encode())
        for _ in range(200):
            seen = house.call("GET", "/metrics", peer="").body.decode()
            if 'gateway_calls_total{code="gone",operation="?",wire="soap"}' in seen:
                return
        pytest.fail("it was not noticed")


class TestWhereAnswersGo:
    """WS-Addressing 1.0: ReplyTo and FaultTo."""

    @staticmethod
    def call(house, body, reply_to, name="ReplyTo"):
        operation = body[1:].split(">")[0].strip("/")
        header = (
            f'<s:Header xmlns:a="{ns.WSA}"><a:Action>{ns.APPEALS}/{operation}</a:Action>'
            f"<a:MessageID>urn:uuid:9</a:MessageID>"
            f"<a:{name}><a:Address>{reply_to}</a:Address></a:{name}></s:Header>"
        )
        element = body.replace(">", f' xmlns="{ns.APPEALS}">', 1).replace(
            f'/ xmlns="{ns.APPEALS}">', f' xmlns="{ns.APPEALS}"/>'
        )
        text = f'<s:Envelope xmlns:s="{SOAP11}">{header}<s:Body>{element}</s:Body></s:Envelope>'
        return post(house, text.encode())

    def test_an_answer_for_nobody_is_not_sent_and_the_work_is_done(self, house):
        answer = self.call(house, submission("s-none"), ns.WSA_NONE)
        assert (answer.status, answer.body) == (202, b"")
        again = house.soap(submission("s-none"))
        assert again.headers["gateway-repeat"] == "true"

    def test_an_answer_to_a_stranger_is_refused_before_any_work(self, house):
        answer = self.call(house, submission("s-far"), "http://192.0.2.1/")
        assert answer.status == 500
        assert b"OnlyAnonymousAddressSupported" in answer.body or b"FaultDetail" in answer.body
        assert "gateway-repeat" not in house.soap(submission("s-far")).headers


class TestPackedAnswers:
    def test_an_answer_is_packed_for_who_asks(self, house):
        plain = house.call("GET", "/soap/appeals.svc?wsdl", peer="")
        packed = house.call("GET", "/soap/appeals.svc?wsdl", peer="", Accept_Encoding="gzip")
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        unwanted = house.call("GET", "/soap/appeals.svc?wsdl", peer="", Accept_Encoding="gzip;q=0")
        assert "content-encoding" not in unwanted.headers


def test_metadata_is_exchanged_without_a_credential(house):
    text = (
        f'<s:Envelope xmlns:s="{ns.SOAP12}" xmlns:a="{ns.WSA}"><s:Header>'
        f'<a:Action s:mustUnderstand="1">{ns.TRANSFER}/Get</a:Action>'
        "<a:MessageID>urn:uuid:3</a:MessageID></s:Header><s:Body/></s:Envelope>"
    )
    answer = post(house, text.encode(), peer="", path="/soap/appeals.svc/mex", Content_Type=SOAP12)
    assert answer.status == 200
    assert house.soap_address.encode() in answer.body
    assert len(list(etree.fromstring(answer.body).iter(ns.tag(ns.MEX, "MetadataSection")))) == 2
    got = house.call("GET", "/soap/appeals.svc/mex", peer="")
    assert (got.status, got.headers["allow"]) == (405, "POST")
    long = post(house, text.encode() + b" " * 70_000, peer="", path="/soap/appeals.svc/mex")
    assert long.status == 500
