"""The parts of a signed package are waited for only when a peer's signature is in its envelope."""

import asyncio

import pytest

from gateway import ns
from gateway.errors import SecurityError
from gateway.soap import envelope
from gateway.store.blobs import BlobDirectory
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


def inline_signed(tmp_path, text, opening=OPENING):
    """Return the room, and whether anything behind the envelope was asked for."""
    room = Rooms()
    sender = Sender(package(text.encode(), ("a", b"scan" * 5_000)), 1_000)
    incoming = Incoming(sender, {"content-type": HEAD}, room.body(""))

    async def run():
        root = await incoming.root()
        asked = sender.asked
        opened = envelope.read(root, incoming.headers, opening)
        try:
            await incoming.inline_signed(opened, BlobDirectory(tmp_path), opening)
        except SecurityError as error:
            return room, sender.asked > asked, error
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
    assert envelope.precheck(opened, context) == "omsu"
    assert not ctx.memory
    with pytest.raises(SecurityError):
        envelope.prove(opened, context)
