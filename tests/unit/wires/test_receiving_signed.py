"""The parts of a signed package are waited for only when a peer's signature is in its envelope."""

import asyncio

import pytest

from gateway import limits, ns
from gateway.errors import BusyError, GatewayError, SecurityError
from gateway.soap import envelope, security
from gateway.store.blobs import BlobDirectory
from gateway.wires import receiving
from gateway.wires.proving import Proving
from gateway.wires.receiving import Incoming
from gateway.wires.room import Room
from gateway.wires.service import appeals_service
from tests.unit.soap.security.kit import NOW, Ctx, Peers, header, signed, soap, timestamp
from tests.unit.wires.test_receiving import HEAD, Sender, package

OPENING = envelope.Context(now=NOW, service=appeals_service(), keys=Peers())
UNSIGNED = soap(header(timestamp(), '<ds:Signature xmlns:ds="' + ns.DS + '"/>'))
POINTER = f'<x:Include xmlns:x="{ns.XOP}" href="cid:a"/>'


class Rooms(Room):
    """A room that remembers for whom packages were taken in."""

    def __init__(self):
        super().__init__()
        self.entered = []

    def package(self, peer):
        self.entered.append(peer)
        return super().package(peer)


def inline_signed(
    tmp_path, text, opening=OPENING, *, part=b"scan" * 5_000, proving=None, sends=Sender
):
    """Return the room, and whether anything behind the envelope was asked for."""
    room, proving = Rooms(), proving or Proving()
    sender = sends(package(text.encode(), ("a", part)), 8_000)
    incoming = Incoming(sender, {"content-type": HEAD}, room.strangers.body("127.0.0.1"))

    async def run():
        root = await incoming.root()
        asked = sender.asked
        opened = envelope.read(root, incoming.headers, opening)
        try:
            turn = proving.turn("127.0.0.1", len(root))
            await incoming.inline_signed(opened, BlobDirectory(tmp_path), opening, turn, room)
        except GatewayError as error:
            return room, sender.asked > asked, error
        finally:
            proving.close()
        return room, sender.asked > asked, None

    return asyncio.run(run())


def test_a_peer_that_signed_has_its_parts_taken_in_its_own_place(tmp_path):
    room, asked, error = inline_signed(tmp_path, signed().replace("проба", POINTER))
    assert (room.entered, asked, error) == (["omsu"], True, None)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (UNSIGNED, Peers()),
        (signed(number=7), Peers()),
        (signed().replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"), Peers()),
        (signed(stamp=timestamp(NOW.replace(year=2020), None)), Peers()),
    ],
    ids=["empty", "stranger", "changed", "old"],
)
def test_a_stranger_takes_no_place_and_nothing_is_waited_for(tmp_path, text, keys):
    opening = envelope.Context(now=NOW, service=appeals_service(), keys=keys)
    room, asked, error = inline_signed(tmp_path, text, opening)
    assert isinstance(error, SecurityError)
    assert (room.entered, asked) == ([], False)


def test_where_no_signature_counts_none_is_waited_for(tmp_path):
    opening = envelope.Context(now=NOW, service=appeals_service(), proven=True)
    room, asked, error = inline_signed(tmp_path, signed(), opening)
    assert (room.entered, asked, error) == ([], False, None)


def test_the_check_before_the_parts_remembers_nothing_and_proves_no_body():
    ctx = Ctx()
    text = signed().replace("проба", "подмена")
    context = envelope.Context(now=NOW, service=appeals_service(), keys=ctx.keys, seen=ctx.seen)
    opened = envelope.read(text.encode(), {"content-type": "text/xml; charset=utf-8"}, context)
    found = security.presigned(opened.envelope, opened.blocks, opened.frame.version, context)
    assert found is not None
    assert found.peer == "omsu"
    assert not ctx.memory
    with pytest.raises(SecurityError):
        envelope.prove(opened, context)


SIGNED = signed().replace("проба", POINTER)


def seen_of(text):
    opened = envelope.read(text.encode(), {"content-type": "text/xml; charset=utf-8"}, OPENING)
    return security.presigned(opened.envelope, opened.blocks, "1.1", OPENING).seen


def test_parts_as_large_as_is_promised_fit_at_an_address_that_may_hold_less(tmp_path):
    part = b"x" * limits.SIGNED_PARTS_BYTES
    assert len(part) > limits.STRANGER_BODIES_BYTES
    room, asked, error = inline_signed(tmp_path, SIGNED, part=part)
    assert (room.entered, asked, error) == (["omsu"], True, None)
    assert room.strangers.held == 0
    assert room.held > len(part)


def test_a_package_of_a_signature_that_was_taken_is_not_waited_for(tmp_path):
    proving = Proving()
    proving.spent(seen_of(SIGNED), NOW)
    room, asked, error = inline_signed(tmp_path, SIGNED, proving=proving)
    assert error.message == "the message was sent before"
    assert (room.entered, asked) == ([], False)


def test_one_package_comes_in_under_a_signature_at_a_time(tmp_path):
    proving = Proving()
    with proving.package(seen_of(SIGNED)):
        room, asked, error = inline_signed(tmp_path, SIGNED, proving=proving)
    assert isinstance(error, BusyError)
    assert (room.entered, asked) == ([], False)
    assert inline_signed(tmp_path, SIGNED, proving=proving)[2] is None


class Stalls(Sender):
    """Sends its envelope, and then nothing."""

    async def __call__(self):
        if self.asked:
            await asyncio.Event().wait()
        return await super().__call__()


def test_the_parts_have_their_time(tmp_path, monkeypatch):
    monkeypatch.setattr(receiving, "SIGNED_PARTS_SECONDS", 0.01)
    room, _, error = inline_signed(tmp_path, SIGNED, sends=Stalls)
    assert error.message == "the parts of a signed message came too slowly"
    with room.package("omsu"):
        assert room.entered == ["omsu", "omsu"]
