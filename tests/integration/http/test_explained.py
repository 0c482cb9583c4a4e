"""A refusal says the same on every wire: where, what was found, what was expected, what to do."""

from __future__ import annotations

import base64

import pytest
from lxml import etree

from gateway import limits, ns
from gateway.wires import binding
from gateway.wires import contract as c
from tests.integration.http.conftest import SOAP11

XML = {"Content_Type": "application/xml"}


def detail(answer):
    (found,) = etree.fromstring(answer.body).iter(ns.tag(ns.APPEALS, "ValidationFault"))
    return binding.read(c.ValidationFault, found)


def only(refused):
    """The one place of a refusal in JSON, and what must stand beside it."""
    document = refused.json
    (error,) = document["errors"]
    assert document["todo"]
    assert "`violations`" not in document["title"]
    for text in (error["message"], error.get("expected", "")):
        assert "`" not in text, text
        assert "(?" not in text, text
    return error


@pytest.mark.parametrize(
    ("content", "path", "code", "expected"),
    [
        ({"regime": "59-ФЗ"}, "/regime", "enumeration", "fz59, message, incident,"),
        (
            {"problemAddress": {"oktmo": "12"}},
            "/problemAddress/oktmo",
            "pattern",
            "ОКТМО, 8 or 11 digits",
        ),
        ({"text": 5}, "/text", "type", "string"),
        ({"revision": "1"}, "/revision", "type", "integer"),
        ({"revision": 0}, "/revision", "range", "at least 1"),
        ({"collective": "да"}, "/collective", "type", "boolean"),
        ({"receivedAt": "2026-01-01T00:00:00"}, "/receivedAt", "date_time", "an instant as 2026-"),
        ({"questions": [{"topics": [{"code": ""}]}]}, "/questions/0/topics/0/code", "length", "at"),
        ({"applicants": {}}, "/applicants", "type", "array"),
        ({"texxt": "Снег"}, "/texxt", "unexpected", "externalId, revision,"),
        ({"links": [{"kind": "answer_to"}]}, "/links/0/number", "required", "string"),
    ],
)
def test_json_says_what_was_expected_in_the_words_of_json(house, content, path, code, expected):
    refused = house.post("/appeals", {"externalId": "explained", "text": "Снег"} | content)
    error = only(refused)
    assert (error["path"], error["code"]) == (path, code)
    assert error["expected"].startswith(expected)
    assert refused.json["title"] == "The message is well-formed but breaks the contract"


def test_items_of_a_list_of_ids_and_events_have_their_places(house):
    report = {
        "messageKey": "k",
        "key": {"externalId": "x"},
        "event": "Отвечено",
        "occurredOn": "2026-03-02",
    }
    error = only(house.post("/statuses", report))
    assert (error["path"], error["code"]) == ("/event", "enumeration")
    assert "Answered" in error["expected"]
    answer = {
        "messageKey": "k",
        "key": {"externalId": "x"},
        "kind": "interim",
        "date": "2026-03-02",
        "questionIds": ["ok", 7],
    }
    error = only(house.post("/answers", answer))
    assert (error["path"], error["expected"], error["found"]) == ("/questionIds/1", "string", "7")


def test_a_parameter_of_the_path_is_named_as_one(house):
    error = only(house.get("/directories/Nothing"))
    assert (error["path"], error["code"]) == ("{name}", "enumeration")
    assert error["expected"].startswith("Topics, Organisations")
    error = only(house.get("/appeals/AAAAAAAAAAA"))
    assert error["path"] == "{receiptNumber}"


def test_a_conflict_shows_what_was_sent_and_what_is_stored(house):
    first = house.post("/appeals", {"externalId": "explained-twice", "text": "Снег"}).json
    refused = house.post("/appeals", {"externalId": "explained-twice", "text": "Лёд"}).json
    assert refused["existingSha256"] == refused["expected"] == first["contentSha256"]
    assert refused["found"] != refused["existingSha256"]
    other = house.post("/appeals", {"externalId": "explained-other", "text": "Лёд"}).json
    assert len(refused["found"]) == len(other["contentSha256"])


def test_letters_of_windows_1251_are_recognised_where_utf8_was_said(house):
    wrong = '{"externalId": "explained-1251", "text": "Течёт кровля"}'.encode("cp1251")
    refused = house.post("/appeals", wrong).json
    assert refused["code"] == "malformed"
    assert "windows-1251" in refused["todo"]
    element = (
        f'<SubmitAppeal xmlns="{ns.APPEALS}"><Appeal><ExternalId>e-1251</ExternalId>'
        "<Text>Течёт кровля</Text></Appeal></SubmitAppeal>"
    )
    envelope = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{element}</s:Body></s:Envelope>'
    body = envelope.encode("cp1251")
    wire = {"Content_Type": "text/xml; charset=utf-8"}
    fault = detail(house.call("POST", "/soap/appeals.svc", body, **wire))
    assert (fault.code, "charset=windows-1251" in fault.message) == ("malformed", True)
    assert fault.errors[0].line == 1
    assert fault.errors[0].path == "/"
    as_told = house.post("/appeals", element.encode("cp1251"), Accept="application/json", **XML)
    assert "charset=windows-1251" in as_told.json["todo"]
    wire = {"Content_Type": "text/xml; charset=windows-1251"}
    assert house.call("POST", "/soap/appeals.svc", body, **wire).status == 200


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (f'<Ping xmlns="{ns.APPEALS}"/>', f"{{{ns.APPEALS}}}Ping"),
        ('<SubmitAppeal xmlns="urn:gov:appeals:v9"/>', "{urn:gov:appeals:v9}SubmitAppeal"),
        ("<SubmitAppeal/>", "SubmitAppeal"),
    ],
)
def test_xml_with_another_root_is_told_what_was_found_and_expected(house, document, found):
    refused = house.post("/appeals", document.encode(), **XML)
    fault = binding.read(c.ValidationFault, etree.fromstring(refused.body))
    assert (refused.status, fault.code) == (404, "unknown_operation")
    (error,) = fault.errors
    assert (error.found, error.expected) == (found, f"{{{ns.APPEALS}}}SubmitAppeal")
    told = house.post("/appeals", document.encode(), Accept="application/json", **XML).json
    assert (told["found"], told["expected"]) == (error.found, error.expected)


