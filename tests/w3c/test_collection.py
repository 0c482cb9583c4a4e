"""The W3C collection is answered as its table says, and the table is the one in the docs."""

import msgspec
import pytest
from lxml import etree

from gateway import ns
from tests.w3c import page, reading, run
from tests.w3c.assertions import PART1, PART2
from tests.w3c.case import GATEWAY, Answer, block, fault, result, soap

NOT_XML = {"G19"}
ASSERTIONS = (*PART1, *PART2)


@pytest.fixture(scope="module")
def outcomes():
    return run.run()


def test_no_answer_differs_without_a_stated_reason(outcomes):
    assert [each.case.id for each in outcomes if not each.as_stated] == []


def test_every_fault_follows_the_grammar_of_faults(outcomes):
    assert [problem for each in outcomes for problem in each.broken] == []
    assert sum(each.faults for each in outcomes) > 90


def test_the_page_is_what_runs(outcomes):
    assert page.PAGE.read_text("utf-8") == page.page(outcomes), "run python -m tests.w3c --write"


def test_what_is_not_as_expected_says_why_and_what_comes_instead():
    for case in run.CASES:
        stated = (bool(case.differs), bool(case.why), case.ours is not None)
        assert stated in ((True,) * 3, (False,) * 3), case.id
        assert len(case.requests) == len(case.expected), case.id


def test_the_collection_is_whole():
    named = {case.id for case in run.CASES}
    assert len(named) == len(run.CASES)
    assert {f"T{number}" for number in range(1, 81)} - named == {"T20"}
    assert {f"TH{number}" for number in range(1, 6)} <= named
    assert {f"XMLP-{number}" for number in range(1, 20)} <= named
    assert sum(case_id.startswith("SBR") for case_id in named) == 22
    assert (len(PART1), len(PART2)) == (84, 56)
    assert len({each.id for each in ASSERTIONS}) == 140


def test_every_assertion_has_tests_or_says_why_not(outcomes):
    named = {case.id for case in run.CASES}
    for each in ASSERTIONS:
        assert bool(each.tests) != bool(each.why), each.id
        assert {test for test in each.tests if not test.startswith("every")} <= named, each.id
        if each.tests and each.tests != ("every fault received",):
            assert page.shown_by(each, outcomes), each.id


def test_messages_are_well_formed_but_for_those_that_are_not_to_be():
    broken = set()
    for case in run.CASES:
        for request in case.requests:
            try:
                etree.fromstring(request.data or b"<nothing/>")
            except etree.XMLSyntaxError:
                broken.add(case.id)
    assert broken == NOT_XML


def test_what_the_wire_itself_decides_is_asked_of_the_gateway():
    asked = {case.id for case in run.CASES if case.requests[0].path == GATEWAY}
    assert asked == {"TH5", "XMLP-2", "XMLP-3", "G18"}


def test_the_judge_tells_answers_apart():
    got = Answer(
        status=500, media="x", version="1.2", fault="env:Sender", subcode="a:b", blocks=("c",)
    )
    assert fault("Sender", "c").matches(got)
    assert Answer(fault="env:Sender", blocks=None, body=None).matches(got)
    for other in (
        fault("Receiver", "c"),
        fault("Sender"),
        fault("Sender", "c", "d"),
        fault("Sender", "c", status=400),
        fault("Sender", "c", subcode="rpc:BadArguments"),
        fault("Sender", "c", version="1.1"),
        result("c"),
    ):
        assert not other.matches(got)
    upgrade = msgspec.structs.replace(got, blocks=("env:Upgrade env:Envelope env11:Envelope",))
    assert fault("Sender", "env:Upgrade env:Envelope…").matches(upgrade)
    assert not fault("Sender", "env:Upgrade env11:Envelope…").matches(upgrade)


def said(code="e:Sender", reason='<e:Text xml:lang="en">no</e:Text>', more="", header=""):
    inside = f"<e:Code><e:Value>{code}</e:Value></e:Code><e:Reason>{reason}</e:Reason>{more}"
    return soap(header, f"<e:Fault>{inside}</e:Fault>").encode()


@pytest.mark.parametrize(
    "data",
    [
        said("e:Client"),
        said("Sender"),
        said(reason="<e:Text>no</e:Text>"),
        said(reason='<e:Text xml:lang="en">no</e:Text>' * 2),
        said(reason=""),
        said(more="<e:Detail/><e:Role>urn:x</e:Role>"),
        said(more="<detail/>"),
        said(header='<e:NotUnderstood qname="x:Unknown"/>'),
        said(header="<e:Upgrade/>"),
        soap(body="<e:Fault/>").encode(),
        soap(body=f"{said().decode()}<t:more/>").encode(),
        soap(body=block("echoOk")).encode(),
    ],
)
def test_a_fault_against_the_grammar_is_found_out(data):
    assert reading.problems(said()) == []
    assert reading.problems(data) != []


def test_an_answer_is_read_as_a_client_reads_it():
    text = soap(
        f'<e:NotUnderstood xmlns:q="{ns.SOAP11}" qname="q:x"/>' + block("responseOk", " one "),
        block("sb:echoVoidResponse", ""),
    )
    got = reading.read(200, "m", text.encode("utf-16"))
    assert got.blocks == ("env:NotUnderstood env11:x", 'test:responseOk "one"')
    assert (got.body, got.fault, got.version) == ("sb:echoVoidResponse", "", "1.2")
    assert reading.read(415, "", b"").version == ""
