"""What points to a part is found and taken out; what points elsewhere is refused with its place."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import contracts, limits, ns
from gateway.errors import InputError, TooLargeError, ValidationError
from gateway.soap import xop

FILES = frozenset({ns.tag(ns.APPEALS, "Content")})
INCLUDE = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="{}"/>'


def include(href="cid:scan@x"):
    return INCLUDE.format(href)


def attach(content, attributes="", role=""):
    return etree.fromstring(
        f'<AttachFile xmlns="{ns.APPEALS}" xmlns:i="{ns.XSI}"><OwnerKey><ExternalId>a</ExternalId>'
        f"</OwnerKey><FileName>a.png</FileName><Content{attributes}>{content}</Content>"
        f"<MessageKey>k</MessageKey>{role}</AttachFile>"
    )


def appeal(*contents):
    items = "".join(
        f"<AttachmentIn><FileName>{n}</FileName><Content>{content}</Content></AttachmentIn>"
        for n, content in enumerate(contents)
    )
    return etree.fromstring(
        f'<SubmitAppeal xmlns="{ns.APPEALS}"><Appeal><ExternalId>a</ExternalId>'
        f"<Attachments>{items}</Attachments></Appeal></SubmitAppeal>"
    )


def places(body, form="xop"):
    with pytest.raises(ValidationError) as caught:
        xop.take_out(body, FILES, form)
    return [(found.path, found.code) for found in caught.value.violations]


@pytest.mark.parametrize(
    ("href", "cid"),
    [
        ("cid:scan@x", "scan@x"),
        ("CID:scan@x", "scan@x"),
        (" cid:scan@x ", "scan@x"),
        ("cid:http%3A%2F%2Ftempuri.org%2F1%2F63", "http://tempuri.org/1/63"),
        ("cid:a+b", "a+b"),
    ],
)
def test_an_include_is_taken_out_and_the_schema_sees_an_empty_file(href, cid):
    body = attach(f"\n  {include(href)}\n ")
    (link,) = xop.take_out(body, FILES, "xop")
    assert link.cid == cid
    assert (link.element.text, len(link.element)) == (None, 0)
    contracts.appeals().validate(body)
    assert xop.resolve([link], {cid: "stored"}) == {link.element: "stored"}


def test_attributes_of_other_namespaces_are_no_hindrance():
    body = attach(include().replace("/>", ' xmlns:m="urn:m" m:x="1"/>'))
    assert len(xop.take_out(body, FILES, "xop")) == 1


def test_several_files_each_have_their_part():
    body = appeal(include("cid:a"), "QQ==", include("cid:b"))
    links = xop.take_out(body, FILES, "xop")
    assert [link.cid for link in links] == ["a", "b"]
    found = xop.resolve(links, {"a": 1, "b": 2})
    contents = list(body.iter(*FILES))
    assert [found.get(content, content.text) for content in contents] == [1, "QQ==", 2]


CONTENT = "/AttachFile/Content"


@pytest.mark.parametrize(
    "content",
    [
        include("http://inside.example/scan.png"),
        include("file:///etc/passwd"),
        include("scan@x"),
        include("#scan"),
        include("cid:"),
        include("cid:" + "x" * 1000),
        include().replace('href="cid:scan@x"', ""),
    ],
)
def test_nothing_is_fetched_from_elsewhere(content):
    assert places(attach(content)) == [(CONTENT, "cid")]


@pytest.mark.parametrize(
    "content",
    [
        "QQ==" + include(),
        include() + "QQ==",
        include("cid:a") + include("cid:b"),
        f"<a>{include()}</a>",
        include().replace("/>", ">text</xop:Include>"),
        include().replace("/>", "><a/></xop:Include>"),
        include().replace("/>", ' type="image/png"/>'),
    ],
)
def test_an_include_stands_alone_in_its_file(content):
    assert {code for _, code in places(attach(content))} == {"include"}


def test_a_nil_file_has_no_bytes():
    assert places(attach(include(), ' i:nil="true"')) == [(CONTENT, "include")]


def test_an_include_where_the_contract_has_no_file_is_refused():
    body = etree.fromstring(
        f'<GetAppeal xmlns="{ns.APPEALS}"><Key><ExternalId>{include()}</ExternalId></Key>'
        "</GetAppeal>"
    )
    assert places(body) == [("/GetAppeal/Key/ExternalId", "include")]


def test_every_place_is_named_and_not_more_than_twenty():
    assert places(appeal(include("http://a"), include("cid:b"), include("http://c"))) == [
        ("/SubmitAppeal/Appeal/Attachments/AttachmentIn[1]/Content", "cid"),
        ("/SubmitAppeal/Appeal/Attachments/AttachmentIn[3]/Content", "cid"),
    ]
    assert len(places(appeal(*[include("http://a")] * 50))) == limits.VIOLATIONS_REPORTED


def test_a_part_belongs_to_one_element():
    assert places(appeal(include(), include())) == [
        ("/SubmitAppeal/Appeal/Attachments/AttachmentIn[2]/Content", "include")
    ]


def test_more_files_than_a_package_has_parts_are_refused():
    body = appeal(*(include(f"cid:{n}") for n in range(limits.PACKAGE_PARTS)))
    with pytest.raises(TooLargeError):
        xop.take_out(body, FILES, "xop")


def test_a_pointer_to_a_part_that_did_not_come_is_named():
    links = xop.take_out(appeal(include("cid:a"), include("cid:b")), FILES, "xop")
    with pytest.raises(ValidationError) as caught:
        xop.resolve(links, {"a": b""})
    assert [(v.path, v.found) for v in caught.value.violations] == [
        ("/SubmitAppeal/Appeal/Attachments/AttachmentIn[2]/Content", "b")
    ]


@pytest.mark.parametrize(
    ("content", "attributes"),
    [("cid:scan@x", ""), ("\n cid:scan@x\n", ""), ("", ' href="cid:scan@x"')],
)
def test_attachments_of_old_are_pointed_to_by_the_value_or_an_attribute(content, attributes):
    body = attach(content, attributes)
    (link,) = xop.take_out(body, FILES, "swa")
    assert link.cid == "scan@x"
    contracts.appeals().validate(body)


@pytest.mark.parametrize(
    ("content", "attributes", "code"),
    [
        ("QQ==", ' href="cid:scan@x"', "href"),
        ("", ' href="http://a"', "cid"),
        ("cid:", "", "cid"),
        ("cid:a<a/>", "", "href"),
        (include(), "", "include"),
    ],
)
def test_attachments_of_old_are_judged_as_strictly(content, attributes, code):
    assert places(attach(content, attributes), "swa") == [(CONTENT, code)]


def test_in_an_xop_message_only_an_include_points_to_a_part():
    assert xop.take_out(attach("cid:scan@x"), FILES, "xop") == ()


def signed(*contents):
    envelope = etree.fromstring(
        f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Header><T xmlns="urn:t">{contents[0]}</T></s:Header>'
        f"<s:Body/></s:Envelope>"
    )
    envelope[1].append(appeal(*contents[1:]))
    return envelope


def test_a_signed_message_gets_its_base64_back_wherever_it_belongs():
    envelope = signed(include("cid:token"), include("cid:a"), "QQ==")
    parts = {"token": b"certificate", "a": bytes(range(256))}
    assert xop.inlined(envelope, parts) is envelope
    texts = [envelope[0][0].text, *(content.text for content in envelope.iter(*FILES))]
    assert texts == [b64encode(parts["token"]).decode(), b64encode(parts["a"]).decode(), "QQ=="]
    assert not list(envelope.iter(xop.INCLUDE))


def test_what_a_signature_is_over_is_bounded_and_complete():
    with pytest.raises(TooLargeError, match="signature"):
        xop.inlined(signed("", include("cid:a")), {"a": b"x" * 11}, limit=10)
    for parts, match in (
        ({}, "no part"),
        ({"a": b"", "b": b""}, "points to a part"),
    ):
        with pytest.raises(ValidationError, match=match):
            xop.inlined(signed("", include("cid:a")), parts)
    with pytest.raises(ValidationError, match="another element"):
        xop.inlined(signed("", include("cid:a"), include("cid:a")), {"a": b""})


NODES = st.recursive(
    st.sampled_from(
        [include("cid:a"), include("cid:b"), include("http://c"), "text", "cid:a", " "]
    ),
    lambda inner: st.tuples(
        st.sampled_from(["Content", "Other", 'Content href="cid:d"']), st.lists(inner, max_size=3)
    ).map(lambda made: f"<{made[0]}>{''.join(made[1])}</{made[0].split()[0]}>"),
    max_leaves=8,
)


@given(NODES, st.sampled_from(["xop", "swa"]))
def test_whatever_stands_there_is_taken_out_or_refused(inner, form):
    body = etree.fromstring(f'<A xmlns="{ns.APPEALS}">{inner}</A>')
    try:
        links = xop.take_out(body, FILES, form)
    except InputError:
        return
    assert not list(body.iter(xop.INCLUDE))
    assert all(not link.element.text and not len(link.element) for link in links)
    assert len({link.cid for link in links}) == len(links)
