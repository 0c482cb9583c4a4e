"""Questions about a synthetic region carry true labels, whoever answers them."""

from collections import Counter

import pytest

from simulators.gar import houses, numbering, questions, region, spelling, truth
from simulators.gar.houses import House


@pytest.fixture(scope="module")
def drawn():
    return region.plan("36", 3_000, 7)


@pytest.fixture(scope="module")
def hard(drawn):
    return questions.ask(drawn, 400, 3, hard=True)


@pytest.fixture(scope="module")
def by_guid(drawn):
    found = {}
    for place in drawn.holders:
        for house in drawn.houses(place):
            found[drawn.house_guid(house.id)] = (place, house)
    return found


def city_street(drawn, name, kind):
    return next(
        t for t in drawn.things
        if (t.name, t.kind) == (name, kind) and t.town and t.town.name == "Воронеж"
    )  # fmt: skip


def written(text, *kinds):
    return spelling.Written(text, text, frozenset(kinds) or None)


def test_the_same_seed_asks_the_same(drawn, hard):
    assert questions.ask(drawn, 400, 3, hard=True) == hard
    assert questions.ask(drawn, 400, 4, hard=True) != hard


def test_a_registrar_names_the_very_house(drawn, by_guid):
    for asked in questions.ask(drawn, 100, 1, hard=False):
        place, house = by_guid[asked.guid]
        assert place.name in asked.text
        assert (house.number or house.first) in asked.text
        assert asked.noise == ()


def test_houses_that_are_gone_are_not_asked_for(by_guid, hard):
    asked = [by_guid[q.guid][1] for q in hard if q.level == 10]
    assert asked
    assert not [h for h in asked if h.closed or h.dangling or h.twin]


def test_every_difficulty_is_met(hard):
    met = Counter(noise for q in hard for noise in q.noise)
    assert {
        "street typo", "settlement typo", "no street type", "no settlement type", "former name",
        "order", "glued", "no commas", "capitals", "postal code", "flat", "no region",
        "spelled otherwise", "absent house", "municipal district",
    } <= set(met)  # fmt: skip
    assert 0.15 < met["street typo"] / len(hard) < 0.33
    assert {q.expect for q in hard} == {"exact", "street_only", "ambiguous", "not_found"}


def test_what_is_expected_agrees_with_what_is_determined(hard):
    for q in hard:
        assert q.determined == (q.expect in ("exact", "street_only"))
        assert bool(q.guid) == (q.level > 0)


def test_a_typo_that_makes_another_street_of_the_town_determines_nothing(drawn):
    index = truth.Index(drawn)
    street = city_street(drawn, "Ленина", "ул")
    house = next(h for h in drawn.houses(street) if not h.closed)
    town = written("Воронеж", "г")
    reading = frozenset({numbering.true(house)})
    claim = truth.Claim(None, town, None, written("Ленина", "ул"), reading)
    assert index.determined(claim, street, house)
    assert index.determined(claim._replace(street=written("Лентна", "ул")), street, house)
    assert not index.determined(claim._replace(street=written("Садовая", "ул")), street, house)


def test_without_its_settlement_a_common_street_determines_nothing(drawn):
    index = truth.Index(drawn)
    street = city_street(drawn, "Ленина", "ул")
    taken = next(
        h for h in drawn.houses(street) if not h.closed and (h.number, h.first) == ("1", "")
    )
    claim = truth.Claim(None, None, None, written("Ленина"), frozenset({"1"}))
    others = [t for t in drawn.holders if t.name == "Ленина" and t is not street]
    assert others
    assert not index.determined(claim, street, taken)


def test_a_former_name_determines_its_street_unless_another_has_it_now(drawn):
    index = truth.Index(drawn)
    street = next(t for t in drawn.holders if t.before and t.town)
    house = next(h for h in drawn.houses(street) if not (h.closed or h.dangling or h.twin))
    claim = truth.Claim(
        next((t for t in street.above if t.level == 2), None),
        written(street.town.name, street.town.kind), None,
        written(street.before[0].name, street.kind), frozenset({numbering.true(house)}),
    )  # fmt: skip
    assert index.determined(claim, street, house)
    other = next(t for t in drawn.holders if t.up is street.up and t is not street)
    known, other.name, other.kind = (other.name, other.kind), street.before[0].name, street.kind
    try:
        assert not truth.Index(drawn).determined(claim, street, house)
    finally:
        other.name, other.kind = known


@pytest.mark.parametrize(
    ("house", "spelling_of_it"),
    [
        (House(1, "12А"), "12а"),
        (House(1, "12/3"), "12/3"),
        (House(1, "12", "3", houses.BLOCK, "1", houses.BUILDING), "12к3с1"),
        (House(1, "12", "А", houses.LETTER), "12а"),
        (House(1, "", "5", houses.BUILDING), "с5"),
    ],
)
def test_a_number_has_one_true_spelling(house, spelling_of_it):
    assert numbering.true(house) == spelling_of_it


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("3-я Садовая", "Третья Садовая"),
        ("2-й Садовый", "Второй Садовый"),
        ("9 Января", "9-го Января"),
        ("40 лет Октября", "40-летия Октября"),
        ("А.С.Пушкина", "А. С. Пушкина"),
        ("им. Ветлугина", "имени Ветлугина"),
        ("Карла Маркса", "К. Маркса"),
    ],
)
def test_people_write_names_otherwise(name, other):
    assert other in spelling.spellings(name)


def test_a_text_that_names_another_address_means_that_one(drawn):
    street = next(t for t in drawn.holders if t.before and t.town)
    other = next(t for t in drawn.holders if t.up is street.up and t is not street and t.level == 8)
    known, other.name, other.kind = (other.name, other.kind), street.before[0].name, street.kind
    claim = truth.Claim(
        next((t for t in street.above if t.level == 2), None),
        written(street.town.name, street.town.kind), None,
        written(other.name, other.kind), frozenset({"1", "2", "3"}),
    )  # fmt: skip
    try:
        index = truth.Index(drawn)
        number = next(
            numbering.true(h) for h in drawn.houses(other) if not (h.closed or h.dangling)
        )
        found = index.better(claim._replace(house=frozenset({number})), street)
        assert found is not None
        assert found[0] is other
        assert numbering.true(found[1]) == number
        assert index.better(claim._replace(house=frozenset({"9999"})), street) is None
    finally:
        other.name, other.kind = known
