"""A gateway calls another as СМЭВ 2 did; what travels between is held, checked and spoiled."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from gateway.access import certificates
from gateway.model.peer import Peer
from gateway.store import peers
from tests.gost_kit import needs_gost, pki
from tests.integration.house import CHECKOUT, SOAP11, House, eventually
from tests.integration.http import smev2_kit
from tests.unit.soap.there import There

pytestmark = needs_gost
NUMBERS = count(1)
XML = {"Content-Type": "text/xml; charset=utf-8"}


class Line(There):
    """The wire to a gateway: keeps what went each way, and may change it.

    there, back: what is done to the bytes of a request and of its answer.
    """

    def __init__(self, to: str) -> None:
        super().__init__()
        self._to = urlsplit(to)
        self.answers = self._pass
        self.straight()

    def straight(self) -> None:
        """Change nothing any more."""
        self.there = self.back = lambda body: body
        self.came: list[bytes] = []
        self.got.clear()

    def _pass(self, got):
        connection = http.client.HTTPConnection(self._to.hostname, self._to.port, timeout=30)
        with contextlib.closing(connection):
            names = ("content-type", "soapaction")
            headers = {name: got.headers[name] for name in names}
            connection.request("POST", self._to.path, self.there(got.body), headers)
            answer = connection.getresponse()
            self.came.append(self.back(answer.read()))
            return answer.status, answer.headers["content-type"], self.came[-1]


class Pair(NamedTuple):
    """here calls as `back`'s partner, there takes it as its peer `caller`."""

    here: House
    there: House
    line: Line

    def owed(self) -> str:
        """Store an appeal of the partner here, and of the caller there; return its key."""
        key = f"out-{next(NUMBERS)}"
        inner = (
            '<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal>'
            f"<ExternalId>{key}</ExternalId><Text>Во дворе не горит фонарь</Text></Appeal>"
            "</SubmitAppeal>"
        )
        letter = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{inner}</s:Body></s:Envelope>'
        body = smev2_kit.signed_by_hand(letter.encode(), pki().peer)
        taken = self.there.call("POST", "/soap/appeals.svc", body, peer="", **XML)
        assert taken.status == 200, taken.body
        return key

    def tell(self, key: str) -> None:
        """Let an executor here take the appeal to work, which the partner is told."""
        assert self.here.submit("soap11", key, peer="back").status == 200
        self.here.give(key, "sed", owner="back")
        said = {
            "messageKey": f"sed-{key}", "key": {"receiptNumber": self.receipt(key)},
            "event": "TakenToWork", "occurredOn": datetime.now(UTC).date().isoformat(),
        }  # fmt: skip
        assert self.here.post("/statuses", said, peer="sed").status == 201

    def receipt(self, key: str) -> str:
        return self.here.rows("SELECT receipt_number FROM appeal WHERE external_id = $1", key)[0][0]

    def state(self, key: str) -> str:
        found = self.here.rows(
            "SELECT d.state FROM delivery d JOIN appeal a ON a.id = d.appeal_id"
            " WHERE d.destination = 'back' AND a.external_id = $1",
            key,
        )
        return found[0][0] if found else ""

    def outcomes(self, key: str) -> list[tuple[str, str]]:
        """What became of each attempt, and why."""
        return self.here.rows(
            "SELECT t.outcome, t.error FROM attempt t JOIN delivery d ON d.id = t.delivery_id"
            " JOIN appeal a ON a.id = d.appeal_id"
            " WHERE d.destination = 'back' AND a.external_id = $1 AND t.outcome <> ''"
            " ORDER BY t.id",
            key,
        )

    def heard(self, key: str) -> list[bytes]:
        """The words of the caller that are stored there, beside the appeal itself."""
        found = self.there.rows(
            "SELECT m.body FROM message m JOIN appeal a ON a.id = m.appeal_id"
            " WHERE m.operation <> 'submit' AND m.peer = 'caller' AND a.external_id = $1",
            key,
        )
        return [bytes(body) for (body,) in found]


def holds(house, code, der, now, **row):
    with house.database() as db:
        peers.add(db, Peer(code=code, name=code, **row), now)
        if der:
            peers.add_certificate(db, code, certificates.read(der), now)


@contextlib.contextmanager
def working(house, log):
    """The process beside a served gateway that delivers."""
    with log.open("w") as out:
        work = subprocess.Popen(
            [sys.executable, "-m", "gateway", "work"],
            stdout=out, stderr=out, cwd=CHECKOUT,
            env={
                "PATH": os.defpath, "GATEWAY_DATABASE_URL": house.url,
                "GATEWAY_DATA_DIR": str(log.parent), "GATEWAY_POLL_SECONDS": "0.1",
            },
        )  # fmt: skip
        try:
            yield
        finally:
            work.terminate()
            work.wait(30)
    assert "Traceback" not in log.read_text("utf-8")


