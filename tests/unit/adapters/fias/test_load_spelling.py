"""How the register's numbers and types are spelled when they are searched."""

import pytest

from adapters.fias import room
from adapters.fias.spelling import Numbered, Words
from gateway.errors import TooLargeError

WORDS = Words([("addr_obj_types", 1, 8, "пр-кт.", "Проспект"), ("house_types", 2, 0, "д.", "Дом")])


@pytest.mark.parametrize(
    ("given", "key", "label"),
    [
        (Numbered(0, "68", 2, "2", 1, "", 0), "68к2", "д. 68, к. 2"),
        (Numbered(0, "12А/3", 2, "2", 1, "1", 2), "12а/3к2с1", "д. 12А/3, к. 2, стр. 1"),
        (Numbered(0, "12", 2, "Б", 4, "", 0), "12б", "д. 12, литера Б"),
        (Numbered(0, "7", 1, "", 0, "", 0), "7", "влд. 7"),
        (Numbered(0, "5", 7, "", 0, "", 0), "с5", "стр. 5"),
        (Numbered(0, "", 0, "5", 3, "", 0), "с5", "соор. 5"),
        (Numbered(0, "", 2, "9", 0, "", 0), "9", "9"),
        (Numbered(0, "9", 4, "", 0, "", 0), "гараж9", "гараж 9"),
        (Numbered(0, "9", 2, "3", 77, "", 0), "9к3", "д. 9, 3"),
        (Numbered(0, "", 2, "", 0, "", 0), "", ""),
        (Numbered(1, "5/1", 0, "", 0, "", 0), "уч5/1", "уч. 5/1"),
        (Numbered(1, "", 0, "", 0, "", 0), "", "уч. "),
    ],
)
def test_a_number_has_the_key_that_people_will_ask_by(given, key, label):
    assert WORDS.house(given) == (key, label)


def test_a_type_is_told_by_the_dictionary_and_else_by_what_is_known_of_it():
    assert WORDS.object(8, "пр-кт") == "проспект"
    assert WORDS.object(8, "ул.") == "улица"
    assert WORDS.object(6, "Хутор-Ёлка") == "хутор-елка"


def test_a_country_does_not_fit_on_a_small_disk_and_a_region_may():
    country = room.of_bytes(300 * 10**9)
    region = country._replace(disk=10**9)
    room.require({"36": region}, 50 * 10**9)
    with pytest.raises(TooLargeError) as error:
        room.require({"77": country, "36": region}, 50 * 10**9)
    assert "50.0 GB" in error.value.found
    assert "--region 36: 1.0 GB" in error.value.todo
