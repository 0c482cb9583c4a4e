"""The simulated ФИАС: releases of a folder by both wires, files by ranges, failures as planned."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from lxml import etree

from gateway.registry import load, options
from simulators.fias import soap
from simulators.process import running

DAY = "2026.09.08"
DATA = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases")
    (folder / DAY).mkdir()
    (folder / DAY / "gar_xml.zip").write_bytes(DATA)
    (folder / "2026.09.09").mkdir()
    (folder / "readme").mkdir()
    with running("fias", "--folder", str(folder)) as peer:
        yield peer


def ask(service, method, path, body=b"", **headers):
    line = HTTPConnection(urlsplit(service.address).netloc, timeout=10)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, path, body, given)
        answer = line.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        line.close()


def get(service, **headers):
    return ask(service, "GET", f"/downloads/{DAY}/gar_xml.zip", **headers)


def call(service, operation, space, envelope=soap.SOAP11, action=""):
    inner = f'<e:Body><{operation} xmlns="{space}"/></e:Body>'
    body = f'<e:Envelope xmlns:e="{envelope}">{inner}</e:Envelope>'
    action = action or f'"{space.rstrip("/")}/{operation}"'
    return ask(service, "POST", "/WebServices/Public/DownloadService.asmx", body, SOAPAction=action)


def test_its_options_are_those_of_the_adapter(service):
    given = service.facts["options"]
    assert {**load(("fias",))["fias"].manifest.options, **given} == options(
        load(("fias",))["fias"], {"fias": given}
    )


def test_only_releases_that_have_files_are_told(service):
    status, _, body = ask(service, "GET", "/WebServices/Public/GetAllDownloadFileInfo")
    (one,) = json.loads(body)
    assert (status, one["VersionId"], one["Date"]) == (200, 20260908, "08.09.2026")
    assert one["GarXMLFullURL"].endswith(f"/downloads/{DAY}/gar_xml.zip")
    assert one["GarXMLDeltaURL"] == ""
    status, _, body = ask(service, "GET", "/WebServices/Public/GetLastDownloadFileInfo")
    assert json.loads(body) == one


@pytest.mark.parametrize("space", [soap.BARE, soap.SLASH])
@pytest.mark.parametrize("envelope", [soap.SOAP11, soap.SOAP12])
def test_it_answers_in_the_namespace_and_version_that_it_is_asked_in(service, space, envelope):
    for operation in (soap.ALL, soap.LAST):
        status, _, body = call(service, operation, space, envelope)
        root = etree.fromstring(body)
        assert status == 200
        assert root.tag == f"{{{envelope}}}Envelope"
        assert root.findtext(f".//{{{space}}}VersionId") == "20260908"


@pytest.mark.parametrize(
    ("operation", "space", "action"),
    [
        ("GetOldest", soap.BARE, ""),
        (soap.ALL, "urn:other", ""),
        (soap.ALL, soap.BARE, '"urn:other/GetAllDownloadFileInfo"'),
    ],
)
def test_an_unknown_operation_is_a_fault(service, operation, space, action):
    status, _, body = call(service, operation, space, action=action)
    assert status == 500
    assert b"faultcode>s:Client<" in body
    assert b"SOAPAction" in body


def test_a_range_is_given_and_one_past_the_end_is_refused(service):
    status, headers, body = get(service, Range="bytes=1000-1999")
    assert (status, body) == (206, DATA[1000:2000])
    assert headers["Content-Range"] == f"bytes 1000-1999/{len(DATA)}"
    assert get(service, Range="bytes=10000-")[2] == DATA[10_000:]
    assert get(service, Range="bytes=20000-")[0] == 416
    assert get(service)[2] == DATA


def test_if_range_gives_all_of_a_file_that_was_changed(service):
    tag = get(service)[1]["ETag"]
    assert get(service, Range="bytes=5-", If_Range=tag)[0] == 206
    assert get(service, Range="bytes=5-", If_Range='"other"')[0] == 200


@pytest.mark.parametrize("path", ["2026.09.08/other.zip", "../secret", "2026.09.10/gar_xml.zip"])
def test_nothing_but_deliveries_is_given(service, path):
    assert ask(service, "GET", f"/downloads/{path}")[0] == 404


def test_an_unknown_command_or_failure_is_refused(service):
    for command in ({"file": {"kind": "melt"}}, {"space": "other"}, {"what": 1}):
        assert ask(service, "POST", "/_control", json.dumps(command))[0] == 400
