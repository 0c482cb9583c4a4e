"""Appeals from a real queue into a real store: acknowledged only after the commit."""

import json
import signal
import socket
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from adapters.amqp.adapter import Amqp
from gateway.adapter import Landed, Verdict
from gateway.errors import BusyError, InternalError, MalformedError, PeerDoubtful, PeerUnavailable
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.pool import Pool
from tests.integration.amqp import hostile
from tests.integration.amqp.conftest import until
from tests.integration.amqp.poller import poller


def appeal(number, **more):
    return {"externalId": number, "text": "Не вывозят снег.", **more}


def stored(token):
    item = Landed(operation="submit", key="1", receipt_number="2026-1")
    return Verdict(token=token, items=(item,), now=datetime.now(UTC), correlation="c-1")


class Store:
    """A gateway's database and a poller on it."""

    def __init__(self, url, root, side) -> None:
        self.url, self.root, self.side = url, root, side
        self.now = datetime.now(UTC)
        self.committer, self.pool = Committer(url), Pool(url)
        self.committer.start()
        self.pool.open()

    def poll(self, owner="one"):
        blobs = BlobDirectory(self.root / "blobs")
        polling = poller(
            Amqp, self.pool, self.committer, blobs, self.side.broker.address, self.side.name,
            owner=owner, now=lambda: self.now,
        )  # fmt: skip
        try:
            return polling.run_once("bus")
        finally:
            polling._asked()["bus"].destination.channel.close()

    def rows(self, statement):
        with psycopg.connect(self.url, autocommit=True) as db:
            return db.execute(statement).fetchall()

    def close(self):
        self.committer.stop()
        self.pool.close()


@pytest.fixture
def store(pg_url, tmp_path, side):
    made = Store(pg_url, tmp_path, side)
    yield made
    made.close()


def test_everything_in_the_queue_is_stored_and_then_gone_from_it(store, side):
    side.put(*(appeal(f"Г-{n}") for n in range(7)))

    assert store.poll() == 7

    found = store.rows("SELECT external_id FROM appeal ORDER BY 1")
    assert found == [(f"Г-{n}",) for n in range(7)]
    assert side.count(f"{side.name}.in") == 0


def test_killed_between_commit_and_acknowledgement_it_comes_again_and_gets_the_first_receipt(
    store, side
):
    side.put(appeal("Г-1"), appeal("Г-2"), reply_to=f"{side.name}.reply")
    with side.connect() as connection:
        connection.channel().queue_declare(f"{side.name}.reply")
    arguments = [store.url, str(store.root / "blobs"), side.broker.address, side.name]
    died = subprocess.run(
        [sys.executable, "-m", "tests.integration.amqp.killed", *arguments], check=False, timeout=60
    )
    assert died.returncode == -signal.SIGKILL
    first = dict(store.rows("SELECT external_id, receipt_number FROM appeal"))
    assert set(first) == {"Г-1", "Г-2"}

    store.now += timedelta(minutes=10)  # the lease of the process that died is over
    assert store.poll("two") == 2

    told = [json.loads(body) for _, body in side.read(f"{side.name}.reply")]
    assert {t["key"]: t["receiptNumber"] for t in told} == first
    assert all(t["repeat"] for t in told)
    assert store.rows("SELECT count(*) FROM appeal") == [(2,)]
    assert side.count(f"{side.name}.in") == 0


def test_what_cannot_be_read_is_kept_told_and_acknowledged_while_the_rest_goes_on(store, side):
    side.put(appeal("Г-1"))
    side.put(b"{not json", message_id="m-2")
    side.put({**appeal("Г-3"), "regime": "fz-59"}, message_id="m-3", reply_to="payments")
    side.put(appeal("Г-4"))

    assert store.poll() == 4

    assert store.rows("SELECT external_id FROM appeal ORDER BY 1") == [("Г-1",), ("Г-4",)]
    assert store.rows("SELECT count(*) FROM message WHERE stage = 'undecodable'") == [(2,)]
    told = [(p, json.loads(body)) for p, body in side.read(f"{side.name}.errors")]
    assert [(p.correlation_id, t["code"]) for p, t in told] == [
        ("m-2", "malformed"), ("m-3", "validation")
    ]  # fmt: skip
    assert told[1][0].content_type == "application/problem+json"
    assert told[1][1]["errors"][0]["path"] == "/regime"
    assert side.count(f"{side.name}.in") == 0


