"""Our own gateway as the partner: our engine takes what our client proves, and its repeat."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from gateway.errors import SecurityError
from gateway.soap import envelope, security
from gateway.soap.identity import Identity, Login
from tests.unit.soap import there as t
from tests.unit.soap.kit import CONTEXT

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
VERSIONS = ("1.1", "1.2")


class Keys:
    """The credentials of one peer, and of nobody else."""

    def __init__(self, password="пароль & s3cret", certificate=b""):
        self._password = password
        self._certificate = certificate

    def password(self, user, password):
        return "шлюз" if (user, password) == ("шлюз", self._password) else None

    def secrets(self, user):
        return (self._password.encode(),) if user == "шлюз" else ()

    def certificate(self, der):
        return "шлюз" if der == self._certificate else None

    def issued(self, issuer, serial):
        return None

    by_ski = by_thumbprint = issued


def gate(keys, *, secure=True):
    """A context of the engine with a memory of what was seen; secure: nobody reads along."""
    known = set()

    def seen(what, _until):
        was = what in known
        known.add(what)
        return was

    return replace(CONTEXT, now=NOW, keys=keys, seen=seen, secure_wire=secure)


@pytest.fixture
def there():
    server = t.There()
    yield server
    server.close()


@pytest.fixture
def out():
    made = t.outbound()
    yield made
    made.close()


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    certificate, key = t.made_certificate(tmp_path_factory.mktemp("sign"))
    return security.load(certificate.read_bytes(), key.read_bytes())


def clock():
    """Instants that follow each other, as attempts do."""
    ticks = iter(range(100))
    return lambda: NOW + dt.timedelta(seconds=next(ticks))


def proven(got, ctx):
    opened = envelope.read(got.body, got.headers, ctx)
    return security.read(opened.envelope, opened.blocks, opened.frame.version, ctx)


@pytest.mark.parametrize("kinds", ["text", "digest", "signature", "digest signature"])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_attempt_and_its_repeat_are_both_taken(there, out, signer, version, kinds):
    login = next((kind for kind in kinds.split() if kind != "signature"), "")
    who = Identity(
        now=clock(),
        login=Login(kind=login, user="шлюз", password="пароль & s3cret") if login else None,
        signer=signer if "signature" in kinds else None,
    )
    client = t.client(there.address, out, version, addressing=True, identity=who)
    wire = client.message("SubmitStatus", "0199-key", Report=t.REPORT)
    ctx = gate(Keys(certificate=signer.certificate))
    for _ in range(2):
        client.send(wire)
        proof = proven(there.got[-1], ctx)
        assert proof.peer == "шлюз"
        assert proof.kinds == set(kinds.split())
        assert proof.timestamp
        if "signature" in kinds:
            assert {"body", "timestamp"} <= proof.signed
    with pytest.raises(SecurityError):
        proven(there.got[-1], gate(Keys("другой", b"other")))


def test_a_copy_of_what_was_sent_is_not_taken_twice(there, out):
    login = Login(kind="digest", user="шлюз", password="пароль & s3cret")
    client = t.client(there.address, out, identity=Identity(now=clock(), login=login))
    client.send(client.message("SubmitStatus", "k", Report=t.REPORT))
    ctx = gate(Keys(), secure=False)
    assert proven(there.got[0], ctx).peer == "шлюз"
    with pytest.raises(SecurityError):
        proven(there.got[0], ctx)
