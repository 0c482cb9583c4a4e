"""The other ways out: a SOAP call-back by our own contract, and files that appear once."""

from __future__ import annotations

import datetime as dt
import http.server
import os
import threading
import uuid

import pytest
from lxml import etree

from gateway import contracts, ns
from gateway.adapter import EncodeContext, Wire
from gateway.dispatch import Destination, Policy
from gateway.errors import (
    ConfigurationError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    UnsupportedError,
    ValidationError,
)
from gateway.model import facts as f
from gateway.model.appeal import Appeal
from gateway.model.events import Actor, Event, EventType
from gateway.outbound import Outbound
from gateway.soap.client import SoapClient
from gateway.wires.channels import soapback
from gateway.wires.channels.fileout import FileChannel
from gateway.wires.channels.webhook import WebhookCodec

NOW = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
RECEIPT = f"""<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body>
<SubmitStatusResponse xmlns="{ns.APPEALS}"><SubmitStatusResult><ReceiptNumber>77</ReceiptNumber>
</SubmitStatusResult></SubmitStatusResponse></s:Body></s:Envelope>"""


def fault(code: str, detail: str) -> str:
    return (
        f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><s:Fault><faultcode>s:{code}</faultcode>'
        f"<faultstring>нет</faultstring><detail><{detail} xmlns='{ns.APPEALS}'/></detail>"
        "</s:Fault></s:Body></s:Envelope>"
    )


class Partner(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers), body))
        status, text = self.server.says
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_) -> None:
        """Quiet."""


@pytest.fixture
def partner():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Partner)
    server.daemon_threads = True
    server.got, server.says = [], (200, RECEIPT)
    server.address = f"http://127.0.0.1:{server.server_address[1]}/back.svc"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def outbound():
    made = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=5)
    yield made
    made.close()


def event(type_: EventType, payload: f.Facts = f.NoFacts(), **more) -> Event:  # noqa: B008
    return Event(
        appeal_id=uuid.UUID(int=1), seq=2, type=type_, occurred_at=dt.date(2026, 2, 27),
        recorded_at=NOW, actor=Actor(kind="person"), payload=payload, **more,
    )  # fmt: skip


EVENTS = [
    event(EventType.TAKEN_TO_WORK, question=1),
    event(
        EventType.REGISTERED,
        f.RegistrationFacts(organisation="org", number="ОГ-17", date=dt.date(2026, 2, 27)),
    ),
    event(EventType.ASSIGNED, f.ExecutorFacts(organisation="org")),
    event(EventType.TRANSFERRED, f.TransferFacts(organisation="org", number="5", ground="8.3")),
    event(EventType.EXTENDED, f.ExtensionFacts(ground="запрос", new_due=dt.date(2026, 4, 1))),
    event(EventType.DECLINED, f.DeclineFacts(article="11", part="5")),
    event(
        EventType.ANSWERED,
        f.AnswerFacts(kind="final", outcome=f.OutcomeFacts(result="supported", actions_taken=True)),
    ),
]


@pytest.mark.parametrize("told", EVENTS, ids=lambda e: e.type.value)
def test_a_call_back_is_valid_by_the_published_contract(partner, outbound, told):
    client = soapback.client(partner.address, outbound, "partner")
    codec = soapback.CallbackCodec(client)
    appeal = Appeal(receipt_number="0123456789A")
    context = EncodeContext(now=NOW, key="0199-key")
    wire = codec.encode(appeal, told, context)
    assert wire == codec.encode(appeal, told, context), "a repeat is the same bytes"
    body = etree.fromstring(wire.body)[0][0]
    schema = etree.XMLSchema(etree.parse(contracts.folder("xsd", "appeals") / "appeals-v1.xsd"))
    schema.assertValid(body)
    channel = soapback.CallbackChannel(client, outbound, address=partner.address, peer="partner")
    receipt = channel.deliver(wire, "0199-key")
    assert (receipt.final, receipt.reference) == (True, "77")
    [(headers, sent)] = partner.got
    assert sent == wire.body
    assert headers["SOAPAction"] == '"urn:gov:appeals:v1/SubmitStatus"'


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (500, fault("Client", "ValidationFault"), PeerRefused),
        (500, fault("Server", "BusyFault"), PeerUnavailable),
        (500, fault("Server", "Other"), PeerDoubtful),
        (503, "later", PeerUnavailable),
        (404, "no such page", PeerRefused),
        (200, "<html>welcome</html>", PeerDoubtful),
        (500, "stack trace", PeerDoubtful),
    ],
)
def test_a_fault_says_what_became_of_our_call(partner, outbound, status, text, error):
    client = soapback.client(partner.address, outbound, "partner")
    wire = soapback.CallbackCodec(client).encode(
        Appeal(receipt_number="1"), EVENTS[0], EncodeContext(now=NOW, key="k")
    )
    partner.says = (status, text)
    with pytest.raises(error):
        client.send(wire)


