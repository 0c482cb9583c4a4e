"""Number, date and sender make two letters one; what nobody knows is a person's to say."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from gateway import duplicates
from gateway.duplicates import Judged, Letters
from gateway.model.appeal import Appeal
from gateway.model.base import ExternalRef
from gateway.model.organisation import Organisation, OrganisationId
from gateway.model.registration import ReferralIn, Registration

DAY = date(2026, 3, 2)
FIRST, SECOND, THIRD = (UUID(int=n) for n in (1, 2, 3))
MINSTROY = Organisation(full_name="Минстрой России")
MINZDRAV = Organisation(full_name="Минздрав России")
GUID = "0A1B2C3D-0000-4000-8000-00000000000F"


def came(sender: Organisation | None = None, number: str = "14-05/2213", **more) -> Appeal:
    letter = ReferralIn(number=number, date=more.pop("day", DAY), from_org=sender)
    return Appeal(referrals=(letter,), **more)


def anybody(_holder: UUID) -> bool:
    """A rule may join it to whoever holds the same letter."""
    return True


def judged(mine: Appeal, *holders: Appeal, bodies=None, joins=anybody, apart=frozenset()) -> Judged:
    """What the letter of THIRD is, when FIRST and SECOND hold those of the holders."""
    of = dict(zip((THIRD, FIRST, SECOND), map(letter, (mine, *holders)), strict=False))
    letters = Letters({k: v for k, v in of.items() if v}, {}, bodies or {})
    for holder in (FIRST, SECOND)[: len(holders)]:
        letters.settle(holder, None)
    return letters.judge(THIRD, joins, apart)


def letter(appeal: Appeal):
    return duplicates.letter(appeal, test=appeal.test_message)


SAME = [
    (came(MINSTROY), came(MINSTROY)),
    (came(MINSTROY), came(Organisation(full_name="«МИНСТРОЙ  РОССИИ»"))),
    (came(MINSTROY), came(Organisation(full_name="М-во", short_name="Минстрой России"))),
    (
        came(Organisation(ids=(OrganisationId(system="sstu", value=GUID),))),
        came(Organisation(ids=(OrganisationId(system="sstu", value="{" + GUID.lower() + "}"),))),
    ),
    # УРОГ numbers the letters of the whole country: the number itself says whose it is.
    (came(number="А26-02-12345678-СО1"), came(number="A26-02-12345678-CO1")),
    (came(number="А26-02-12345678"), came(MINSTROY, number="A26-02-12345678")),
    (
        came(
            number="17-000123",
            refs=(ExternalRef(peer="sstu", kind="urog_number", value="17-000123"),),
        ),
        came(
            number="17-000123",
            refs=(ExternalRef(peer="sstu", kind="urog_number", value="17-000123"),),
        ),
    ),
]


@pytest.mark.parametrize(("mine", "other"), SAME)
def test_one_letter_of_one_sender_is_one_appeal(mine, other):
    assert judged(mine, other).into == FIRST
    assert judged(other, mine).into == FIRST


def test_two_bodies_may_use_one_number_on_one_day():
    known = {"name:минстрой россии": "minstroy", "name:минздрав россии": "minzdrav"}

    assert judged(came(MINSTROY), came(MINZDRAV), bodies=known) == Judged()


PERHAPS = [
    (came(MINSTROY), came()),
    (came(), came(MINSTROY)),
    (came(), came()),
    # Unlike names may still be one body: only the directory knows that they are not.
    (came(MINSTROY), came(MINZDRAV)),
    (came(MINSTROY), came(Organisation(ids=(OrganisationId(system="sstu", value=GUID),)))),
]


@pytest.mark.parametrize(("mine", "other"), PERHAPS)
def test_what_nobody_knows_is_shown_to_a_person(mine, other):
    assert judged(mine, other) == Judged(twins=(FIRST,))


def test_the_directory_knows_that_an_identifier_and_a_name_are_one_body():
    mine = came(Organisation(ids=(OrganisationId(system="sstu", value=GUID),)))
    known = {f"id:sstu={GUID.lower()}": "minstroy", "name:минстрой россии": "minstroy"}

    assert judged(mine, came(MINSTROY), bodies=known) == Judged(FIRST, "org:minstroy")


def test_a_letter_that_two_appeals_hold_joins_neither_by_itself():
    assert judged(came(MINSTROY), came(MINSTROY), came(MINSTROY)) == Judged(twins=(FIRST, SECOND))


def test_what_no_rule_may_join_is_shown_to_a_person_and_stands_in_nobodys_way():
    same = (came(MINSTROY), came(MINSTROY), came(MINSTROY))

    assert judged(*same[:2], joins=lambda _: False) == Judged(twins=(FIRST,))
    assert judged(*same, joins=SECOND.__eq__) == Judged(SECOND, "name:минстрой россии")


def test_an_appeal_that_was_taken_apart_is_joined_by_nobody_again():
    assert judged(came(MINSTROY), came(MINSTROY), apart=frozenset({FIRST})) == Judged()
    assert judged(came(MINSTROY), came(MINZDRAV), came(MINSTROY), apart=frozenset({FIRST})) == (
        Judged(twins=(SECOND,))
    )


@pytest.mark.parametrize(
    "appeal",
    [
        came(MINSTROY, day=None),
        came(MINSTROY, number="12-5"),
        came(MINSTROY, test_message=True),
        came(MINSTROY, historical=True),
        Appeal(),
    ],
)
def test_without_number_and_date_or_for_a_test_or_history_there_is_no_letter(appeal):
    assert letter(appeal) is None


def test_no_more_twins_are_noted_than_a_person_can_look_at():
    mine = letter(came())
    held = {mine.key: {UUID(int=n): ("name:x",) for n in range(10, 100)}}

    assert (
        len(Letters({THIRD: mine}, held, {}).judge(THIRD, anybody).twins) == duplicates.MOST_TWINS
    )


def test_references_are_every_number_that_came_each_under_its_key():
    appeal = came(
        MINSTROY,
        refs=(ExternalRef(peer="gateway", kind="external_id", value="А-1"),) * 2,
        registrations=(Registration(number="17–ж"), Registration()),
    )

    assert duplicates.references(appeal, "portal") == (
        ("gateway", "external_id", "А-1", "A-1"),
        ("portal", "letter", "14-05/2213", "14-05/2213"),
        ("portal", "registration", "17–ж", "17-Ж"),
    )


def test_stored_content_tells_the_same_as_the_appeal_did():
    from gateway.model.digest import canonical_json

    appeal = came(
        MINSTROY, refs=(ExternalRef(peer="sstu", kind="urog_number", value="14-05/2213"),)
    )
    told = duplicates.read(canonical_json(appeal))

    assert duplicates.letter(told, test=False) == letter(appeal)
    assert duplicates.references(told, "p") == duplicates.references(appeal, "p")
    assert duplicates.read(b"{") is None
