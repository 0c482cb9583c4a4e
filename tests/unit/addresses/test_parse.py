"""What the words of an address are taken for. Cases: test_parse_cases.csv, a line each."""

import csv
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import limits
from gateway.addresses.flat import FIELDS, flat
from gateway.addresses.parse import parse
from gateway.addresses.parts import Parsed
from gateway.addresses.words import MARKERS
from gateway.addresses.words_regions import CALLS, REGIONS, region
from gateway.errors import ValidationError

with (Path(__file__).parent / "test_parse_cases.csv").open(encoding="utf-8", newline="") as table:
    CASES = list(csv.DictReader(table, delimiter=";"))

WORDS = sorted({*MARKERS, *CALLS, "Воронеж", "Ленина", "Мира", "3-я", "5а", "14", "б/н", "IV", "X"})
SIGNS = [
    "",
    " ",
    ", ",
    ". ",
    "/",
    "-",
    '"',
    "«",
    "(",
    ")",
    "№",
    "\n",
    "\x00",
    "é",
    "中",
    "🙂",
    "\u0306",
]


def told(parsed: Parsed) -> str:
    """Return the parts as the table of cases writes them."""
    return " | ".join(
        f"{part.role}: {'/'.join(part.types) or part.type} [{part.name}]".replace(":  [", ": [")
        for part in parsed.parts
    )


@pytest.mark.parametrize("case", CASES, ids=[case["text"][:60] for case in CASES])
def test_an_address_is_read_as_the_table_says(case):
    parsed = parse(case["text"])
    assert told(parsed) == case["parts"]
    assert " ".join(parsed.rest) == case["rest"]


def checked(text: str) -> Parsed:
    """Parse a text, and hold what every answer promises."""
    parsed = parse(text)
    places = [(token.start, token.end) for token in parsed.tokens]
    assert places == sorted(places)
    for token in parsed.tokens:
        assert parsed.text[token.start : token.end] == token.text
        assert token.why
    covered = {at for start, end in places for at in range(start, end)}
    left = [sign for at, sign in enumerate(parsed.text) if sign.isalnum() and at not in covered]
    assert not left
    assert all(part.name for part in parsed.parts)
    assert len(parsed.others) <= 3
    assert tuple(flat(parsed)) == FIELDS
    return parsed


@given(st.text(max_size=limits.ADDRESS_TEXT))
@example("")
@example("\x00\x1f\u200b\u0306")
def test_any_text_is_answered(text):
    checked(text)


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SIGNS)), max_size=40))
def test_any_heap_of_the_words_of_addresses_is_answered(heap):
    checked("".join(word + sign for word, sign in heap)[: limits.ADDRESS_TEXT])


@pytest.mark.parametrize(
    "piece",
    ["д.", "д. ", "5 ", "5,", "г. Воронеж, ", '"', "(", "ул ", "№", "5/", "а-", "1-", "Ленина, ",
     "с ", "к. ", "мкр ", "кв 5 ", "Саха (", "5 к ", "ул Мира 5а ", "Республика ", "а", "1", "\t"],
)  # fmt: skip
def test_a_text_of_one_piece_a_thousand_times_is_answered(piece):
    checked((piece * limits.ADDRESS_TEXT)[: limits.ADDRESS_TEXT])
    with pytest.raises(ValidationError) as refused:
        parse((piece * 10_000)[:10_000])
    assert refused.value.todo
    assert refused.value.violations[0].code == "max_length"


def test_a_text_longer_than_an_address_is_refused_with_what_to_do():
    parse("а" * limits.ADDRESS_TEXT)
    with pytest.raises(ValidationError, match="do: give the address alone"):
        parse("а" * (limits.ADDRESS_TEXT + 1))


def test_an_abbreviation_of_two_street_types_keeps_both():
    street = parse("г. Воронеж, пр. Мира, 5").first("street")
    assert street is not None
    assert street.types == ("проспект", "проезд")


