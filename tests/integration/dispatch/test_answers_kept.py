"""What a partner answered stands with the attempt, also when it refused."""

from __future__ import annotations

import pytest

from gateway import ns
from gateway.dispatch import Destination, Policy
from gateway.limits import BODY_IN_ROW_BYTES
from gateway.soap.identity import Identity, Login
from gateway.store import deliveries
from gateway.wires.channels import soapback
from tests.unit.soap import there as t

FAULT = (
    f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
    "<faultstring>нет</faultstring></s:Fault></s:Body></s:Envelope>"
).encode()


class Codec(soapback.CallbackCodec):
    """Makes a call of a delivery, whatever it is about."""

    def encode(self, appeal, event, ctx):
        return self._client.message("SubmitStatus", ctx.key, Report=t.REPORT)


@pytest.fixture
def partner():
    server = t.There()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((500, "text/xml", FAULT), "refused"),
        ((503, "text/html", b"<html>later</html>"), "retry"),
        ((500, "text/html", b"x" * (BODY_IN_ROW_BYTES + 1)), "unknown"),
    ],
    ids=["fault", "later", "large"],
)
def test_the_answer_behind_a_refusal_is_kept_with_the_attempt(stand, partner, answer, state):
    partner.answers = lambda _: answer
    login = Login(kind="text", user="u", password="s3cret")
    client = soapback.client(
        partner.address, stand.outbound, "back", identity=Identity(now=stand.clock, login=login)
    )
    stand.destinations["back"] = Destination(
        "back",
        Codec(client),
        soapback.CallbackChannel(client, stand.outbound, address=partner.address, peer="back"),
        Policy(idempotent=True),
    )
    [id_] = stand.owe("a", destination="back")
    stand.dispatcher().run_once()
    assert stand.states() == [state]
    [attempt] = deliveries.attempts(stand.connection, id_)
    assert attempt.status == answer[0]
    assert attempt.response == answer[2][:BODY_IN_ROW_BYTES]
    assert b"Security" in partner.got[0].body
    assert b"Security" not in attempt.request
