"""The one parser that sees a stranger's bytes."""

import contextlib
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import limits, xml
from gateway.errors import GatewayError, MalformedError, TooLargeError, UnsupportedError

TEXT = "<а>Ёж</а>"


@pytest.mark.parametrize(
    ("data", "charset", "encoding"),
    [
        (TEXT.encode(), "", "utf-8"),
        (TEXT.encode(), "US-ASCII", "utf-8"),
        (TEXT.encode("utf-8-sig"), "windows-1251", "utf-8"),
        (TEXT.encode("utf-16"), "", "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-8", "utf-16-be"),
        (TEXT.encode("utf-16-le"), "", "utf-16-le"),
        (TEXT.encode("utf-16-be"), "UTF-16", "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16", "utf-16-le"),
        (TEXT.encode("cp1251"), '"CP1251"', "windows-1251"),
        (
            b"<?xml version='1.0' encoding='Windows-1251'?>" + TEXT.encode("cp1251"),
            "",
            "windows-1251",
        ),
        (b'<?xml version="1.0" encoding="koi8-r"?>' + TEXT.encode(), "utf-8", "utf-8"),
        (b'<?xml version="1.0" standalone="yes"?>' + TEXT.encode(), "", "utf-8"),
    ],
)
def test_the_encoding_is_taken_from_the_mark_then_the_media_type_then_the_declaration(
    data, charset, encoding
):
    document = xml.parse(data, charset)
    assert document.encoding == encoding == xml.encoding_of(data, charset)
    assert (document.root.tag, document.root.text) == ("а", "Ёж")


@pytest.mark.parametrize("encoding", sorted(xml.CHARSET_LABELS))
def test_what_is_encoded_is_parsed_again(encoding):
    data = xml.encode("<a>Ёж \U0001f3e0</a>".encode(), encoding)
    document = xml.parse(data)
    assert document.encoding == encoding
    assert document.root.text == "Ёж \U0001f3e0"


@pytest.mark.parametrize(
    "data", [b"<a>\x98</a>", "<a>\ud800</a>".encode("utf-16-le", "surrogatepass"), b"<\x00a"]
)
def test_bytes_that_the_encoding_lacks_are_refused_with_their_place(data):
    with pytest.raises(MalformedError) as caught:
        xml.parse(data, "windows-1251" if data[1] else "utf-16")
    assert caught.value.where.startswith("byte ")


def test_an_encoding_not_offered_is_named():
    for data in (b'<?xml version="1.0" encoding="ebcdic-cp-us"?><a/>', "<a/>".encode("utf-32")):
        with pytest.raises(UnsupportedError):
            xml.parse(data)
        assert xml.encoding_of(data) == "utf-8"


def test_external_entities_are_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("секрет")
    data = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a b="1">&x;</a>'.encode()
    with pytest.raises(MalformedError) as caught:
        xml.parse(data)
    assert "секрет" not in str(caught.value)


def test_the_words_of_a_document_type_are_only_words_in_text():
    assert xml.parse(b"<a><![CDATA[<!DOCTYPE a>]]></a>").root.text == "<!DOCTYPE a>"


def test_comments_and_instructions_do_not_split_a_text():
    root = xml.parse(b"<a>A-<!-- x -->1<?y z?>2</a>").root
    assert (root.text, len(root)) == ("A-12", 0)


def nested(depth, filler=b""):
    return b"<a>" * (depth - 1) + b"<a>" + filler + b"</a>" * depth


@pytest.mark.parametrize("filler", [b"", b"=" * (limits.SOAP_ROOT_NODES + 1)])
@pytest.mark.parametrize("bad", [b"<u:b/>", b'<b u:x="1"/>'])
def test_a_prefix_without_declaration_is_refused_whatever_is_warned_of_behind_it(bad, filler):
    document = b'<a>%s%s<c xmlns="relative"/></a>'
    with pytest.raises(MalformedError, match="not defined"):
        xml.parse(document % (bad, filler))
    xml.parse(document % (b"", filler))


@pytest.mark.parametrize("filler", [b"", b"=" * (limits.SOAP_ROOT_NODES + 1)])
def test_the_deepest_level_allowed_is_taken_and_the_next_is_not(filler):
    assert xml.parse(nested(limits.XML_DEPTH, filler)).root is not None
    for depth in (limits.XML_DEPTH + 1, 255, 300, 3000):
        with pytest.raises(TooLargeError):
            xml.parse(nested(depth, filler))


