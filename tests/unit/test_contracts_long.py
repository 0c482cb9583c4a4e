"""Long texts are judged as short ones are, without what they would cost the second parser."""

import base64

import pytest
from lxml import etree

from gateway import contracts, limits, ns, xml, xml_bounds
from gateway.errors import TooLargeError, ValidationError

CONTRACT = contracts.appeals()
MANY = "<QuestionIn><Text>я</Text></QuestionIn>" * 1_100
"""So many elements that the message is checked while it is parsed again."""


def element(inner, name="SubmitAppeal"):
    return etree.fromstring(f'<{name} xmlns="{ns.APPEALS}">{inner}</{name}>')


def appeal(inner, after=""):
    return element(
        f"<Appeal><ExternalId>a</ExternalId>{inner}<Questions>{MANY}</Questions>{after}</Appeal>"
    )


def attached(content):
    key = "<OwnerKey><ExternalId>a</ExternalId></OwnerKey><FileName>a</FileName>"
    return element(f"{key}<Content>{content}</Content><MessageKey>a</MessageKey>", "AttachFile")


def violations(message):
    with pytest.raises(ValidationError) as caught:
        CONTRACT.validate(message)
    return [(found.path, found.code) for found in caught.value.violations]


@pytest.mark.parametrize("letter", ["я", "a", "&amp;", "&#65;", "\n7"])
def test_a_long_text_where_elements_belong_is_refused_as_a_short_one_is(letter):
    short, long = (element(letter * count, "AttachFile") for count in (3, 200_000))
    assert violations(long) == violations(short)
    inside = element(f"<Appeal><ExternalId>a</ExternalId>{letter * 200_000}<Text>b</Text></Appeal>")
    assert ("/SubmitAppeal/Appeal", "text") in violations(inside)


def test_what_is_parsed_again_has_neither_long_texts_nor_letters_by_themselves():
    long = element(f"<Appeal>{'&amp;' * 500_000}<Text>{'я' * 500_000}</Text></Appeal>")
    again = CONTRACT._again(long)
    assert again.isascii()
    assert len(again) < limits.TEXT_CHARS + 1_000
    assert len(long[0].text) == 500_000


@pytest.mark.parametrize("letter", ["я", "a", "&amp;", "&lt;"])
def test_the_longest_text_is_taken_and_one_letter_more_is_too_long(letter):
    CONTRACT.validate(appeal(f"<Text>{letter * limits.TEXT_CHARS}</Text>"))
    longer = appeal(f"<Text>{letter * (limits.TEXT_CHARS + 1)}</Text>")
    assert violations(longer) == [("/SubmitAppeal/Appeal/Text", "max_length")]


def test_white_space_between_elements_may_be_long():
    CONTRACT.validate(appeal(" " * 5_000 + "<Text>b</Text>" + "\n" * 5_000))


def test_a_file_with_line_ends_of_windows_stays_one():
    lines = base64.encodebytes(bytes(3_000)).decode().replace("\n", "&#13;\n")
    file = f"<FileName>a</FileName><Content>{lines}</Content>"
    message = appeal("", f"<Attachments><AttachmentIn>{file}</AttachmentIn></Attachments>")
    CONTRACT.validate(message)


def test_a_file_too_large_is_still_told_so():
    with pytest.raises(TooLargeError):
        CONTRACT.validate(attached("AAAA" * (limits.ATTACHMENT_INLINE_BYTES // 3 + 1)))


@pytest.mark.parametrize("value", [" ", "a ", "a", "я ", "("])
def test_a_huge_value_is_refused_by_its_length_alone(monkeypatch, value):
    message = element(f"<Appeal><ExternalId>{value * 10_001}</ExternalId></Appeal>")
    checked = []
    monkeypatch.setattr(type(CONTRACT), "_validator", lambda _: checked.append(1))
    assert not CONTRACT.valid(message, xml_bounds.SHORT_NODES + 1)
    assert checked == []


def test_what_explains_a_huge_value_sees_no_more_than_its_limit():
    again = CONTRACT._again(element(f"<Appeal><ExternalId>{'a' * 50_000}</ExternalId></Appeal>"))
    assert 200 < len(again) < 500


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("A" * 20_000, False),
        ("A" * 19_999, True),
        ("A" * 19_999 + "=", False),
        ("A" * 19_998 + "==", False),
        ("A" * 19_998 + "=", True),
        ("A" * 10_000 + "=" + "A" * 9_999, True),
        ("A" * 20_000 + "!", False),
        ("A\n" * 20_000, False),
    ],
)
def test_huge_base64_is_judged_as_libxml2_judges_it(content, wrong):
    message = attached(content)
    assert CONTRACT.valid(message, xml_bounds.SHORT_NODES + 1) is not wrong
    found = [("/AttachFile/Content", "type")] if wrong else []
    assert [(each.path, each.code) for each in CONTRACT.explain(message)] == found
    assert len(CONTRACT._again(message)) < 1_000 or not wrong


def test_a_document_over_8_kb_is_told_from_a_short_one_by_its_nodes():
    short, long = (xml.parse(b"<a>%s</a>" % (b"x" * size)) for size in (8_000, 9_000))
    assert short.nodes <= xml_bounds.SHORT_NODES < long.nodes
