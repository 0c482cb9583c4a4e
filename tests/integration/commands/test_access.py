"""`gateway access`: accounts are made by hand, seen without secrets, and stopped at once."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access.passwords import Passwords
from gateway.store import accounts, sessions

from .conftest import NOW

KEY = {"GATEWAY_SEAL_KEY": "11" * 32}


@pytest.fixture
def access(house):
    house.environ |= KEY
    house.change(
        "INSERT INTO organisation (id, full_name) VALUES ('gzhi', 'ГЖИ'), ('other', 'Другая')"
    )
    house.change("UPDATE organisation SET parent = 'gzhi' WHERE id = 'other'")
    return house


def add(house, login="ivan", *more):
    return house.json("access", "add", login, *more)["oneTimePassword"]


def session_of(house, login="ivan"):
    ((account,),) = house.rows("SELECT id FROM account WHERE login = $1", login)
    now = datetime.now(UTC)
    with house.connection() as db:
        sessions.add(
            db,
            sessions.Session(
                id=login.encode(), account=account, subject=None, provider="", stage="in",
                identity=None, address="192.0.2.7", created_at=now, seen_at=now,
                ends_at=now + timedelta(hours=1),
            ),
        )  # fmt: skip


def count_of_sessions(house):
    return house.rows("SELECT count(*) FROM person_session")[0][0]


def test_a_fresh_house_has_no_account_and_no_password(access):
    assert access.json("access", "list") == {"accounts": [], "bindings": []}


def test_the_first_administrator_gets_a_password_for_one_login(access):
    password = add(access, "Admin", "--role", "administrator")
    ((login, phc, must, until),) = access.rows(
        "SELECT login, password, must_change, password_until FROM account"
    )
    assert (login, must) == ("admin", True)
    assert Passwords().verify(password, phc)
    assert timedelta(days=2) < until - datetime.now(UTC) < timedelta(days=4)
    assert password not in access.run("access", "list")
    assert phc not in access.run("access", "list", "--json")


def test_roles_and_bodies_that_there_are_not_are_refused(access):
    access.run("access", "add", "x", "--role", "boss", code=2)
    access.run("access", "add", "x", "--role", "citizen", code=2)
    access.run("access", "add", "x", "--role", "head", "--organisation", "nowhere", code=2)
    assert access.rows("SELECT count(*) FROM account") == [(0,)]


def test_one_login_is_one_account(access):
    add(access)
    access.run("access", "add", "IVAN", code=2)


def test_roles_are_replaced_only_with_commit_and_end_the_sessions(access):
    add(access, "ivan", "--role", "executor", "--organisation", "gzhi")
    session_of(access)
    access.run("access", "role", "ivan", "--role", "head")
    assert access.rows("SELECT roles FROM account") == [(["executor"],)]
    assert count_of_sessions(access) == 1
    access.run("access", "role", "ivan", "--role", "head", "--commit")
    assert access.rows("SELECT roles, organisation FROM account") == [(["head"], "gzhi")]
    assert count_of_sessions(access) == 0


@pytest.mark.parametrize(
    ("command", "column", "after"),
    [(("disable",), "enabled", False), (("end",), "enabled", True), (("reset",), "enabled", True)],
)
def test_what_stops_a_person_stops_at_once_and_only_with_commit(access, command, column, after):
    add(access)
    session_of(access)
    access.run("access", *command, "ivan")
    assert count_of_sessions(access) == 1
    access.run("access", *command, "ivan", "--commit")
    assert count_of_sessions(access) == 0
    assert access.rows(f"SELECT {column} FROM account") == [(after,)]


def test_a_reset_gives_another_one_time_password_or_takes_the_second_factor(access):
    first = add(access)
    second = access.run("access", "reset", "ivan", "--commit").splitlines()[-1]
    ((phc,),) = access.rows("SELECT password FROM account")
    assert first != second
    assert Passwords().verify(second, phc)
    access.change("UPDATE account SET totp = 'x', recovery = '{y}'")
    access.run("access", "reset", "ivan", "--totp", "--commit")
    assert access.rows("SELECT totp, recovery, password = $1 FROM account", phc) == [
        (None, [], True)
    ]


def test_who_may_do_nothing_is_told_of_at_once(access):
    assert "ничего не может" in access.run("access", "add", "idle")
    assert "ничего не может" in access.run("access", "add", "clerk", "--role", "registrar")
    given = ("--role", "registrar", "--organisation", "gzhi")
    assert "ничего не может" not in access.run("access", "add", "busy", *given)
    assert "ничего не может" not in access.run("access", "role", "clerk", *given, "--commit")


def test_a_login_with_blanks_is_refused(access):
    for login in (" ", "bad name", "a\u200bb"):
        access.run("access", "add", login, code=2)
    assert access.rows("SELECT count(*) FROM account") == [(0,)]


def test_a_pause_is_shown_while_it_lasts_and_can_be_ended(access):
    add(access)
    until = datetime.now(UTC) + timedelta(hours=1)
    quiet = access.run("access", "list")
    access.change("UPDATE account SET failures = 9, locked_until = $1", until)
    assert access.run("access", "list") != quiet
    access.change("UPDATE account SET locked_until = $1", NOW)
    assert access.run("access", "list") == quiet
    access.run("access", "unlock", "ivan")
    assert access.rows("SELECT failures, locked_until FROM account") == [(0, None)]


def test_a_person_is_bound_without_his_number_being_kept(access):
    access.run("access", "add", "petr", "--provider", "esia", "--oid", "1000123456")
    ((subject, password),) = access.rows("SELECT subject, password FROM account")
    assert b"1000123456" not in subject
    assert password == ""
    assert "1000123456" not in access.run("access", "list")
    again = ("access", "add", "second", "--provider", "esia", "--oid", "1000123456")
    assert "access role petr" in access.run(*again, code=2)
    access.run("access", "bind", "petr", "--oid", "1000123456", "--remove", "--commit")
    assert access.rows("SELECT subject, provider FROM account") == [(None, "")]


def test_nobody_is_bound_without_a_key_to_hide_the_number(access):
    del access.environ["GATEWAY_SEAL_KEY"]
    said = access.run("access", "add", "petr", "--provider", "esia", "--oid", "1", code=2)
    assert "seal_key" in said
    assert access.rows("SELECT count(*) FROM account") == [(0,)]


def test_who_is_shut_out_with_an_organisation_is_out_at_once(access):
    mark, other = "esia:0123456789ab", "esia:ba9876543210"
    let_in = ("access", "bind", "--oid", "org-1", "--role", "executor", "--organisation", "gzhi")
    access.run(*let_in)
    with access.connection() as db:
        for login, body in ((mark, "gzhi"), (other, "other")):
            accounts.add(
                db, login, NOW, organisation=body, roles=["executor"], subject=login.encode(),
                provider="esia",
            )  # fmt: skip
            session_of(access, login)
    access.run("access", "bind", "--oid", "org-1", "--remove", "--commit")
    assert access.rows("SELECT id FROM person_session") == [(other.encode(),)]
    access.run(*let_in)
    session_of(access, mark)
    access.run(*let_in[:-1], "other")
    assert access.rows("SELECT id FROM person_session") == [(other.encode(),)], "other rights"


def test_people_of_an_organisation_are_let_in_and_shut_out(access):
    wanted = ("--oid", "org-1", "--role", "executor", "--organisation", "gzhi")
    access.run("access", "bind", *wanted)
    (binding,) = access.json("access", "list")["bindings"]
    assert (binding["external"], binding["role"], binding["roles"]) == ("org-1", "*", ["executor"])
    access.run("access", "bind", "--oid", "org-1", "--remove")
    assert len(access.json("access", "list")["bindings"]) == 1
    access.run("access", "bind", "--oid", "org-1", "--remove", "--commit")
    assert access.json("access", "list")["bindings"] == []
    access.run("access", "bind", "--oid", "org-1", "--role", "head", code=2)


def test_who_may_explains(access):
    add(access, "ivan", "--role", "head", "--organisation", "gzhi")
    add(access, "anna", "--role", "auditor")
    told = {
        row["login"]: row
        for row in access.json(
            "access", "who-may", "appeal.read_personal", "--organisation", "other"
        )
    }
    assert told["ivan"]["allowed"] is True
    assert told["anna"]["allowed"] is False
    assert "no role" in told["anna"]["why"]
    access.run("access", "who-may", "appeal.reed", code=2)


def test_sessions_are_listed(access):
    add(access)
    session_of(access)
    (one,) = access.json("access", "sessions", "ivan")
    assert (one["who"], one["by"], one["address"]) == ("ivan", "local", "192.0.2.7")


def test_the_log_says_what_was_done_by_whom(access):
    add(access, "ivan", "--role", "head")
    access.run("access", "disable", "ivan", "--commit")
    told = access.json("access", "log", "--who", "ivan")
    assert [row["reason"] for row in told] == ["disabled", "added: head"]
    assert all(row["who"].startswith("command:") for row in told)


def test_the_syslog_is_told_too(access):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(10)
        access.environ["GATEWAY_SYSLOG"] = f"udp://127.0.0.1:{there.getsockname()[1]}"
        add(access, "ivan")
        told = there.recv(9000).decode()
    assert "|access_changed|Access changed|6|" in told
    assert "duser=ivan" in told
