"""Long texts are judged as short ones are, without what they would cost the second parser."""

import base64

import pytest
from lxml import etree

from gateway import contracts, limits, ns
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
