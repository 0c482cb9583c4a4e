"""One appeal as each wire spells it, and the receipt read from each wire's answer."""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from typing import NamedTuple
from xml.sax.saxutils import escape

NS = "urn:gov:appeals:v1"
ENVELOPES = {
    "soap11": "http://schemas.xmlsoap.org/soap/envelope/",
    "soap12": "http://www.w3.org/2003/05/soap-envelope",
}
WIRES = ("soap11", "soap12", "rest-json", "rest-xml")
FIELDS = {
    "ReceiptNumber": "receiptNumber",
    "AcceptedAt": "acceptedAt",
    "ContentSha256": "contentSha256",
}
TEXT = "Во дворе дома 5 по улице Примерной третью неделю не горит ни один фонарь."


class Call(NamedTuple):
    """One HTTP request without the credential."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receipt(NamedTuple):
    """What an acknowledgement says, whatever the wire."""

    number: str
    accepted_at: str
    sha256: str


def submit(wire: str, external_id: str, revision: int = 1, text: str = TEXT) -> Call:
    """Return SubmitAppeal of one appeal; the content is the same on every wire."""
    if wire == "rest-json":
        return rest("/appeals", appeal_json(external_id, revision, text))
    body = f'<SubmitAppeal xmlns="{NS}">{appeal_xml(external_id, revision, text)}</SubmitAppeal>'
    if wire == "rest-xml":
        headers = {"content-type": "application/xml", "accept": "application/xml"}
        return Call("/api/v1/appeals", headers, body.encode())
    return soap(wire, "SubmitAppeal", body)


def appeal_json(external_id: str, revision: int = 1, text: str = TEXT) -> dict[str, object]:
    """Return the appeal as REST takes it."""
    return {
        "externalId": external_id,
        "revision": revision,
        "subject": "Фонарь",
        "text": text,
        "applicants": [{"person": {"familyName": "Примерова", "givenName": "Тестина"}}],
    }


def appeal_xml(external_id: str, revision: int = 1, text: str = TEXT) -> str:
    """Return the same appeal as the element Appeal of the contract."""
    return (
        f"<Appeal><ExternalId>{escape(external_id)}</ExternalId><Revision>{revision}</Revision>"
        f"<Subject>Фонарь</Subject><Text>{escape(text)}</Text><Applicants><Applicant><Person>"
        "<FamilyName>Примерова</FamilyName><GivenName>Тестина</GivenName>"
        "</Person></Applicant></Applicants></Appeal>"
    )


def soap(wire: str, operation: str, body: str) -> Call:
    """Return an operation in an envelope of that version."""
    action = f"{NS}/{operation}"
    envelope = (
        f'<s:Envelope xmlns:s="{ENVELOPES[wire]}"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()
    headers = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"{action}"'}
    if wire == "soap12":
        headers = {"content-type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    return Call("/soap/appeals.svc", headers, envelope)


def rest(path: str, document: object) -> Call:
    """Return a JSON document posted to a route of the API."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return Call(f"/api/v1{path}", {"content-type": "application/json"}, body)


def basic(peer: str, key: str) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"authorization": "Basic " + base64.b64encode(f"{peer}:{key}".encode()).decode()}


def receipt(body: bytes) -> Receipt:
    """Read the receipt from an answer in JSON or XML; raise KeyError when there is none."""
    if body.lstrip().startswith(b"{"):
        document = json.loads(body)
        return Receipt(*(document[name] for name in FIELDS.values()))
    return Receipt(*(element(body, name) for name in FIELDS))


def element(body: bytes, name: str) -> str:
    """Return the text of the only element of that name; raise KeyError when it is not there."""
    found = re.search(rf"<{name}(?:\s[^>]*)?>([^<]*)<", body.decode())
    if found is None:
        raise KeyError(name)
    return unescape(found[1])
