"""Names and numbers of houses that people and the registry write differently have one key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import keys
from gateway.addresses.houses import variants

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщъыьэюя"

SAME_NAMES = [
    ("3-я Шоссейная", "третья Шоссейная", "Шоссейная 3-я", "3 шоссейная", "3я Шоссейная"),
    ("40 лет Октября", "40-летия Октября", "40-лет Октября", "сорокалетия октября"),
    ("9 Января", "9-го Января", "9-е января"),
    ("XXII Партсъезда", "ХХII Партсъезда", "22 Партсъезда", "22-го партсъезда"),
    ("имени Кирова", "им. Кирова", "Кирова"),
    ("1905 года", "1905 г.", "1905г"),
    ("Двадцать пятая Линия", "25-я линия"),
    ("Берёзовая", "Березовая", "БЕРЁЗОВАЯ"),
    ("Советская", "Cоветская"),
    ("Ново-Садовая", "Ново Садовая"),
]
OTHER_NAMES = [
    ("3-я Шоссейная", "13-я Шоссейная"),
    ("Третьякова", "3 якова"),
    ("Первомайская", "1 Майская"),
    ("1905 года", "1905"),
]
SAME_HOUSES = [
    ("12а", ("12А", "", "", ""), ("12", "", "", "а"), ('12 "А"', "", "", ""), ("12-а", "", "", "")),
    ("12а", ("12 литера А", "", "", ""), ("12 лит. А", "", "", ""), ("12A", "", "", "")),
    ("12/3", ("12/3", "", "", ""), ("12 / 3", "", "", ""), ("12-3", "", "", "")),
    ("12/3", ("12\\3", "", "", ""), ("12 дробь 3", "", "", "")),
    ("12к2", ("12", "2", "", ""), ("12 корп. 2", "", "", ""), ("12к2", "", "", "")),
    ("12к2", ("д. 12 к 2", "", "", ""), ("12 кор 2", "", "", "")),
    ("12с1", ("12", "", "1", ""), ("12 стр. 1", "", "", ""), ("12 строение 1", "", "", "")),
    ("12/3к2с1", ("12/3", "2", "1", ""), ("12/3 корпус 2 стр 1", "", "", "")),
    ("5", ("влд. 5", "", "", ""), ("владение 5", "", "", ""), ("дом 5", "", "", "")),
    ("к3", ("", "3", "", "")),
]  # fmt: skip


@pytest.mark.parametrize("names", SAME_NAMES, ids=lambda names: names[0])
def test_spellings_of_one_name_have_one_key(names):
    assert len({keys.name(name) for name in names}) == 1


@pytest.mark.parametrize(("one", "other"), OTHER_NAMES)
def test_other_names_have_other_keys(one, other):
    assert keys.name(one) != keys.name(other)


@pytest.mark.parametrize("case", SAME_HOUSES, ids=lambda case: str(case[1]))
def test_spellings_of_one_number_have_one_key(case):
    key, *spelt = case
    assert {keys.house(*parts) for parts in spelt} == {key}


def test_a_plot_of_land_is_no_house():
    assert keys.stead("уч. 15") == keys.stead("15") == "уч15"
    assert keys.stead("15") != keys.house("15")


@given(st.text(max_size=60))
def test_any_text_has_a_key_of_small_words_in_order(text):
    key = keys.name(text)
    assert key.split(" ") == sorted(key.split(" "))
    assert not set(key) - {*LETTERS, " "}
    assert not set(keys.house(text)) - {*LETTERS, "/"}


@pytest.mark.parametrize(
    ("key", "other"),
    [("12/3", "12к3"), ("12к3", "12/3"), ("12а", "12ка"), ("12ка", "12а"), ("12с1", "12/1"),
     ("12к2с1", "12/2с1"), ("уч15", "15"), ("15", "уч15")],
)  # fmt: skip
def test_a_number_may_stand_otherwise_in_the_registry(key, other):
    found = dict(variants(key))
    assert found[key] == 1.0
    assert 0.8 < found[other] < 1.0


@pytest.mark.parametrize(
    ("key", "never"), [("12", "12а"), ("12а", "12"), ("12/3", "12"), ("12к3", "3")]
)
def test_another_house_is_no_variant(key, never):
    assert never not in dict(variants(key))
