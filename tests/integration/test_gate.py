"""What each peer must prove holds on every port, whoever else could prove what."""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import psycopg
import pytest

from gateway import limits
from gateway.access import certificates, strangers
from gateway.access.policy import Caller, Gate, Stranger
from gateway.access.seals import Seals
from gateway.errors import AccessError, BusyError, ConflictError
from gateway.jobs import Schedule, nonces_job
from gateway.model.peer import Peer
from gateway.store import peers, retention
from gateway.store.pool import Pool
from tests.integration.house import eventually
from tests.unit.access.pki import DAY, Authority

CA = Authority()
SEALS = Seals("22" * 32)
CODES = ("key", "basic", "digest", "certificate", "signature")
BEYOND = "203.0.113.7"


def proof(peer, *kinds, signed=("body", "timestamp")):
    return SimpleNamespace(peer=peer, kinds=frozenset(kinds), signed=frozenset(signed))


class Door:
    """A gate, its peers (each called by what it must prove) and what it wrote down."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.refused = []
        self.seconds = 0.0
        self.day = datetime.now(UTC)
        self.keys, self.secrets, self.certificates = {}, {}, {}
        self.gate = Gate(
            url,
            trusted_wire=False,
            refused=self.refused.append,
            seals=SEALS,
            clock=lambda: self.seconds,
            now=self.now,
        )

    def now(self):
        return self.day.timestamp()

    def db(self):
        return psycopg.connect(self.url, autocommit=True, cursor_factory=psycopg.RawCursor)

    def peer(self, require, *, key=True):
        with self.db() as db:
            peers.add(db, Peer(code=require, require=require), self.day)
            if key:
                self.keys[require] = peers.new_key(db, require, self.day)
            if require == "digest":
                self.secrets[require] = peers.new_secret(db, require, SEALS, self.day)
            if require in ("certificate", "signature"):
                self.certificate(require, CA.issue(require))
        self.later()

    def certificate(self, code, issued):
        self.certificates[code] = issued.der
        with self.db() as db:
            return peers.add_certificate(db, code, certificates.read(issued.der), self.day)

    def change(self, statement, *values):
        with self.db() as db:
            db.execute(statement, values)
        self.later()

    def later(self):
        self.seconds += 10

    def _given(self, key, certificate, headers):
        shown = {"x-api-key": self.keys[key]} if key else {}
        given = {"address": BEYOND, "tls": True, "path": "/x", "certificate": certificate}
        return {**shown, **headers}, given

    def enter(self, key="", certificate=b"", **headers):
        headers, given = self._given(key, certificate, headers)
        return self.gate.enter(headers, **given)

    def knock(self, key="", certificate=b"", **headers):
        headers, given = self._given(key, certificate, headers)
        return self.gate.knock(headers, **given)

    def prove(self, found, shown):
        return self.gate.prove(found, shown, address=BEYOND, path="/x")

    def why(self, call, *arguments, **options):
        """How a call is refused: whether with a challenge, and what is written down."""
        before = len(self.refused)
        with pytest.raises(AccessError) as refused:
            call(*arguments, **options)
        assert len(self.refused) == before + 1, "each refusal is recorded once"
        return refused.value.challenge, self.refused[-1].reason


@pytest.fixture
def door(pg_url):
    made = Door(pg_url)
    yield made
    made.gate.close()


@pytest.fixture
def all_there(door):
    for require in CODES:
        door.peer(require)
    return door


@pytest.mark.parametrize("code", ["key", "basic"])
def test_a_key_is_enough_where_a_key_is_required(all_there, code):
    assert all_there.enter(code).peer == all_there.knock(code).peer == code


@pytest.mark.parametrize("code", ["digest", "certificate", "signature"])
def test_a_key_alone_is_not_enough_where_more_is_required(all_there, code):
    challenge, reason = all_there.why(all_there.enter, code)
    assert not challenge
    assert reason == f"a key, where {code} is required"


@pytest.mark.parametrize("code", ["digest", "signature"])
def test_who_proves_himself_in_messages_is_told_that_other_ports_carry_no_such_proof(
    all_there, code
):
    with pytest.raises(AccessError, match="WS-Security") as refused:
        all_there.enter(code)
    assert "SOAP" in refused.value.todo


def test_a_certificate_is_enough_where_one_is_required_and_a_key_may_come_beside(all_there):
    own = all_there.certificates["certificate"]
    assert all_there.enter(certificate=own).peer == "certificate"
    assert all_there.enter("certificate", own).peer == "certificate"


def test_a_certificate_is_nothing_to_a_peer_of_which_a_key_is_required(all_there):
    other = CA.issue("key")
    all_there.certificate("key", other)
    all_there.later()
    challenge, reason = all_there.why(all_there.enter, certificate=other.der)
    assert challenge
    assert reason == "a certificate, where key is required"
    assert all_there.enter("key", CA.issue("not registered").der).peer == "key"


def test_a_certificate_of_nobody_or_of_another_peer_opens_nothing(all_there):
    stranger = CA.issue("certificate").der
    challenge, reason = all_there.why(all_there.enter, certificate=stranger)
    assert challenge
    assert certificates.fingerprint(stranger) in reason
    assert all_there.why(all_there.enter, "certificate", stranger)[0] is False
    anothers = all_there.certificates["signature"]
    assert all_there.why(all_there.enter, "certificate", anothers)[0] is False
    with pytest.raises(AccessError, match="WS-Security"):
        all_there.enter(certificate=anothers)


def test_a_certificate_opens_nothing_before_its_first_day_and_after_its_last(all_there):
    own = all_there.certificates["certificate"]
    for days in (-2, 31):
        all_there.day += timedelta(days=days)
        assert all_there.why(all_there.enter, certificate=own)[0]
        all_there.day -= timedelta(days=days)
    assert all_there.enter(certificate=own).peer == "certificate"


def test_two_certificates_of_a_peer_hold_until_the_old_one_is_disabled(all_there):
    old = all_there.certificates["certificate"]
    new_id = all_there.certificate("certificate", CA.issue("certificate", ends=400 * DAY))
    new = all_there.certificates["certificate"]
    all_there.later()
    assert {all_there.enter(certificate=c).peer for c in (old, new)} == {"certificate"}
    all_there.change("UPDATE credential SET disabled_at = now() WHERE der = $1", old)
    assert all_there.why(all_there.enter, certificate=old)[0]
    assert all_there.enter(certificate=new).peer == "certificate"
    all_there.change("UPDATE credential SET disabled_at = now() WHERE id = $1", new_id)
    assert all_there.why(all_there.enter, certificate=new)[0]


def test_a_wrong_key_is_wrong_whatever_came_beside(all_there):
    own = all_there.certificates["certificate"]
    wrong = {"x-api-key": "gw_no_such"}
    assert all_there.why(all_there.enter, certificate=own, **wrong) == (True, "wrong credential")
    assert all_there.why(all_there.knock, **wrong) == (True, "wrong credential")


@pytest.mark.parametrize(
    ("peer", "kinds"),
    [("key", "text"), ("basic", "text"), ("digest", "digest"), ("signature", "signature")],
)
def test_a_stranger_is_who_the_message_proves(all_there, peer, kinds):
    found = all_there.knock()
    assert isinstance(found, Stranger)
    assert found.root_bytes == limits.MB
    caller = all_there.prove(found, proof(peer, kinds))
    assert (caller.peer, caller.require) == (peer, peer)


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        ("key", proof("key", "digest")),
        ("digest", proof("digest", "text")),
        ("digest", proof("digest", "signature")),
        ("signature", proof("signature", "digest", "text")),
        ("signature", proof("signature", "signature", signed=["body"])),
        ("signature", proof("signature", "signature", signed=["timestamp", "token"])),
        ("signature", proof("signature", "signature", signed=[])),
        ("certificate", proof("certificate", "signature")),
        ("certificate", proof("certificate", "text")),
    ],
)
def test_a_proof_of_another_kind_or_of_too_little_is_not_enough(all_there, peer, shown):
    challenge, reason = all_there.why(all_there.prove, all_there.knock(), shown)
    assert not challenge
    assert reason.endswith(f"where {peer} is required")


def test_a_message_without_a_proof_is_asked_for_a_credential(all_there):
    found = all_there.knock()
    assert all_there.why(all_there.prove, found, None) == (True, "no credential")


@pytest.mark.parametrize("code", ["digest", "signature"])
def test_a_key_beside_a_proof_must_be_of_the_same_peer_and_lets_more_be_sent(all_there, code):
    found = all_there.knock(code)
    assert (found.peer, found.root_bytes) == (code, limits.SOAP_ROOT_BYTES)
    assert all_there.prove(found, proof(code, code)).peer == code
    other = "signature" if code == "digest" else "digest"
    assert all_there.why(all_there.prove, found, proof(other, other))[0]
    challenge, reason = all_there.why(all_there.prove, found, None)
    assert (challenge, reason) == (False, f"a key, where {code} is required")


def test_a_caller_who_is_known_may_prove_himself_again_and_nobody_else(all_there):
    found = all_there.knock("key")
    assert isinstance(found, Caller)
    assert all_there.prove(found, None).peer == "key"
    assert all_there.prove(found, proof("key", "text")).peer == "key"
    assert all_there.why(all_there.prove, found, proof("signature", "signature"))[0]
    assert all_there.why(all_there.prove, found, proof("gone", "text"))[0]


def test_nobody_is_a_stranger_where_no_peer_proves_itself_in_a_message(door):
    assert door.why(door.knock)[0]
    door.peer("certificate")
    door.peer("digest")
    assert isinstance(door.knock(), Stranger)
    door.change("UPDATE peer SET enabled = false WHERE code = 'digest'")
    assert door.why(door.knock) == (True, "no credential")


def test_who_says_that_he_sends_more_than_a_stranger_may_is_asked_at_once(all_there):
    long = {"content-length": str(limits.MB + 1), "content-type": "text/xml"}
    assert all_there.why(all_there.knock, **long)[0]
    assert all_there.why(all_there.knock, **(long | {"content-length": "9" * 5000}))[0]
    assert isinstance(all_there.knock(**(long | {"content-length": "1000"})), Stranger)
    package = {**long, "content-type": 'Multipart/Related; type="text/xml"'}
    assert isinstance(all_there.knock(**package), Stranger)


def test_strangers_who_come_to_nothing_are_bounded_and_the_proven_are_not(all_there):
    for _ in range(2 * strangers.PER_ADDRESS):
        all_there.prove(all_there.knock(), proof("digest", "digest"))
    for _ in range(strangers.PER_ADDRESS):
        all_there.knock()
    assert all_there.why(all_there.knock) == (True, "no credential")
    assert all_there.knock("key").peer == "key"
    assert isinstance(all_there.knock("signature"), Stranger)
    all_there.seconds += strangers.SECONDS
    assert isinstance(all_there.knock(), Stranger)


def test_plain_http_from_elsewhere_is_refused_before_anything_is_looked_at(all_there):
    for call in (all_there.gate.enter, all_there.gate.knock):
        with pytest.raises(AccessError, match="plain HTTP"):
            call({}, BEYOND, tls=False, path="/", certificate=all_there.certificates["certificate"])


def test_the_keys_of_a_security_header_are_those_of_enabled_peers(all_there):
    found = all_there.gate.keys
    all_there.knock()
    assert found.password("key", all_there.keys["key"]) == "key"
    assert found.password("basic", all_there.keys["key"]) is None
    assert found.password("key", all_there.keys["key"] + "x") is None
    assert found.password("key", "") is None
    assert found.secrets("digest") == (all_there.secrets["digest"].encode(),)
    assert found.secrets("key") == ()
    der = all_there.certificates["signature"]
    assert found.certificate(der) == "signature"
    all_there.change("UPDATE peer SET enabled = false")
    all_there.why(all_there.knock)
    assert found.certificate(der) is None
    assert found.secrets("digest") == ()
    assert found.password("key", all_there.keys["key"]) is None


def test_a_signature_finds_its_certificate_by_each_name_that_it_may_use(all_there):
    found = all_there.gate.keys
    all_there.knock()
    der = all_there.certificates["signature"]
    read = certificates.read(der)
    issuer = CA.own.certificate.subject.rfc4514_string()
    assert found.issued(issuer, read.serial) == der
    assert found.issued(issuer, read.serial + 1) is None
    assert found.issued("CN=somebody else", read.serial) is None
    assert found.by_ski(read.ski) == der
    assert found.by_ski(b"") is None
    assert found.by_thumbprint(read.sha1) == der
    assert found.by_thumbprint(bytes(20)) is None


def test_of_certificates_with_one_key_the_one_in_force_is_found(all_there):
    first = CA.issue("renewed", ends=2 * DAY)
    second = CA.issue("renewed", key=first.key, begins=DAY)
    for issued in (second, first):
        all_there.certificate("signature", issued)
    all_there.later()
    all_there.knock()
    ski = certificates.read(first.der).ski
    assert all_there.gate.keys.by_ski(ski) == first.der
    all_there.day += 3 * DAY
    assert all_there.gate.keys.by_ski(ski) == second.der


def test_a_certificate_is_one_peers_and_so_is_its_key(all_there):
    own = CA.issue("mine")
    all_there.certificate("signature", own)
    for again in (own, CA.issue("renewed", key=own.key)):
        with pytest.raises(ConflictError, match="signature"):
            all_there.certificate("certificate", again)
    all_there.certificate("signature", CA.issue("renewed", key=own.key))


def test_a_secret_that_no_key_opens_is_as_good_as_none(door):
    door.peer("digest", key=False)
    assert isinstance(door.knock(), Stranger)
    other = Gate(door.url, trusted_wire=False, refused=door.refused.append, seals=Seals("33" * 32))
    assert not other.any_credential()
    assert other.keys.secrets("digest") == ()


@pytest.mark.parametrize("code", CODES)
def test_one_peer_that_can_prove_itself_is_enough_to_listen(door, code):
    assert not door.gate.any_credential()
    door.peer(code, key=code in ("key", "basic"))
    assert door.gate.any_credential()


def test_basic_names_the_peer_and_its_key(all_there):
    def basic(peer):
        text = base64.b64encode(f"{peer}:{all_there.keys['basic']}".encode()).decode()
        return all_there.enter(authorization=f"Basic {text}")

    assert basic("basic").peer == "basic"
    assert all_there.why(basic, "key") == (True, "wrong credential")


def test_a_row_that_requires_what_nobody_knows_lets_nobody_in(all_there):
    all_there.change("UPDATE peer SET require = 'a smile' WHERE code = 'key'")
    assert all_there.why(all_there.enter, "key")[0] is False
    assert all_there.why(all_there.prove, all_there.knock(), proof("key", "text"))[0] is False


def test_what_answers_must_carry_comes_with_the_caller(all_there):
    with all_there.db() as db:
        peers.ask(db, "key", "basic", "signature")
    all_there.later()
    assert (all_there.enter("key").require, all_there.enter("key").answers) == (
        "basic",
        "signature",
    )


def test_a_nonce_comes_once_on_all_nodes_and_of_each_kind(all_there):
    other = Gate(all_there.url, trusted_wire=False, refused=all_there.refused.append)
    until = all_there.day + timedelta(minutes=5)
    assert not all_there.gate.seen(b"nonce", until)
    assert all_there.gate.seen(b"nonce", until)
    assert other.seen(b"nonce", until)
    assert not other.seen(b"nonce", until, "signature")
    assert not other.seen(b"other", until)
    other.close()


def test_of_many_who_bring_one_nonce_at_once_one_is_the_first(all_there):
    until, told = all_there.day + timedelta(minutes=5), []
    calls = [
        threading.Thread(target=lambda: told.append(all_there.gate.seen(b"n", until)))
        for _ in range(12)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert sorted(told) == [False] + [True] * 11


def test_nonces_are_forgotten_when_nobody_would_take_them_any_more(all_there):
    for minutes in (1, 30, 60 * 24 * 400):
        all_there.gate.seen(b"%d" % minutes, all_there.day + timedelta(minutes=minutes))
    with all_there.db() as db:

        def left(after):
            retention.forget_nonces(db, all_there.day + after)
            return db.execute("SELECT count(*) FROM nonce").fetchone()[0]

        minutes = [left(timedelta(minutes=m)) for m in (0, 10, 12, 41)]
        assert minutes == [3, 3, 2, 1]
        assert left(timedelta(days=1, minutes=11)) == 0, "whatever the message said of itself"


def test_forgetting_is_a_job_of_the_schedule(all_there):
    all_there.gate.seen(b"old", all_there.day - timedelta(hours=1))
    all_there.gate.seen(b"new", all_there.day + timedelta(hours=1))
    pool = Pool(all_there.url)
    pool.open()
    schedule = Schedule(all_there.url, [nonces_job(pool, lambda: all_there.day)])
    schedule.start(datetime.now(UTC))
    try:
        with all_there.db() as db:
            count = "SELECT count(*) FROM nonce"
            eventually(lambda: db.execute(count).fetchone()[0] == 1)
    finally:
        schedule.stop()
        pool.close()
    assert all_there.gate.seen(b"new", all_there.day + timedelta(hours=1))


def test_without_the_memory_of_nonces_no_proof_is_taken(door):
    gate = Gate("postgresql://127.0.0.1:1/none", trusted_wire=False, refused=door.refused.append)
    with pytest.raises(BusyError):
        gate.seen(b"nonce", door.day)
    gate.close()
