"""A message that СМЭВ signed, put together in other ways: nothing else is believed for it."""

from __future__ import annotations

import re

import pytest

from adapters.smev.messages import read
from adapters.smev.messages import types as t
from gateway.errors import GatewayError, TrustError
from gateway.outbound import Outbound
from tests.gost_kit import needs_gost

pytestmark = needs_gost


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys of the stand of this file."""
    return tmp_path_factory.mktemp("smev-keys")


class Keeping(Outbound):
    """Keeps the last answer with a message in it."""

    body = b""

    def request(self, *given, **more):
        response = super().request(*given, **more)
        if b":RequestMessage" in response.body:
            type(self).body = re.search(rb"<(\w+:Envelope)[ >].*</\1>", response.body, re.DOTALL)[0]
        return response


def part(body, name):
    """Return an element as it stands, its beginning and its end with it."""
    return re.search(rb"<(\w+:)?%b[ >].*</(\w+:)?%b>" % (name, name), body, re.DOTALL)[0]


def inside(element):
    return re.fullmatch(rb"<[^>]*>(.*)</[^>]*>", element, re.DOTALL)[1]


def filled(body, name, content):
    """Put other content into an element."""
    old = part(body, name)
    return body.replace(old, old.replace(inside(old), content, 1))


def forged(body):
    """The same request with other words and another number, its Id as it was."""
    return re.sub(rb"(<\w*:?Text>)", rb"\g<1>Chuzhoe: ", body, count=1)


def two_requests(body):
    signed = part(body, b"Request")
    return body.replace(signed, forged(signed) + signed)


def request_within_request(body):
    signed = part(body, b"Request")
    return body.replace(
        signed, forged(signed).replace(inside(signed), signed + inside(forged(signed)), 1)
    )


def message_within_message(body):
    message = part(body, b"RequestMessage")
    return body.replace(
        message,
        message.replace(part(message, b"Request"), forged(part(message, b"Request")) + message, 1),
    )


def message_aside_in_the_header(body):
    """The signed message stands in the header, where its Ids are found before those of the Body."""
    message = part(body, b"RequestMessage")
    declared = b" ".join(dict.fromkeys(re.findall(rb'xmlns:[tb]="[^"]*"', body)))
    at = re.search(rb"<(\w+):Body", body)
    header = b"<%b:Header %b>%b</%b:Header>" % (at[1], declared, message, at[1])
    return body[: at.start()] + header + forged(body[at.start() :])


def two_bodies(body):
    whole = re.search(rb"<(\w+):Body.*</\1:Body>", body, re.DOTALL)[0]
    return body.replace(whole, forged(whole) + whole)


def signatures_swapped(body):
    smev = inside(part(body, b"SMEVSignature"))
    sender = inside(part(body, b"SenderInformationSystemSignature"))
    return body.replace(smev, b"@").replace(sender, smev).replace(b"@", sender)


def the_senders_for_smev(body):
    return filled(body, b"SMEVSignature", inside(part(body, b"SenderInformationSystemSignature")))


def two_signatures_in_one_place(body):
    signature = inside(part(body, b"SMEVSignature"))
    return filled(body, b"SMEVSignature", signature * 2)


def the_data_alone_as_the_request(body):
    """What the sender signed, handed over as if СМЭВ had: its own words about it are others."""
    metadata = part(body, b"MessageMetadata")
    other = re.sub(rb"(<\w*:?Mnemonic>)[^<]*", rb"\g<1>SOMEBODY", metadata, count=1)
    assert other != metadata
    return body.replace(metadata, other)


def two_metadata(body):
    metadata = part(body, b"MessageMetadata")
    return body.replace(
        metadata, re.sub(rb"(<\w*:?Mnemonic>)[^<]*", rb"\g<1>SOMEBODY", metadata) + metadata
    )


def reply_to_elsewhere(body):
    return filled(body, b"ReplyTo", b"to-somebody")


def another_id_attribute(body):
    """A forged request has the signed Id in another attribute, the signed one stands behind."""
    signed = part(body, b"Request")
    id_ = re.search(rb'Id="([^"]*)"', signed)[1]
    for written in (b'ID="%b"', b'id="%b"', b'xml:id="%b"', b'w:Id="%b" xmlns:w="urn:w"'):
        fake = re.sub(rb'Id="[^"]*"', written % id_, forged(signed), count=1)
        yield body.replace(signed, fake + signed)


SHAPES = [
    two_requests, request_within_request, message_within_message, message_aside_in_the_header,
    two_bodies, signatures_swapped, the_senders_for_smev, two_signatures_in_one_place,
    the_data_alone_as_the_request, two_metadata, reply_to_elsewhere, another_id_attribute,
]  # fmt: skip


def believed(channel, body, clock):
    """Return the message that is believed; raise GatewayError."""
    answer = read.answer(body)
    proof = channel._room.proof
    proof.by_smev(answer, clock())
    proof.by_sender(answer, clock())
    return answer


def test_no_other_shape_of_a_signed_message_is_believed(stand, connect, clock):
    channel = connect(stand, way=Keeping)
    stand.control(emit=1, seed=3)
    channel.receive("")
    told = {}
    for shape in SHAPES:
        made = shape(Keeping.body)
        for number, body in enumerate([made] if isinstance(made, bytes) else made):
            assert body != Keeping.body, shape.__name__
            with pytest.raises(GatewayError) as refused:
                believed(channel, body, clock)
            told[shape.__name__, number] = refused.value
    assert isinstance(believed(channel, Keeping.body, clock), t.RequestMessage)
    others = {shape: error for shape, error in told.items() if not isinstance(error, TrustError)}
    assert not others
