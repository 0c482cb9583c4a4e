"""zeep reads the published contract from files and talks to the engine through it."""

from datetime import UTC, date, datetime

import pytest
import requests
import zeep
from zeep.exceptions import Fault as ZeepFault
from zeep.transports import Transport

from gateway import contracts, ns
from gateway.errors import ConflictError, GatewayError
from gateway.soap import envelope, faults, frame
from gateway.soap.envelope import Reply
from gateway.wires import binding, contract
from tests.unit.soap.kit import CONTEXT

BASE = "http://gateway.test"
ADDRESS = f"{BASE}/soap/appeals.svc"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
RECEIPT = contract.Receipt(
    receipt_number="G-1", external_id="А-1", revision=1, accepted_at=NOW, content_sha256="0" * 64
)
PORTS = ("Basic", "Soap12", "Ws", "Mtom")


class Loopback(Transport):
    """Carries what zeep sends to the engine, in this process."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def load(self, url):
        name = contracts.appeals().schema_names[0]
        forms = {
            f"{ADDRESS}?wsdl": lambda: contracts.appeals().wsdl(BASE),
            f"{ADDRESS}?singleWsdl": lambda: contracts.appeals().single_wsdl(BASE),
            f"{ADDRESS}?xsd={name}": lambda: contracts.appeals().xsd(name),
        }
        return forms[url]()

    def post(self, address, message, headers):
        assert address == ADDRESS
        sent = {name.lower(): value for name, value in headers.items()}
        try:
            call = envelope.open(message, sent, {}, CONTEXT)
            assert (
                call.frame.addressing is not None
            )  # zeep takes wsaw:Action as a reason to send it
            request = binding.read(contract.OPERATIONS[call.operation].request, call.body)
            sealed = envelope.seal(Reply(body=binding.write(self.answer(request))), call)
        except GatewayError as error:
            sealed = faults.seal_fault(error, frame.of_request(message, sent), "c-1")
        response = requests.Response()
        response.status_code = sealed.status
        response.headers["Content-Type"] = sealed.content_type
        response._content = sealed.body
        return response


def client(answer, form="wsdl", port="Basic"):
    made = zeep.Client(f"{ADDRESS}?{form}", transport=Loopback(answer))
    return made.bind("AppealService", port)


@pytest.mark.parametrize("form", ["wsdl", "singleWsdl"])
@pytest.mark.parametrize("port", PORTS)
def test_an_appeal_goes_through_every_port(form, port):
    seen = []

    def answer(request):
        seen.append(request)
        return contract.SubmitAppealResponse(receipt=RECEIPT)

    receipt = client(answer, form, port).SubmitAppeal(
        Appeal={
            "ExternalId": "А-1",
            "Regime": "fz59",
            "ReceivedAt": NOW,
            "Text": "Нет отопления",
            "Registrations": {"Registration": [{"Number": "Р-1", "Date": date(2026, 11, 2)}]},
            "Questions": {"QuestionIn": [{"Topics": {"Topic": [{"Code": "0005.0005.0055.1122"}]}}]},
            "Attachments": {"AttachmentIn": [{"FileName": "а.txt", "Content": b"\x00\xff"}]},
        }
    )
    assert (receipt.ReceiptNumber, receipt.AcceptedAt) == ("G-1", NOW)
    (request,) = seen
    assert request.appeal.received_at == NOW
    assert request.appeal.registrations[0].date == date(2026, 11, 2)
    assert request.appeal.questions[0].topics[0].code == "0005.0005.0055.1122"
    assert request.appeal.attachments[0].content == b"\x00\xff"


@pytest.mark.parametrize("port", PORTS)
def test_a_fault_is_typed(port):
    def answer(_request):
        raise ConflictError("taken", receipt_number="G-0", existing_revision=1)

    with pytest.raises(ZeepFault) as caught:
        client(answer, port=port).SubmitAppeal(Appeal={"ExternalId": "А-1"})
    detail = caught.value.detail[0]
    assert detail.tag == ns.tag(ns.APPEALS, "ConflictFault")
    assert binding.read(contract.ConflictFault, detail).receipt_number == "G-0"


def test_lists_and_empty_answers_come_back():
    key = contract.AppealKey(external_id="А-1")
    found = client(
        lambda _: contract.GetStatusResponse(items=(contract.StatusItem(key=key, found=False),))
    )
    items = found.GetStatus(Keys={"AppealKey": [{"ExternalId": "А-1"}]})
    assert [item.Found for item in items] == [False]
    assert client(lambda _: contract.AckChangesResponse()).AckChanges(Cursor="c1") is None


def test_every_operation_is_offered_by_every_port():
    made = zeep.Client(f"{ADDRESS}?wsdl", transport=Loopback(None))
    ports = made.wsdl.services["AppealService"].ports
    assert list(ports) == list(PORTS)
    for port in ports.values():
        assert set(port.binding.all()) == set(contract.OPERATIONS)
