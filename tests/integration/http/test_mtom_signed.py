"""A signature over a message that travels as a package is over its base64 (XOP 1.0, section 5)."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from gateway import limits
from gateway.access import certificates
from gateway.model.peer import Peer
from gateway.soap import security
from gateway.store import peers
from tests.integration.http.mtom_kit import (
    INCLUDE,
    LARGE,
    SMALL,
    attach,
    envelope,
    package,
    send,
    submit,
    text,
)
from tests.unit.access.pki import Authority

CA = Authority()
ISSUED = CA.issue("signs")


@pytest.fixture(scope="module")
def signing(own_house):
    """A house with a peer that signs its messages."""
    house = own_house("signing", GATEWAY_SEAL_KEY="11" * 32)
    now = datetime.now(UTC)
    with house.database() as db:
        peers.add(db, Peer(code="signs", name="signs", require="signature"), now)
        peers.add_certificate(db, "signs", certificates.read(ISSUED.der), now)
    yield house
    assert not house.defects()


def signed(inner, data):
    """A message signed over its base64, then packed as a client of MTOM packs it."""
    encoded = base64.b64encode(data).decode()
    whole = envelope(inner.replace("FILE", encoded))
    by = security.load(ISSUED.pem, ISSUED.key_pem)
    made = security.sign_envelope(whole, by, datetime.now(UTC))
    assert encoded.encode() in made
    return made.replace(encoded.encode(), INCLUDE.format("a@x").encode())


def test_a_signature_over_a_package_is_over_its_base64(signing):
    owner = signed(submit("signed", "FILE"), SMALL)
    answer = send(signing, package(owner, ("a@x", SMALL)), peer="")
    assert answer.status == 200, answer.body
    ((body, note),) = signing.messages("signed", "body", "note")
    assert (bytes(body), len(note["beside"])) == (owner, 1)
    root = signed(attach("signed", "signed-1", "FILE"), LARGE)
    answer = send(signing, package(root, ("a@x", LARGE)), peer="")
    assert text(answer, "Sha256") == sha256(LARGE).hexdigest()


def test_another_file_under_a_signature_opens_nothing(signing):
    root = signed(submit("forged", "FILE"), SMALL)
    for parts in ([("a@x", SMALL + b"!")], [], [("a@x", SMALL), ("b@x", SMALL)]):
        assert send(signing, package(root, *parts), peer="").status in {401, 500}
    assert signing.messages("forged", "id") == []


def test_a_signature_over_as_much_as_is_promised_is_taken(signing):
    """More than strangers of one address may hold: its parts count for the peer."""
    assert limits.SIGNED_PARTS_BYTES > limits.STRANGER_BODIES_BYTES
    data = os.urandom(limits.SIGNED_PARTS_BYTES)
    assert send(signing, package(signed(submit("much", "FILE"), SMALL), ("a@x", SMALL)), peer="")
    root = signed(attach("much", "much-1", "FILE"), data)
    answer = send(signing, package(root, ("a@x", data)), peer="")
    assert text(answer, "Sha256") == sha256(data).hexdigest(), answer.body[:500]


def test_a_signature_over_more_than_fits_is_refused_by_name(signing):
    data = os.urandom(limits.SIGNED_PARTS_BYTES + 1)
    root = signed(attach("signed", "signed-2", "FILE"), data)
    answer = send(signing, package(root, ("a@x", data)), peer="")
    assert answer.status == 500
    assert b"the parts of a message that is read whole are too large" in answer.body
