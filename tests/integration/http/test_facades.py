"""The façades over real HTTP, on a real store: what partners' own clients would see."""

from __future__ import annotations

import base64
import re
from datetime import UTC, date, datetime

import pytest
import requests as http
import zeep
from lxml import etree
from requests.auth import HTTPBasicAuth
from zeep.exceptions import Fault
from zeep.transports import Transport

from gateway import ns
from gateway.store import lanes
from gateway.wires.facades import dispatcher, requests
from tests.integration.http.conftest import SOAP11

PORTS = ("Basic", "Soap12")
JPEG = b"\xff\xd8\xff\xe0 pixels"


@pytest.fixture(scope="module")
def house(own_house):
    made = own_house("facades", GATEWAY_FACADES="requests,dispatcher")
    yield made
    assert not made.defects()


@pytest.fixture(scope="module")
def client(house):
    """What a partner writes: address, user name, password."""
    sessions = []

    def make(name, peer="portal", port="Basic", form="singleWsdl"):
        session = http.Session()
        session.trust_env = False
        session.auth = HTTPBasicAuth(peer, house.keys[peer])
        sessions.append(session)
        address = f"{house.address}/soap/{name}.svc?{form}"
        made = zeep.Client(address, transport=Transport(session=session))
        (service,) = made.wsdl.services
        return made.bind(service, port)

    yield make
    for session in sessions:
        session.close()


def photos(**fields):
    return {"Photo": [{"content": JPEG, **fields}]}


def request(**fields):
    return {
        "fullName": "Пробная Анна", "phone": "+7 (8422) 41-00-00", "city": "Ульяновск",
        "street": "улица Пробная", "house": "7а", "text": "Не горит фонарь",
        "photos": photos(), **fields,
    }  # fmt: skip


def report(import_id, parent, **fields):
    return {
        "author": {"firstName": "Иван", "lastName": "Пробный"}, "date": date(2026, 11, 2),
        "importId": import_id, "parentId": parent, "text": "Лампа заменена",
        "attachments": {"Attachment": [{"name": "акт.pdf", "content": b"%PDF-1.4"}]}, **fields,
    }  # fmt: skip


def submitted(client, house, text, *, given_to=""):
    """The number of a new request; given_to: the peer whom it was passed to."""
    number = client("dispatcher").SubmitRequest(request(text=text))
    if given_to:
        ((appeal_id,),) = house.rows("SELECT id FROM appeal WHERE receipt_number = $1", number)
        with house.database() as db, db.transaction():
            row = lanes.NewDelivery(
                given_to, lanes.PULL_LANE, appeal_id, 1, "Received", kind="pull"
            )
            lanes.enqueue(db, [row], datetime.now(UTC))
    return number


class TestDescription:
    @pytest.mark.parametrize("name", ["requests", "dispatcher"])
    @pytest.mark.parametrize("query", ["", "?wsdl", "?singleWsdl", "?WSDL"])
    def test_it_is_served_without_a_credential(self, house, name, query):
        answer = house.call("GET", f"/soap/{name}.svc{query}", peer="")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert f"{house.address}/soap/{name}.svc".encode() in answer.body

    def test_the_schema_is_where_the_description_says(self, house):
        wsdl = house.call("GET", "/soap/requests.svc?wsdl", peer="").body
        (place,) = etree.fromstring(wsdl).iter(ns.tag(ns.XSD, "import"))
        path = place.get("schemaLocation").removeprefix(house.address)
        assert etree.XMLSchema(etree.fromstring(house.call("GET", path, peer="").body))

    def test_a_facade_that_is_not_named_is_not_served(self, own_house):
        plain = own_house("plain")
        assert plain.call("GET", "/soap/requests.svc?wsdl", peer="").status == 404


