"""In which encoding a message comes and goes: RFC 7303, 3; RFC 3902, 2; XML 1.0, 4.3.3 and F."""

import pytest
from lxml import etree

from tests.unit.soap.kit import BODY, MEDIA, VERSIONS, Fault, exchange, open_, soap

both = pytest.mark.parametrize("version", VERSIONS)
UTF8, LITTLE, BIG = b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"


def media(version, charset=None):
    name = MEDIA[version].partition(";")[0]
    return name if charset is None else f"{name}; charset={charset}"


def found(version, data, charset=None):
    call = open_(version, data, media=media(version, charset))
    return call.body[0][0].text, call.frame.content_type.partition("charset=")[2]


def declared(version, encoding, text=BODY):
    return f'<?xml version="1.0" encoding="{encoding}"?>{soap(version, text)}'


@both
@pytest.mark.parametrize("charset", [None, "utf-8", "windows-1251", "utf-16", '"us-ascii"'])
def test_a_byte_order_mark_says_more_than_the_charset(version, charset):
    text = declared(version, "windows-1251")
    assert found(version, UTF8 + text.encode(), charset) == ("проба", "utf-8")
    assert found(version, LITTLE + text.encode("utf-16-le"), charset) == ("проба", "utf-16")
    assert found(version, BIG + text.encode("utf-16-be"), charset) == ("проба", "utf-16")


@both
def test_the_charset_says_more_than_the_declaration(version):
    text = declared(version, "utf-8")
    assert found(version, text.encode("cp1251"), "windows-1251") == ("проба", "windows-1251")
    assert found(version, text.encode("utf-16-le"), "utf-16le") == ("проба", "utf-16")
    assert found(version, text.encode("utf-16-be"), "utf-16be") == ("проба", "utf-16")
    lying = declared(version, "windows-1251")
    assert found(version, lying.encode(), "utf-8") == ("проба", "utf-8")


@both
@pytest.mark.parametrize("name", ["UTF-8", '"utf-8"', "'utf-8'", '"UTF-8" ; x=y', "utf8"])
def test_names_of_encodings_are_read_as_they_are_written(version, name):
    assert found(version, soap(version).encode(), name) == ("проба", "utf-8")


@both
def test_without_charset_and_declaration_it_is_utf8_or_utf16_by_its_first_bytes(version):
    text = soap(version)
    assert found(version, text.encode()) == ("проба", "utf-8")
    assert found(version, text.encode("utf-16-le")) == ("проба", "utf-16")
    assert found(version, text.encode("utf-16-be"), "utf-16") == ("проба", "utf-16")


@both
def test_white_space_before_a_declaration_is_no_xml(version):
    fault = Fault(exchange(version, "\n" + declared(version, "utf-8")))
    assert fault.field("Code") == "malformed"


@both
@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (b"\xff\xfe" + "<a/>".encode("utf-16-le") + b"\x00", None),
        (b"\xff\xfe\x00\x00" + "<a/>".encode("utf-32-le"), None),
        ("<a>\udcd0</a>".encode("utf-8", "surrogateescape"), "utf-8"),
        (b"<a>\x98</a>", "windows-1251"),
        ("<a>\ud800</a>".encode("utf-16-le", "surrogatepass"), "utf-16le"),
        (b"\xef\xbb", None),
        (b"\x4c\x6f\xa7\x94", None),
    ],
    ids=[
        "half a unit",
        "UTF-32",
        "no UTF-8",
        "not in 1251",
        "half a pair",
        "half a mark",
        "EBCDIC",
    ],
)
def test_bytes_that_are_not_of_their_encoding_are_told_in_a_readable_fault(version, data, charset):
    sealed = exchange(version, data, media=media(version, charset))
    fault = Fault(sealed)
    assert fault.field("Code") in ("malformed", "unsupported")
    assert etree.fromstring(sealed.body) is not None


@both
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1251"])
def test_an_answer_says_its_encoding_twice_and_the_same(version, encoding):
    data = soap(version).encode(encoding)
    sealed = exchange(version, data, media=media(version, encoding))
    assert sealed.content_type == media(version, encoding)
    text = sealed.body.decode(encoding)
    assert text.startswith(f'<?xml version="1.0" encoding="{encoding}"?>')
    assert "ответ" in text


def test_the_action_parameter_stands_beside_the_charset():
    text = soap("1.2").encode("cp1251")
    for order in ('charset=windows-1251; action="{}"', 'action="{}"; charset=windows-1251'):
        sent = f"application/soap+xml; {order.format('urn:gov:appeals:v1/GetAppeal')}"
        call = open_("1.2", text, media=sent)
        assert call.soap_action == "urn:gov:appeals:v1/GetAppeal"
        assert call.frame.encoding == "windows-1251"