@pytest.fixture(scope="module")
def pair(own_house, tmp_path_factory):
    made, now = pki(), datetime.now(UTC)
    there = own_house(
        "there", GATEWAY_SIGN_CERT=str(made.ours.cert), GATEWAY_SIGN_KEY=str(made.ours.key)
    )
    smev2 = {"wsse": "smev2"}
    holds(there, "caller", made.peer.der, now, require="signature", options=smev2)
    with there.database() as db:
        db.execute("UPDATE peer SET answers = 'signature' WHERE code = 'caller'")
    line = Line(there.soap_address)
    here = own_house("here")
    options = smev2 | {
        "url": line.address, "allow_private": ["127.0.0.1"], "events": ["TakenToWork"],
        "sign_cert": str(made.peer.cert), "sign_key": str(made.peer.key),
        "answer_cert": str(made.ours.cert), "settle_after": 0, "backoff_base": 0.2,
    }  # fmt: skip
    holds(here, "back", b"", now, adapter="soap", options=options)
    with here.database() as db:
        here.keys["back"] = peers.new_key(db, "back", now)
    with working(here, tmp_path_factory.mktemp("work") / "work.log"):
        yield Pair(here, there, line)
    line.close()
    assert not here.defects()
    assert not there.defects()


@pytest.fixture(autouse=True)
def straight(pair):
    pair.line.straight()


def test_what_we_push_is_signed_over_its_last_bytes_and_taken(pair, tmp_path):
    key = pair.owed()
    pair.tell(key)
    eventually(lambda: pair.state(key) == "acknowledged")
    [got] = pair.line.got
    assert smev2_kit.faults_of(got.body, pki().peer, tmp_path) == []
    assert smev2_kit.faults_of(pair.line.came[0], pki().ours, tmp_path) == []
    assert pair.heard(key) == [got.body]


def test_a_body_that_was_changed_on_the_way_is_refused_there_and_goes_again(pair):
    """Who changed it could have written the refusal, too: it is told, and the call repeated."""
    key = pair.owed()
    pair.line.there = lambda body: body.replace(b"TakenToWork", b"Registered")
    pair.tell(key)
    [(outcome, why)] = eventually(lambda: pair.outcomes(key))[:1]
    pair.line.straight()
    assert outcome == "unknown"
    assert "not signed" in why
    assert "FailedAuthentication" in why
    eventually(lambda: pair.state(key) == "acknowledged")
    assert pair.heard(key) == [pair.line.got[-1].body]


@pytest.mark.parametrize(
    "spoil",
    [
        smev2_kit.spoiled,
        lambda body: re.sub(rb"(ReceiptNumber>)[^<]+", rb"\g<1>000", body),
        lambda body: re.sub(rb"<ds:Signature .*</ds:Signature>", b"", body),
    ],
    ids=["another signature", "another body", "none"],
)
def test_an_answer_that_the_partner_did_not_sign_is_a_doubt_and_the_repeat_is_no_replay(
    pair, tmp_path, spoil
):
    """It was taken at the first call. The second says the same, and is signed anew."""
    key = pair.owed()
    pair.line.back = spoil
    pair.tell(key)
    [(outcome, why)] = eventually(lambda: pair.outcomes(key))[:1]
    pair.line.back = bytes
    assert outcome == "unknown"
    assert "not believed" in why
    eventually(lambda: pair.state(key) == "acknowledged")
    first, *_, last = [got.body for got in pair.line.got]
    assert smev2_kit.faults_of(first, pki().peer, tmp_path) == []
    assert smev2_kit.faults_of(last, pki().peer, tmp_path) == []
    assert pair.heard(key) == [first]


def test_a_refusal_that_the_partner_signed_ends_the_delivery(pair, tmp_path):
    """It knows nothing of the appeal: its typed fault is signed, and is for a person."""
    key = f"out-unknown-{next(NUMBERS)}"
    pair.tell(key)
    eventually(lambda: pair.state(key) == "refused")
    [answer] = pair.line.came
    assert b"NotFoundFault" in answer
    assert smev2_kit.faults_of(answer, pki().ours, tmp_path) == []


def test_a_refusal_that_nobody_signed_ends_nothing(pair):
    key = pair.owed()
    fault = (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
        "<faultstring>отказ</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    pair.line.back = lambda _: fault.encode()
    pair.tell(key)
    [(outcome, why)] = eventually(lambda: pair.outcomes(key))[:1]
    pair.line.back = bytes
    assert outcome == "unknown"
    assert "отказ" in why
    eventually(lambda: pair.state(key) == "acknowledged")
