"""A regional portal that signs as СМЭВ 2 did, by GOST, against the served gateway."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from itertools import count

import msgspec
import pytest
from lxml import etree

from gateway import ns
from gateway.access import certificates
from gateway.errors import ConfigurationError
from gateway.gost.algorithms import Gost
from gateway.gost.engine import Engine
from gateway.model.peer import Peer
from gateway.soap import security
from gateway.store import peers
from tests.gost_kit import needs_gost, pki
from tests.integration.house import SOAP11, eventually
from tests.integration.http import mtom_kit, smev2_kit

pytestmark = needs_gost
XML = {"Content-Type": "text/xml; charset=utf-8"}
NUMBERS = count(1)


@pytest.fixture(scope="module")
def wired(own_house):
    """`portal-2` and `rsa-2` speak СМЭВ 2 and get signed answers; `modern` signs as others do."""
    made = pki()
    house = own_house(
        "smev2", GATEWAY_SIGN_CERT=str(made.ours.cert), GATEWAY_SIGN_KEY=str(made.ours.key)
    )
    now = datetime.now(UTC)
    given = (
        ("portal-2", made.peer, "smev2"),
        ("rsa-2", made.rsa, "smev2"),
        ("modern", made.tca, "wss"),
    )
    with house.database() as db:
        for code, holder, profile in given:
            row = Peer(code=code, name=code, require="signature", options={"wsse": profile})
            peers.add(db, row, now)
            found = certificates.from_file(holder.cert.read_bytes(), code, now)
            peers.add_certificate(db, code, found, now)
        db.execute("UPDATE peer SET answers = 'signature' WHERE code IN ('portal-2', 'rsa-2')")
    yield house
    assert not house.defects()


def signer(name="peer", profile="smev2"):
    holder = getattr(pki(), name)
    made = security.load(holder.cert.read_bytes(), holder.key.read_bytes())
    return msgspec.structs.replace(made, profile=profile)


def submission(key=""):
    key = key or f"smev2-{next(NUMBERS)}"
    return (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal>'
        f"<ExternalId>{key}</ExternalId><Text>Во дворе не горит фонарь</Text></Appeal>"
        "</SubmitAppeal></s:Body></s:Envelope>"
    ).encode()


def message(by=None, key=""):
    return security.sign_envelope(submission(key), by or signer(), datetime.now(UTC))


def send(house, body):
    return house.call("POST", "/soap/appeals.svc", body, peer="", **XML)


def recorded(house, answer):
    """The record of a refusal: who, from where, by which code and why."""
    query = "SELECT peer, address, code, reason FROM refusal WHERE correlation = $1"
    (row,) = eventually(lambda: house.rows(query, answer.headers["correlation-id"]))
    return row


def refused(house, body):
    """Send what is to be refused, look that nothing was kept of it, return what was told."""
    return told(refused_answer(house, body))


def told(answer):
    """What an answer says, without the id of its call."""
    return answer.body.replace(answer.headers["correlation-id"].encode(), b"*")


def refused_answer(house, body):
    before = house.rows("SELECT count(*) FROM message WHERE key LIKE 'smev2-%'")
    answer = send(house, body)
    assert answer.status in {401, 500}, answer.body
    assert b"ReceiptNumber" not in answer.body
    assert house.rows("SELECT count(*) FROM message WHERE key LIKE 'smev2-%'") == before
    return answer


def test_what_a_portal_signed_is_taken_and_answered_in_kind(wired):
    body = message()
    assert b"Timestamp" not in body
    assert b'actor="http://smev.gosuslugi.ru/actors/smev"' in body
    answer = send(wired, body)
    assert answer.status == 200, answer.body
    assert answer.receipt.number

    envelope = etree.fromstring(answer.body)
    block = envelope.find(f"*/{{{ns.WSSE}}}Security")
    assert block is not None
    assert block.find(f"{{{ns.WSU}}}Timestamp") is None
    read = security.read(envelope, (block,), "1.1", Asked(pki().ours.der), Gost(Engine()))
    assert read is not None
    assert read.signed == {"body"}


class Asked:
    """The portal's own side: it knows our certificate."""

    secure_wire = True
    now = datetime.now(UTC)

    def __init__(self, der):
        self.der = der
        self.keys = self

    def certificate(self, der):
        return "gateway" if der == self.der else None

    def untimed(self, peer):
        return peer == "gateway"

    def seen(self, _what, _until):
        return False


def test_it_is_taken_once(wired):
    body = message()
    assert send(wired, body).status == 200
    assert b"sent before" in refused(wired, body)


def test_a_repeat_signed_anew_gets_its_receipt(wired):
    first = send(wired, message(key="again-1"))
    changed = security.sign_envelope(
        submission("again-1").replace(b"<s:Body>", b"<s:Body> "), signer(), datetime.now(UTC)
    )
    assert send(wired, changed).receipt.number == first.receipt.number


def test_a_long_space_of_time_is_not_asked_of_the_others(wired):
    """A peer of WS-Security proper may not leave the Timestamp out by naming the actor."""
    refused(wired, message(signer("tca")))
    assert send(wired, message(signer("tca", "wss"))).status == 200


def test_without_a_signature_nothing_is_taken(wired):
    refused(wired, submission())
    unsigned = re.sub(rb"<ds:Signature .*</ds:Signature>", b"", message())
    refused(wired, unsigned)


def test_a_changed_body_is_refused(wired):
    body = message()
    answer = refused_answer(wired, body.replace("фонарь".encode(), "светофор".encode()))
    assert b"FailedCheck" in answer.body
    assert recorded(wired, answer)[:3] == ("portal-2", "127.0.0.1", "security")
    refused(wired, body.replace(b"<Appeal>", b"<Appeal> "))


