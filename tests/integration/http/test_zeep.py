"""A stock SOAP client against a running gateway: it knows nothing but the address of the WSDL."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import requests
import zeep
from requests.auth import HTTPBasicAuth
from zeep.exceptions import Fault
from zeep.transports import Transport

from gateway import ns
from gateway.wires import binding
from gateway.wires import contract as c

PORTS = ("Basic", "Soap12", "Ws", "Mtom")


@pytest.fixture(scope="module")
def client(house):
    """What a partner writes: address, user name, password."""
    made = []

    def make(peer="portal", form="wsdl", port="Basic"):
        session = requests.Session()
        session.trust_env = False
        session.auth = HTTPBasicAuth(peer, house.keys[peer])
        made.append(session)
        description = zeep.Client(
            f"{house.soap_address}?{form}", transport=Transport(session=session)
        )
        return description.bind("AppealService", port)

    yield make
    for session in made:
        session.close()


def appeal(external_id, text="Не горит фонарь"):
    return {
        "ExternalId": external_id,
        "Regime": "fz59",
        "ReceivedAt": datetime(2026, 11, 20, 6, 15, tzinfo=UTC),
        "Text": text,
        "Questions": {"QuestionIn": [{"Topics": {"Topic": [{"Code": "0005.0005.0055.1122"}]}}]},
        "Attachments": {"AttachmentIn": [{"FileName": "а.txt", "Content": b"\x00\xff"}]},
    }


@pytest.mark.parametrize("form", ["wsdl", "singleWsdl"])
@pytest.mark.parametrize("port", PORTS)
def test_an_appeal_is_submitted_and_repeated_through_every_port(client, form, port):
    service = client(form=form, port=port)
    first = service.SubmitAppeal(Appeal=appeal(f"z-{form}-{port}"))
    again = service.SubmitAppeal(Appeal=appeal(f"z-{form}-{port}"))
    assert first.ReceiptNumber == again.ReceiptNumber
    assert first.AcceptedAt == again.AcceptedAt


def test_a_conflict_is_a_typed_fault(client):
    service = client()
    first = service.SubmitAppeal(Appeal=appeal("z-conflict"))
    with pytest.raises(Fault) as caught:
        service.SubmitAppeal(Appeal=appeal("z-conflict", "Другое"))
    detail = caught.value.detail[0]
    assert detail.tag == ns.tag(ns.APPEALS, "ConflictFault")
    fault = binding.read(c.ConflictFault, detail)
    assert (fault.receipt_number, fault.existing_revision) == (first.ReceiptNumber, 1)


def test_states_amendments_and_reports_are_told_and_read(client):
    service = client()
    receipt = service.SubmitAppeal(Appeal=appeal("z-life"))
    amended = service.AmendAppeal(
        ExternalId="z-life",
        Revision=2,
        Appeal=appeal("z-life", "Не горят два фонаря"),
        Reason="уточнено",
    )
    assert (amended.ReceiptNumber, amended.Revision) == (receipt.ReceiptNumber, 2)
    told = service.SubmitStatus(
        Report={
            "MessageKey": "z-1",
            "Key": {"ExternalId": "z-life"},
            "Event": "Registered",
            "OccurredOn": date(2026, 11, 21),
            "Registration": {"Number": "01-15/2345", "Date": date(2026, 11, 21)},
        }
    )
    assert told.MessageKey == "z-1"
    (item,) = service.GetStatus(Keys={"AppealKey": [{"ReceiptNumber": receipt.ReceiptNumber}]})
    assert (item.Found, item.State) == (True, "received")
    shown = service.GetAppeal(Key={"ExternalId": "z-life"}, IncludeText=True)
    assert shown.Text == "Не горит фонарь"
    lines = service.GetReceipts().Items.ReceiptLine
    assert {"submit", "amend", "status"} <= {
        line.Operation for line in lines if line.ReceiptNumber == receipt.ReceiptNumber
    }


def test_changes_are_read_and_acknowledged(client, house):
    client().SubmitAppeal(Appeal=appeal("z-change"))
    house.give("z-change", "sed")
    service = client(peer="sed")
    page = service.GetChanges()
    (change,) = page.Items.Change
    assert (change.EventType, page.More) == ("Received", False)
    assert service.AckChanges(Cursor=page.NextCursor) is None
    assert not service.GetChanges().Items


def test_many_are_submitted_at_once_and_one_bad_one_does_not_stop_them(client):
    service = client()
    service.SubmitAppeal(Appeal=appeal("z-many-1"))
    results = service.SubmitAppeals(
        Items={"AppealIn": [appeal("z-many-0"), appeal("z-many-1", "Другое"), appeal("z-many-2")]}
    )
    assert [item.Error and item.Error.Code for item in results] == [None, "conflict", None]


def test_a_wrong_password_is_an_http_error_that_zeep_can_tell(house):
    session = requests.Session()
    session.trust_env = False
    session.auth = HTTPBasicAuth("portal", "gw_wrong_key")
    service = zeep.Client(f"{house.soap_address}?wsdl", transport=Transport(session=session)).bind(
        "AppealService", "Basic"
    )
    with pytest.raises(Fault) as caught:
        service.Ping()
    assert caught.value.detail[0].tag == ns.tag(ns.APPEALS, "AccessFault")
    session.close()