class TestDispatcher:
    @pytest.mark.parametrize("port", PORTS)
    def test_a_request_gets_a_number_and_the_same_one_when_repeated(self, client, house, port):
        service = client("dispatcher", port=port)
        number = service.SubmitRequest(request(text=f"Нет света {port}"))
        assert service.SubmitRequest(request(text=f"Нет света {port}")) == number
        renamed = request(text=f"Нет света {port}", photos=photos(fileName="IMG_2.jpg"))
        assert service.SubmitRequest(renamed) == number
        rows = house.rows(
            "SELECT regime, count(*) OVER () FROM appeal WHERE receipt_number = $1", number
        )
        assert rows == [("incident", 1)]
        stands = service.GetRequestStatus(number)
        assert (stands.state, stands.stateText) == ("received", "Поступило")

    def test_the_photograph_is_kept_as_it_came(self, client, house):
        number = submitted(client, house, "Яма")
        rows = house.rows(
            "SELECT b.bytes, b.media_type, r.name FROM blob_ref r JOIN blob b USING (sha256) "
            "JOIN appeal a ON a.id = r.owner WHERE a.receipt_number = $1",
            number,
        )
        assert rows == [(JPEG, "image/jpeg", "photo-1.jpg")]

    @pytest.mark.parametrize("size", [20, 600_000])
    def test_a_photograph_may_come_beside_the_envelope(self, house, size):
        picture = JPEG + bytes(size)
        include = f'<xop:Include xmlns:xop="{ns.XOP}" href="cid:photo@app"/>'
        fields = "".join(
            f"<{name}>{value}</{name}>"
            for name, value in request(text=f"Яма {size}").items()
            if name != "photos"
        )
        inner = f"{fields}<photos><Photo><content>{include}</content></Photo></photos>"
        body = (
            f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>'
            f'<SubmitRequest xmlns="{dispatcher.NAMESPACE}"><request>{inner}</request>'
            "</SubmitRequest></s:Body></s:Envelope>"
        )
        package = b"\r\n".join(
            (
                b"--b", b'Content-Type: application/xop+xml; charset=utf-8; type="text/xml"',
                b"Content-ID: <root>", b"", body.encode(), b"--b", b"Content-Type: image/jpeg",
                b"Content-ID: <photo@app>", b"Content-Transfer-Encoding: binary", b"", picture,
                b"--b--", b"",
            )
        )  # fmt: skip
        answer = house.call(
            "POST", "/soap/dispatcher.svc", package,
            Content_Type='multipart/related; type="application/xop+xml"; boundary="b"; '
            'start="<root>"; start-info="text/xml"',
        )  # fmt: skip
        assert answer.status == 200, answer.body
        number = re.search(rb"Result>(\w+)<", answer.body)[1].decode()
        rows = house.rows(
            "SELECT b.size FROM blob_ref r JOIN blob b USING (sha256) "
            "JOIN appeal a ON a.id = r.owner WHERE a.receipt_number = $1",
            number,
        )
        assert rows == [(len(picture),)]

    def test_another_peer_needs_the_phone_and_learns_nothing_from_a_miss(self, client, house):
        number = submitted(client, house, "Течёт крыша")
        other = client("dispatcher", "other")
        assert other.GetRequestStatus(number, "8 8422 41-00-00").number == number
        told = set()
        for asked in ((number,), (number, "8 8422 41-00-01"), ("00000000000",), ("нет", "1")):
            with pytest.raises(Fault) as caught:
                other.GetRequestStatus(*asked)
            detail = caught.value.detail[0]
            detail.remove(detail.find("{*}CorrelationId"))
            told.add(etree.tostring(detail))
        assert len(told) == 1
        assert b"not_found" in told.pop()

    def test_of_an_erased_request_only_its_sender_is_told(self, client, house):
        number = submitted(client, house, "Сотрите меня")
        with house.database() as db:
            db.execute(
                "UPDATE content SET bytes = NULL, salt = NULL WHERE appeal_id = "
                "(SELECT id FROM appeal WHERE receipt_number = $1)",
                (number,),
            )
        assert client("dispatcher").GetRequestStatus(number).state == "received"
        with pytest.raises(Fault):
            client("dispatcher", "other").GetRequestStatus(number, "8 8422 41-00-00")

    def test_guessing_ends_in_busy_with_the_time_to_come_again(self, client, house):
        number = submitted(client, house, "Скользко")
        guess = f'<GetRequestStatus xmlns="{dispatcher.NAMESPACE}"><number>{number}</number>'
        for _ in range(dispatcher.OF_NUMBER.burst):
            body = f"{guess}<phone>1</phone></GetRequestStatus>"
            answer = post(house, "dispatcher", body, peer="sed")
            assert (answer.status, b"not_found" in answer.body) == (500, True)
        answer = post(house, "dispatcher", body, peer="sed")
        assert b"<Code>busy</Code>" in answer.body
        assert int(answer.headers["retry-after"]) > 0
        assert client("dispatcher").GetRequestStatus(number).number == number


