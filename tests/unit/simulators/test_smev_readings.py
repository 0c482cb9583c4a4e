"""Two readings of one description: what the adapter writes and the stand reads, and the reverse."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from adapters.smev.decode import decode
from adapters.smev.messages import read, write
from adapters.smev.messages import types as t
from adapters.smev.messages.package import Packed, pack
from gateway import xmldsig
from gateway.adapter import Wire
from simulators.smev import payload
from simulators.smev.names import VERSIONS
from tests.gost_kit import needs_gost
from tests.unit.simulators.smev_kit import ASK, ASKED, TOLD, Probe, ring

pytestmark = needs_gost


class Side:
    """One system that writes and reads by the adapter."""

    def __init__(self, probe, name, version):
        self.version = version
        self.now = datetime.now(UTC)
        backend, keys = ring().signing.backend, ring().signing.keys
        self.sign = lambda target: xmldsig.sign(target, keys.current(name, self.now), backend)
        self.selector = t.Selector(now=self.now)
        self._desk = probe.desk

    def call(self, body):
        served = self._desk.serve(self.version, {"content-type": "text/xml"}, body)
        if served.keep:
            served.keep()
        return read.answer(envelope(served.reply))

    def request(self, **more):
        data = t.RequestData(message_id=str(uuid.uuid1()), content=ASKED.encode(), **more)
        return data, self.call(write.send_request(self.version, data, self.sign))

    def respond(self, to, **more):
        data = t.ResponseData(message_id=str(uuid.uuid1()), to=to, **more)
        return self.call(write.send_response(self.version, data, self.sign))

    def get(self, form):
        make = write.get_request if form == "Request" else write.get_response
        return self.call(make(self.version, self.selector, self.sign))

    def ack(self, message_id):
        return self.call(write.ack(self.version, message_id, self.sign))


def envelope(reply):
    assert reply.media_type.startswith("multipart/related")
    return reply.body.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]


@pytest.fixture(params=VERSIONS)
def sides(request, tmp_path):
    probe = Probe(tmp_path, version=request.param, statuses=True)
    return Side(probe, "ALPHA", request.param), Side(probe, "BETA", request.param)


def proved(answer):
    """Check every signature that an answer brings, and that nothing in it was odd."""
    assert answer.deviations == ()
    for one in answer.signed:
        signed = xmldsig.verify(one.signature, one.element, ring().signing.backend)
        if one.who == "smev":
            own = ring().signing.keys.current("smev", datetime.now(UTC)).certificate.der
            assert signed.certificate == own
    return [one.who for one in answer.signed]


def test_a_request_and_its_answers_are_read_alike_by_both(sides):
    alpha, beta = sides
    data, sent = alpha.request()
    assert proved(sent) == ["smev"]
    assert (sent.metadata.message_id, sent.metadata.recipient) == (data.message_id, "BETA")
    got = beta.get("Request")
    assert sorted(proved(got)) == ["sender", "smev"]
    assert (got.data.message_id, got.metadata.sender) == (data.message_id, "ALPHA")
    assert isinstance(beta.ack(got.data.message_id), t.Acknowledged)
    status = t.RequestStatus(code=7, description="принято", parameters=(("Номер", "1"),))
    beta.respond(got.reply_to, status=status)
    reason = t.RequestRejected(code="NO_DATA", description="нет")
    beta.respond(got.reply_to, rejected=(reason,))
    beta.respond(got.reply_to, content=TOLD.encode())
    kinds = []
    while not isinstance(back := alpha.get("Response"), t.Empty):
        assert sorted(proved(back)) == ["sender", "smev"]
        assert back.original_message_id == data.message_id
        kinds.append(back.data.kind)
        alpha.ack(back.data.message_id)
    assert kinds == ["status", "rejected", "response"]


def test_statuses_and_faults_are_read_alike(sides):
    alpha, beta = sides
    data, _ = alpha.request(test=True)
    told = alpha.call(write.get_status(alpha.version, alpha.now, alpha.sign))
    assert proved(told) == ["smev"]
    assert told.status.original_message_id == data.message_id
    again = alpha.call(write.send_request(alpha.version, data, alpha.sign))
    assert again.name == "MessageIsAlreadySent"
    assert beta.get("Request").data.test is True
    old = t.RequestData(message_id=str(uuid.uuid4()), content=ASKED.encode())
    fault = alpha.call(write.send_request(alpha.version, old, alpha.sign))
    assert fault.name == "InvalidMessageIdFormat"
    assert alpha.ack(str(uuid.uuid1())).name == "TargetMessageIsNotFound"
    unknown = t.Selector(now=alpha.now, namespace=ASK.namespace, local_name="Nothing")
    fault = alpha.call(write.get_request(alpha.version, unknown, alpha.sign))
    assert fault.name == "UnknownMessageType"


def test_an_officials_signature_is_checked_on_its_way(sides):
    alpha, beta = sides
    data = t.RequestData(message_id=str(uuid.uuid1()), content=ASKED.encode())
    body = write.send_request(alpha.version, data, alpha.sign, alpha.sign)
    assert isinstance(alpha.call(body), t.Sent)
    got = beta.get("Request")
    assert got.data.personal
    assert sorted(proved(got)) == ["personal", "sender", "smev"]


def test_attachments_are_read_alike(sides):
    alpha, beta = sides
    header = t.AttachmentHeader(content_id="a1", mime_type="text/plain")
    content = t.AttachmentContent(id="a1", content=b"a file")
    alpha.request(headers=(header,), contents=(content,))
    got = beta.get("Request")
    assert [one.content_id for one in got.data.headers] == ["a1"]
    assert [one.href[:4] for one in got.data.contents] == ["cid:"]
    _, fault = alpha.request(headers=(header,))
    assert fault.name == "AttachmentContentMiscoordination"


def heard(content, kind, files=()):
    packed = tuple(Packed(id=name, data=data) for name, data in files)
    body = pack(content.encode(), packed) if packed else content.encode()
    headers = {t.KIND: kind, t.MESSAGE_ID: str(uuid.uuid1()), t.SENDER: "OTHER"}
    headers |= {t.ORIGINAL_ID: str(uuid.uuid1()), t.APPEAL: "R-1", t.VERSION: "1.3"}
    media_type = t.PACKAGE_TYPE if packed else "application/xml"
    (item,) = decode(Wire(media_type=media_type, body=body, headers=headers)).items
    return item


def test_what_the_other_body_sends_is_an_appeal_of_the_model():
    today = datetime(2026, 3, 20, tzinfo=UTC).date()
    for one in payload.submissions(11, today, 60, files=True):
        item = heard(one.content, "request", one.files.items())
        assert item.external_id == one.external_id
        assert {file.data for file in item.files} == set(one.files.values())


def test_what_the_other_body_answers_is_known_to_the_model():
    now = datetime(2026, 3, 20, 9, tzinfo=UTC)
    today = now.date()
    told = [
        heard(content, "response")
        for content in (
            payload.receipt("ВВ-1", now),
            payload.registered("A-1", "ВВ-1", today),
            payload.taken("A-1", today),
            payload.answer("A-1", "ВВ-1", today),
            payload.refusal(today),
        )
    ]
    assert len(told) == 5
