"""The data under the deadlines: the production calendar and the table of terms."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.deadlines import read_calendar, read_terms
from gateway.errors import ConfigurationError

TERMS = read_terms()
RU = read_calendar()


def d(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# the calendar


@pytest.mark.parametrize(("year", "days"), [(2024, 248), (2025, 247), (2026, 247)])
def test_confirmed_years_have_the_published_number_of_working_days(year, days):
    assert RU.working_days(year) == days
    assert RU.is_confirmed(dt.date(year, 7, 1))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2024-04-27", True),
        ("2024-11-02", True),
        ("2024-12-28", True),
        ("2024-12-30", False),
        ("2024-12-31", False),
        ("2025-05-02", False),
        ("2025-05-08", False),
        ("2025-06-13", False),
        ("2025-11-01", True),
        ("2025-11-03", False),
        ("2026-01-09", False),
        ("2026-01-12", True),
        ("2026-03-09", False),
        ("2026-05-11", False),
        ("2026-06-13", False),
    ],
)
def test_moved_days(day, works):
    assert RU.is_working(d(day)) is works


def test_a_year_nobody_confirmed_is_said_to_be_so():
    for year in (2023, 2027, 2031):
        assert not RU.is_confirmed(dt.date(year, 7, 1))
    assert not RU.is_working(dt.date(2031, 1, 3))


def test_a_body_adds_days_of_its_own():
    adygea = RU.with_days(off=frozenset({d("2026-10-05")}), work=frozenset({d("2026-05-11")}))
    assert not adygea.is_working(d("2026-10-05"))
    assert adygea.is_working(d("2026-05-11"))
    assert RU.is_working(d("2026-10-05"))


def test_a_calendar_that_does_not_add_up_is_refused(tmp_path):
    path = tmp_path / "calendar.toml"
    path.write_text("[[year]]\nyear = 2026\nconfirmed = true\nworking_days = 247\n", "utf-8")
    with pytest.raises(ConfigurationError, match="261") as error:
        read_calendar(path)
    assert error.value.where.endswith("2026")
    path.write_text("[[year]]\nyear = 2026\nconfirmed = true\noff = [2025-01-01]\n", "utf-8")
    with pytest.raises(ConfigurationError, match="another year"):
        read_calendar(path)
    path.write_text("alway = []\n", "utf-8")
    with pytest.raises(ConfigurationError, match="alway"):
        read_calendar(path)


# the table itself


GOOD = """
[[term]]
id = "x"
title = "t"
article = "a"
mark = "practice"
regimes = ["fz59"]
subject = "question"
opens_on = ["Registered"]
closes_on = ["Answered"]
start = "registered"
unit = "calendar_day"
count = 3
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("count = 3", "count = -1"), "not negative"),
        (("count = 3", 'count = 3\npart = ["1"]'), "part"),
        (('unit = "calendar_day"', 'unit = "week"'), "week"),
        (('opens_on = ["Registered"]', 'opens_on = ["Registred"]'), "Registred"),
        (("count = 3", 'count = 3\nparts = ["1"]'), "Declined"),
        (("count = 3", 'count = 3\ngrounds = ["1"]'), "Transferred"),
        (("count = 3", 'count = 3\nletters = ["notice"]'), "LetterSent"),
        (("count = 3", "count = 0\nday_after_start = false"), "no days"),
        (('subject = "question"', 'subject = "appeal"'), "registered"),
    ],
)
def test_a_wrong_term_is_named(tmp_path, change, words):
    path = tmp_path / "terms.toml"
    path.write_text(GOOD, "utf-8")
    assert len(read_terms(path)) == 1
    path.write_text(GOOD.replace(*change), "utf-8")
    with pytest.raises(ConfigurationError, match=words) as error:
        read_terms(path)
    assert error.value.where == f"{path}: x"


def test_a_term_twice_or_a_stray_key_is_refused(tmp_path):
    path = tmp_path / "terms.toml"
    path.write_text(GOOD + GOOD, "utf-8")
    with pytest.raises(ConfigurationError, match="twice"):
        read_terms(path)
    path.write_text("zone = 1\n" + GOOD, "utf-8")
    with pytest.raises(ConfigurationError, match="nothing else"):
        read_terms(path)
    path.write_text("", "utf-8")
    with pytest.raises(ConfigurationError):
        read_terms(path)


def test_every_shipped_term_names_its_article_and_how_sure_it_is():
    assert all(t.article and t.mark in {"confirmed", "practice"} for t in TERMS)
    assert {t.id for t in TERMS if t.mark == "confirmed"} == {
        "fz59-registration",
        "fz59-answer",
        "fz59-answer-migration",
        "fz59-notice-11-2",
        "fz59-notice-12-2",
    }