def post(house, name, body, peer="portal"):
    message = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{body}</s:Body></s:Envelope>'
    return house.call(
        "POST", f"/soap/{name}.svc", message.encode(), peer=peer, Content_Type="text/xml"
    )


class TestRequests:
    @pytest.mark.parametrize("port", PORTS)
    def test_a_report_is_kept_once_with_its_file(self, client, house, port):
        number = submitted(client, house, f"Отчёт {port}", given_to="sed")
        service = client("requests", "sed", port)
        first = service.SendReport(report(f"1_{port}_О", number))
        assert (first.code, number in first.message) == (0, True)
        again = service.SendReport(report(f"1_{port}_О", number))
        assert (again.code, again.message) == (first.code, first.message)
        assert house.messages(f"1_{port}_О", "operation", "peer") == [("status", "sed")]
        assert house.messages(f"1_{port}_О#1", "operation") == [("attach",)]

    def test_the_wire_says_that_it_is_a_repeat(self, client, house):
        number = submitted(client, house, "Повтор", given_to="sed")
        client("requests", "sed").SendReport(report("2_О", number, attachments=None))
        inner = (
            f"<date>2026-11-02</date><importId>2_О</importId><parentId>{number}</parentId>"
            "<text>Лампа заменена</text>"
        )
        author = "<author><firstName>Иван</firstName><lastName>Пробный</lastName></author>"
        inner = f"<report>{author}{inner}</report>"
        body = f'<SendReport xmlns="{requests.NAMESPACE}">{inner}</SendReport>'
        answer = post(house, "requests", body, "sed")
        assert (answer.status, answer.headers.get("gateway-repeat")) == (200, "true")

    @pytest.mark.parametrize("kind", ["SUPPORTED", "LEFTWITHOUTANSWER", "TRANSFERRED"])
    def test_a_final_report_is_taken(self, client, house, kind):
        number = submitted(client, house, f"Итог {kind}", given_to="sed")
        letter = {
            "attachments": {"Attachment": [{"name": "ответ.pdf", "content": b"%PDF-1.4 1"}]},
            "orgName": "Комитет",
            "regDate": date(2026, 11, 2), "regNumber": "О-1/26",
        }  # fmt: skip
        given = report(
            f"3_{kind}_И", number, clCodeList={"string": ["0005.0005.0055.1122"]},
            reviewResult={"type": kind, "measuresTaken": True, "resultDocument": letter},
        )  # fmt: skip
        answer = client("requests", "sed").SendFinalReport(given)
        assert (answer.code, number in answer.message) == (0, True)
        operation = "status" if kind == "TRANSFERRED" else "answer"
        assert house.messages(f"3_{kind}_И", "operation") == [(operation,)]
        assert house.messages(f"3_{kind}_И#infos", "operation") == [("status",)]

    def test_each_way_of_not_being_taken_has_its_code(self, client, house):
        number = submitted(client, house, "Коды", given_to="sed")
        service = client("requests", "sed")
        assert service.SendReport(report("4_О", number)).code == 0
        assert service.SendReport(report("4_О", number, text="Другое")).code == 3
        assert service.SendReport(report("5_О", "нет-такого")).code == 2
        lacking = report("6_И", number, reviewResult={"type": "SUPPORTED"})
        refused = service.SendFinalReport(lacking)
        assert (refused.code, "reviewResult/measuresTaken" in refused.message) == (1, True)
        assert client("requests", "other").SendReport(report("7_О", number)).code == 2

    def test_a_fault_is_typed_in_this_contracts_namespace(self, house):
        body = f'<SendReport xmlns="{requests.NAMESPACE}"><report/></SendReport>'
        answer = post(house, "requests", body)
        (detail,) = etree.fromstring(answer.body).iter(ns.tag(requests.NAMESPACE, "ServiceFault"))
        requests.FACADE.contract.validate(detail)

    def test_a_wrong_key_is_challenged_as_everywhere(self, house):
        wrong = base64.b64encode(b"sed:gw_wrong_key").decode()
        answer = house.call(
            "POST", "/soap/requests.svc", b"<a/>", peer="", Content_Type="text/xml",
            Authorization=f"Basic {wrong}",
        )  # fmt: skip
        assert answer.status == 401
        assert "www-authenticate" in answer.headers
