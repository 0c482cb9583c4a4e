"""The stand of СМЭВ: what is given again, to whom, and its troubles on demand."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from simulators.smev.caller import opened
from simulators.smev.registry import Service, System
from tests.gost_kit import needs_gost
from tests.unit.simulators.smev_kit import ASKED, OTHER, TOLD, Probe, refused, ring

pytestmark = needs_gost


@pytest.fixture
def probe(tmp_path):
    return Probe(tmp_path)


def test_the_return_address_is_never_the_same(probe):
    probe.caller("ALPHA").request(ASKED)
    beta = probe.caller("BETA")
    first = beta.get("Request")
    probe.seconds = 61
    second = beta.get("Request")
    assert first.id == second.id
    assert first.reply_to != second.reply_to
    assert beta.respond(first.reply_to, TOLD)
    assert beta.respond(second.reply_to, TOLD)


def test_without_ack_it_comes_again_and_after_ack_never(probe):
    probe.caller("ALPHA").request(ASKED)
    beta = probe.caller("BETA")
    number = beta.get("Request").id
    assert beta.get("Request") is None
    probe.seconds = 61
    assert beta.get("Request").id == number
    beta.ack(number, accepted=False)
    probe.seconds = 1000
    assert beta.get("Request") is None
    assert refused(beta.ack, number) == "TargetMessageIsNotFound"
    assert refused(probe.caller("ALPHA").ack, str(uuid.uuid1())) == "TargetMessageIsNotFound"
    assert [fact["what"] for fact in probe.facts()] == ["sent", "given", "given", "ignored"]


def test_who_does_not_wait_says_that_the_time_is_over(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    numbers = {alpha.request(ASKED), alpha.request(ASKED), alpha.request(ASKED)}
    done = beta.get("Request").id
    beta.ack(done)
    given = beta.get("Request").id
    assert probe.house.account.overdue() == {"again": 1}
    assert probe.house.account.overdue() == {"again": 0}
    assert beta.get("Request").id == given
    assert {beta.get("Request").id} == numbers - {done, given}
    assert beta.get("Request") is None


def test_nobody_acknowledges_for_another(probe):
    number = probe.caller("ALPHA").request(ASKED)
    assert refused(probe.caller("GAMMA").ack, number) == "TargetMessageIsNotFound"


def test_a_node_gets_the_answers_to_what_it_asked(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    number = str(uuid.uuid1())
    inside = f"<t:MessageID>{number}</t:MessageID><t:NodeID>n1</t:NodeID>"
    inside += f"<b:MessagePrimaryContent>{ASKED}</b:MessagePrimaryContent>"
    name = "t:SenderProvidedRequestData"
    alpha.call("SendRequest", f'<{name} Id="X">{inside}</{name}>')
    beta.respond(beta.get("Request").reply_to, TOLD)
    assert alpha.get("Response", node="n2") is None
    assert alpha.get("Response", node="n1").original == number


def test_troubles_on_demand(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    probe.trouble("failure", operation="SendRequest")
    assert refused(alpha.request, ASKED) == "SMEVFailure"
    probe.trouble("twice")
    number = alpha.request(ASKED)
    assert [beta.get("Request").id, beta.get("Request").id] == [number, number]
    beta.ack(number)
    probe.trouble("again_early")
    late = alpha.request(ASKED)
    assert [beta.get("Request").id, beta.get("Request").id] == [late, late]
    probe.trouble("again_late")
    beta.ack(late)
    assert beta.get("Request") is None
    probe.seconds = 61
    assert beta.get("Request").id == late
    beta.ack(late)
    assert probe.account.counts()["open"] == 0
    assert probe.account.counts()["given_more_than_once"] == 2


def test_a_signature_can_be_broken_and_a_package_cut(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    alpha.request(ASKED)
    probe.trouble("broken_signature")
    beta.get("Request")
    root = opened(probe.last.reply.media_type, probe.last.reply.body)
    t = beta.names.t
    with pytest.raises(Exception, match=r"SignatureVerificationFault"):
        probe.house.ring.prove(
            next(root.iter(t("SMEVSignature")))[0], next(root.iter(t("Request"))), datetime.now(UTC)
        )
    probe.trouble("cut")
    with pytest.raises(Exception, match=r"boundary|package|ends"):
        beta.get("Request")


def test_a_request_can_be_rejected_later(probe):
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    probe.trouble("reject")
    first = alpha.request(ASKED)
    assert beta.get("Request") is None
    status = alpha.status()
    assert status.findtext(alpha.names.t("OriginalMessageId")) == first
    assert status.findtext(alpha.names.t("StatusCategory")) == "requestIsRejectedBySmev"
    assert alpha.status() is None
    probe.trouble("reject_as_response")
    second = alpha.request(ASKED)
    got = alpha.get("Response")
    assert got.original == second
    assert got.data.find(alpha.names.t("AsyncProcessingStatus")) is not None


def test_what_was_not_stored_was_not_sent(probe):
    alpha = probe.caller("ALPHA")
    probe.stored = False
    number = alpha.request(ASKED)
    assert probe.account.known(number) is None
    probe.stored = True
    assert alpha.request(ASKED, message_id=number) == number


def test_versions_have_queues_of_their_own(probe):
    probe.caller("ALPHA", "1.1").request(ASKED)
    assert probe.caller("BETA", "1.3").get("Request") is None
    assert probe.caller("BETA", "1.1").get("Request") is not None


def test_queues_can_be_counted_until_version_1_2(tmp_path):
    probe = Probe(tmp_path, version="1.2")
    alpha, beta = probe.caller("ALPHA"), probe.caller("BETA")
    alpha.request(ASKED)
    stamp = f'<b:Timestamp Id="X">{datetime.now(UTC).isoformat()}</b:Timestamp>'
    (told,) = beta.call("GetIncomingQueueStatistics", stamp)
    assert dict(told.attrib) == {
        "queueName": "BETA.REQUEST.1.2", "pendingMessageNumber": "1",
    }  # fmt: skip
    newer = Probe(tmp_path, version="1.3")
    assert refused(newer.caller("BETA").call, "GetIncomingQueueStatistics", stamp) == ""


def test_an_unknown_certificate_may_be_registered_at_run_time(probe):
    der = ring().signing.keys.current("STRANGER", datetime.now(UTC)).certificate.der
    probe.registry.add_service(Service(kind=OTHER, providers=["STRANGER"]))
    probe.registry.add_system(System(mnemonic="STRANGER", title="Новая"), der)
    assert probe.caller("STRANGER").get("Request", OTHER) is None
