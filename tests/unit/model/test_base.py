"""Calendar days stay days, instants know their offset, peers' spellings are kept."""

import datetime as dt
from enum import Enum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ValidationError
from gateway.model.address import Address
from gateway.model.answer import AnswerDelivery, Outcome
from gateway.model.base import Code, Entity, Extra, day, in_utc, moment
from gateway.model.person import Identification, Person
from gateway.model.question import RECEIVED, PeerState, Question
from gateway.model.registration import Registration

MOSCOW = dt.timezone(dt.timedelta(hours=3))
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=MOSCOW)


@given(st.dates(dt.date(1850, 1, 1), dt.date(2199, 12, 31)))
def test_a_day_travels_as_itself(value):
    registration = Registration(number="1", date=value)

    wire = msgspec.json.encode(registration)

    assert msgspec.json.decode(wire)["date"] == value.isoformat()
    assert msgspec.json.decode(wire, type=Registration) == registration
    assert day(value.isoformat()) == day(value) == value


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T00:00:00", "2026-03-02Z", "2026-3-2", "02.03.2026", "2026-02-30", "20260302", "",
     "2026-W10-1", "٢٠٢٦-٠٣-٠٢"],
)  # fmt: skip
def test_what_is_not_a_calendar_date_is_refused(text):
    with pytest.raises(ValidationError) as caught:
        day(text, "Card/Date")

    assert caught.value.violations[0].path == "Card/Date"


def test_a_datetime_is_never_taken_for_a_day():
    with pytest.raises(ValidationError):
        day(NOON)
    for make in (
        lambda: Registration(date=NOON),
        lambda: Question(response_date=NOON),
        lambda: Person(birth_date=NOON),
        lambda: Outcome(on=NOON),
    ):
        with pytest.raises(ValidationError):
            make()


def test_an_instant_without_offset_is_refused():
    naive = NOON.replace(tzinfo=None)
    for value in (naive, "2026-03-02T12:00:00", "2026-03-02", "noon", 5, None):
        with pytest.raises(ValidationError):
            moment(value)
    with pytest.raises(ValidationError):
        PeerState(peer="p", code="c", at=naive)
    with pytest.raises(ValidationError):
        AnswerDelivery(channel=Code(system="s", value="v"), sent_at=naive)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"peer":"p","code":"c","at":"2026-03-02T12:00:00"}', type=PeerState)


def test_an_instant_keeps_its_offset():
    assert moment("2026-03-02T12:00:00+03:00") == moment(NOON) == NOON
    assert moment("2026-03-02T09:00:00Z") == NOON


def test_entities_are_values():
    code = Code(system="sstu.status", value="NotRecieved")

    with pytest.raises(AttributeError):
        code.value = "NotReceived"
    with pytest.raises(TypeError):
        Code("sstu.status", "NotRecieved")
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"system":"s","value":"v","extra":1}', type=Code)
    assert msgspec.json.encode(code) == b'{"system":"sstu.status","value":"NotRecieved"}'


TEXTS = st.text(st.characters(codec="utf-8"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
        lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
        max_leaves=6,
    )
)
def test_an_extra_is_kept_verbatim(value):
    extra = Extra(peer="p", path="/questions/0/зачем", value=value)

    assert msgspec.json.decode(msgspec.json.encode(extra), type=Extra) == extra


def test_leading_zeros_of_oktmo_survive():
    wire = msgspec.json.encode(Address(oktmo="01701000"))

    assert msgspec.json.decode(wire, type=Address).oktmo == "01701000"
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"oktmo":1701000}', type=Address)


def every_entity(cls: type = Entity):
    for child in cls.__subclasses__():
        yield child
        yield from every_entity(child)


@pytest.mark.parametrize("entity", sorted(every_entity(), key=lambda c: c.__name__))
def test_defaults_of_entities_can_be_left_out(entity):
    """msgspec compares defaults by identity: a long string or large number would come and go."""
    if not entity.__module__.startswith("gateway.model."):
        pytest.skip("not of the model")
    for field in msgspec.structs.fields(entity):
        default = field.default
        if isinstance(default, str) and not isinstance(default, Enum):
            assert default in ("", RECEIVED), field.name
        elif isinstance(default, int):
            assert -5 <= default <= 256, field.name
        else:
            assert not isinstance(default, float), field.name
    config = entity.__struct_config__
    assert (config.frozen, config.forbid_unknown_fields, config.omit_defaults) == (True,) * 3


@pytest.mark.parametrize(
    "told",
    [
        "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
        "1849-12-31T23:00:00+03:00", "2200-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_an_instant_of_no_year_that_an_appeal_can_speak_of_is_refused(told):
    with pytest.raises(ValidationError) as refused:
        in_utc(moment(told), "ReceivedAt")
    (violation,) = refused.value.violations
    assert (violation.path, violation.code) == ("ReceivedAt", "range")
    with pytest.raises(ValidationError):
        Identification(at=moment(told))


def test_an_entity_takes_days_from_old_births_to_far_terms():
    assert Person(birth_date=day("1850-01-01")).birth_date.year == 1850
    with pytest.raises(ValidationError):
        Person(birth_date=day("0001-01-01"))
