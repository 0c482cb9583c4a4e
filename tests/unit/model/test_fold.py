"""Numbers that look alike meet under one key, and only they; clean text loses nothing."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import TooLargeError, ValidationError
from gateway.model import fold
from gateway.model.fold import HOMOGLYPHS, clean_text, is_nfc, nfc, number_key

ANY = st.text(st.characters(codec="utf-8"))
NUMBERS = st.text("АВЕКМНОРСТУХABEKMHOPCTYXЖЯ0123456789-/. №", max_size=30)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("А26-02-10451233-СО1", "A26-02-10451233-CO1"),
        ("А26-02-10451233-СО1", "а26–02–10451233–со1"),
        ("№ А26 - 02-12345678", "A26‑02—12345678"),
        ("N ОГ-12/26", "№ОГ–12/26"),
        ("No. 5-П", "5-П"),
        ("ОГ 12/26", "ОГ-12/26"),
        ("ОГ-12 / 26", "ОГ-12/26"),
        ("вх\u00ad-77", "ВХ-77"),
        ("ЁЛ-1", "ЕЛ-1"),
        ("Ａ２６-1", "A26-1"),
        ("75\\11", "75/11"),
        ("5_7", "5-7"),
    ],
)
def test_spellings_of_one_number_meet(one, other):
    assert number_key(one) == number_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("1-12", "11-2"), ("112", "11-2"), ("О1", "01"), ("З-5", "3-5"), ("12/26", "1226"),
     ("А-1", "Б-1"), ("Й-1", "И-1")],
)  # fmt: skip
def test_different_numbers_do_not_meet(one, other):
    assert number_key(one) != number_key(other)


@settings(max_examples=300, deadline=None)
@given(ANY | NUMBERS)
@example("N N 5")
@example("№№")
@example("ﬁ-1")
def test_the_key_of_a_key_is_itself(text):
    assert number_key(number_key(text)) == number_key(text)


@given(NUMBERS)
def test_alphabet_and_case_do_not_matter(number):
    cyrillic = {latin: letter for letter, latin in HOMOGLYPHS.items() if letter in "АВЕКМНОРСТУХ"}
    retyped = "".join(cyrillic.get(char, char) for char in number)

    assert number_key(retyped) == number_key(number)
    assert number_key(number.lower()) == number_key(number)


@given(ANY)
def test_a_key_without_letters_and_digits_is_empty(text):
    key = number_key(text)

    assert key == "" or any(map(str.isalnum, key))


@given(ANY)
def test_clean_text_is_normal_and_idempotent_or_refused(text):
    try:
        clean = clean_text(text)
    except ValidationError:
        assert any(ord(c) < 32 or c in "\ufffe\uffff" for c in text)
        return
    assert clean == unicodedata.normalize("NFC", text)
    assert clean_text(clean) == clean


@pytest.mark.parametrize(
    "bad", ["\x00", chr(0xD800), chr(0xDFFF), "\x0b", "\x1f", "\x1a", "\uffff"]
)
def test_what_no_store_or_reply_can_hold_is_refused(bad):
    with pytest.raises(ValidationError) as caught:
        clean_text(f"Прошу{bad}", "Appeal/Text")

    assert caught.value.violations[0].path == "Appeal/Text"
    assert f"U+{ord(bad):04X} at character 6" in caught.value.violations[0].found


def test_lines_and_tabs_of_a_letter_stay():
    assert clean_text("Прошу:\r\n\t1. снег\n") == "Прошу:\r\n\t1. снег\n"


def test_a_text_past_its_limit_is_refused():
    assert clean_text("ы" * 10, limit=10)
    with pytest.raises(TooLargeError):
        clean_text("ы" * 11, "Subject", limit=10)


def test_marks_that_take_a_square_of_steps_are_refused_with_their_place():
    with pytest.raises(ValidationError) as refused:
        clean_text("Прошу" + "\u0315\u0300" * 49_000, "Appeal/Text")
    (violation,) = refused.value.violations
    assert (violation.path, violation.code) == ("Appeal/Text", "marks")
    assert "character 36" in violation.found


@given(st.integers(0, 30), st.sampled_from(["и\u0306", "\u05d0\u05b8", "\u0915\u094d"]))
def test_letters_with_all_the_marks_of_a_language_stay(count, letter):
    text = letter * 100 + "е" + "\u0301" * count
    assert clean_text(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("look", [nfc, is_nfc])
def test_a_text_that_nobody_cleaned_is_looked_at_before_its_marks_are_put_in_order(look):
    with pytest.raises(ValidationError) as refused:
        look("дом " + "\u0315\u0300" * 49_000)
    (violation,) = refused.value.violations
    assert (violation.code, violation.found) == ("marks", "more than 30 up to character 35")


def test_a_short_text_is_looked_at_too_before_it_is_changed():
    with pytest.raises(ValidationError, match="marks in a row"):
        nfc("е" + "\u0315\u0300" * 20)


@given(st.text(max_size=30))
def test_a_text_in_form_c_stays_as_it_is(text):
    assert nfc(text) == unicodedata.normalize("NFC", text)
    assert is_nfc(nfc(text))
    assert is_nfc(text) == (nfc(text) == text)


@pytest.mark.parametrize("place", range(65))
def test_too_many_marks_are_found_wherever_they_begin(place):
    text = "я" * place + "\u0301" * 31 + "я" * 40
    with pytest.raises(ValidationError, match="marks in a row"):
        clean_text(text)
    assert clean_text(text.replace("\u0301", "", 1))


def test_what_is_told_by_one_look_is_in_form_c_and_may_stand_in_any_text():
    usual = [char for char in map(chr, range(0x110000)) if fold._USUAL.fullmatch(char)]
    assert len(usual) > 1_000
    for char in usual:
        assert unicodedata.is_normalized("NFC", char)
        assert unicodedata.combining(char) == 0
        assert fold.FORBIDDEN.search(char) is None
    together = "".join(first + second for first in usual for second in usual[::7])
    assert unicodedata.is_normalized("NFC", together)
