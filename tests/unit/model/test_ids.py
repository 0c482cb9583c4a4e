"""Ids ascend and never meet; a receipt number survives dictation and refuses typing errors."""

import os
import threading
import uuid
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.errors import ValidationError
from gateway.model import ids
from gateway.model.ids import (
    ALPHABET,
    RECEIPT_CHARS,
    check_receipt_number,
    question_id,
    receipt_number,
    receipt_of,
    uuid7,
    uuid7_bytes,
    uuid7_ms,
)

MOMENTS = st.integers(0, 2**48 - 2)


def test_ids_ascend_as_they_are_made():
    made = [uuid7() for _ in range(20_000)]

    assert all(one < other for one, other in pairwise(made))
    assert all(item.version == 7 and item.variant == uuid.RFC_4122 for item in made)


def test_bytes_and_objects_share_one_order():
    mixed = [uuid7().bytes if turn % 2 else uuid7_bytes() for turn in range(1000)]

    assert mixed == sorted(mixed)


@given(MOMENTS)
def test_a_given_moment_stands_in_the_id(now_ms):
    made = [uuid7(now_ms) for _ in range(50)]

    assert {uuid7_ms(item) for item in made} == {now_ms}
    assert made == sorted(made)
    assert len(set(made)) == 50


@given(MOMENTS, MOMENTS)
def test_an_earlier_moment_gives_a_smaller_id(one, other):
    assume(one != other)
    first, second = uuid7(max(one, other)), uuid7(min(one, other))

    assert second < first


def test_more_ids_than_a_millisecond_holds_still_ascend():
    made = [uuid7(1_700_000_000_000) for _ in range(10_000)]

    assert made == sorted(set(made))


def test_a_clock_that_steps_back_does_not_break_the_order(monkeypatch):
    before = uuid7()
    behind = uuid7_ms(before) - 3_600_000
    monkeypatch.setattr(ids.time, "time_ns", lambda: behind * 1_000_000)

    assert uuid7() > before


def test_threads_never_make_the_same_id():
    made: list[list[uuid.UUID]] = [[] for _ in range(8)]

    def work(mine):
        mine.extend(uuid7() for _ in range(2_000))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({item for mine in made for item in mine}) == 16_000
    assert all(mine == sorted(mine) for mine in made)


def test_a_forked_child_does_not_repeat_its_parent():
    receipt_number()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, (uuid7().hex + receipt_number()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(read, 100).decode()
    os.close(read)
    os.close(write)

    assert told[:32] != uuid7().hex
    assert told[32:] != receipt_number()
    assert check_receipt_number(told[32:])


RECEIPTS = st.integers(0, 2**50 - 1).map(receipt_of)


def test_receipt_numbers_are_short_and_do_not_meet():
    made = [receipt_number() for _ in range(20_000)]

    assert all(len(item) == RECEIPT_CHARS and set(item) <= set(ALPHABET) for item in made)
    assert len(set(made)) == len(made)
    assert all(check_receipt_number(item) == item for item in made)


@given(RECEIPTS)
def test_every_single_wrong_character_is_found(number):
    for place, right in enumerate(number):
        for wrong in ALPHABET.replace(right, ""):
            with pytest.raises(ValidationError):
                check_receipt_number(number[:place] + wrong + number[place + 1 :])


@given(RECEIPTS)
def test_every_exchange_of_two_characters_is_found(number):
    for one in range(RECEIPT_CHARS):
        for other in range(one + 1, RECEIPT_CHARS):
            if number[one] != number[other]:
                chars = list(number)
                chars[one], chars[other] = chars[other], chars[one]
                with pytest.raises(ValidationError):
                    check_receipt_number("".join(chars))


@given(RECEIPTS, st.data())
def test_a_receipt_number_may_be_typed_carelessly(number, data):
    looks = {"0": "0OoОо", "1": "1IiLl", "A": "AaАа", "B": "BВ", "C": "CcСс", "E": "EeЕе"}
    looks |= {"H": "HН", "K": "KkКк", "M": "MmМм", "P": "PpРр", "T": "TtТт", "X": "XxХх"}
    typed = "".join(
        data.draw(st.sampled_from(looks.get(char, char + char.lower())))
        + data.draw(st.sampled_from(["", "", "-", " ", "–"]))
        for char in number
    )

    assert check_receipt_number(f" {typed}\n") == number


@given(st.text())
def test_other_text_is_refused_or_is_a_receipt_number(text):
    try:
        checked = check_receipt_number(text)
    except ValidationError:
        return
    assert check_receipt_number(checked) == checked


@given(st.integers(0, 2**48 - 2), st.integers(1, 32_767), st.integers(1, 32_767))
def test_ids_of_questions_follow_from_the_appeal_and_are_nobody_elses(ms, one, other):
    appeal = uuid7(ms)

    assert question_id(appeal, one) == question_id(appeal, one)
    assert (question_id(appeal, one) == question_id(appeal, other)) == (one == other)
    assert question_id(appeal, one).version == 8
    assert question_id(appeal, one).variant == uuid.RFC_4122
    assert question_id(appeal, one) != question_id(uuid7(ms), one)
