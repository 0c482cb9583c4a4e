"""Golden round trips of the source formats: wire → model → canonical JSON → wire, nothing lost."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import GatewayError
from gateway.model.appeal import Appeal
from tests.contract.golden import FORMATS, ROOT, Case, cases, expected, round_trip, run
from tests.contract.mappings.table import Leaves
from tests.contract.report import main

CASES = cases()


def case_named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def decoded(name: str) -> Appeal:
    case = case_named(name)
    return FORMATS[case.format].decode(case.wire.read_bytes(), case.wire.suffix[1:])[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_golden_case_comes_back_as_it_was(case):
    outcome = run(case)

    assert outcome.canonical == expected(case)
    assert outcome.same, "the encoded document differs from the one that came"
    assert (outcome.lost, outcome.invented) == (0, 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_golden_case_says_what_it_pins(case):
    note = (case.folder / "note.md").read_text()

    assert note.startswith("# ")
    assert "Pinned:" in note


def test_every_fixture_format_has_at_least_two_cases():
    counts = {name: sum(case.format == name for case in CASES) for name in FORMATS}

    assert min(counts.values()) >= 2, counts


def test_the_report_finds_nothing_lost(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    rows = [line.split("│") for line in printed.splitlines() if line.startswith("│")]
    assert [row[1].strip() for row in rows] == ["G"]
    assert {row[6].strip() for row in rows} == {"0"}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_a_peer_writes_into_a_field_comes_back(case, data):
    """A changed leaf is read, or kept as an extra, or the document is refused; never dropped."""
    form, suffix = FORMATS[case.format], case.wire.suffix[1:]
    shape, leaves = form.told(case.wire.read_bytes(), suffix)
    path = data.draw(st.sampled_from(sorted(leaves)))
    word = data.draw(st.text("abcЖя 0129.:-TZ+", min_size=1).map(str.strip).filter(len))
    body = shape.write({**leaves, path: word})
    try:
        outcome = round_trip(case.format, body, suffix)
    except GatewayError:
        return
    assert outcome.lost == 0, (path, word)


def test_the_misspelt_assesment_of_gisgkh_is_kept():
    kinds = [item.peer_kind for item in decoded("gisgkh/appeal-with-history").feedback]

    assert [(kind.system, kind.value) for kind in kinds] == [
        ("gisgkh.Assesment", "AnswerIsNotSatisfied")
    ]


def test_the_chronicle_of_gisgkh_keeps_its_order():
    case = case_named("gisgkh/appeal-with-history")
    form = FORMATS["gisgkh"]
    body = form.encode(*form.decode(case.wire.read_bytes(), "xml"), "xml")
    entries = etree.fromstring(body).findall(".//{*}AppealHistory")

    assert [etree.QName(entry[-1]).localname for entry in entries] == [
        "Redirected", "Answer", "Assesment", "RolledOver", "Answer",
    ]  # fmt: skip


def shared(*parts: str) -> Path:
    """Return a path of the data that lies beside the checkout, or skip."""
    root = Path(os.environ.get("GATEWAY_SHARED", str(ROOT.parents[3] / "shared")))
    path = root.joinpath("data", *parts)
    if not path.exists():
        pytest.skip(f"no {'/'.join(parts)} beside the checkout (GATEWAY_SHARED)")
    return path


@pytest.mark.parametrize("case", [c for c in CASES if c.format == "gisgkh"], ids=lambda c: c.name)
def test_gisgkh_documents_fit_the_published_schema(case):
    schema = etree.XMLSchema(etree.parse(str(shared("gisgkh", "appeals", "hcs-appeals-types.xsd"))))
    form = FORMATS["gisgkh"]
    body = form.encode(*form.decode(case.wire.read_bytes(), "xml"), "xml")

    assert schema.validate(etree.fromstring(body)), schema.error_log


def test_leaves_are_what_the_table_knows() -> None:
    """A mapping that calls everything an extra would lose nothing and prove nothing."""
    for case in CASES:
        outcome = run(case)
        leaves: Leaves = FORMATS[case.format].leaves(case.wire.read_bytes(), case.wire.suffix[1:])
        assert outcome.mapped + outcome.extras == len(leaves), case.name
        assert outcome.mapped > outcome.extras, case.name