def test_what_only_the_mapping_refuses_is_placed_in_xml_as_in_the_document(house):
    document = (
        f'<SubmitAppeal xmlns="{ns.APPEALS}"><Appeal><ExternalId>e-map</ExternalId><Attachments>'
        "<AttachmentIn><FileName>a</FileName></AttachmentIn></Attachments></Appeal></SubmitAppeal>"
    )
    refused = house.post("/appeals", document.encode(), Accept="application/json", **XML)
    assert refused.places == [("/SubmitAppeal/Appeal/Attachments/AttachmentIn[1]", "required")]


class TestFiles:
    SECRET = base64.b64encode(b"Ivanov Ivan, ul. Lenina 5" * 8).decode()

    def parts(self, content):
        return {
            "/attachments": {
                "messageKey": "f",
                "ownerKey": {"externalId": "x"},
                "fileName": "a.pdf",
                "content": content,
            },
            "/appeals": {
                "externalId": "e-file",
                "text": "x",
                "attachments": [{"fileName": "a.pdf", "content": content}],
            },
        }

    def soap(self, content):
        attach = (
            "<AttachFile><OwnerKey><ExternalId>x</ExternalId></OwnerKey><FileName>a.pdf</FileName>"
            f"<Content>{content}</Content><MessageKey>f</MessageKey></AttachFile>"
        )
        submit = (
            "<SubmitAppeal><Appeal><ExternalId>e-file</ExternalId><Attachments><AttachmentIn>"
            f"<FileName>a.pdf</FileName><Content>{content}</Content></AttachmentIn></Attachments>"
            "</Appeal></SubmitAppeal>"
        )
        return {
            "/AttachFile/Content": attach,
            "/SubmitAppeal/Appeal/Attachments/AttachmentIn/Content": submit,
        }

    def test_one_that_is_too_large_is_so_on_every_wire_and_is_not_repeated(self, house):
        start = base64.b64encode(b"secret" * 100).decode()
        large = start + "QUJD" * (6 * limits.MB // 3)
        for address, document in self.parts(large).items():
            refused = house.post(address, document)
            assert (refused.status, refused.json["code"]) == (413, "too_large"), address
            assert refused.json["where"].endswith("/content")
            assert start[:24].encode() not in refused.body
        for path, call in self.soap(large).items():
            refused = house.soap(call)
            fault = detail(refused)
            assert (fault.code, fault.errors[0].path) == ("too_large", path)
            assert start[:24].encode() not in refused.body

    @pytest.mark.parametrize("broken", [SECRET + "%%", SECRET[:80] + "%%" + SECRET[80:]])
    def test_bytes_that_are_no_base64_are_not_repeated_either(self, house, broken):
        for address, document in self.parts(broken).items():
            refused = house.post(address, document)
            assert (refused.status, refused.places[0][1]) == (422, "base64"), address
            assert self.SECRET[:24].encode() not in refused.body
        for call in self.soap(broken).values():
            refused = house.soap(call)
            assert detail(refused).code == "validation"
            assert self.SECRET[:24].encode() not in refused.body


class TestEnvelope:
    def call(self, house, version, header="", media=""):
        space = {"1.1": SOAP11, "1.2": ns.SOAP12}[version]
        body = (
            f'<s:Envelope xmlns:s="{space}"><s:Header>{header}</s:Header><s:Body>'
            f'<Ping xmlns="{ns.APPEALS}"/></s:Body></s:Envelope>'
        ).encode()
        told = media or {"1.1": "text/xml", "1.2": "application/soap+xml"}[version]
        return house.call("POST", "/soap/appeals.svc", body, Content_Type=told)

    MUST = '<h:T xmlns:h="urn:h" s:mustUnderstand="1"/>'

    def test_a_fault_about_a_header_has_a_detail_in_soap_12_only(self, house):
        bare = self.call(house, "1.1", self.MUST)
        assert b"<faultcode>s:MustUnderstand</faultcode>" in bare.body
        assert b"detail>" not in bare.body
        assert bare.headers["correlation-id"]
        fault = detail(self.call(house, "1.2", self.MUST))
        assert fault.code == "must_understand"
        assert fault.correlation_id

    def test_so_has_one_about_the_version(self, house):
        bare = self.call(house, "1.2", media="text/xml")
        assert b"VersionMismatch" in bare.body
        assert b"detail>" not in bare.body
        fault = detail(self.call(house, "1.1", media="application/soap+xml"))
        assert fault.code == "version_mismatch"

    def test_a_wrong_media_type_is_the_same_fault_as_in_rest(self, house):
        fault = detail(self.call(house, "1.1", media="application/json"))
        rest = house.post("/appeals", b"x", Content_Type="text/plain").json
        assert fault.code == rest["code"] == "unsupported"
