"""The parts of the demo that decide: what is planted, what is expected, how it is counted."""

import io
import json
from datetime import date

import pytest

from gateway.model.fold import number_key
from import_export import profile as profiles
from import_export.csvfile import Table
from simulators.demo import cast, script
from simulators.demo.differences import stranger
from simulators.demo.expected import sstu_document
from simulators.demo.journals import Journal, shares
from simulators.demo.office import Work
from simulators.demo.story import last_line
from simulators.demo.tell import Step, Teller
from simulators.seed import forms
from simulators.sstu.rules import refusals
from simulators.sstu.store import fold

DAY = date(2026, 3, 12)


@pytest.fixture(scope="module")
def plan():
    return script.write(2026, DAY)


def test_the_plan_is_large_enough_and_the_same_for_the_same_seed(plan):
    assert len(plan.appeals) >= 300
    assert script.write(2026, DAY) == plan
    channels = {a.channel for a in plan.appeals.values()}
    assert channels == {name for name, _ in script.COUNTS}


def test_twins_have_one_letter_under_two_spellings(plan):
    assert len(plan.twins) == script.TWINS
    for letter, row in plan.twins:
        assert letter.letter.number != row.letter.number
        assert number_key(letter.letter.number) == number_key(row.letter.number)
        assert letter.external_id != row.external_id


def test_nothing_is_planted_twice_in_one_appeal(plan):
    amended, contradicted = set(plan.amended), set(plan.conflicts)
    assert not amended & contradicted
    assert not (amended | contradicted) & plan.unmapped
    assert (len(amended), len(contradicted)) == (script.AMENDED, script.CONFLICTS)


def test_the_old_table_is_wrong_exactly_where_it_was_spoilt(plan):
    data = io.BytesIO(forms.legacy_table(plan.legacy_rows))
    lines = list(Table(data, profiles.load("legacy-cp1251"), peer="legacy"))
    wrong = {(row, p.column, p.rule) for line in lines for row, p in line.problems}
    assert wrong == {tuple(row) for row in plan.bad_rows}
    landed = {line.row: line.inbound.external_id for line in lines if line.inbound}
    assert landed == {row: a.external_id for row, a in plan.legacy_places.items()}


@pytest.mark.parametrize(
    "word", ["", "supported", "explained", "not_supported", "transferred", "declined", "extended"]
)
def test_what_is_expected_at_the_node_is_what_the_node_takes(plan, word):
    for appeal in plan.appeals.values():
        if not appeal.questions[0].code:
            continue
        words = {n: word for n in range(1, len(appeal.questions) + 1) if word}
        document = sstu_document(
            appeal,
            number="ОГ-000001/2026",
            day=DAY,
            department=cast.DEPARTMENT,
            work=Work("1-ОГ/26", DAY, words, "gorod"),
            guids=cast.GUIDS,
        )
        assert refusals(document) == []


def test_what_is_planted_past_the_gateway_is_taken_by_the_node():
    assert refusals(stranger("Ж-1/НЕ-НАШЕ")) == []


def test_the_node_and_the_gateway_fold_numbers_of_the_plan_alike(plan):
    numbers = [a.letter.number for a in plan.appeals.values() if a.letter]
    assert len({fold(n) for n in numbers}) == len({number_key(n) for n in numbers})


def test_a_journal_tells_sends_from_questions_and_silence_from_answers(tmp_path):
    stored = {"digest": "d", "times": 1, "body": "{}"}
    lines = [
        {"method": "POST", "key": "a", "fault": None, "stored": stored},
        {"method": "POST", "key": "a", "fault": "reset_after", "stored": stored},
        {"method": "POST", "key": "b", "fault": "error", "stored": None},
        {"method": "GET", "key": "analytics", "fault": None, "stored": None},
    ]
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    journal = Journal(path)
    assert (len(journal.sent), len(journal.asked), journal.silent) == (3, 1, 1)
    assert journal.stored() == {"a": ["d", "d"]}
    assert shares(journal.sent)["error"] == pytest.approx(100 / 3)


def test_a_journal_that_is_being_written_is_read_up_to_its_last_whole_line(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"method": "POST", "key": "a", "fault": null, "stored": null}\n{"method": "P')
    assert len(Journal(path).records) == 1


def test_a_step_whose_counts_differ_is_a_fault(capsys):
    teller = Teller()
    teller.step(Step(1, "всё нашли", "all found", 3, 3))
    teller.step(Step(2, "не всё", "not all", 3, 2))
    assert teller.wrong == ["шаг 2: 3 ≠ 2"]
    assert "(1) ✓" in capsys.readouterr().out


def test_the_last_line_is_the_one_that_was_promised():
    counts = dict.fromkeys(
        ("unreconciled", "false", "found", "planted", "conflicts", "duplicates", "rejected",
         "delivered", "accepted"), 1,
    )  # fmt: skip
    line = last_line(counts)
    assert list(json.loads(line)) == [
        "accepted", "delivered", "rejected", "duplicates", "conflicts", "planted", "found",
        "false", "unreconciled",
    ]  # fmt: skip