def test_the_number_after_a_hyphen_is_a_flat_or_else_a_part_of_the_house():
    parsed = parse("ул. Мира, д. 5-12")
    assert told(parsed).endswith("house: дом [5] | apartment: [12]")
    assert [told(other) for other in parsed.others] == ["street: улица [Мира] | house: дом [5-12]"]


def test_a_second_bare_number_is_a_flat_or_else_a_block():
    others = parse("Воронеж, Мира, 5, 12").others
    assert [told(other) for other in others] == [
        "settlement: [Воронеж] | street: [Мира] | house: [5] | block: корпус [12]"
    ]


def test_a_name_without_type_and_settlement_may_be_either():
    parsed = parse("Берёзовка, 5")
    assert told(parsed) == "street: [Берёзовка] | house: [5]"
    assert [told(other) for other in parsed.others] == ["settlement: [Берёзовка] | house: [5]"]


def test_a_district_of_a_city_may_be_one_of_the_region():
    parsed = parse("г. Воронеж, Советский р-н, ул. Мира, 5")
    assert parsed.first("district") is not None
    assert parsed.others[0].first("municipality") is not None


def test_a_block_may_be_a_room():
    parsed = parse("г. Воронеж, ул. Мира, 5, к. 3")
    assert parsed.first("block") is not None
    assert parsed.others[0].first("room") is not None


def test_every_reading_says_of_each_word_what_it_took_it_for():
    parsed = parse("ул. Мира, д. 5, к. 3")
    assert [token.role for token in parsed.tokens][-2:] == ["block", "block"]
    assert [token.role for token in parsed.others[0].tokens][-2:] == ["room", "room"]


def test_latin_letters_that_look_russian_are_russian_and_places_stay():
    parsed = parse("г Bоронеж, ул Лeнина, 14A")
    assert told(parsed) == "settlement: город [Воронеж] | street: улица [Ленина] | house: [14А]"
    assert parsed.tokens[1].start == 2


def test_composed_and_decomposed_letters_are_the_same():
    assert told(parse("и\u0306ошкар-ола, 5")) == told(parse("йошкар-ола, 5"))


def test_there_are_89_regions_and_each_is_found_by_its_name():
    assert len(REGIONS) == 89
    assert len({one.code for one in REGIONS}) == 89
    for one in REGIONS:
        assert region(one.name) is not None, one.name


@pytest.mark.parametrize("one", REGIONS, ids=[one.code for one in REGIONS])
def test_a_region_is_read_with_its_type_before_and_after(one):
    for text in (f"{one.name} {one.type}, г. Энск", f"{one.type} {one.name}, г. Энск"):
        part = parse(text).first("region")
        assert part is not None, text
        assert part.type == one.type
        found = region(part.name)
        assert found is not None
        assert found.name == one.name or part.name == "Алтай"


@pytest.mark.parametrize(
    ("called", "code"),
    [("ХМАО", "86"), ("СПб", "78"), ("Питер", "78"), ("Татарстан", "16"), ("Якутия", "14"),
     ("Москва", "77"), ("Кузбасс", "42"), ("Чувашия", "21"), ("ЯНАО", "89"), ("КБР", "07"),
     ("Северная Осетия", "15"), ("Югра", "86"), ("МО", "50"), ("ДНР", "93")],
)  # fmt: skip
def test_a_region_is_known_by_what_it_is_called(called, code):
    found = region(called)
    assert found is not None
    assert found.code == code
    part = parse(f"{called}, ул. Мира, 5").first("region")
    assert part is not None
    again = region(part.name)
    assert again is not None
    assert again.code == code


def test_a_street_called_as_a_region_is_a_street():
    assert told(parse("г. Воронеж, ул. Крым, 5")).endswith("street: улица [Крым] | house: [5]")
    assert parse("ул. Московская, 5").first("region") is None
