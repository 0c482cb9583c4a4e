"""What a text about the made-up region is answered with: a house, or an honest doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import limits, places
from gateway.addresses.found import Question
from gateway.addresses.gazetteer import Gazetteer, Synonym
from gateway.addresses.parse import parse
from gateway.addresses.resolve import Resolver
from gateway.errors import ValidationError
from gateway.model.address import Address
from tests.unit.addresses.region_kit import Made, voronezh

MADE = voronezh()
RESOLVER = Resolver(Gazetteer([MADE.region()]))

CITY = "Воронежская обл., г. Воронеж"
AREA = "Воронежская обл., Хохольский р-н"
BY = "Воронежская обл., Рамонский р-н"

EXACT = [
    # as it should be, in any order, with or without words for it
    ("г Воронеж, ул 9 Января 68к2 кв 15", f"{CITY}, ул. 9 Января, д. 68к2, кв. 15"),
    ("9 Января 68 к. 2, г. Воронеж, Воронежская область", f"{CITY}, ул. 9 Января, д. 68к2"),
    ("Воронеж Ленина 5", f"{CITY}, ул. Ленина, д. 5"),
    ("394000, Воронеж, 9-го января, дом 70", f"{CITY}, ул. 9 Января, д. 70"),
    ("Воронежская обл, Хохольский р-н, с Хреновое, ул Ленина д.5",
     f"{AREA}, с. Хреновое, ул. Ленина, д. 5"),
    ("г. Воронеж", CITY),
    ("Воронеж, ул. Карла Либкнехта", f"{CITY}, ул. Карла Либкнехта"),
    # numbers of houses
    ('Воронеж Московский пр-т дом 14 "А"', f"{CITY}, пр-кт Московский, д. 14а"),
    ("Воронеж, Московский проспект, 14 литера А", f"{CITY}, пр-кт Московский, д. 14а"),
    ("Воронеж, ул. 9 Января, 68/2", f"{CITY}, ул. 9 Января, д. 68к2"),
    ("Воронеж, ул Ленина 9 корп 2", f"{CITY}, ул. Ленина, д. 9к2"),
    ("Воронеж, ул Ленина 11/1", f"{CITY}, ул. Ленина, д. 11с1"),
    ("Воронеж, ул Ленина 7-3", f"{CITY}, ул. Ленина, д. 7/3"),
    # misspelt, shortened, former
    ("Воронеж, ул. Ленена, 5", f"{CITY}, ул. Ленина, д. 5"),
    ("Воронеж, К. Либкнехта 12", f"{CITY}, ул. Карла Либкнехта, д. 12"),
    ("Воронеж, ул. Либкнехта 12", f"{CITY}, ул. Карла Либкнехта, д. 12"),
    ("Воронеж, ул. 40-летия Октября, 8", f"{CITY}, ул. 40 лет Октября, д. 8"),
    ("г. Воронеж, третья Шоссейная 4", f"{CITY}, ул. 3-я Шоссейная, д. 4"),
    ("Воронеж, Б. Садовая 15", f"{CITY}, ул. Большая Садовая, д. 15"),
    ("Воронеж, Большая Дворянская 10", f"{CITY}, пр-кт Революции, д. 10"),
    ("с Хриновое, ул Лесная 2", f"{AREA}, с. Хреновое, ул. Лесная, д. 2"),
    # a type decides, or the house where the type says nothing
    ("Воронеж, пер. Революции, 3", f"{CITY}, пер. Революции, д. 3"),
    ("Воронеж, Революции 44", f"{CITY}, проезд Революции, д. 44"),
    ("Воронеж, пр. Революции 10", f"{CITY}, пр-кт Революции, д. 10"),
    ("Воронеж, пер. Садовая 2", f"{CITY}, пер. Садовый, д. 2"),
    # microdistricts, gardens, villages without streets
    ("г Воронеж, мкр Северный 12/3", f"{CITY}, мкр. Северный, д. 12/3"),
    ("Воронеж, мкр Северный, ул Хользунова 10", f"{CITY}, мкр. Северный, ул. Хользунова, д. 10"),
    ("Воронеж, СНТ Ромашка, уч 15", f"{CITY}, тер. СНТ Ромашка, д. уч15"),
    ("Воронеж, СНТ Ромашка, 20", f"{CITY}, тер. СНТ Ромашка, д. 20"),
    ("Хохольский район, д. Берёзовка, д. 5", f"{AREA}, д. Берёзовка, д. 5"),
    ("г. Воронеж, п. Придонской, ул. Ленина 99", f"{CITY}, п. Придонской, ул. Ленина, д. 99"),
    # one name in several places: what else is said decides
    ("с Березовка, ул Лесная 1", f"{BY}, с. Берёзовка, ул. Лесная, д. 1"),
    ("396021, Березовка, ул Лесная 1", f"{BY}, п. Берёзовка, ул. Лесная, д. 1"),
    ("Березовка, ул Лесная 4", f"{BY}, п. Берёзовка, ул. Лесная, д. 4"),
    ("Рамонский р-н, Березовка, ул Заречная 2", f"{BY}, с. Берёзовка, ул. Заречная, д. 2"),
    # districts in either division
    ("г.о. город Воронеж, ул Луговая 2", f"{CITY}, ул. Луговая, д. 2"),
    ("Хохольский муниципальный район, с. Хреновое, ул. Ленина, 7",
     f"{AREA}, с. Хреновое, ул. Ленина, д. 7"),
]  # fmt: skip

STREET_ONLY = [
    ("с. Хреновое ул Ленина 6", f"{AREA}, с. Хреновое, ул. Ленина"),
    ("Воронеж, ул Ленина 98", f"{CITY}, ул. Ленина"),
    ("Воронеж, ул Ленина 9", f"{CITY}, ул. Ленина"),  # 9к2 is another house
    ("Воронеж Московский пр-т дом 14 б", f"{CITY}, пр-кт Московский"),
    ("Хохольский р-н, д. Берёзовка, 55", f"{AREA}, д. Берёзовка"),
]

AMBIGUOUS = [
    "ул Ленина 5",  # three places have it
    "ул Ленина 21",  # one has the house, but the text says not where
    "Воронеж, ул Ленина 99",  # the city's own street has none, that of a township of it has
    "Воронеж, Революции 3",  # проспект and переулок both have it
    "Березовка, ул Лесная 1",
    "Воронеж, Лувовая 1",  # Луговая or Лубовая
    "Воронеж, ул. Карла Либкнехта 12, Московский",  # a name that nothing explains
    "Берёзовка",
]

LETTERS = [("Ленина д.5-б Воронеж", False), ("Ленина, 5, в Воронеже", True)]

NOT_FOUND = [
    "Москва, Тверская 1",
    "Калужская область, г Калуга, ул Ленина 5",
    "Воронеж, ул Несуществующая 5",
    "Воронеж, 23 Шоссейная 8",
    "Воронеж, 8 Января 5",
    "с. Хреновое, д. 5",  # it has streets, and none is named
    "asdf qwerty",
    "",
    "!!! 5",
]


def ask(text, **more):
    plan = RESOLVER.plan([Question(text=text, **more)])
    return plan.answer(MADE.lookup(plan.asks), MADE.flat_lookup)[0]


@pytest.mark.parametrize(("text", "label"), EXACT)
def test_what_is_determined_is_found(text, label):
    answer = ask(text)
    assert (answer.outcome, answer.best and answer.best.label) == ("exact", label)
    assert 0.78 <= answer.confidence <= 1
    assert answer.version == "20260908"


@pytest.mark.parametrize(("text", "label"), STREET_ONLY)
def test_a_house_that_is_not_there_leaves_its_street(text, label):
    answer = ask(text)
    assert (answer.outcome, answer.best and answer.best.label) == ("street_only", label)
    assert answer.notes


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_a_doubt_is_said_with_what_it_is_between(text):
    answer = ask(text)
    assert answer.outcome == "ambiguous"
    assert answer.best is None
    assert answer.candidates
    assert answer.notes


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_not_there_is_not_found(text):
    answer = ask(text)
    assert answer.outcome == "not_found"
    assert answer.best is None


@pytest.mark.parametrize(("text", "plain"), LETTERS)
def test_a_letter_that_was_not_understood_makes_a_doubt_of_the_house_without_it(text, plain):
    label = f"{CITY}, ул. Ленина, д. 5"
    best = ask(text).best
    assert (best is not None and best.label == label) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Воронеж, ул. Ленина, напротив дома 5",
        "Воронеж возле дома 5 ул Ленина",
        "Воронеж, ул. Ленина у дома 5",
        "Воронеж, ул. Ленина между домами 5 и 9",
        "Воронеж, ул. Ленина, дома 5 и 9",
        "Воронеж, ул. Ленина, 5, 9, 11",
        "Воронеж, угол Ленина 5 и Лесная",
        "Воронеж, ул. Ленина, не дом 5, а дом 9",
    ],
)
def test_a_place_near_a_house_or_several_houses_are_not_one_house(text):
    answer = ask(text)
    assert answer.outcome != "exact"
    assert answer.best is None or not answer.best.house_guid


@pytest.mark.parametrize(
    "text",
    ["Воронеж, ул. Ленина, 5, напротив школы", "Воронеж, ул. Ленина, 5, рядом двор",
     "во дворе дома 5 по улице Ленина, Воронеж"],
)  # fmt: skip
def test_what_stands_near_the_house_leaves_the_house(text):
    assert ask(text).outcome == "exact"


def test_an_apartment_that_is_not_loaded_leaves_its_house():
    answer = ask("Воронеж, ул. 9 Января, 68 к 2, кв. 99")
    assert answer.best.level == 10
    assert "квартиры нет в реестре или она не загружена" in answer.notes


def test_a_former_name_is_told():
    answer = ask("Воронеж, ул. Большая Дворянская, 10")
    assert answer.outcome != "not_found"
    assert (answer.best or answer.candidates[0]).historical


def test_every_word_is_explained():
    answer = ask("г Воронеж, ул Ленена 5")
    told = {token.text: token.why for token in answer.tokens}
    assert told["Воронеж"] == "найдено: г. Воронеж"
    assert told["Ленена"] == "найдено: ул. Ленина; опечатка: ленена → ленина"
    assert told["5"] == "найдено: д. 5"


def test_a_house_that_is_written_otherwise_is_told():
    assert "в реестре записан как 68к2" in ask("Воронеж, 9 Января 68/2").notes


def test_a_strict_region_that_is_not_loaded_finds_nothing():
    answer = ask("Воронеж, Ленина 5", regions=("77",), strict=True)
    assert (answer.outcome, answer.notes) == ("not_found", ("регион не загружен",))


def test_a_region_that_is_likelier_answers_first():
    other = Made(46, "Курская")
    city = other.put(other.root, 5, "город", "Воронеж")
    other.put(city, 8, "улица", "Ленина", houses="5")
    resolver = Resolver(Gazetteer([MADE.region(), other.region()]))

    def answer(**more):
        plan = resolver.plan([Question(text="Воронеж, Ленина 5", **more)])
        found = {**MADE.lookup(plan.asks), **other.lookup(plan.asks)}
        return plan.answer(found)[0]

    assert answer().outcome == "ambiguous"
    assert answer(regions=("36",)).best.region == "36"
    assert answer(regions=("46", "36")).outcome == "ambiguous"
    assert answer(regions=("46",), strict=True).best.region == "46"


def test_what_people_chose_settles_a_doubt_in_its_place_only():
    region = MADE.region()
    street = ask("г. Воронеж, проезд Революции, 44").best.street_guid
    city = ask("г. Воронеж").best.guid
    resolver = Resolver(Gazetteer([region], [Synonym("36", city, "революции", street)]))

    def label(text):
        plan = resolver.plan([Question(text=text)])
        (answer,) = plan.answer(MADE.lookup(plan.asks))
        return answer.best and answer.best.label

    assert ask("Воронеж, Революции").outcome == "ambiguous"
    assert label("Воронеж, Революции") == f"{CITY}, проезд Революции"
    assert label("Воронеж, ул. Революции, 44") == f"{CITY}, проезд Революции, д. 44"
    assert label("с. Хреновое, Революции") is None


@pytest.mark.parametrize("villages", [20, 150])
def test_of_very_many_villages_the_house_chooses_none(villages):
    made = Made()
    for number in range(villages):
        area = made.put(made.root, 2, "район", f"{number}-й")
        village = made.put(area, 6, "село", "Берёзовка")
        made.put(village, 8, "улица", "Лесная", houses="5" if number == 3 else "1")
    resolver = Resolver(Gazetteer([made.region()]))
    plan = resolver.plan([Question(text="с. Берёзовка, ул. Лесная, 5")])
    assert plan.answer(made.lookup(plan.asks))[0].outcome == "ambiguous"


FIELDS = [
    (Address(settlement="Воронеж", street="Ленина", house="5"), "ул. Ленина, д. 5"),
    (Address(settlement="г. Воронеж", street="ул. Ленина", house="д. 5"), "ул. Ленина, д. 5"),
    (Address(settlement="Воронеж", street="ул 9 Января", house="68", block="2", apartment="15"),
     "кв. 15"),
    (Address(region="Воронежская", settlement="Воронеж", street="9 Января", house="68к2"),
     "д. 68к2"),
    (Address(raw="Воронеж, Ленина 5"), "ул. Ленина, д. 5"),
    (Address(settlement="Воронеж", house="5", raw="Воронеж, Ленина 5"), "ул. Ленина, д. 5"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "ends"), FIELDS)
def test_an_address_in_fields_is_found(address, ends):
    plan = RESOLVER.plan([places.question(address)])
    (answer,) = plan.answer(MADE.lookup(plan.asks), MADE.flat_lookup)
    assert answer.outcome == "exact"
    assert answer.best.label.endswith(ends)


def test_parts_that_are_known_are_not_parsed_again():
    parsed = parse("Воронеж, Ленина 5")
    assert ask("", parsed=parsed).best.label == f"{CITY}, ул. Ленина, д. 5"


@pytest.mark.parametrize("word", ["г ", "с ", "мкр ", "р-н "])
def test_a_text_of_very_many_names_is_not_looked_for(word):
    text = ", ".join(f"{word}Воронеж" for _ in range(60))
    assert ask(text).outcome == "not_found"
    assert not RESOLVER.plan([Question(text=text)]).asks


def test_too_long_a_text_is_refused():
    with pytest.raises(ValidationError):
        ask("а" * (limits.ADDRESS_TEXT + 1))


WORDS = st.sampled_from(
    """
    г ул пер д дом к корп стр кв мкр СНТ Воронеж Ленина Садовая Берёзовка 9 Января 5 12а 68/2
    Хохольский район область Воронежская 394000 , . - / с п б/н № Революции
    """.split()  # noqa: SIM905
)


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_has_an_answer(text):
    answer = ask(text)
    assert 0 <= answer.confidence <= 1
    assert (answer.best is not None) == (answer.outcome in {"exact", "street_only"})
    assert len(answer.candidates) <= 10
