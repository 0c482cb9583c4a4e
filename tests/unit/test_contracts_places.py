"""Each complaint of the schema is given to the element that a parser with a target would name."""

import random
import resource
from contextlib import suppress
from pathlib import Path

import pytest
from lxml import etree

from gateway import contracts, limits, ns, xml
from gateway.contracts_places import above, complaints, valid

CONTRACT = contracts.appeals()
SCHEMA = etree.XMLSchema(etree.fromstring(CONTRACT.xsd(CONTRACT.schema_names[0])))
SAMPLE = (Path(__file__).parents[1] / "data/submit_appeal_2k.xml").read_bytes()
STRAY = ("Text", "Question", "QuestionIn", "Nothing")


class Target:
    """Looks at the log in each call: what it has grown by came at the element before."""

    def __init__(self):
        self.parser = etree.XMLParser(target=self, schema=SCHEMA, **xml.OPTIONS)
        self.at, self._open, self._count, self._last = [], [], 0, 0

    def _look(self):
        self.at += [self._last] * (len(self.parser.error_log) - len(self.at))

    def start(self, _tag, _attributes):
        self._look()
        self._last = self._count
        self._open.append(self._count)
        self._count += 1

    def end(self, _tag):
        self._look()
        self._last = self._open.pop()

    def close(self):
        self._look()


def by_target(text):
    target = Target()
    with suppress(etree.XMLSyntaxError):
        etree.fromstring(text, target.parser)
    target._look()
    return [
        (at, entry.message) for at, entry in zip(target.at, target.parser.error_log, strict=True)
    ]


def by_pieces(text):
    order = list(etree.fromstring(text).iter())
    return [
        (order.index(above(order[place.begun], place.up)), entry.message)
        for entry, place in complaints(text, SCHEMA)
    ]


def spoilt(chance, times):
    """The sample with so many things wrong with it."""
    (body,) = xml.parse(SAMPLE).root[-1]
    nodes = list(body.iter())
    for _ in range(times):
        node = chance.choice(nodes)
        match chance.randrange(6):
            case 0:
                node.text = "zzz" * chance.randint(1, 30)
            case 1:
                node.append(etree.Element(f"{{{ns.APPEALS}}}{chance.choice(STRAY)}"))
            case 2 if node.getparent() is not None:
                node.getparent().remove(node)
            case 3:
                node.set("q", ">")
            case 4:
                node.tail = "tail > tail"
            case _:
                node.text = None
    return etree.tostring(body, encoding="utf-8", with_tail=False)


@pytest.mark.parametrize("seed", range(120))
def test_the_places_are_those_that_a_target_tells(seed):
    chance = random.Random(seed)
    text = spoilt(chance, 1 + seed % 7) if seed else b"<x/>"
    expected = by_target(text)
    assert by_pieces(text) == expected
    assert valid(text, SCHEMA) is (not expected)


@pytest.mark.parametrize("many", [0, 1, 300])
def test_what_is_wrong_behind_a_long_document_has_its_place(many):
    asked = "<QuestionIn><Text>а</Text></QuestionIn>" * many
    text = (
        f'<SubmitAppeal xmlns="{ns.APPEALS}"><Appeal><ExternalId>a</ExternalId><Text>b</Text>'
        f"<Questions>{asked}<QuestionIn><Nothing/></QuestionIn></Questions>c</Appeal></SubmitAppeal>"
    ).encode()
    assert by_pieces(text) == by_target(text) != []


def test_no_more_is_looked_for_than_is_told():
    wrong = "<QuestionIn><Text a='1'>b</Text></QuestionIn>" * 10_000
    text = (
        f'<SubmitAppeal xmlns="{ns.APPEALS}"><Appeal><ExternalId>a</ExternalId><Text>b</Text>'
        f"<Questions>{wrong}</Questions></Appeal></SubmitAppeal>"
    ).encode()
    assert limits.VIOLATIONS_REPORTED <= len(by_pieces(text)) < 1_000


def test_a_document_that_was_not_read_to_its_end_is_let_go_of():
    wrong = f'<SubmitAppeal xmlns="{ns.APPEALS}">{"<Text/>" * 40_000}</SubmitAppeal>'.encode()

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    def look(times):
        for _ in range(times):
            assert not valid(wrong, SCHEMA)
            assert complaints(wrong, SCHEMA)

    look(3)
    before = resident()
    look(20)
    assert resident() - before < 50 * limits.MB  # it was 200
