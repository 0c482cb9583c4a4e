"""What a text becomes while it is typed, over the made-up region."""

from __future__ import annotations

import pytest

from gateway.addresses.gazetteer import Gazetteer
from gateway.addresses.prefixes import MANY
from gateway.addresses.suggest import HouseFound, natural, prefixes, readings, suggest
from tests.unit.addresses.region_kit import Made, voronezh

MADE = voronezh()
REGION = MADE.region()
PSKOV = Made(60, "Псковская")
PSKOV.put(PSKOV.put(PSKOV.root, 5, "город", "Псков"), 8, "улица", "9 Января", houses="1 2")
TWO = Gazetteer([REGION, PSKOV.region()])


def houses(streets, beginning, _most):
    return [
        HouseFound(row.region, row.parent, row.key, row.guid, row.label, row.oktmo)
        for made in (MADE, PSKOV)
        for row in sorted(made.houses, key=lambda row: row.key)
        if (row.region, row.parent) in streets and row.key.startswith(beginning)
    ]


def labels(text, regions=("36",), limit=10, gazetteer=TWO):
    found = suggest(gazetteer, text, regions, limit, houses=houses)
    return [item.label.removeprefix("Воронежская обл., ") for item in found.items]


FIRST = {
    "воронеж": "г. Воронеж",
    "ворон": "Воронежская обл.",
    "9 янв": "г. Воронеж, ул. 9 Января",
    "янв": "г. Воронеж, ул. 9 Января",
    "ЯНВ": "г. Воронеж, ул. 9 Января",
    "ул. 9 Января": "г. Воронеж, ул. 9 Января",
    "воронеж 9 янв": "г. Воронеж, ул. 9 Января",
    "9 января воронеж": "г. Воронеж, ул. 9 Января",
    "воронеж, ул 9 января ": "г. Воронеж, ул. 9 Января",
    "либкн": "г. Воронеж, ул. Карла Либкнехта",
    "карла л": "г. Воронеж, ул. Карла Либкнехта",
    "либкнехта карл": "г. Воронеж, ул. Карла Либкнехта",
    "революции": "г. Воронеж, пр-кт Революции",
    "проезд рев": "г. Воронеж, проезд Революции",
    "пер рев": "г. Воронеж, пер. Революции",
    "революции пе": "г. Воронеж, пер. Революции",
    "большая дв": "г. Воронеж, пр-кт Революции",
    "берез": "Хохольский р-н, д. Берёзовка",
    "Берёз": "Хохольский р-н, д. Берёзовка",
    "3-я шос": "г. Воронеж, ул. 3-я Шоссейная",
    "третья шос": "г. Воронеж, ул. 3-я Шоссейная",
    "40 лет": "г. Воронеж, ул. 40 лет Октября",
    "садовая": "г. Воронеж, ул. Садовая",
    "мкр северный": "г. Воронеж, мкр. Северный",
    "сев": "г. Воронеж, мкр. Северный",
    "ромаш": "г. Воронеж, тер. СНТ Ромашка",
    "хреновое лен": "Хохольский р-н, с. Хреновое, ул. Ленина",
    "рамонский лесн": "Рамонский р-н, с. Берёзовка, ул. Лесная",
    "воронежская обл воронеж лен": "г. Воронеж, ул. Ленина",
    "воронеж ул ленина 5": "г. Воронеж, ул. Ленина, д. 5",
    "воронеж ул ленина д 5": "г. Воронеж, ул. Ленина, д. 5",
    "воронеж ул ленина дом 9 корпус 2": "г. Воронеж, ул. Ленина, д. 9к2",
    "воронеж ул ленина 9к": "г. Воронеж, ул. Ленина, д. 9к2",
    "воронеж ул ленина 7/": "г. Воронеж, ул. Ленина, д. 7/3",
    "воронеж ул ленина 12 а": "г. Воронеж, ул. Ленина, д. 12а",
    "г. Воронеж, ул. 9 Января, д. 68, к. 2": "г. Воронеж, ул. 9 Января, д. 68к2",
    "Хохольский р-н": "Хохольский р-н",
    "Хохольский р-н, с. Хреновое, ул": "Хохольский р-н, с. Хреновое",
    "воронеж, ул ленина, д": "г. Воронеж, ул. Ленина",
    "воронеж, ул ленина, влд. ": "г. Воронеж, ул. Ленина",
    "воронеж, ул ленина, д. 5, ": "г. Воронеж, ул. Ленина, д. 5",
    "9 января 6": "г. Воронеж, ул. 9 Января, д. 68",
    "мкр северный 12": "г. Воронеж, мкр. Северный, д. 12/3",
    "г. Воронеж, ул. Ленина, 11": "г. Воронеж, ул. Ленина, д. 11с1",
}


