"""Events on a real broker: confirmed, refused, in doubt, and never lost."""

import contextlib
import json
import threading
import time

import pytest

from gateway.adapter import EncodeContext, Receipt
from gateway.errors import ConfigurationError, PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.model.appeal import Appeal
from tests.integration.amqp.conftest import NOW, until


def test_a_confirmed_event_lies_durably_in_the_quorum_queue_under_its_key(side):
    receipt = side.channel().deliver(side.wire("k-7"), "k-7")

    ((properties, body),) = side.events()
    assert receipt == Receipt(final=True, reference="k-7")
    assert (properties.message_id, properties.delivery_mode) == ("k-7", 2)
    assert properties.type == "gov.appeals.Appeal"
    assert properties.content_type == "application/cloudevents+json; charset=utf-8"
    assert json.loads(body)["id"] == "k-7"


def test_in_binary_mode_the_attributes_are_headers_of_the_message(side):
    channel = side.channel(mode="binary")
    context = EncodeContext(now=NOW, key="k-8", options=side.options)
    channel.deliver(channel.encode(Appeal(receipt_number="2026-00017"), None, context), "k-8")

    ((properties, body),) = side.events()
    assert properties.headers["cloudEvents:id"] == "k-8"
    assert properties.headers["cloudEvents:type"] == "gov.appeals.Appeal"
    assert json.loads(body)["key"] == {"receiptNumber": "2026-00017"}


def test_what_was_published_outlives_the_broker_which_is_spoken_to_again(side, broker):
    channel = side.channel(timeout=2.0)
    channel.deliver(side.wire("k-1"), "k-1")
    side.age()
    broker.kill()
    with pytest.raises(PeerUnavailable):
        channel.deliver(side.wire("k-2"), "k-2")
    broker.start()

    def sent():
        """As dispatch does: a doubt is sent again under the same key."""
        try:
            return channel.deliver(side.wire("k-2"), "k-2")
        except (PeerDoubtful, PeerUnavailable):
            return None

    until(sent)

    found = [properties.message_id for properties, _ in side.events()]
    assert found[0] == "k-1"
    assert set(found[1:]) == {"k-2"}


def test_a_broker_that_falls_silent_before_its_confirm_leaves_a_doubt_within_the_time(side, broker):
    channel = side.channel(timeout=1.0)
    channel.deliver(side.wire("k-1"), "k-1")
    broker.pause()
    try:
        begun = time.monotonic()
        with pytest.raises((PeerDoubtful, PeerUnavailable)):
            channel.deliver(side.wire("k-2"), "k-2")
        assert time.monotonic() - begun < 5
    finally:
        broker.resume()

    channel.deliver(side.wire("k-2"), "k-2")  # sent again under the same key, as dispatch does

    found = [properties.message_id for properties, _ in side.events()]
    assert found[0] == "k-1"
    assert set(found[1:]) == {"k-2"}


def test_without_a_queue_an_event_is_refused_and_it_is_said_what_to_do(side):
    with pytest.raises(PeerRefused) as caught:
        side.channel(queue="").deliver(side.wire(), "k-1")
    assert "bind a queue" in caught.value.todo


def test_without_its_exchange_and_without_declaring_an_event_is_refused(side):
    with pytest.raises(PeerRefused) as caught:
        side.channel(declare=False).deliver(side.wire(), "k-1")
    assert caught.value.found.startswith("404")


def fill(channel, side):
    for number in range(20):  # a quorum queue notices its bound a little late
        channel.deliver(side.wire(f"n-{number}"), f"n-{number}")


def test_a_full_queue_is_a_nack_and_so_a_doubt(side, broker):
    channel = side.channel()
    channel.deliver(side.wire("k-1"), "k-1")
    broker.ctl("set_policy", side.name, f"^{side.name}\\.q$", '{"max-length": 1}')
    try:
        with pytest.raises(PeerDoubtful):
            fill(channel, side)
    finally:
        broker.ctl("clear_policy", side.name)


def test_a_queue_that_exists_with_other_arguments_is_left_alone_and_said(side):
    with side.connect() as connection:
        connection.channel().queue_declare(f"{side.name}.q", durable=True)

    with pytest.raises(PeerUnavailable) as caught:
        side.channel().deliver(side.wire(), "k-1")

    assert caught.value.found.startswith("406")


def test_what_nobody_can_consume_is_put_aside_by_the_broker(side):
    side.channel(delivery_limit=2).deliver(side.wire("k-1"), "k-1")

    with side.connect() as connection:
        channel = connection.channel()
        for _ in range(3):
            method, _, _ = channel.basic_get(f"{side.name}.q")
            channel.basic_nack(method.delivery_tag, requeue=True)
            time.sleep(0.1)

    for _ in range(100):
        if side.count(f"{side.name}.q.dead"):
            break
        time.sleep(0.1)
    assert [p.message_id for p, _ in side.read(f"{side.name}.q.dead")] == ["k-1"]


def again(channel, wire, key):
    """Send until it is confirmed, as dispatch does: a doubt goes again under the same key."""
    for _ in range(20):
        with contextlib.suppress(PeerDoubtful):
            return channel.deliver(wire, key)
    raise AssertionError("a broker that never confirms")


def test_threads_publish_side_by_side_each_on_a_connection_of_its_own(side):
    channel = side.channel()

    def send(thread):
        for number in range(25):
            key = f"{thread}-{number}"
            again(channel, side.wire(key), key)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {p.message_id for p, _ in side.events()} == {
        f"{t}-{n}" for t in range(4) for n in range(25)
    }


def test_a_wrong_password_stores_nothing_and_is_tried_again_later(side, tmp_path):
    (tmp_path / "password").write_text("wrong")
    channel = side.channel(user="city", password_file=str(tmp_path / "password"))

    with pytest.raises(PeerUnavailable) as caught:
        channel.deliver(side.wire(), "k-1")

    assert "password_file" in caught.value.todo
    assert not channel.probe().ok


def test_an_address_that_the_row_does_not_list_is_not_spoken_to(side):
    with pytest.raises(ConfigurationError) as caught:
        side.channel(allow_private=[]).deliver(side.wire(), "k-1")
    assert caught.value.where == "allow_private"


def test_a_probe_tells_how_much_waits_and_publishes_nothing(side):
    side.put({"externalId": "1", "text": "Снег"})
    channel = side.channel()
    channel.deliver(side.wire("k-1"), "k-1")

    health = channel.probe()

    assert health.ok
    assert health.detail == f"{side.name}.in: 1"
    assert len(side.events()) == 1