def test_the_same_appeal_published_twice_is_one_appeal(store, side):
    envelope = {"specversion": "1.0", "source": "/city", "type": "gov.appeals.SubmitAppeal"}
    side.put(
        {**envelope, "id": "1", "time": "2026-01-01T00:00:00Z", "data": appeal("Г-1")},
        {**envelope, "id": "2", "time": "2026-01-02T00:00:00Z", "data": appeal("Г-1")},
    )

    store.poll()

    assert store.rows("SELECT count(*) FROM appeal") == [(1,)]
    assert side.read(f"{side.name}.errors") == []


def test_what_was_taken_and_has_no_verdict_comes_again(side):
    side.put(appeal("Г-1"), appeal("Г-2"))
    channel = side.channel()
    first = channel.receive("")
    assert len(first.messages) == 2

    again = channel.receive("")

    assert [m.wire.body for m in again.messages] == [m.wire.body for m in first.messages]
    assert not {m.token for m in again.messages} & {m.token for m in first.messages}


def test_a_trouble_of_ours_gives_the_message_back_and_acknowledges_the_others(side):
    side.put(appeal("Г-1"), appeal("Г-2"))
    channel = side.channel()
    one, two = channel.receive("").messages
    item = Landed(operation="submit", error=BusyError("the store is away"))
    busy = Verdict(token=one.token, items=(item,), now=datetime.now(UTC))

    channel.acknowledge((busy, stored(two.token)))

    assert [m.wire.body for m in channel.receive("").messages] == [one.wire.body]
    assert side.read(f"{side.name}.errors") == []


def test_a_message_that_we_fail_on_is_told_and_does_not_come_for_ever(side):
    side.put(appeal("Г-1"), appeal("Г-2"))
    channel = side.channel()
    one, two = channel.receive("").messages
    item = Landed(operation="submit", error=InternalError("the adapter failed on this message"))
    failed = Verdict(token=one.token, items=(item,), now=datetime.now(UTC))

    channel.acknowledge((failed, stored(two.token)))

    assert channel.receive("").messages == ()
    assert len(side.read(f"{side.name}.errors")) == 1


def test_a_broker_that_stops_in_between_gives_everything_again(side, broker):
    side.put(appeal("Г-1"))
    channel = side.channel()
    (first,) = channel.receive("").messages
    broker.halt()
    with pytest.raises(PeerUnavailable):
        channel.acknowledge((stored(first.token),))
    broker.start()

    (again,) = until(lambda: channel.receive("").messages)
    channel.acknowledge((stored(again.token),))

    assert again.wire.body == first.wire.body
    assert channel.receive("").messages == ()


def test_an_acknowledgement_may_come_twice(side):
    side.put(appeal("Г-1"))
    channel = side.channel()
    (only,) = channel.receive("").messages
    channel.acknowledge((stored(only.token),))

    channel.acknowledge((stored(only.token),))

    assert channel.receive("").messages == ()


def test_a_stranger_is_not_answered_where_it_likes(side):
    side.put(appeal("Г-1"), reply_to="payments", message_id="m-1")
    with side.connect() as connection:
        connection.channel().queue_declare("payments")
    channel = side.channel(reply_queues=[f"{side.name}.*"])
    (only,) = channel.receive("").messages

    channel.acknowledge((stored(only.token),))

    assert side.read("payments") == []


