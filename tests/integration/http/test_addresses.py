"""Questions about addresses over HTTP, against a served gateway and a made-up register."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import zeep
from lxml import etree
from requests.auth import HTTPBasicAuth
from zeep.exceptions import Fault
from zeep.transports import Transport

from gateway import limits, ns
from gateway.wires import binding
from gateway.wires import contract as c
from tests.integration import register
from tests.integration.http.conftest import SOAP11

FLAT = "г Воронеж, ул 9 Января 68к2 кв 15"
PORTS = ("Basic", "Soap12", "Ws", "Mtom")


@pytest.fixture(scope="module")
def city(own_house):
    """A gateway with the made-up region in its register."""
    house = own_house("addresses")
    with house.database() as db:
        register.load(db)
    yield house
    assert not house.defects()


def suggest(house, text, more="&region=36", **options):
    return house.get(f"/addresses/suggest?text={quote(text)}{more}", **options)


def service(house, port="Basic", form="wsdl"):
    """What a partner writes: the address of the description, a name, a password."""
    session = requests.Session()
    session.trust_env = False
    session.auth = HTTPBasicAuth("portal", house.keys["portal"])
    client = zeep.Client(f"{house.soap_address}?{form}", transport=Transport(session=session))
    return client.bind("AppealService", port)


def test_a_text_becomes_an_apartment_with_every_word_explained(city):
    answer = city.post("/addresses/resolve", {"text": FLAT, "region": "36"})

    found = answer.json["address"]
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert (found["outcome"], found["level"], found["region"]) == ("exact", 11, "36")
    assert "9 Января" in found["fullName"]
    assert found["oktmo"] == "20701000001"
    assert found["apartmentBuilding"] is True
    assert found["garVersion"] == "20260908"
    assert {"street", "house", "apartment"} <= {token["role"] for token in found["tokens"]}
    assert all(FLAT[t["start"] : t["end"]] == t["text"] for t in found["tokens"])


def test_a_doubt_comes_with_its_candidates_and_names_no_object(city):
    found = city.post("/addresses/resolve", {"text": "Берёзовка, ул Лесная, д 1"}).json["address"]

    assert found["outcome"] == "ambiguous"
    assert "fiasGuid" not in found
    assert len({one["fiasGuid"] for one in found["candidates"]}) > 1


def test_a_batch_is_answered_one_for_one_in_order_and_may_be_long(city):
    texts = [FLAT, "где-то там", "Воронеж, ул Ленина, 5"] * 100
    asked = {"questions": [{"text": text} for text in texts], "region": "36"}

    answer = city.post("/addresses/resolve", asked)

    outcomes = [item["outcome"] for item in answer.json["items"]]
    assert outcomes == ["exact", "not_found", "exact"] * 100
    assert len(answer.body) > limits.RESPONSE_BYTES


def test_the_answer_in_xml_is_valid_and_says_the_same(city):
    asked = binding.write(c.ResolveAddress(text=FLAT, region_code="36"))
    answer = city.call("POST", "/api/v1/addresses/resolve", asked, Content_Type="application/xml")

    element = etree.fromstring(answer.body)
    told = binding.read(c.ResolveAddressResponse, element).address
    schema = etree.XMLSchema(etree.parse(Path("xsd/appeals/appeals-v1.xsd").resolve()))
    schema.assertValid(element)
    assert told.region_code == element.find(f".//{{{ns.APPEALS}}}RegionCode").text == "36"
    same = city.post("/addresses/resolve", {"text": FLAT, "region": "36"}).json["address"]
    assert (told.fias_guid, told.outcome) == (same["fiasGuid"], same["outcome"])


REFUSED = {
    "nothing is asked": ({}, 422, "/text", "required"),
    "both forms": ({"text": "а", "questions": [{"text": "а"}]}, 422, "/questions", "unexpected"),
    "no such region": ({"text": "а", "region": "В"}, 422, "/region", "pattern"),
    "an address as long as a book": ({"text": "а" * 10_000}, 422, "/text", "length"),
    "a field of another name": ({"address": "а"}, 422, "/address", "unexpected"),
    "too many": ({"questions": [{"text": "а"}] * 501}, 422, "/questions", "max_items"),
    "one of them empty": ({"questions": [{"text": ""}]}, 422, "/questions/0/text", "length"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_question_that_cannot_be_taken_is_refused_with_its_place(city, case):
    body, status, path, code = REFUSED[case]
    answer = city.post("/addresses/resolve", body)

    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (path, code) in answer.places


def test_control_characters_are_refused(city):
    answer = city.post("/addresses/resolve", b'{"text": "\\u0000 \\u0007"}')
    assert answer.status in (400, 422)


def test_what_is_typed_is_completed_down_to_the_house(city):
    streets = suggest(city, "воронеж 9 янв")
    assert streets.headers["cache-control"] == "no-store"
    assert "etag" not in streets.headers
    first = streets.json["items"][0]
    assert (first["level"], first["complete"], first["region"]) == (8, False, "36")
    assert first["value"] == first["label"] + ", "

    houses = suggest(city, first["value"] + "6").json["items"]
    assert [item["label"].rsplit(", ", 1)[1] for item in houses] == ["д. 68", "д. 68к2"]
    assert all(item["complete"] and item["level"] == 10 for item in houses)


def test_houses_of_a_number_come_in_their_own_order(city):
    items = suggest(city, "Воронеж ул Ленина 1").json["items"]
    mine = [item["label"].rsplit(" ", 1)[1] for item in items if "Придонской" not in item["label"]]
    assert mine[:4] == ["1", "11с1", "12", "12а"]


def test_a_limit_is_kept_and_a_wrong_one_refused(city):
    assert len(suggest(city, "л", "&limit=2").json["items"]) == 2
    assert suggest(city, "л", "&limit=0").places == [("?limit", "range")]
    assert suggest(city, "л", "&region=3").status == 422
    assert city.get("/addresses/suggest").places == [("?text", "required")]


def test_whoever_is_not_known_is_not_answered(city):
    assert suggest(city, "л", peer="").status == 401
    assert city.post("/addresses/resolve", {"text": FLAT}, peer="").status == 401


def test_nobody_reads_in_the_log_what_was_asked(city):
    suggest(city, "Воронеж ул Ленина 1")
    city.post("/addresses/resolve", {"text": FLAT})
    city.log.flush()
    log = Path(city.log.name).read_text("utf-8")
    assert "Января" not in log
    assert "Ленина" not in log
    assert quote("Ленина") not in log


@pytest.mark.parametrize("port", PORTS)
def test_a_stock_client_resolves_and_completes_through_every_port(city, port):
    client = service(city, port)

    found = client.ResolveAddress(Text=FLAT, RegionCode="36").Address
    assert (found.Outcome, found.Level, found.GarVersion) == ("exact", 11, "20260908")
    assert found.Confidence > 0.9
    assert {token.Role for token in found.Tokens.AddressToken} >= {"street", "house"}
    doubt = client.ResolveAddress(Text="Берёзовка, ул Лесная, д 1").Address
    assert (doubt.Outcome, doubt.FiasGuid) == ("ambiguous", None)
    assert doubt.Candidates.AddressCandidate[0].FullName
    items = client.SuggestAddress(Text="воронеж 9 янв").Items.AddressSuggestion
    assert (items[0].RegionCode, items[0].Level) == ("36", 8)


def test_a_batch_by_soap_keeps_to_what_wcf_reads_unless_asked_for_more(city):
    client = service(city, form="singleWsdl")
    asked = {"AddressQuestion": [{"Text": FLAT}] * 100}

    with pytest.raises(Fault) as refused:
        client.ResolveAddress(Questions=asked)
    assert "the answer has room for" in refused.value.message
    items = client.ResolveAddress(Questions=asked, MaxBytes=1_000_000).Items.AddressOut
    assert {item.Outcome for item in items} == {"exact"}


def test_without_a_register_nothing_is_called_not_found(house):
    for answer in (
        house.post("/addresses/resolve", {"text": FLAT}),
        suggest(house, "л"),
    ):
        assert (answer.status, answer.json["code"]) == (503, "busy")
        assert "gateway fias load" in answer.json["todo"]
        assert int(answer.headers["retry-after"]) > 0
    soap = house.soap(f"<ResolveAddress><Text>{FLAT}</Text></ResolveAddress>")
    fault = etree.fromstring(soap.body).find(f"{{{SOAP11}}}Body")[0]
    assert soap.status == 500
    assert fault.find(f".//{{{ns.APPEALS}}}BusyFault") is not None
    assert "gateway fias load" in soap.body.decode()
