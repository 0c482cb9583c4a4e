"""Who gets a challenge and who a plain no, on both wires, also behind a proxy."""

from __future__ import annotations

import base64

import pytest
from lxml import etree

from gateway import ns
from gateway.wires import binding
from gateway.wires import contract as c

BEYOND = {"X_Forwarded_For": "203.0.113.9, 192.0.2.1"}
SECURE = {**BEYOND, "X_Forwarded_Proto": "https"}


@pytest.fixture(scope="module")
def proxied(own_house):
    """A gateway that was told of the proxy before it."""
    return own_house("proxied", GATEWAY_TRUSTED_PROXIES="127.0.0.1")


def fault(answer):
    (found,) = etree.fromstring(answer.body).iter(ns.tag(ns.APPEALS, "AccessFault"))
    return binding.read(c.AccessFault, found)


def challenged(house, **options):
    """Whether both wires ask for a credential; they must agree."""
    rest, soap = house.get("/ping", **options), house.soap("<Ping/>", **options)
    assert rest.json["code"] == fault(soap).code == "access"
    found = [(rest.status, soap.status), *("www-authenticate" in a.headers for a in (rest, soap))]
    assert found in ([(401, 401), True, True], [(403, 500), False, False])
    return found[0] == (401, 401)


def recorded(house, answer):
    """What the operator finds under the correlation id of a refusal."""
    given = answer.headers["correlation-id"]
    query = "SELECT reason, peer, address FROM refusal WHERE correlation = $1"
    for _ in range(200):
        if found := house.rows(query, given):
            return found[0]
    pytest.fail("the refusal was not recorded")


def test_a_missing_or_wrong_credential_is_a_challenge(house):
    assert challenged(house, peer="")
    assert challenged(house, peer="", X_API_Key="gw_no_such")
    assert challenged(house, peer="", Authorization="Digest x")


def shown(answer):
    """What the caller sees, without the id of this call and its time."""
    id_ = answer.headers["correlation-id"]
    headers = {k: v for k, v in answer.headers.items() if k not in ("date", "correlation-id")}
    return answer.status, headers, answer.body.replace(id_.encode(), b"*")


def test_a_wrong_key_looks_like_one_that_never_was_and_is_recorded_with_who_and_from_where(house):
    known = house.keys["portal"]
    others = base64.b64encode(f"sed:{known}".encode()).decode()
    answers = [
        house.get("/ping", peer="", X_API_Key="gw_0000000000_no-such-key"),
        house.get("/ping", peer="", X_API_Key=f"{known[:-1]}{'a' if known[-1] != 'a' else 'b'}"),
        house.get("/ping", peer="", Authorization=f"Basic {others}"),
    ]
    assert shown(answers[0]) == shown(answers[1]) == shown(answers[2])
    told = [recorded(house, answer) for answer in answers]
    assert told == [("wrong credential", who, "127.0.0.1") for who in ("", "portal", "sed")]


def test_a_peer_that_must_prove_more_than_a_key_is_known_and_refused(own_house):
    house = own_house("strict")
    with house.database() as db:
        db.execute("UPDATE peer SET require = 'certificate' WHERE code = 'sed'")
    for _ in range(500):  # until the peers are read again
        if house.get("/ping", peer="sed").status != 200:
            break
    assert not challenged(house, peer="sed")
    assert house.get("/ping").status == 200
    refused = house.get("/ping", peer="sed")
    assert recorded(house, refused) == ("a key, where certificate is required", "sed", "127.0.0.1")


def test_plain_http_passed_on_by_somebody_is_refused_without_asking_for_the_key(house):
    for headers in (BEYOND, SECURE, {"Forwarded": "for=127.0.0.1;proto=https"}):
        assert not challenged(house, **headers)
    assert recorded(house, house.get("/ping", **SECURE))[2] == "unknown"


def test_the_proxy_that_was_named_decides_who_calls_and_how(proxied):
    assert not challenged(proxied, **BEYOND)
    assert recorded(proxied, proxied.get("/ping", **BEYOND))[2] == "192.0.2.1"
    assert proxied.get("/ping", **SECURE).status == 200
    assert proxied.soap("<Ping/>", **SECURE).status == 200
    assert challenged(proxied, peer="", **SECURE)
    assert not challenged(proxied, Forwarded="for=192.0.2.1;proto=https")


def test_behind_the_proxy_nobody_is_this_machine(proxied):
    assert proxied.call("GET", "/metrics", peer="").status == 200
    for headers in (SECURE, {**SECURE, "X_Forwarded_For": "127.0.0.1"}):
        assert proxied.call("GET", "/metrics", peer="", **headers).status == 403


def test_the_description_names_the_scheme_that_the_proxy_was_called_by(proxied):
    host = f"{proxied.host}:{proxied.port}"
    wsdl = proxied.call("GET", "/soap/appeals.svc?wsdl", peer="", **SECURE).body
    assert f"https://{host}/soap/appeals.svc".encode() in wsdl
