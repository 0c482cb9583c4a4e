"""What a provider says of a person: known words are understood, strange ones stop no login."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.esia import decode
from gateway.model.person import ContactKind, IdentificationLevel, Sex

ROW = {
    "lastName": "Приозёрина", "firstName": "Зоя", "middleName": "Петровна",
    "birthDate": "29.02.1980", "gender": "F", "snils": "000-000-001 00", "trusted": True,
}  # fmt: skip


def test_a_person_is_read():
    person = decode.person(ROW, "1000000001")

    assert (person.family, person.given, person.patronymic) == ("Приозёрина", "Зоя", "Петровна")
    assert person.birth_date == date(1980, 2, 29)
    assert person.sex is Sex.FEMALE
    assert person.esia_oid == "1000000001"


@pytest.mark.parametrize(
    "said", ["29.02.1981", "1.1.1980", "01.01.0001", "", None, 7, "٠١.٠١.١٩٨٠"]
)
def test_a_day_of_birth_that_is_none_is_left_out(said):
    assert decode.person({**ROW, "birthDate": said}, "1").birth_date is None


@pytest.mark.parametrize(
    ("row", "claims", "level"),
    [
        ({}, {"urn:esia:sbj": {"urn:esia:sbj:is_tru": True}}, "confirmed"),
        ({"trusted": True}, {}, "confirmed"),
        ({"trusted": "true"}, {}, "confirmed"),
        ({"snils": "000-000-001 00", "rIdDoc": 7}, {}, "standard"),
        ({"snils": "000-000-001 00", "rIdDoc": 7, "verifying": True}, {}, "simplified"),
        ({"trusted": "yes"}, {"urn:esia:sbj": "true"}, "simplified"),
        ({}, {}, "simplified"),
    ],
)
def test_the_level_is_what_the_provider_says_and_no_higher(row, claims, level):
    assert decode.level(row, claims) is IdentificationLevel(level)


def test_contacts_are_told_apart_and_not_twice():
    told = decode.contacts(
        {
            "elements": [
                {"type": "EML", "value": "a@dom.example", "vrfStu": "VERIFIED"},
                {"type": "EML", "value": "a@dom.example", "vrfStu": "NOT_VERIFIED"},
                {"type": "MBT", "value": "+7(000)1110011"},
                {"type": "FAX", "value": "+7(000)1110012"},
                "https://esia.example/rs/prns/1/ctts/5",
            ]
        }
    )

    assert [(point.kind, point.verified) for point in told] == [
        (ContactKind.EMAIL, True),
        (ContactKind.PHONE, False),
    ]


def test_the_address_is_where_he_lives_else_where_he_is_registered():
    lives = {
        "type": "PLV",
        "zipCode": "000000",
        "addressStr": "г. Выдуманск",
        "house": "5",
        "flat": 7,
    }
    other = {"type": "PRG", "addressStr": "г. Прежний"}

    assert decode.postal({"elements": [other, lives]})[0].value == (
        "000000, г. Выдуманск, д. 5, кв. 7"
    )
    assert decode.postal({"elements": [other]})[0].value == "г. Прежний"


def test_organisations_that_are_not_active_are_left_out():
    rows = [
        {"oid": 9, "type": "AGENCY", "fullName": "Администрация", "ogrn": "1", "chief": True},
        {"oid": 8, "type": "LEGAL", "active": False},
        {"type": "LEGAL"},
    ]

    (only,) = decode.memberships({"elements": rows})

    assert (only.oid, only.roles, only.chief) == ("9", ("AGENCY", "CHIEF"), True)


def test_claims_of_a_plain_provider_are_read():
    claims = {
        "name": "Зоя Приозёрина", "birthdate": "1980-02-29", "gender": "female",
        "email": "a@dom.example", "email_verified": "true",
        "address": {"formatted": "г. Выдуманск"},
        "lvl": "standard",
        "orgs": [{"id": "9", "name": "Администрация", "roles": ["head", 7, None]}],
    }  # fmt: skip

    person = decode.oidc_person(claims)

    assert person.full_name_as_given == "Зоя Приозёрина"
    assert person.birth_date == date(1980, 2, 29)
    assert [p.verified for p in decode.oidc_contacts(claims)] == [False, None]
    assert decode.oidc_level(claims, "lvl", "simplified") == "standard"
    assert decode.oidc_level({"lvl": "root"}, "lvl", "simplified") == "simplified"
    assert decode.oidc_memberships(claims, "orgs")[0].roles == ("head", "7")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["elements", "type", "value", "oid", "lastName", "roles", "address", "orgs",
                         "formatted", "birthDate", "snils", "PLV", "addressStr", "urn:esia:sbj"]),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(anything)
def test_any_answer_is_read_without_an_error(said):
    row = said if isinstance(said, dict) else {"elements": said}

    decode.person(row, "1")
    decode.level(row, row)
    decode.contacts(row)
    decode.postal(row)
    decode.memberships(row)
    decode.oidc_person(row)
    decode.oidc_contacts(row)
    decode.oidc_level(row, "orgs", "simplified")
    decode.oidc_memberships(row, "orgs")
