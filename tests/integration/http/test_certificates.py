"""Callers who prove themselves by a certificate: at the server itself, and through a proxy."""

from __future__ import annotations

import contextlib
import http.client
import ssl
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

import pytest

from gateway.access import certificates
from gateway.store import peers
from tests.integration.house import SOAP11, Answer, House
from tests.unit.access.pki import DAY, Authority, Issued

PING = (
    f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><Ping xmlns="urn:gov:appeals:v1"/></s:Body>'
    "</s:Envelope>"
).encode()
XML = {"content-type": "text/xml; charset=utf-8"}
HEADER = "X-SSL-Client-Cert"
PROXIED = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}


class People(NamedTuple):
    """The authority that the server knows, and who has a certificate. ended: that `other` had."""

    authority: Authority
    server: Issued
    sed: Issued
    other: Issued
    ended: Issued

    def register(self, house: House) -> None:
        """`sed` and `other` must show their certificates, `portal` its key."""
        now = datetime.now(UTC)
        with house.database() as db:
            for code in ("sed", "other"):
                peers.add_certificate(db, code, certificates.read(getattr(self, code).der), now)
                peers.ask(db, code, "certificate")
            peers.add_certificate(db, "other", certificates.read(self.ended.der), now)


@pytest.fixture(scope="module")
def people():
    made = Authority()
    return People(
        made,
        made.issue("server", host="127.0.0.1"),
        made.issue("sed"),
        made.issue("other"),
        made.issue("other", begins=-3 * DAY, ends=-DAY),
    )


class Client:
    """Calls over TLS, with a certificate or without."""

    def __init__(self, house: House, directory, people: People) -> None:
        self.house = house
        self._directory = directory
        self._people = people

    def call(self, issued=None, *, key="", soap=False, **headers) -> Answer:
        trust = self._people.authority.own.pem.decode()
        context = ssl.create_default_context(cadata=trust)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if issued is not None:
            context.load_cert_chain(*issued.write(self._directory, "client"))
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            given["X-API-Key"] = self.house.keys[key]
        connection = http.client.HTTPSConnection(
            self.house.host, self.house.port, timeout=30, context=context
        )
        with contextlib.closing(connection):
            if soap:
                connection.request("POST", "/soap/appeals.svc", PING, {**given, **XML})
            else:
                connection.request("GET", "/api/v1/ping", headers=given)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())


@pytest.fixture(scope="module")
def direct(own_house, people, tmp_path_factory):
    """A gateway that asks for certificates itself."""
    directory = tmp_path_factory.mktemp("direct")
    certificate, key = people.server.write(directory, "server")
    house = own_house(
        "direct",
        GATEWAY_TLS_CERT=certificate,
        GATEWAY_TLS_KEY=key,
        GATEWAY_TLS_CLIENT_CA=people.authority.own.write(directory, "ca")[0],
        GATEWAY_PROXY_CLIENT_CERTIFICATE=HEADER,
    )
    people.register(house)
    return Client(house, directory, people)


@pytest.fixture(scope="module")
def proxied(own_house, people):
    """A gateway behind a proxy that hands on certificates."""
    house = own_house(
        "proxied",
        GATEWAY_TRUSTED_PROXIES="127.0.0.1",
        GATEWAY_PROXY_CLIENT_CERTIFICATE=HEADER,
    )
    people.register(house)
    return house


@pytest.fixture(scope="module")
def elsewhere(own_house, people):
    """A gateway that trusts a proxy, but not the one that calls."""
    house = own_house(
        "elsewhere",
        GATEWAY_TRUSTED_PROXIES="192.0.2.77",
        GATEWAY_TRUSTED_WIRE="true",
        GATEWAY_PROXY_CLIENT_CERTIFICATE=HEADER,
    )
    people.register(house)
    return house


def reason(house: House, answer: Answer) -> str:
    """What the operator reads about a refusal."""
    given = answer.headers["correlation-id"]
    for _ in range(500):
        if found := house.rows("SELECT reason FROM refusal WHERE correlation = $1", given):
            return found[0][0]
    pytest.fail("the refusal was not recorded")


@pytest.mark.parametrize("soap", [False, True], ids=["rest", "soap"])
def test_a_registered_certificate_is_all_that_its_peer_needs(direct, people, soap):
    for issued, code in ((people.sed, b"sed"), (people.other, b"other")):
        answer = direct.call(issued, soap=soap)
        assert answer.status == 200
        assert code in answer.body


