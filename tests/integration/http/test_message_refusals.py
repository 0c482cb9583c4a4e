"""What is not believed in a message: recorded with why, who, from where; veiled to its sender."""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from gateway import ns
from gateway.access import certificates
from gateway.model.peer import Peer
from gateway.soap import security
from gateway.store import peers
from tests.integration.house import SOAP11, eventually
from tests.unit.access.pki import DAY, Authority

CA = Authority()
ISSUED = {
    "signs": CA.issue("signs"),
    "ended": CA.issue("ended", begins=-3 * DAY, ends=-DAY),
    "taken-back": CA.issue("taken-back"),
    "stranger": CA.issue("signs"),
}
NUMBERS = count()
XML = {"Content-Type": "text/xml; charset=utf-8"}
ENVELOPE = (
    f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><Ping xmlns="urn:gov:appeals:v1"/></s:Body>'
    "</s:Envelope>"
).encode()


@pytest.fixture(scope="module")
def syslog():
    """What hears of security events."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(30)
        yield there


@pytest.fixture(scope="module")
def wired(own_house, syslog):
    """Peers that sign: one in order, one whose certificate has ended, one whose was taken back."""
    house = own_house("refusing", GATEWAY_SYSLOG=f"udp://127.0.0.1:{syslog.getsockname()[1]}")
    now = datetime.now(UTC)
    held = {}
    with house.database() as db:
        for code in ("signs", "ended", "taken-back"):
            peers.add(db, Peer(code=code, name=code, require="signature"), now)
            held[code] = peers.add_certificate(db, code, certificates.read(ISSUED[code].der), now)
    eventually(lambda: send(house, message("taken-back")).status == 200)
    with house.database() as db:
        peers.disable_credential(db, "taken-back", "certificate", held["taken-back"], now)
    eventually(lambda: send(house, message("taken-back")).status == 500)
    yield house
    assert not house.defects()


def message(by="signs", at=timedelta(0)):
    issued = ISSUED[by]
    # Two messages of one moment are two: their bodies differ, so that neither repeats the other.
    envelope = ENVELOPE.replace(b"<s:Body>", b"<s:Body>" + b" " * next(NUMBERS))
    signer = security.load(issued.pem, issued.key_pem)
    return security.sign_envelope(envelope, signer, datetime.now(UTC) + at)


def send(house, body):
    return house.call("POST", "/soap/appeals.svc", body, peer="", **XML)


def changed(pattern, to, body):
    made = re.sub(pattern, to, body, count=1)
    assert made != body
    return made


def forged(body):
    """Put another value under the signature of a peer."""
    value = b64encode(bytes(64))
    return changed(rb"(<ds:SignatureValue>)[^<]*", rb"\g<1>" + value, body)


def wrapped(body):
    """Move the signed Body into a header block, and put a new one where it is processed."""
    (signed,) = re.findall(rb"<s:Body.*</s:Body>", body)
    new = b'<s:Body><GetChanges xmlns="urn:gov:appeals:v1"/></s:Body>'
    aside = b'<w xmlns="urn:w">' + signed + b"</w></s:Header>"
    return body.replace(signed, new).replace(b"</s:Header>", aside)


def tampered(body):
    return changed(rb"<Ping ", b"<GetChanges ", body)


def keyed(body):
    """Name a method whose key would be the certificate, which everybody has."""
    method = f'SignatureMethod Algorithm="{ns.DS_MORE}hmac-sha256'.encode()
    return changed(rb'SignatureMethod Algorithm="[^"]*', method, body)


def fingerprint(name):
    return certificates.fingerprint(ISSUED[name].der)


REFUSALS = {
    "wrong signature": (
        lambda: forged(message()), "signs",
        "FailedCheck: the signature does not fit what is signed",
    ),
    "tampered": (
        lambda: tampered(message()), "signs",
        "FailedCheck: a signed part was changed, or made canonical in another way",
    ),
    "wrapped": (
        lambda: wrapped(message()), "signs",
        "FailedCheck: a signed element does not stand where it is processed",
    ),
    "stale": (
        lambda: message(at=-timedelta(hours=1)), "signs", "MessageExpired: ",
    ),
    "algorithm swapped": (
        lambda: keyed(message()), "signs", "UnsupportedAlgorithm: ",
    ),
    "unknown certificate": (
        lambda: message("stranger"), "",
        f"FailedAuthentication: the certificate is not accepted: {fingerprint('stranger')}",
    ),
    "expired certificate": (
        lambda: message("ended"), "ended",
        "InvalidSecurityToken: the certificate does not hold at this time",
    ),
    "revoked certificate": (
        lambda: message("taken-back"), "",
        f"FailedAuthentication: the certificate is not accepted: {fingerprint('taken-back')}",
    ),
}  # fmt: skip

ALIKE = (
    "wrong signature", "algorithm swapped",
    "unknown certificate", "expired certificate", "revoked certificate",
)  # fmt: skip
VEILED = "FailedAuthentication"
"""What the sender of any of those is told."""


def recorded(house, answer):
    query = "SELECT peer, address, path, code, reason FROM refusal WHERE correlation = $1"
    return eventually(lambda: house.rows(query, answer.headers["correlation-id"]))


def require_recorded(house, answer, peer, reason, fault):
    """The one record of a refusal: who, from where, whereto, by which code and why."""
    assert answer.status == 500
    assert re.search(rb"<faultcode[^>]*>\w+:(\w+)<", answer.body)[1].decode() == fault
    ((*told, why),) = recorded(house, answer)
    assert told == [peer, "127.0.0.1", "/soap/appeals.svc", "security"]
    assert why.startswith(f"WS-Security: {reason}")


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_believed_is_recorded_with_why_who_and_from_where(wired, name):
    make, peer, reason = REFUSALS[name]
    fault = VEILED if name in ALIKE else reason.partition(":")[0]
    require_recorded(wired, send(wired, make()), peer, reason, fault)


def test_a_replayed_message_is_recorded_with_who_sent_it_before(wired):
    body = message()
    assert send(wired, body).status == 200
    again = send(wired, body)
    reason = "FailedCheck: the message was sent before"
    require_recorded(wired, again, "signs", reason, "FailedCheck")


def test_a_refused_signature_is_a_security_event_with_who_and_from_where(wired, syslog):
    id_ = send(wired, wrapped(message())).headers["correlation-id"]
    heard = eventually(lambda: (line := syslog.recv(9000).decode()) and id_ in line and line)
    assert "|trust_refused|" in heard
    assert "suser=signs src=127.0.0.1 reason=WS-Security: FailedCheck: " in heard


def shown(answer):
    """What the sender sees, without the id of this call."""
    id_ = answer.headers["correlation-id"]
    headers = {k: v for k, v in answer.headers.items() if k not in ("date", "correlation-id")}
    return answer.status, headers, answer.body.replace(id_.encode(), b"*")


def test_a_wrong_signature_and_a_certificate_unknown_expired_or_revoked_look_alike(wired):
    answers = [shown(send(wired, REFUSALS[name][0]())) for name in ALIKE]
    assert all(answer == answers[0] for answer in answers)
    assert VEILED.encode() in answers[0][2]