def test_what_does_not_fit_the_wsdl_is_told_before_sending(partner, outbound):
    client = soapback.client(partner.address, outbound, "partner")
    with pytest.raises(ValidationError):
        client.message("SubmitStatus", Report={"Nonsense": 1})
    with pytest.raises(UnsupportedError):
        soapback.CallbackCodec(client).encode(
            Appeal(), event(EventType.ROUTED), EncodeContext(now=NOW)
        )


def test_a_stored_wsdl_reaches_nothing_outside_its_tree(tmp_path, outbound):
    (tmp_path / "evil.wsdl").write_text(
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/">'
        '<import namespace="x" location="file:///etc/passwd"/></definitions>'
    )
    with pytest.raises(ConfigurationError):
        SoapClient(
            tmp_path / "evil.wsdl", service="S", port="P", address="http://127.0.0.1/",
            outbound=outbound, peer="p",
        )  # fmt: skip


def test_an_event_without_a_word_is_skipped_and_the_lane_goes_on(stand, partner):
    client = soapback.client(partner.address, stand.outbound, "back")
    stand.destinations["back"] = Destination(
        "back",
        soapback.CallbackCodec(client),
        soapback.CallbackChannel(client, stand.outbound, address=partner.address, peer="back"),
        Policy(idempotent=True),
    )
    stand.owe("a", destination="back")
    stand.dispatcher().run_once()
    assert stand.states() == ["skipped"]


def test_files_appear_whole_and_once(stand, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    stand.destinations["file"] = Destination(
        "file", WebhookCodec("urn:test"), FileChannel(out, peer="file"), Policy(can_ask=True)
    )
    ids = stand.owe("a", "a", "b", destination="file")
    stand.dispatcher().run_once()
    assert sorted(p.name for p in out.iterdir() if p.is_file()) == sorted(
        f"{id_}.json" for id_ in ids
    )
    assert set(stand.states()) == {"acknowledged"}


WIRE = Wire(media_type="text/xml", body=b"<a/>", name="../письмо №1.xml")


def test_a_file_that_the_partner_took_does_not_appear_again(tmp_path):
    channel = FileChannel(tmp_path, peer="file")
    assert channel.settle(WIRE, "k1") is None
    reference = channel.deliver(WIRE, "k1").reference
    assert (tmp_path / reference).read_bytes() == b"<a/>"
    (tmp_path / reference).unlink()
    channel.deliver(WIRE, "k1")
    assert not (tmp_path / reference).exists()
    assert channel.settle(WIRE, "k1").reference == reference


def test_after_a_crash_the_directory_tells_what_it_can(tmp_path):
    channel = FileChannel(tmp_path, peer="file")
    channel.deliver(WIRE, "warm-up")
    pending = tmp_path / ".pending" / "k2"
    pending.write_bytes(b"<a/>")
    with pytest.raises(PeerDoubtful):
        channel.settle(WIRE, "k2")
    name = channel.deliver(WIRE, "warm-up").reference.replace("warm-up", "k2")
    (tmp_path / name).hardlink_to(pending)
    assert channel.settle(WIRE, "k2").reference == name
    assert not pending.exists()


def test_a_taken_name_and_a_lost_directory_are_told_apart(tmp_path):
    channel = FileChannel(tmp_path, peer="file")
    name = channel.deliver(WIRE, "k").reference
    (tmp_path / ".sent" / "k").unlink()
    (tmp_path / name).write_bytes(b"other")
    with pytest.raises(PeerRefused):
        channel.deliver(WIRE, "k")
    lost = FileChannel(tmp_path / name / "below", peer="file")
    with pytest.raises(PeerUnavailable):
        lost.deliver(WIRE, "k")
    assert not lost.probe().ok


@pytest.mark.parametrize("folder", [".pending", ".sent"])
def test_a_folder_of_ours_that_a_partner_made_a_link_is_not_written_through(tmp_path, folder):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / folder).symlink_to(elsewhere)
    with pytest.raises(PeerUnavailable):
        FileChannel(tmp_path / "out", peer="file").deliver(WIRE, "k")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_a_partner_put_there_is_neither_followed_nor_waited_for(tmp_path, kind):
    channel = FileChannel(tmp_path / "out", peer="file")
    (tmp_path / "out").mkdir()
    name = channel.deliver(WIRE, "k").reference
    (tmp_path / "out" / ".sent" / "k").unlink()
    place = tmp_path / "out" / name
    place.unlink()
    if kind == "link":
        (tmp_path / "elsewhere").write_bytes(WIRE.body)
        place.symlink_to(tmp_path / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    with pytest.raises(PeerRefused):
        channel.deliver(WIRE, "k")
