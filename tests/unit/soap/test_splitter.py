"""A body arrives in pieces; what is not one SOAP envelope is refused before the first of them."""

import pytest

from gateway.errors import TooLargeError, UnsupportedError
from gateway.soap.splitter import Splitter, media_type


@pytest.mark.parametrize("content_type", ["text/xml", 'Application/SOAP+XML; charset="utf-8"'])
def test_pieces_are_one_root_part(content_type):
    splitter = Splitter(content_type)
    for piece in (b"<a>", b"", b"x</a>"):
        splitter.feed(piece)
    parts = splitter.close()
    assert parts.root == b"<a>x</a>"
    assert dict(parts.parts) == {}


def test_an_empty_body_is_an_empty_root():
    assert Splitter("text/xml").close().root == b""


def test_the_limit_is_checked_piece_by_piece():
    splitter = Splitter("text/xml", root_limit=10)
    splitter.feed(b"x" * 10)
    with pytest.raises(TooLargeError):
        splitter.feed(b"x")


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "text/xmlx", ";"])
def test_what_is_not_soap_is_refused_at_once(content_type):
    with pytest.raises(UnsupportedError) as caught:
        Splitter(content_type)
    assert "text/xml" in caught.value.expected


def test_a_package_is_recognised_and_refused_with_a_way_out():
    with pytest.raises(UnsupportedError) as caught:
        Splitter('multipart/related; type="application/xop+xml"; boundary=b; start="<r>"')
    assert "base64" in caught.value.todo


def test_parameters_may_be_quoted_and_hold_semicolons():
    media = media_type('application/soap+xml; charset="UTF-8";action="urn:a;b\\"c"; charset=x')
    assert media.name == "application/soap+xml"
    assert dict(media.parameters) == {"charset": "UTF-8", "action": 'urn:a;b"c'}


@pytest.mark.parametrize("junk", ["\x00", "a/b;;;=", 'text/xml; charset="', "; " * 5000])
def test_a_content_type_of_junk_does_not_hurt(junk):
    assert media_type(junk).charset in ("", '"')