@pytest.mark.parametrize("text", FIRST)
def test_the_first_that_is_suggested(text):
    assert labels(text)[0] == FIRST[text]


def test_a_number_that_is_typed_gives_that_house_and_those_that_begin_so():
    found = labels("воронеж ул ленина 1", limit=4)
    assert [label.rpartition(" ")[2] for label in found] == ["1", "11с1", "12", "12а"]


def test_words_that_lie_in_no_such_place_give_nothing():
    assert labels("хреновое янв") == []
    assert labels("ааа") == []
    assert labels("9 января 999") == []


def test_the_region_that_is_asked_comes_first_and_others_while_there_is_room():
    assert labels("9 янв", ("60",))[0].startswith("Псковская")
    assert labels("9 янв", ("36",))[0].startswith("г. Воронеж")
    assert labels("9 янв", ("60",), limit=1) == ["Псковская обл., г. Псков, ул. 9 Января"]
    assert len(labels("9 янв", ())) == 2


def test_what_has_more_houses_comes_first():
    found = labels("лесная")
    assert found[0] in {
        "Хохольский р-н, с. Хреновое, ул. Лесная", "Рамонский р-н, с. Берёзовка, ул. Лесная",
        "Рамонский р-н, п. Берёзовка, ул. Лесная",
    }  # fmt: skip
    assert labels("ленина")[0] == "г. Воронеж, ул. Ленина"


def test_an_object_is_suggested_once_and_never_more_than_asked():
    for text in ("в", "л", "1", "ре", "большая садовая", "улица"):
        found = suggest(TWO, text, ("36",), 3, houses=houses).items
        assert len({item.guid for item in found}) == len(found) <= 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "улица",
        "ул ",
        "д 5",
        "№",
        "-",
        "/",
        "12/",
        "\x00",
        "a" * 1000,
        "1 " + "к" * 998,
        "д" * 999,
        "د",
    ],
)
def test_any_text_is_answered(text):
    suggest(TWO, text, ("36", "нет", "99"), houses=houses)


def test_a_suggestion_can_be_put_into_the_field_and_goes_on_from_there():
    (street, *_) = suggest(TWO, "воронеж 9 янв", ("36",)).items
    assert (street.level, street.region, street.complete) == (8, "36", False)
    assert street.oktmo == "20701000001"
    (house, *_) = suggest(TWO, f"{street.value}7", ("36",), houses=houses).items
    assert (house.level, house.complete) == (10, True)
    assert house.label == f"{street.label}, д. 7"


def test_without_houses_to_look_up_names_are_suggested_still():
    assert suggest(TWO, "воронеж ул ленина 5", ("36",)).items == ()
    assert suggest(TWO, "9 янв", ("36",)).items


def test_a_number_behind_a_name_is_a_house_or_the_beginning_of_a_name():
    assert [(typed.words, typed.house) for typed in readings("воронеж 9")] == [
        (("воронеж",), "9"), (("воронеж", "9"), ""),
    ]  # fmt: skip
    assert next(typed.house for typed in readings("9 января 68 к 2")) == "68к2"
    assert [typed.house for typed in readings("ул 9")] == [""]


def test_numbers_are_in_their_natural_order():
    assert sorted(["12а", "10", "1", "2", "уч3"], key=natural) == ["уч3", "1", "2", "10", "12а"]


def test_of_a_beginning_that_many_bear_the_largest_come_first():
    made = Made(77, "Новая")
    for number in range(MANY * 3):
        sizes = " ".join(map(str, range(1, 2 + number % 7)))
        made.put(made.root, 8, "улица", f"Кленовая {number}", houses=sizes)
    large = made.put(made.root, 8, "улица", "Кленовая Большая", houses="1 2 3 4 5 6 7 8 9")
    region = made.region()
    found = suggest(Gazetteer([region]), "кле")
    assert found.items[0].guid == str(made.guid(large))
    assert len(found.items) == 10
    assert prefixes(region).size < 100 * region.count
