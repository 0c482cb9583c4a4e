"""A person registers: gapless numbers of a body and a year, told to those who must know."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from gateway import acts, policies
from gateway.store.registers import RegisterKey


@pytest.fixture
def received(house):
    receipts = [house.submit(f"e-{n}").receipt_number for n in range(3)]
    house.triage()
    return receipts


def numbers(house):
    return [row[0] for row in house.rows("SELECT number FROM registration ORDER BY number")]


def test_nothing_is_registered_without_commit(house, received):
    said = house.run("register", *received, "--by", "ivanova")

    assert "--commit" in said
    assert numbers(house) == []
    assert house.rows("SELECT count(*) FROM register") == [(0,)]


def test_numbers_follow_one_another_in_the_order_given(house, received):
    told = house.json(
        "register", received[2], received[0], "--by", "ivanova", "--date", "2026-11-20", "--commit"
    )

    assert [r["number"] for r in told["registered"]] == ["ОГ-000001/2026", "ОГ-000002/2026"]
    assert [r["receipt_number"] for r in told["registered"]] == [received[2], received[0]]
    assert house.rows("SELECT state FROM appeal WHERE receipt_number = $1", received[2]) == [
        ("registered",)
    ]


def test_the_peer_that_sent_the_appeal_is_told(house, received):
    house.run("register", received[0], "--by", "ivanova", "--commit")

    assert house.rows(
        "SELECT destination, event_type FROM delivery WHERE event_type = 'Registered'"
    ) == [("epgu", "Registered")]


def test_the_event_names_the_person_and_no_message(house, received):
    house.run("register", received[0], "--by", "ivanova", "--commit")

    ((body, message),) = house.rows(
        "SELECT convert_from(body, 'UTF8')::jsonb, message_id FROM event WHERE type = 'Registered'"
    )
    assert body["actor"] == {"kind": "person", "id": "ivanova"}
    assert message is None


def test_a_second_number_of_the_same_body_is_refused_and_none_is_used_up(house, received):
    house.run("register", received[0], "--by", "ivanova", "--commit")

    said = house.run("register", received[1], received[0], "--by", "ivanova", "--commit", code=2)

    assert "другой номер" in said
    assert numbers(house) == ["ОГ-000001/2026"]
    house.run("register", received[1], "--by", "ivanova", "--commit")
    assert numbers(house) == ["ОГ-000001/2026", "ОГ-000002/2026"]


def test_the_year_of_a_register_is_that_of_the_date_in_the_bodys_zone(house, received):
    house.run("register", received[0], "--date", "2025-12-31", "--by", "x", "--commit")

    assert numbers(house) == ["ОГ-000001/2025"]


def test_another_body_registers_in_its_own_register(house, received):
    house.run("register", received[0], "--by", "x", "--commit")
    house.run(
        "register",
        received[0],
        "--organisation",
        "mer",
        "--register",
        "ВХ",
        "--by",
        "x",
        "--commit",
    )

    assert house.rows("SELECT organisation, number, is_ours FROM registration ORDER BY 1") == [
        ("gzhi", "ОГ-000001/2026", True),
        ("mer", "ВХ-000001/2026", False),
    ]


def test_a_persons_full_name_is_not_taken_as_the_actor(house, received):
    said = house.run("register", received[0], "--by", "Иванова Анна Петровна", code=2)

    assert "login" in said


def test_an_annulled_number_is_never_given_again(house, received):
    house.run("register", received[0], "--by", "x", "--commit")

    house.run("register", "annul", "ог–000001/2026", "--ground", "ошибка", "--by", "x", "--commit")
    house.run("register", received[0], "--by", "x", "--commit")

    assert house.rows(
        "SELECT number, annulled_at IS NOT NULL FROM registration ORDER BY number"
    ) == [("ОГ-000001/2026", True), ("ОГ-000002/2026", False)]


def test_annulling_changes_nothing_without_commit(house, received):
    house.run("register", received[0], "--by", "x", "--commit")

    house.run("register", "annul", "ОГ-000001/2026", "--ground", "ошибка", "--by", "x")

    assert house.rows("SELECT count(*) FROM registration WHERE annulled_at IS NULL") == [(1,)]


def test_a_number_that_names_nothing_is_told(house):
    assert "not_found" in house.run("register", "XXXXX", code=2)


def test_many_registrars_at_once_leave_no_gap_and_no_repeat(house):
    ids = [house.submit(f"e-{n}").appeal_id for n in range(24)]
    house.triage()
    rules, key = policies.rules(house.settings), RegisterKey("gzhi", "ОГ", 2026)

    def register(part):
        given = []
        with house.connection() as db:
            for appeal_id in part:
                with db.transaction():
                    facts = acts.read_facts(db, [appeal_id], datetime.now(UTC))
                    act = acts.registration(appeal_id, key, date(2026, 11, 20), acts.person("x"))
                    given += acts.perform(db, [act], facts, rules)
        return given

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(register, [ids[n::4] for n in range(4)]))

    assert numbers(house) == [f"ОГ-{n:06d}/2026" for n in range(1, 25)]


def test_a_registration_that_is_rolled_back_uses_up_no_number(house, received):
    rules, key = policies.rules(house.settings), RegisterKey("gzhi", "ОГ", 2026)
    ((appeal_id,),) = house.rows("SELECT id FROM appeal WHERE receipt_number = $1", received[0])

    def fail():
        with house.connection() as db, db.transaction():
            facts = acts.read_facts(db, [appeal_id], datetime.now(UTC))
            act = acts.registration(appeal_id, key, date(2026, 11, 20), acts.person("x"))
            acts.perform(db, [act], facts, rules)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    house.run("register", received[1], "--by", "x", "--commit")

    assert numbers(house) == ["ОГ-000001/2026"]