def test_a_wrong_signature_and_a_foreign_certificate_look_alike(wired):
    body = message()
    value = re.search(rb"<ds:SignatureValue>(.*)</ds:SignatureValue>", body)
    assert value
    wrong = refused_answer(wired, body.replace(value[1], b64encode(bytes(64))))
    mine = b64encode(pki().stranger.der)
    instead = message(signer("stranger")).replace(mine, b64encode(pki().peer.der))
    another = refused_answer(wired, instead)
    foreign = refused_answer(wired, message(signer("stranger")))

    assert told(wrong) == told(another) == told(foreign)
    assert b"the certificate or the signature is not accepted" in told(wrong)
    place = ("127.0.0.1", "security")
    unfit = "WS-Security: FailedCheck: the signature does not fit what is signed"
    assert recorded(wired, wrong) == recorded(wired, another) == ("portal-2", *place, unfit)
    sha256 = certificates.fingerprint(pki().stranger.der)
    nobodys = f"WS-Security: FailedAuthentication: the certificate is not accepted: {sha256}"
    assert recorded(wired, foreign) == ("", *place, nobodys)


def test_a_signed_body_beside_another_is_refused(wired):
    """The signed Body goes into a header block, and a new one stands where it is processed."""
    body = message()
    signed = re.search(rb"<s:Body.*</s:Body>", body)
    assert signed
    forged = submission("forged-1")
    new = re.search(rb"<s:Body.*</s:Body>", forged)
    assert new
    wrapped = body.replace(signed[0], new[0]).replace(
        b"</s:Header>", b'<w xmlns="urn:w">' + signed[0] + b"</w></s:Header>"
    )
    assert b"FailedCheck" in refused(wired, wrapped)
    same_id = re.search(rb"<s:Body[^>]*>", signed[0])
    assert same_id
    twice = wrapped.replace(b"<s:Body><Submit", same_id[0] + b"<Submit")
    refused(wired, twice)


def test_another_algorithm_than_that_of_the_key_is_refused(wired):
    body = message().replace(b"gostr34102012-gostr34112012-256", b"gostr34102012-gostr34112012-512")
    refused(wired, body)


@pytest.mark.parametrize(
    ("holder", "method"),
    [("peer", smev2_kit.GOST), ("rsa", smev2_kit.RSA)],
    ids=["gost", "rsa"],
)
def test_what_others_signed_by_this_profile_is_taken_and_our_answer_holds_for_them(
    wired, tmp_path, holder, method
):
    """Signed and checked by lxml and the command line, with no code of ours."""
    body = smev2_kit.signed_by_hand(submission(), getattr(pki(), holder), method)
    answer = send(wired, body)
    assert answer.status == 200, answer.body
    assert answer.receipt.number
    assert smev2_kit.faults_of(answer.body, pki().ours, tmp_path) == []
    assert "signature" in smev2_kit.faults_of(smev2_kit.spoiled(answer.body), pki().ours, tmp_path)
    assert b"the certificate or the signature" in refused(wired, smev2_kit.spoiled(body))


def packed(key, data, holder="peer", method=smev2_kit.GOST):
    """A message signed over its base64, whose file then leaves it as a part (XOP 1.0, 5)."""
    encoded = b64encode(data).decode()
    whole = mtom_kit.envelope(mtom_kit.submit(key, encoded))
    made = smev2_kit.signed_by_hand(whole, getattr(pki(), holder), method)
    assert encoded.encode() in made
    return made.replace(encoded.encode(), mtom_kit.INCLUDE.format("a@x").encode())


@pytest.mark.parametrize(
    ("holder", "method"),
    [("peer", smev2_kit.GOST), ("rsa", smev2_kit.RSA)],
    ids=["gost", "rsa"],
)
def test_a_file_beside_the_envelope_is_signed_as_the_base64_that_it_stands_for(
    wired, holder, method
):
    key = f"smev2-mtom-{holder}"
    answer = mtom_kit.send(
        wired,
        mtom_kit.package(packed(key, mtom_kit.LARGE, holder, method), ("a@x", mtom_kit.LARGE)),
        peer="",
    )
    assert answer.status == 200, answer.body
    ((note,),) = wired.messages(key, "note")
    assert len(note["beside"]) == 1


@pytest.mark.parametrize(
    "parts",
    [
        [("a@x", mtom_kit.SMALL + b"!")],
        [],
        [("a@x", mtom_kit.SMALL), ("b@x", mtom_kit.SMALL)],
    ],
    ids=["another file", "no file", "one too many"],
)
def test_another_file_beside_a_signed_envelope_opens_nothing(wired, parts):
    root = packed("smev2-mtom-forged", mtom_kit.SMALL)
    answer = mtom_kit.send(wired, mtom_kit.package(root, *parts), peer="")
    assert answer.status in {401, 500}, answer.body
    assert wired.messages("smev2-mtom-forged", "id") == []


def test_a_signature_over_the_pointer_instead_of_the_file_opens_nothing(wired):
    """Otherwise whoever carries the package could put another file in its place."""
    include = mtom_kit.INCLUDE.format("a@x")
    whole = mtom_kit.envelope(mtom_kit.submit("smev2-mtom-pointer", include))
    root = smev2_kit.signed_by_hand(whole, pki().peer)
    answer = mtom_kit.send(wired, mtom_kit.package(root, ("a@x", mtom_kit.SMALL)), peer="")
    assert answer.status in {401, 500}, answer.body
    assert b"FailedCheck" in answer.body
    assert wired.messages("smev2-mtom-pointer", "id") == []


def test_a_login_does_not_go_with_it():
    with pytest.raises(ConfigurationError, match="СМЭВ 2"):
        security.sign_envelope(
            submission(), signer(), datetime.now(UTC), token="<wsse:UsernameToken/>"
        )
