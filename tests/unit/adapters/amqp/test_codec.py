"""What the golden cases do not pin: fuzz, options, what a message has beside its body."""

import json
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adapters.amqp
from adapters.amqp.adapter import Amqp
from adapters.amqp.codes import OPERATIONS
from adapters.amqp.options import Options, broker
from gateway import registry
from gateway.adapter import Batch, EncodeContext, Wire
from gateway.errors import ConfigurationError, GatewayError, PeerDoubtful, UnsupportedError
from gateway.model.appeal import Appeal

MANIFEST = registry.read_manifest("adapters.amqp")
CODEC = Amqp(MANIFEST.options)
NOW = datetime(2026, 4, 1, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["specversion", "id", "source", "type", "data", "data_base64", "externalId", "revision", "text",
     "questions", "applicants", "messageKey", "key", "event", "occurredOn", "attachments", "extra"]
)  # fmt: skip


def test_the_manifest_and_the_code_agree():
    registry.check(MANIFEST, "adapters.amqp", Amqp)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws trees slowly
@given(
    st.binary(max_size=80)
    | st.dictionaries(names, json_values, max_size=6).map(lambda tree: json.dumps(tree).encode()),
    st.sampled_from([*OPERATIONS, "", "gov.appeals.SubmitStatus", "nonsense"]),
    st.sampled_from(["application/json", "application/cloudevents+json", "", "text/plain"]),
)
def test_whatever_comes_only_errors_of_the_house_come_out(body, word, media):
    wire = Wire(media_type=media, body=body, headers={"amqp-type": word})
    try:
        decoded = CODEC.decode(wire)
    except GatewayError:
        return
    assert len(decoded.items) == 1
    CODEC.restore(decoded.items[0])


def test_what_was_restored_decodes_to_the_same_item():
    for path in sorted(Path("tests/contract/amqp").glob("i*/canonical.json")):
        case = path.parent
        headers = case / "headers.json"
        wire = Wire(
            media_type="application/json",
            body=(case / "wire.json").read_bytes(),
            headers=json.loads(headers.read_text()) if headers.exists() else {},
        )
        item = CODEC.decode(wire).items[0]
        assert CODEC.decode(CODEC.restore(item)).items[0] == item, case.name


def test_an_envelope_of_another_id_and_time_holds_the_same_content():
    def event(key, time):
        data = {"externalId": "1", "text": "Снег"}
        body = {"specversion": "1.0", "id": key, "source": "/a", "type": "", "time": time}
        body["type"] = "gov.appeals.SubmitAppeal"
        return Wire(media_type="application/json", body=json.dumps({**body, "data": data}).encode())

    first = CODEC.decode(event("1", "2026-01-01T00:00:00Z"))
    assert first == CODEC.decode(event("2", "2026-01-02T00:00:00Z"))


def test_the_key_of_the_delivery_is_the_id_and_the_event_the_routing_key():
    appeal = Appeal(receipt_number="G-2026-00000001")
    options = {**MANIFEST.options, "mode": "binary", "routing_prefix": "khb"}
    wire = Amqp(options).encode(appeal, None, EncodeContext(now=NOW, key="k-1", options=options))
    assert wire.headers["cloudevents:id"] == "k-1"
    assert wire.headers["cloudevents:subject"] == "G-2026-00000001"
    assert wire.headers["amqp-routing-key"] == "khb.Appeal"
    assert msgspec.json.decode(wire.body)["appeal"]["receiptNumber"] == "G-2026-00000001"


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ({"mode": "loud"}, "options.mode"),
        ({"broker": "http://host"}, "options.broker"),
        ({"broker": "amqp://user:secret@host"}, "options.broker"),
        ({"broker": "amqp://host:99999"}, "options.broker"),
        ({"exchange": "amq.topic"}, "options.exchange"),
        ({"queue": "я" * 101}, "options.queue"),
        ({"batch": 0}, "options.batch"),
        ({"heartbeat": float("inf")}, "options.heartbeat"),
        ({"delivery_limit": "много"}, "options.delivery_limit"),
    ],
)
def test_an_option_that_cannot_work_is_named(table, where):
    with pytest.raises(ConfigurationError) as caught:
        Options.of(table)
    assert caught.value.where == where
    assert "secret" not in str(caught.value)


def test_the_address_of_a_broker_has_its_usual_port_and_virtual_host():
    told = broker("amqps://[2001:db8::1]/%2Fappeals")
    assert (told.tls, told.host, told.port, told.vhost) == (True, "2001:db8::1", 5671, "/appeals")
    assert broker("amqp://mq.example").vhost == "/"
    assert broker("") is None


def test_replies_go_only_to_queues_that_the_row_names():
    options = Options.of({"reply_queues": ["khb.replies", "amq.gen-*"]})
    assert options.may_reply("khb.replies")
    assert options.may_reply("amq.gen-abc")
    assert not options.may_reply("payments")


def test_without_a_broker_the_codec_still_works_and_talking_is_refused():
    with pytest.raises(ConfigurationError):
        CODEC.deliver(Wire(media_type="", body=b""), "k")
    with pytest.raises(ConfigurationError):
        Amqp({**MANIFEST.options, "inbox": "in"}).receive("")
    assert not CODEC.probe().ok


def test_a_peer_that_is_only_told_events_is_asked_for_nothing():
    assert CODEC.receive("7") == Batch(messages=(), cursor="7")
    CODEC.acknowledge(())


def test_a_broker_can_be_asked_nothing():
    with pytest.raises(PeerDoubtful):
        CODEC.settle(Wire(media_type="", body=b""), "k")
    with pytest.raises(UnsupportedError):
        CODEC.reconcile(None)


def test_without_pika_the_error_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pika", None)

    class Out:
        timeout = 1.0

    channel = Amqp({"broker": "amqp://127.0.0.1", "inbox": "in"}, outbound=Out())
    for call in (
        lambda: channel.deliver(Wire(media_type="", body=b""), "k"),
        lambda: channel.receive(""),
    ):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert "pip install appeals-gateway[amqp]" in str(caught.value)


def test_every_option_of_the_manifest_is_read():
    text = (Path(adapters.amqp.__file__).parent / "manifest.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)["options"]) == {
        "broker", "user", "password_file", "source", "mode", "exchange", "routing_prefix", "queue",
        "declare", "delivery_limit", "inbox", "errors", "reply_queues", "batch", "heartbeat",
    }  # fmt: skip
