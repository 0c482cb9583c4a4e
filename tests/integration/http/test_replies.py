"""WS-Addressing 1.0: an answer goes where ReplyTo says, as far as the caller's row allows."""

from __future__ import annotations

import asyncio
import random
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from lxml import etree

from gateway import ns
from gateway.access.policy import Caller
from gateway.destinations import Destinations
from gateway.dispatch import Dispatcher
from gateway.errors import BusyError
from gateway.model.peer import Peer
from gateway.settings import Settings
from gateway.soap import addressing
from gateway.soap.frame import Frame
from gateway.store import peers, replies, retention
from gateway.store.pool import Pool
from gateway.wires.replies import Replies
from tests.integration.http.mtom_kit import envelope, submit

PING = f'<Ping xmlns="{ns.APPEALS}"/>'
BAD = f'<GetAppeal xmlns="{ns.APPEALS}"><Key><ExternalId>нет такого</ExternalId></Key></GetAppeal>'
SPACES = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
MEDIA = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}


@pytest.fixture(scope="module")
def running_mailbox():
    """Where a caller wants its answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.taken.append((self.path, self.headers, body))
            status = self.server.statuses.pop() if self.server.statuses else 202
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mailbox(running_mailbox):
    running_mailbox.taken, running_mailbox.statuses = [], []
    return running_mailbox


def may_be_answered_at(port, db):
    """A peer whose answers may be posted to this machine; return its key."""
    now = datetime.now(UTC)
    row = Peer(
        code="waiting",
        name="Ждёт ответа",
        callback_hosts=[f"127.0.0.1:{port}"],
        options={"allow_private": ["127.0.0.1"]},
    )
    peers.add(db, row, now)
    return peers.new_key(db, "waiting", now)


@pytest.fixture(scope="module")
def standing(own_house, running_mailbox):
    """The house of all tests here that call it."""
    made = own_house("shared")
    with made.database() as db:
        made.keys["waiting"] = may_be_answered_at(running_mailbox.server_port, db)
    yield made
    assert not made.defects()


@pytest.fixture
def house(standing):
    """The house, owing nothing."""
    with standing.database() as db:
        for table in ("reply", "delivery", "lane"):
            db.execute(f"DELETE FROM {table}")
    yield standing
    assert not standing.defects()


@pytest.fixture
def pool(pg_url):
    """A database without a served gateway, for what is owed in it."""
    made = Pool(pg_url)
    made.open()
    with made.connection() as db:
        may_be_answered_at(1, db)
    yield made
    made.close()


def rows(pool, statement, *values):
    with pool.connection() as db:
        return db.execute(statement, values).fetchall()


def dispatch(house):
    """Send what is due, once."""
    pool = Pool(house.url)
    pool.open()
    destinations = Destinations(pool, {}, Settings(), lambda: datetime.now(UTC))
    dispatcher = Dispatcher(
        house.url,
        destinations,
        None,
        owner="w",
        now=lambda: datetime.now(UTC),
        poll_seconds=0.05,
        chance=random.Random(7),
    )
    try:
        return dispatcher.run_once()
    finally:
        dispatcher.close()
        destinations.close()
        pool.close()


def call(house, version, body, *, peer="waiting", **addresses):
    element = etree.fromstring(body)
    action = element.tag.strip("{").replace("}", "/")
    header = "".join(
        f"<a:{name}><a:Address>{address}</a:Address><a:ReferenceParameters>"
        f'<k xmlns="urn:k">17</k></a:ReferenceParameters></a:{name}>'
        for name, address in addresses.items()
    )
    text = (
        f'<s:Envelope xmlns:s="{SPACES[version]}" xmlns:a="{ns.WSA}"><s:Header>'
        f"<a:Action>{action}</a:Action><a:MessageID>urn:uuid:17</a:MessageID>{header}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )
    return house.call(
        "POST", "/soap/appeals.svc", text.encode(), peer=peer, Content_Type=MEDIA[version]
    )


@pytest.mark.parametrize("version", SPACES)
def test_the_answer_is_posted_to_the_address_with_what_belongs_to_it(house, mailbox, version):
    answer = call(house, version, PING, ReplyTo=f"{mailbox.address}/box")
    assert (answer.status, answer.body, mailbox.taken) == (202, b"", [])
    dispatch(house)
    ((path, headers, body),) = mailbox.taken
    root = etree.fromstring(body)
    found = {block.tag: block.text for block in root[0]}
    assert path == "/box"
    assert found[f"{{{ns.WSA}}}RelatesTo"] == "urn:uuid:17"
    assert found[f"{{{ns.WSA}}}To"] == f"{mailbox.address}/box"
    assert found["{urn:k}k"] == "17"
    assert root[1][0].tag == f"{{{ns.APPEALS}}}PingResponse"
    told = headers["SOAPAction"] if version == "1.1" else headers["Content-Type"]
    assert f'"{ns.APPEALS}/PingResponse"' in told
    assert house.rows("SELECT state, destination FROM delivery") == [
        ("acknowledged", "waiting:replies")
    ]


def test_a_fault_goes_where_faults_are_wanted(house, mailbox):
    addresses = {"ReplyTo": f"{mailbox.address}/box", "FaultTo": f"{mailbox.address}/trouble"}
    assert call(house, "1.2", BAD, **addresses).status == 202
    dispatch(house)
    ((path, _, body),) = mailbox.taken
    assert path == "/trouble"
    assert b"NotFoundFault" in body


def test_an_address_that_does_not_answer_is_tried_again_with_the_same_bytes(house, mailbox):
    mailbox.statuses.append(503)
    call(house, "1.1", PING, ReplyTo=f"{mailbox.address}/box")
    dispatch(house)
    assert house.rows("SELECT state FROM delivery") == [("retry",)]
    house.rows("UPDATE lane SET due = now() RETURNING key")
    dispatch(house)
    (first, second) = mailbox.taken
    assert first[2] == second[2]
    assert house.rows("SELECT state FROM delivery") == [("acknowledged",)]


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("waiting", "127.0.0.1:1"),
        ("waiting", "localhost:{port}"),
        ("waiting", "169.254.169.254"),
        ("portal", "127.0.0.1:{port}"),
    ],
)
def test_no_other_address_is_spoken_to_and_nothing_is_done(house, mailbox, peer, host):
    address = f"http://{host.format(port=mailbox.server_port)}/"
    answer = call(house, "1.2", PING, peer=peer, ReplyTo=address)
    assert answer.status == 500
    assert b"OnlyAnonymousAddressSupported" in answer.body
    assert house.rows("SELECT count(*) FROM delivery") == [(0,)]


def owe(pool, when, count=1, state="ready"):
    """Answers that wait since an instant, in a state."""
    reply = replies.Reply("http://127.0.0.1:1/", "text/xml", {}, b"<a/>")
    with pool.connection() as db, db.transaction():
        ids = [replies.owe(db, "waiting", reply, when, test=False) for _ in range(count)]
        db.execute("UPDATE delivery SET state = $1 WHERE id = ANY($2)", (state, ids))
    return ids


def test_a_large_answer_is_refused_on_the_connection_and_waits_nowhere(house, mailbox):
    photo = "QUJD" * (replies.MOST_BYTES // 4)
    sent = house.call(
        "POST",
        "/soap/appeals.svc",
        envelope(submit("large", photo)),
        peer="waiting",
        Content_Type=MEDIA["1.1"],
    )
    assert sent.status == 200, sent.body
    digest = sha256(b"ABC" * (replies.MOST_BYTES // 4)).hexdigest()
    body = f"<AttachmentId>{digest}</AttachmentId></GetAttachment>"
    asked = f'<GetAttachment xmlns="{ns.APPEALS}">{body}'
    answer = call(house, "1.1", asked, peer="waiting", ReplyTo=f"{mailbox.address}/box")
    assert answer.status == 500
    assert b"leave ReplyTo out" in answer.body
    assert len(answer.body) < 5_000
    assert house.rows("SELECT count(*) FROM reply") == [(0,)]
    assert call(house, "1.1", asked, peer="waiting").status == 200


def test_a_peer_has_so_many_answers_waiting_and_no_more(pool, monkeypatch):
    monkeypatch.setattr(replies, "MOST_WAITING", 3)
    owe(pool, datetime.now(UTC), 3)
    with pytest.raises(BusyError), pool.connection() as db:
        replies.require_room(db, "waiting")
    with pytest.raises(BusyError):
        owe(pool, datetime.now(UTC))
    with pool.connection() as db:
        replies.require_room(db, "portal")
    assert rows(pool, "SELECT count(*) FROM reply") == [(3,)]


def test_the_lanes_of_answers_that_arrived_do_not_stay(house, mailbox):
    for _ in range(5):
        call(house, "1.1", PING, ReplyTo=f"{mailbox.address}/box")
        dispatch(house)
    assert len(mailbox.taken) == 5
    assert house.rows("SELECT count(*) FROM lane WHERE destination = 'waiting:replies'") == [(1,)]


@pytest.mark.parametrize("state", ["ready", "retry", "unknown", "refused", "dead"])
def test_an_answer_that_nobody_took_is_forgotten_with_its_lane(pool, state):
    now = datetime.now(UTC)
    (id_,) = owe(pool, now, state=state)
    for days, kept in ((6, 1), (8, 0)):
        with pool.connection() as db:
            retention.forget_settled(db, now + timedelta(days=days))
        assert rows(pool, "SELECT count(*) FROM reply") == [(kept,)]
        assert rows(pool, "SELECT count(*) FROM lane WHERE key <> ''") == [(kept,)]
    assert rows(pool, "SELECT id, state, error FROM delivery") == [
        (id_, "skipped", retention.NOT_DELIVERED)
    ]


def test_an_answer_whose_delivery_went_with_its_month_goes_too(pool):
    now = datetime.now(UTC)
    ids = owe(pool, now, 2, state="dead")
    rows(pool, "DELETE FROM delivery WHERE id = $1 RETURNING id", ids[0])
    with pool.connection() as db:
        retention.forget_settled(db, now + timedelta(days=6))
        assert rows(pool, "SELECT count(*) FROM reply") == [(2,)]
        retention.forget_settled(db, now + timedelta(days=8))
    assert rows(pool, "SELECT count(*) FROM reply") == [(0,)]


@pytest.mark.parametrize(
    ("name", "address", "busy"),
    [
        ("ReplyTo", "http://127.0.0.1:1/", True),
        ("FaultTo", "http://127.0.0.1:1/", True),
        ("ReplyTo", ns.WSA_NONE, False),
        ("ReplyTo", f"{ns.WSA}/anonymous", False),
    ],
)
def test_a_call_may_be_refused_for_its_answer_before_it_is_carried_out(
    pool, monkeypatch, name, address, busy
):
    monkeypatch.setattr(replies, "MOST_WAITING", 1)
    owe(pool, datetime.now(UTC))
    said = etree.fromstring(
        f'<h xmlns="{ns.WSA}"><Action>a</Action><MessageID>urn:uuid:17</MessageID>'
        f"<{name}><Address>{address}</Address></{name}></h>"
    )
    frame = Frame(addressing=addressing.read(list(said)))
    found = None
    try:
        asyncio.run(Replies(pool).require_room(frame, Caller(peer="waiting")))
    except BusyError as error:
        found = error
    assert (found is not None) is busy
    asyncio.run(Replies(pool).require_room(frame, Caller(peer="portal")))
