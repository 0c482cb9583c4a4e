"""Our schema of МЭДО 2.6 says yes and no where the operator's own does."""

import random
from itertools import chain
from pathlib import Path

import pytest
from lxml import etree

from adapters.sed.codes import NOTICES, reasons
from gateway import contracts

OURS = contracts.folder("xsd", "medo") / "2.6" / "IEDMS.xsd"
ROOT = Path(__file__).parents[4]
THEIRS = ROOT.parent / "shared" / "data" / "medo" / "IEDMS-2.6.xsd"
NS = "{http://www.infpres.com/IEDMS}"
CASES = ROOT / "tests" / "contract"


def schema(path):
    return etree.XMLSchema(etree.parse(path))


def cards():
    """Every card of the golden cases that is XML at all."""
    places = chain(CASES.glob("sed/m26-*/wire*/document.xml"), CASES.glob("sed/m26-*/wire.xml"))
    for path in sorted(places):
        try:
            yield path, etree.parse(path).getroot()
        except (etree.XMLSyntaxError, OSError):
            continue


def mutations(root, draw):
    """Yield the card changed in one place each: gone, doubled, moved, renamed, another value."""
    count = sum(1 for _ in root.iter())
    for number in range(count):
        for change in (_drop, _double, _first, _rename, _word, _attribute, _bare):
            copy = etree.fromstring(etree.tostring(root))
            element = list(copy.iter())[number]
            change(element, draw)
            yield copy


def _drop(element, draw):
    if element.getparent() is not None:
        element.getparent().remove(element)


def _double(element, draw):
    if element.getparent() is not None:
        element.addnext(etree.fromstring(etree.tostring(element)))


def _first(element, draw):
    parent = element.getparent()
    if parent is not None:
        parent.insert(0, element)


def _rename(element, draw):
    element.tag = draw.choice((f"{NS}num", f"{NS}comment", f"{NS}person", "plain"))


def _word(element, draw):
    if not len(element):
        long = "я" * draw.choice((32, 128, 256, 512, 2048, 4001))
        element.text = draw.choice(("", " ", "слово", "01", "-1", "2026-03-02", "true", long))


def _attribute(element, draw):
    if element.attrib:
        name = draw.choice(sorted(element.attrib))
        if draw.random() < 0.5:
            del element.attrib[name]
        else:
            element.set(name, draw.choice(("", "1", "x" * 300, "pdf", "docx", "Ответ")))


def _bare(element, draw):
    for name in list(element.attrib):
        if name.startswith(NS):
            element.set(name.removeprefix(NS), element.attrib.pop(name))


def test_everything_that_goes_out_is_valid():
    ours = schema(OURS)
    found = sorted(CASES.glob("sed/m26-out-*/wire_out/document.xml"))
    assert len(found) > 10
    for path in found:
        assert ours.validate(etree.parse(path)), (path, ours.error_log)


@pytest.mark.skipif(not THEIRS.exists(), reason="no data/medo beside the checkout (GATEWAY_SHARED)")
def test_our_schema_and_the_operators_agree_on_messages():
    ours, theirs = schema(OURS), schema(THEIRS)
    draw = random.Random(26)
    valid = checked = 0
    for path, root in cards():
        assert ours.validate(root) == theirs.validate(root), path
        for changed in mutations(root, draw):
            told = theirs.validate(changed)
            assert ours.validate(changed) == told, etree.tostring(changed, encoding="unicode")
            valid += told
            checked += 1
    assert checked > 3000
    assert 300 < valid < checked - 300


def test_the_table_of_reasons_is_that_of_the_schema():
    ns = {"s": "http://www.w3.org/2001/XMLSchema"}
    found = etree.parse(OURS).findall(
        ".//s:simpleType[@name='RefusalReason']//s:enumeration", namespaces=ns
    )
    words = [value.get("value") for value in found]
    table = reasons()
    assert [reason.word for reason in table.reason] == words
    assert len(words) == len({reason.code for reason in table.reason}) == 28


def test_all_seven_kinds_are_known():
    ns = {"s": "http://www.w3.org/2001/XMLSchema"}
    found = etree.parse(OURS).findall(
        ".//s:simpleType[@name='NotificationKind']//s:enumeration", namespaces=ns
    )
    assert [value.get("value") for value in found] == list(NOTICES)