def test_the_last_node_allowed_is_taken_and_the_next_is_not():
    many = b"<b/>" * (limits.SOAP_ROOT_NODES - 1)
    filler = b"=" * limits.SOAP_ROOT_NODES
    assert len(xml.parse(b"<a>" + filler + many + b"</a>").root) == limits.SOAP_ROOT_NODES - 1
    with pytest.raises(TooLargeError):
        xml.parse(b"<a>" + filler + many + b"<b/></a>")


@pytest.mark.parametrize("filler", [b"", b"=" * (limits.SOAP_ROOT_NODES + 1)])
def test_the_last_attribute_allowed_is_taken_and_the_next_is_not(filler):
    def document(count):
        return b"<a><b%s/>%s</a>" % (b"".join(b' x%d="1"' % n for n in range(count)), filler)

    assert len(xml.parse(document(limits.XML_ATTRIBUTES)).root[0].attrib) == limits.XML_ATTRIBUTES
    with pytest.raises(TooLargeError, match="attributes"):
        xml.parse(document(limits.XML_ATTRIBUTES + 1))


def test_one_prefix_may_be_declared_again_and_again_up_to_a_limit():
    def document(count):
        return b"<a>" + b'<b xmlns:i="urn:i" i:nil="true"/>' * count + b"</a>"

    assert len(xml.parse(document(limits.XML_DECLARATIONS)).root) == limits.XML_DECLARATIONS
    with pytest.raises(TooLargeError, match="prefixes"):
        xml.parse(document(limits.XML_DECLARATIONS + 1))


def test_the_last_prefix_allowed_is_taken_and_the_next_is_not():
    def document(count):
        names = b"".join(b' xmlns:p%d = "urn:p"' % n for n in range(count))
        again = b'<b xmlns:p0="urn:p"/>' * limits.XML_PREFIXES
        return b"<a%s>%s</a>" % (names, again)

    assert len(xml.parse(document(limits.XML_PREFIXES)).root.nsmap) == limits.XML_PREFIXES
    with pytest.raises(TooLargeError, match="too many prefixes"):
        xml.parse(document(limits.XML_PREFIXES + 1))


@pytest.mark.parametrize("quote", [b'"', b"'"])
@pytest.mark.parametrize("name", [b"xmlns", b"xmlns:p", b"xmlns:p "])
@pytest.mark.parametrize("before", [b"", b'<![CDATA[xmlns="]]>', b"<b x='=\"' xmlns='u:u'/>"])
def test_the_name_of_a_namespace_is_bounded(quote, name, before):
    # Each look at the name of an element makes a copy of it: there were 9 MB for each header.
    filler = b"<c>%s</c>" % (b"x" * 9_000)

    def document(length):
        value = quote + b"u:" + b"x" * (length - 2) + quote
        return b"<a>%s<b %s=\n%s/>%s</a>" % (before, name, value, filler)

    xml.parse(document(limits.XML_NAMESPACE_BYTES))
    with pytest.raises(TooLargeError, match="namespace"):
        xml.parse(document(limits.XML_NAMESPACE_BYTES + 1))


def test_counting_stops_while_the_document_is_still_coming():
    unfinished = b"<a>" + b"<b/>" * (limits.SOAP_ROOT_NODES * 2)
    with pytest.raises(TooLargeError):
        xml.parse(unfinished)


def test_a_text_past_ten_megabytes_is_too_large():
    with pytest.raises(TooLargeError):
        xml.parse(b"<a>" + b"x" * (10 * limits.MB + 1) + b"</a>")


def test_nodes_is_an_upper_bound():
    assert xml.parse(b'<a b="1" c="2"><d/><e></e></a>').nodes >= 5


