"""Callers who prove themselves in the Security header of their messages, over HTTP."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from gateway.access import certificates
from gateway.access.seals import Seals
from gateway.model.peer import Peer
from gateway.soap import security
from gateway.store import peers
from tests.integration.house import SOAP11
from tests.unit.access.pki import Authority

KEY = "11" * 32
CA = Authority()
ISSUED = {code: CA.issue(code) for code in ("signs", "also-signs")}
NUMBERS = count()
XML = {"Content-Type": "text/xml; charset=utf-8"}
ENVELOPE = (
    f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><Ping xmlns="urn:gov:appeals:v1"/></s:Body>'
    "</s:Envelope>"
).encode()


@pytest.fixture(scope="module")
def wired(own_house):
    """Peers `digests`, `signs` and `also-signs` beside those with keys."""
    house = own_house("wired", GATEWAY_SEAL_KEY=KEY)
    now = datetime.now(UTC)
    with house.database() as db:
        for code in ("digests", "signs", "also-signs"):
            require = "digest" if code == "digests" else "signature"
            peers.add(db, Peer(code=code, name=code, require=require), now)
            house.keys[code] = peers.new_key(db, code, now)
        house.secret = peers.new_secret(db, "digests", Seals(KEY), now)
        for code, issued in ISSUED.items():
            peers.add_certificate(db, code, certificates.read(issued.der), now)
    yield house
    assert not house.defects()


def signer(code, issued=None):
    issued = issued or ISSUED[code]
    return security.load(issued.pem, issued.key_pem)


def message(*, user="", password="", digest=False, by=None, at=timedelta(0)):
    now = datetime.now(UTC) + at
    token = ""
    if user:
        nonce = os.urandom(16)
        token = security.username_token(user, password, digest=digest, now=now, nonce=nonce)
    # Two messages of one moment are two: their bodies differ, so that neither repeats the other.
    envelope = ENVELOPE.replace(b"<s:Body>", b"<s:Body>" + b" " * next(NUMBERS))
    return security.sign_envelope(envelope, by, now, token=token)


def send(house, body, peer="", **headers):
    return house.call("POST", "/soap/appeals.svc", body, peer=peer, **XML, **headers)


def is_for(answer, code):
    return answer.status == 200 and f">{code}<".encode() in answer.body


def recorded(house, answer):
    """The one record of a refusal: its reason and the peer that was named."""
    given = answer.headers["correlation-id"]
    query = "SELECT reason, peer FROM refusal WHERE correlation = $1"
    for _ in range(500):
        if found := house.rows(query, given):
            assert len(found) == 1
            return found[0]
    pytest.fail("the refusal was not recorded")


def test_a_key_may_stand_in_a_username_token(wired):
    answer = send(wired, message(user="portal", password=wired.keys["portal"]))
    assert is_for(answer, "portal")
    for user, password in (("portal", "gw_no_such"), ("sed", wired.keys["portal"])):
        refused = send(wired, message(user=user, password=password))
        assert refused.status == 500
        assert b"FailedAuthentication" in refused.body
        reason, claimed = recorded(wired, refused)
        assert claimed == user, "the operator sees whom the caller claimed to be"
        assert reason.startswith("WS-Security: FailedAuthentication: ")


def test_a_password_of_a_message_is_not_archived_with_it(wired):
    submitted = (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal>'
        "<ExternalId>{}</ExternalId><Text>{}</Text></Appeal></SubmitAppeal></s:Body></s:Envelope>"
    )
    for key, text in (("kept-1", "Текст, Password: как есть"), ("kept-2", "")):
        now = datetime.now(UTC)
        token = security.username_token(
            "portal", wired.keys["portal"], digest=False, now=now, nonce=os.urandom(16)
        )
        body = security.sign_envelope(submitted.format(key, text).encode(), None, now, token=token)
        assert wired.keys["portal"].encode() in body
        send(wired, body)

    archived = wired.rows("SELECT body FROM message WHERE body LIKE $1", b"%>kept-_<%")

    assert len(archived) == 2, "what is taken and what is refused"
    for (kept,) in archived:
        assert wired.keys["portal"].encode() not in kept
        assert b">***</" in kept
        assert b"UsernameToken" in kept


def test_a_digest_is_taken_once(wired):
    body = message(user="digests", password=wired.secret, digest=True)
    assert is_for(send(wired, body), "digests")
    again = send(wired, body)
    assert again.status == 500
    assert b"digests" not in again.body
    told = ("WS-Security: FailedCheck: the message was sent before", "digests")
    assert recorded(wired, again) == told
    assert is_for(
        send(wired, message(user="digests", password=wired.secret, digest=True)), "digests"
    )


def test_a_wrong_digest_or_the_secret_in_text_opens_nothing(wired):
    for shown in (
        message(user="digests", password="wrong", digest=True),
        message(user="nobody", password=wired.secret, digest=True),
        message(user="digests", password=wired.secret),
        message(user="digests", password=wired.keys["digests"]),
    ):
        answer = send(wired, shown)
        assert answer.status == 500
        recorded(wired, answer)


def test_a_signature_of_a_registered_certificate_says_who_calls(wired):
    for code in ("signs", "also-signs"):
        assert is_for(send(wired, message(by=signer(code))), code)
        assert is_for(send(wired, message(by=signer(code)), peer=code), code), "and with its key"


def test_a_signed_message_is_taken_once(wired):
    body = message(by=signer("signs"))
    assert is_for(send(wired, body), "signs")
    again = send(wired, body)
    assert again.status == 500
    told = ("WS-Security: FailedCheck: the message was sent before", "signs")
    assert recorded(wired, again) == told


def test_a_signature_of_a_stranger_or_over_another_body_opens_nothing(wired):
    stranger = CA.issue("signs")
    changed = message(by=signer("signs")).replace(b"Ping", b"GetStatus")
    for body in (message(by=signer("signs", stranger)), changed):
        answer = send(wired, body)
        assert answer.status == 500
        assert b"signs" not in answer.body
        recorded(wired, answer)


def test_a_key_is_not_enough_for_those_peers_on_any_port(wired):
    for code in ("digests", "signs"):
        soap = send(wired, ENVELOPE, peer=code)
        assert soap.status == 500
        require = "digest" if code == "digests" else "signature"
        assert recorded(wired, soap) == (f"a key, where {require} is required", code)
        rest = wired.get("/ping", peer=code)
        assert rest.status == 403
        assert "WS-Security" in rest.json["detail"]


def test_the_proof_of_one_peer_does_not_go_with_the_key_of_another(wired):
    for body, key in (
        (message(by=signer("signs")), "also-signs"),
        (message(by=signer("signs")), "portal"),
        (message(user="portal", password=wired.keys["portal"]), "sed"),
    ):
        answer = send(wired, body, peer=key)
        assert answer.status == 401
        reason, _ = recorded(wired, answer)
        assert reason == "a proof of another peer, or of one that is disabled"


def test_whoever_proves_nothing_is_challenged(wired):
    for body in (ENVELOPE, message()):
        answer = send(wired, body)
        assert answer.status == 401
        assert "www-authenticate" in answer.headers
        assert recorded(wired, answer) == ("no credential", "")


@pytest.mark.parametrize(
    "body",
    [b"", b"not xml", b"<a/>", ENVELOPE.replace(b"Ping", b"NoSuch"), b"<a>" * 5000],
    ids=["empty", "text", "other", "unknown", "deep"],
)
def test_a_stranger_learns_nothing_of_what_is_wrong_with_his_message(wired, body):
    """He is answered as one is whose message has nothing wrong but that nobody sent it."""
    answer, plain = send(wired, body), send(wired, ENVELOPE)
    assert answer.status == plain.status == 401
    assert "www-authenticate" in answer.headers
    assert without_id(answer) == without_id(plain)


def without_id(answer):
    return answer.body.replace(answer.headers["correlation-id"].encode(), b"*")


def test_a_stranger_who_sends_much_is_challenged_and_the_same_with_a_key_is_not(wired):
    long = ENVELOPE.replace(b"<s:Body>", b"<s:Header>" + b" " * 2_000_000 + b"</s:Header><s:Body>")
    assert send(wired, long).status == 401
    assert is_for(send(wired, long, peer="portal"), "portal")


def test_a_fault_about_the_body_carries_what_answers_have_to_carry(wired):
    with wired.database() as db:
        db.execute("UPDATE peer SET answers = 'timestamp' WHERE code = 'also-signs'")
    wrong = ENVELOPE.replace(b"<Ping ", b"<GetStatus ")
    for _ in range(100):
        answer = send(wired, security.sign_envelope(wrong, signer("also-signs"), datetime.now(UTC)))
        assert answer.status == 500
        assert b"ValidationFault" in answer.body
        if b"Timestamp" in answer.body:
            return
        time.sleep(0.1)
    pytest.fail("the fault carries no Timestamp")