def raw(side, flags, properties, body):
    """Publish with properties as a client of its own may write them, byte by byte."""
    with (
        socket.create_connection(("127.0.0.1", side.broker.port)) as sock,
        sock.makefile("rb") as told,
    ):

        def ask(data, wanted):
            sock.sendall(data)
            while True:
                _, _, size = struct.unpack(">BHL", told.read(7))
                found = struct.unpack_from(">HH", told.read(size + 1))
                if found == wanted:
                    return
                assert found not in {(10, 50), (20, 40)}, "the broker itself refuses it"

        login = bytes(4) + hostile.short(b"PLAIN") + hostile.long(b"\0guest\0guest")
        ask(b"AMQP\0\0\x09\x01", (10, 10))
        ask(hostile.method(0, 10, 11, login + hostile.short(b"en_US")), (10, 30))
        sock.sendall(hostile.method(0, 10, 31, struct.pack(">HIH", 2047, 131_072, 0)))
        ask(hostile.method(0, 10, 40, hostile.short(b"/") + bytes(2)), (10, 41))
        ask(hostile.method(1, 20, 10, hostile.short(b"")), (20, 11))
        ask(hostile.method(1, 85, 10, bytes(1)), (85, 11))
        queue = hostile.short(b"") + hostile.short(f"{side.name}.in".encode())
        head = struct.pack(">HHQH", 60, 0, len(body), flags) + properties
        ask(
            hostile.method(1, 60, 40, bytes(2) + queue + bytes(1))
            + hostile.frame(hostile.HEADER, 1, head)
            + hostile.frame(hostile.BODY, 1, body),
            (60, 80),
        )


def nested(levels):
    table = b""
    for _ in range(levels):
        table = hostile.short(b"t") + b"F" + hostile.long(table)
    return hostile.long(table)


@pytest.mark.parametrize(
    ("flags", "properties", "stored"),
    [
        (1 << 13, hostile.long(hostile.short(b"at") + b"T" + struct.pack(">Q", 1 << 60)), True),
        (1 << 13, nested(8_000), True),
        (1 << 15, hostile.short(b"a\0b"), False),
        (1 << 15, hostile.short(b"\xff"), False),
        (1 << 5, hostile.short(b"\xff"), False),
        (1 << 9, hostile.short(b"\xff" * 200), True),
        (1 << 7, hostile.short(b"\xff" * 250), True),
    ],
    ids=["a timestamp", "tables in tables", "NUL in the media type", "its media type", "its type",
         "its reply_to", "its id"],
)  # fmt: skip
def test_no_sender_can_stop_the_queue_by_properties_that_cannot_be_read(
    store, side, flags, properties, stored
):
    side.put(appeal("Г-1"))
    raw(side, flags, properties, json.dumps(appeal("Г-2")).encode())
    side.put(appeal("Г-3"))

    assert store.poll() == 3

    found = [number for (number,) in store.rows("SELECT external_id FROM appeal ORDER BY 1")]
    assert found == (["Г-1", "Г-2", "Г-3"] if stored else ["Г-1", "Г-3"])
    assert len(side.read(f"{side.name}.errors")) == (0 if stored else 1)
    assert side.count(f"{side.name}.in") == 0


@pytest.mark.parametrize("long", ["i" * 255, "я" * 127], ids=["latin", "cyrillic"])
def test_a_refused_message_with_the_longest_id_is_told_and_gone(side, long):
    side.put(b"{not json", message_id=long)
    channel = side.channel()
    (only,) = channel.receive("").messages

    channel.acknowledge((refused(only.token),))

    ((properties, _),) = side.read(f"{side.name}.errors")
    assert properties.correlation_id == long
    assert side.count(f"{side.name}.in") == 0


def test_a_sender_whose_own_queue_is_full_keeps_nobody_elses_message_back(side):
    side.put(b"{not json", reply_to=f"{side.name}.full")
    side.put(appeal("Г-2"))
    with side.connect() as connection:
        arguments = {"x-max-length": 0, "x-overflow": "reject-publish"}
        connection.channel().queue_declare(f"{side.name}.full", arguments=arguments)
    channel = side.channel(reply_queues=[f"{side.name}.*"])
    one, two = channel.receive("").messages

    with pytest.raises(PeerDoubtful):
        channel.acknowledge((refused(one.token), stored(two.token)))

    assert channel.receive("").messages == ()


def refused(token):
    item = Landed(operation="submit", error=MalformedError("the body is not JSON in UTF-8"))
    return Verdict(token=token, items=(item,), now=datetime.now(UTC), correlation="c-1")