def test_errors_of_one_thread_stay_in_it():
    found = {}

    def work(name):
        for _ in range(200):
            try:
                xml.parse(f"<{name}><x></{name}>".encode())
            except MalformedError as error:
                found.setdefault(name, set()).add(error.message)

    threads = [threading.Thread(target=work, args=(f"имя{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: len(messages) for name, messages in found.items()} == dict.fromkeys(found, 1)
    assert all(name in min(messages) for name, messages in found.items())


def test_the_canonical_form_does_not_depend_on_the_spelling():
    first = xml.parse(b'<x:a xmlns:x="urn:x" xmlns:y="urn:y" b="1"  c="2"><x:d/></x:a>').root
    second = xml.parse(b"<x:a xmlns:x='urn:x' c='2' b='1'><x:d></x:d></x:a>").root
    assert xml.c14n(first) == xml.c14n(second)
    assert b"urn:y" in xml.c14n(first, ["y"])
    assert len(xml.digest(xml.c14n(first))) == 64


@given(st.text(max_size=60))
def test_quoted_and_escaped_text_comes_back(text):
    root = etree.fromstring(f'<a b="{xml.quote(text)}">{xml.escape(text)}</a>'.encode())
    assert (root.text or "") == root.get("b")


@given(st.binary(max_size=200), st.sampled_from(["", "utf-8", "utf-16", "windows-1251", "x"]))
def test_any_bytes_are_a_document_or_an_error_of_ours(data, charset):
    try:
        assert xml.parse(data, charset).root is not None
    except GatewayError as error:
        assert error.who == "peer"  # noqa: PT017 - either way is right
    assert xml.encoding_of(data, charset) in xml.CHARSET_LABELS


@pytest.mark.parametrize(
    "inside",
    [
        "<![CDATA[%s]]>",
        "<!-- %s -->",
        "<?pi %s?>",
        "<![CDATA[<!-- %s]]>",
        "<!-- <![CDATA[ %s ]]> <? -->",
    ],
)
def test_what_is_no_tag_is_not_counted_as_one(inside):
    """HTML in a CDATA section has tags of its own."""
    tags = "<b>" * (limits.SOAP_ROOT_NODES + 1)
    document = xml.parse(f"<a>{inside % tags}<c/></a>".encode())
    assert [child.tag for child in document.root] == ["c"]
    with pytest.raises(TooLargeError):
        xml.parse(f"<a>{inside % '<b>'}{'<b/>' * (limits.SOAP_ROOT_NODES + 1)}</a>".encode())


@pytest.mark.parametrize("piece", ["<!---->", "<?a?>", "<![CDATA[]]>"])
def test_there_may_be_as_many_comments_as_elements(piece):
    with pytest.raises(TooLargeError, match="comments"):
        xml.parse(f"<a>{piece * 2_000_000}</a>".encode()[: 10 * limits.MB])


@pytest.mark.parametrize("piece", ["<!--", "<![CDATA[", "<?a ", "<", '="'])
def test_what_never_ends_is_looked_through_once(piece):
    data = b"<a>" + piece.encode() * (8 * limits.MB // len(piece))
    begun = time.process_time()
    with pytest.raises(GatewayError):
        xml.parse(data)
    assert time.process_time() - begun < 2.0


def test_a_prefix_may_be_long_and_not_longer():
    def document(length):
        name = b"p" * length
        return b"<a xmlns:%s='urn:a'>%s</a>" % (name, b"x" * 9_000)

    xml.parse(document(limits.XML_PREFIX_BYTES))
    with pytest.raises(TooLargeError, match="prefix"):
        xml.parse(document(limits.XML_PREFIX_BYTES + 1))


@pytest.mark.parametrize("text", ["= ", "=", "xmlns", "xmlns:", "'", '"', '="', "xmlns='"])
def test_what_looks_like_attributes_in_a_text_is_looked_through_once(text):
    data = f"<a>{text * (6 * limits.MB // len(text))}</a>".encode()
    begun = time.process_time()
    with contextlib.suppress(TooLargeError):
        assert xml.parse(data).root.text
    assert time.process_time() - begun < 1.0


def test_attributes_are_counted_before_parsing_and_after():
    declared = "".join(f" xmlns:p{n}='urn:p'" for n in range(limits.XML_PREFIXES))
    most = "".join(f" a{n}='>='" for n in range(limits.XML_ATTRIBUTES))
    xml.parse(f"<a{declared}{most}/>".encode())
    for more in (" b=''", ' b="2"'):
        with pytest.raises(TooLargeError, match="attributes"):
            xml.parse(f"<a{most}{more}/>".encode())
        with pytest.raises(TooLargeError, match="attributes"):
            xml.parse(f"<a {most.replace('>', ' ')}{more}/>".encode())
