"""XML bundles: one bad item fails alone, a file that is no bundle fails as a whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import limits
from gateway.errors import GatewayError
from import_export import bundle
from import_export.bundle import Bundle

HEAD = '<Appeals xmlns="urn:gov:appeals:v1">'
ITEM = "<AppealIn><ExternalId>{}</ExternalId><Text>Нет света</Text></AppealIn>"


def lines(text, encoding="utf-8"):
    return list(Bundle(io.BytesIO(text if isinstance(text, bytes) else text.encode(encoding))))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, "</Appeals>"),
        ('<ArrayOfAppealIn xmlns="urn:gov:appeals:v1">', "</ArrayOfAppealIn>"),
        ('<SubmitAppeals xmlns="urn:gov:appeals:v1"><Items>', "</Items></SubmitAppeals>"),
    ],
)
def test_the_roots_that_are_taken(before, after):
    found = lines(before + ITEM.format(1) + " \n" + ITEM.format(2) + after)
    assert [(line.row, line.inbound.external_id) for line in found] == [(1, "1"), (2, "2")]


def test_prefixes_and_windows_1251_are_taken():
    item = ITEM.format(7).replace("<", "<a:").replace("<a:/", "</a:")
    head = '<?xml version="1.0" encoding="windows-1251"?><a:Appeals xmlns:a="urn:gov:appeals:v1">'
    (line,) = lines(f"{head}{item}</a:Appeals>", "cp1251")
    assert line.inbound.appeal.text == "Нет света"


def test_a_bad_item_fails_alone_and_can_be_read_again():
    bad = "<AppealIn><ExternalId>2</ExternalId><Type>joke</Type></AppealIn>"
    found = lines(f"{HEAD}{ITEM.format(1)}{bad}{ITEM.format(3)}</Appeals>")
    assert [line.inbound is not None for line in found] == [True, False, True]
    ((row, problem),) = found[1].problems
    assert (row, problem.column, problem.rule) == (2, "Type", "enumeration")
    assert [p.rule for _, p in bundle.decode(found[1].raw).problems] == ["enumeration"]
    assert bundle.decode(found[0].raw).inbound == found[0].inbound


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (HEAD + ITEM.format(1), "cut or broken"),
        (HEAD + ITEM.format(1) + "<Other/></Appeals>", "no bundle"),
        ('<Appeals xmlns="urn:other"/>', "no bundle"),
        ("<!DOCTYPE a><Appeals/>", "DTD"),
        ('<?xml version="1.0" encoding="x-none"?><a/>', "encoding"),
        (HEAD + "<AppealIn>" + "<Text>" * 200, "past a limit"),
        (HEAD + "<AppealIn>" + "<b/>" * (limits.SOAP_ROOT_NODES + 1), "past a limit"),
        (HEAD + "<AppealIn><Text>" + "x" * limits.SOAP_ROOT_BYTES + "</Text>", "past a limit"),
    ],
)
def test_what_is_no_bundle_is_refused_before_an_item_is_given_out(text, says):
    with pytest.raises(GatewayError, match=says):
        lines(text)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_hostile_bytes_raise_only_errors_of_the_tree(noise, at):
    whole = (HEAD + ITEM.format(1) + ITEM.format(2) + "</Appeals>").encode()
    try:
        found = lines(whole[:at] + noise + whole[at:])
    except GatewayError:
        return
    for line in found:
        assert (line.inbound is None) == bool(line.problems)