@pytest.mark.parametrize("soap", [False, True], ids=["rest", "soap"])
def test_who_has_a_key_needs_no_certificate(direct, soap):
    answer = direct.call(key="portal", soap=soap)
    assert answer.status == 200
    assert b"portal" in answer.body


def test_the_key_alone_is_refused_where_a_certificate_is_required(direct):
    assert direct.call(key="sed").status == 403
    assert direct.call(key="sed", soap=True).status == 500


def test_a_certificate_of_another_peer_does_not_go_with_the_key(direct, people):
    answer = direct.call(people.other, key="sed")
    assert answer.status == 403
    assert reason(direct.house, answer) == "a key, where certificate is required"
    assert direct.call(people.sed, key="sed").status == 200


@pytest.mark.parametrize("soap", [False, True], ids=["rest", "soap"])
def test_a_certificate_that_nobody_registered_is_as_good_as_none(direct, people, soap):
    stranger = people.authority.issue("sed")
    answer = direct.call(stranger, soap=soap)
    assert answer.status == 401
    if not soap:
        assert certificates.fingerprint(stranger.der) in reason(direct.house, answer)


def test_of_another_authority_or_out_of_its_days_it_ends_the_handshake(direct, people):
    later = people.authority.issue("sed", begins=DAY)
    ended = people.authority.issue("sed", begins=-3 * DAY, ends=-DAY)
    for issued in (Authority().issue("sed"), Authority("Test CA").issue("sed"), later, ended):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            direct.call(issued)
    assert direct.call(people.sed).status == 200


def test_a_header_about_a_certificate_makes_a_direct_call_one_without(direct, people):
    smuggled = {"X_SSL_Client_Cert": quote(people.other.pem.decode(), safe="")}
    for soap in (False, True):
        assert direct.call(people.sed, soap=soap, **smuggled).status == 401
        assert direct.call(soap=soap, **smuggled).status == 401
    assert direct.call(people.other, **smuggled).status == 401
    assert direct.call(key="portal", **smuggled).status == 200


def told(issued):
    return {HEADER.replace("-", "_"): quote(issued.pem.decode(), safe="")}


def passed_on(house, *, soap=False, **headers):
    headers = {name.replace("-", "_"): value for name, value in PROXIED.items()} | headers
    if soap:
        return house.soap("<Ping/>", peer="", **headers)
    return house.get("/ping", peer="", **headers)


@pytest.mark.parametrize("soap", [False, True], ids=["rest", "soap"])
def test_the_proxy_that_was_named_tells_whose_certificate_it_saw(proxied, people, soap):
    answer = passed_on(proxied, soap=soap, **told(people.sed))
    assert answer.status == 200
    assert b"sed" in answer.body
    assert passed_on(proxied, soap=soap, **told(people.authority.issue("sed"))).status == 401
    assert passed_on(proxied, soap=soap, **told(people.authority.own)).status == 401
    assert passed_on(proxied, soap=soap, X_SSL_Client_Cert="nonsense").status == 401
    assert passed_on(proxied, soap=soap).status == 401


def test_a_registered_certificate_that_has_ended_is_nobodys_though_a_proxy_took_it(proxied, people):
    assert passed_on(proxied, **told(people.other)).status == 200
    answer = passed_on(proxied, **told(people.ended))
    assert answer.status == 401
    assert certificates.fingerprint(people.ended.der) in reason(proxied, answer)


def test_what_the_proxy_tells_over_a_wire_without_tls_counts_for_nothing(proxied, people):
    answer = passed_on(proxied, **{**told(people.sed), "X_Forwarded_Proto": "http"})
    assert answer.status == 403


@pytest.mark.parametrize("soap", [False, True], ids=["rest", "soap"])
def test_a_proxy_that_nobody_named_is_not_believed(elsewhere, people, soap):
    assert passed_on(elsewhere, soap=soap, **told(people.sed)).status == 401
    if soap:
        assert elsewhere.soap("<Ping/>", peer="", **told(people.sed)).status == 401
    else:
        assert elsewhere.get("/ping", peer="", **told(people.sed)).status == 401
        assert elsewhere.get("/ping", peer="portal", **told(people.sed)).status == 200
