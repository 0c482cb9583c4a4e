"""An address as one row of fields, by the conventions of the public set; and the set itself."""

import os
from pathlib import Path

import pytest

from bench import fias_parse
from gateway.addresses.flat import FIELDS, flat
from gateway.addresses.parse import parse

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared"))
REAL = SHARED / "data/addresses/geonorm_lvl6.csv"


def fields(text: str) -> dict[str, str]:
    """Return the fields that are not empty, without the text itself."""
    return {key: value for key, value in flat(parse(text)).items() if value and key != "address"}


def test_every_field_is_there_in_its_order():
    assert tuple(flat(parse(""))) == FIELDS
    assert FIELDS[:3] == ("address", "region", "region_type")
    assert FIELDS[16:] == (
        "apartment_type", "postal_code", "location", "location_type", "letter", "rest",
    )  # fmt: skip


def test_a_whole_address_fills_the_row():
    text = "394000, Воронежская обл., г. Воронеж, ул. 9 Января, д. 68, к. 2, стр. 1, кв. 15"
    assert fields(text) == {
        "region": "Воронежская", "region_type": "область",
        "settlement": "Воронеж", "settlement_type": "город",
        "street": "9 Января", "street_type": "улица",
        "house": "68", "house_type": "дом", "block": "2", "block_type": "корпус",
        "building": "1", "building_type": "строение",
        "apartment": "15", "apartment_type": "квартира", "postal_code": "394000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "municipality", "settlement"),
    [
        ("г. Ульяновск, с. Степное, ул. Мира, 5", "Ульяновск", "Степное"),
        ("с. Степное, г. Ульяновск, ул. Мира, 5", "Ульяновск", "Степное"),
        ("р-н. Степной, г. Луговой, п. Речной, ул. Мира, 5", "Луговой", "Речной"),
        ("р-н. Степной, г. Луговой, ул. Мира, 5", "Степной", "Луговой"),
        ('муниципальное образование "Город Луговой", г. Луговой, ул. Мира, 5', "", "Луговой"),
        ('муниципальное образование "Город Луговой", п. Речной, 5', "Луговой", "Речной"),
        ("г.о. город Луговой, г. Луговой, ул. Мира, 5", "", "Луговой"),
        ("Степной р-н, с/с Барский, с. Барское, ул. Мира, 5", "Степной", "Барское"),
        ("с/с Барский, с. Барское, ул. Мира, 5", "Барский", "Барское"),
        ("Степной р-н, ст Луговая, ул. Мира, 5", "Степной", ""),
        ("г. Москва, ул. Мира, 5", "", ""),
        ("г. Санкт-Петербург, г. Колпино, ул. Мира, 5", "", "Колпино"),
    ],
)
def test_nested_places_have_their_fields(text, municipality, settlement):
    row = flat(parse(text))
    assert (row["municipality"], row["settlement"]) == (municipality, settlement)


@pytest.mark.parametrize(
    ("text", "street", "location"),
    [
        ("г. Луговой, мкр. Степной, ул. Мира, 5", "Мира", "Степной"),
        ("г. Луговой, мкр. Степной, 5", "Степной", ""),
        ("г. Луговой, СНТ Ромашка, уч. 5", "", "Ромашка"),
        ("г. Луговой, кв-л. 3-й, д. 5", "3-й", ""),
        ("г. Луговой, тер. Заречье, д. 5", "Заречье", ""),
        ('г. Луговой, ул. Садовая 7-я, 5, СНТ "Энск"', "Садовая 7-я", "Энск"),
        ("г. Луговой, жилрайон. Степной, ул. Мира, 5", "Мира", "Степной"),
        ("г. Луговой, Степной р-н, ул. Мира, 5", "Мира", "Степной"),
        ("Степной р-н, ст Луговая, ул. Мира, 5", "Мира", "Луговая"),
    ],
)
def test_an_element_of_planning_is_the_street_when_there_is_no_street(text, street, location):
    row = flat(parse(text))
    assert (row["street"], row["location"]) == (street, location)


@pytest.mark.parametrize(
    ("text", "house", "block", "letter"),
    [
        ("ул. Мира, 12/3", "12/3", "", ""),
        ('ул. Мира, 14 "А"', "14А", "", ""),
        ("ул. Мира, д. 19, лит. А", "19А", "", "А"),
        ("ул. Мира, д. 3, к. 2, лит. А", "3А", "2", "А"),
        ("ул. Мира, уч. 15", "15", "", ""),
        ("г. Москва, г. Зеленоград, корп. 1505", "1505", "", ""),
    ],
)
def test_a_house_has_its_fraction_and_letter(text, house, block, letter):
    row = flat(parse(text))
    assert (row["house"], row["block"], row["letter"]) == (house, block, letter)


@pytest.mark.skipif(
    not REAL.exists(), reason="no data/addresses beside the checkout (GATEWAY_SHARED)"
)
def test_real_addresses_are_read_as_people_read_them():
    measured = fias_parse.measure(fias_parse.rows_of(REAL))
    assert measured.lines > 1_000
    assert measured.right["all"] >= 0.96 * measured.lines
    assert measured.right["street"] >= 0.99 * measured.lines
