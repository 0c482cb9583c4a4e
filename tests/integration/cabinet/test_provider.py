"""People log in by a provider: in the browser that began, once, and to a page of ours."""

from __future__ import annotations

from datetime import timedelta
from html import escape

import pytest

from gateway.access.seals import Seals
from gateway.store import accounts
from tests.integration.cabinet.browser import KEY, Browser


def marks(subject):
    return Seals(KEY).marks(f"esia\0{subject}")


def bound(house, subject="1000", login="petr", **more):
    house.provider.people[subject] = {"subject": subject, **more}
    return house.account(login, password="", subject=marks(subject)[0], provider="esia")


def let_in(house, external, role, organisation, *roles):
    with house.db() as db:
        db.execute(
            accounts.LET_IN, ("esia", external, role, organisation, list(roles), house.now())
        )


def test_a_citizen_comes_in_without_an_account(house, browser):
    browser.citizen("1000")
    assert "Мои обращения" in browser.get("/my/").text
    assert house.rows("SELECT count(*) FROM account") == [(0,)]
    assert house.events() == ["login_ok"]


def test_nothing_in_the_database_says_who_a_citizen_is(house, browser):
    browser.citizen("1000998877")
    browser.appeal()
    tables = (
        "person_session", "citizen_appeal", "access_event", "login_state", "refusal", "reading",
        "account",
    )  # fmt: skip
    kept = "".join(str(house.rows(f"SELECT * FROM {table}")) for table in tables)
    assert "citizen:" in kept
    for told in ("1000998877", "Иванова", "anna@example.org"):
        assert told not in kept
        assert told.encode().hex() not in kept
        assert repr(told.encode())[2:-1] not in kept


def test_a_return_serves_once(house, browser):
    house.provider.people["c"] = {"subject": "1"}
    state = browser.begin()
    way = f"/login/esia/return?state={state}&code=c"
    kept = dict(browser.cookies)
    assert browser.get(way).status == 303
    browser.cookies = kept
    assert browser.get(way).status == 403
    assert any("state_mismatch" in reason for reason in house.refused())


def test_a_return_in_another_browser_lets_nobody_in_and_spends_the_state(house, browser):
    house.provider.people["c"] = {"subject": "1"}
    way = f"/login/esia/return?state={browser.begin()}&code=c"
    thief = Browser(house)
    thief.begin()
    assert thief.get(way).status == 403
    assert browser.get(way).status == 403
    assert house.rows("SELECT count(*) FROM person_session") == [(0,)]


@pytest.mark.parametrize("state", ["", "0" * 32, "%00", "%F0%28"])
def test_a_state_that_is_none_of_ours_lets_nobody_in(house, browser, state):
    browser.begin()
    assert browser.get(f"/login/esia/return?state={state}&code=c").status == 403


def test_a_login_that_was_begun_too_long_ago_is_over(house, browser):
    house.provider.people["c"] = {"subject": "1"}
    state = browser.begin()
    house.ahead = timedelta(minutes=11)
    assert browser.get(f"/login/esia/return?state={state}&code=c").status == 403


def test_who_declines_at_the_provider_is_told_no_more_than_others(house, browser):
    answer = browser.by_provider("unknown")
    assert answer.status == 403
    assert "declined" not in answer.text
    assert "identity_refused: the person declined" in house.refused()


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("/my/new", "/my/new"),
        ("https://evil.example/my/", "/my/"),
        ("//evil.example/my/", "/my/"),
        ("/my//evil.example", "/my/"),
        ("/my/../../evil", "/my/"),
        ("/my/%0d%0aSet-Cookie:x", "/my/"),
        ("/\\evil.example", "/my/"),
        ("javascript:alert(1)", "/my/"),
        ("/login/esia", "/my/"),
    ],
)
def test_after_the_login_a_browser_stays_with_us(house, browser, asked, sent):
    house.provider.people["c"] = {"subject": "1"}
    answer = browser.by_provider("c", f"?next={asked}")
    assert answer.where == sent
    assert browser.get(f"/login?next={asked}").where in ("", "/my/")


def test_what_would_lead_elsewhere_is_recorded_with_its_address(house):
    browser = Browser(house, "192.0.2.9", secure=True)
    browser.get("/login/esia?next=/my/new")
    for page in ("/login", "/login/esia"):
        browser.get(f"{page}?next=https://evil.example/my/")
    assert house.refused(2) == ["redirect_refused: next"] * 2
    rows = house.rows("SELECT address, path, code FROM refusal ORDER BY id")
    assert rows == [("192.0.2.9", "/login", "trust"), ("192.0.2.9", "/login/esia", "trust")]


def test_an_address_with_very_many_parameters_is_refused_as_a_mistake_of_its_sender(browser):
    answer = browser.get("/login?" + "&".join(f"a{n}=1" for n in range(100)))
    assert answer.status == 400


def test_a_host_that_is_not_ours_begins_no_login(house, browser):
    answer = browser.get("/login/esia", host="evil.example")
    assert answer.status == 403


def test_an_official_comes_in_when_his_identity_is_bound(house, browser):
    bound(house)
    assert browser.by_provider("1000", "?official=1").where == "/my/"
    assert "petr" in browser.get("/my/").text
    assert browser.get("/my/password").status == 403


def test_an_official_who_is_bound_to_nothing_does_not(house, browser):
    house.provider.people["c"] = {"subject": "7"}
    assert browser.by_provider("c", "?official=1").status == 403
    assert house.rows("SELECT count(*) FROM account") == [(0,)]


def test_the_record_names_the_organisation_that_could_be_bound_and_the_answer_does_not(
    house, browser
):
    house.provider.people["c"] = {"subject": "7", "memberships": [("org-9", "CHIEF")]}
    answer = browser.by_provider("c", "?official=1")
    assert (answer.status, "org-9" in answer.text) == (403, False)
    assert house.refused() == ["identity_refused: bound to no account; at esia: org-9 (CHIEF)"]


def test_a_binding_that_is_disabled_ends_what_it_opened(house, browser):
    bound(house)
    browser.by_provider("1000", "?official=1")
    house.rows("UPDATE account SET enabled = false RETURNING 1")
    assert browser.get("/my/").status == 303
    assert browser.by_provider("1000", "?official=1").status == 403


def test_an_official_is_a_citizen_when_he_comes_as_one(house, browser):
    bound(house)
    browser.by_provider("1000")
    assert '"roles":["citizen"]' in browser.get("/api/v1/my").text


def test_members_of_an_organisation_come_in_with_the_roles_it_was_given(house, browser):
    let_in(house, "org-1", "*", "gzhi", "executor")
    let_in(house, "org-1", "chief", "gzhi", "head")
    house.provider.people["c"] = {"subject": "7", "memberships": [("org-1", "CHIEF")]}
    browser.by_provider("c", "?official=1")
    assert '"roles":["executor","head"],"organisation":"gzhi"' in browser.get("/api/v1/my").text

    house.provider.people["c"]["memberships"] = [("org-1",)]
    browser.by_provider("c", "?official=1")
    assert '"roles":["executor"]' in browser.get("/api/v1/my").text
    house.provider.people["c"]["memberships"] = [("org-2", "CHIEF")]
    assert Browser(house).by_provider("c", "?official=1").status == 403


def test_after_the_sealing_key_was_changed_people_are_still_known(house, browser):
    bound(house)
    browser.citizen("55").appeal()
    house.logins.seals = Seals("33" * 32, KEY)
    other = Browser(house)
    assert other.by_provider("1000", "?official=1").where == "/my/"
    again = Browser(house).citizen("55")
    assert "/my/appeals/" in again.get("/my/").text


def test_logging_out_ends_the_session_of_the_provider_too(house, browser):
    browser.citizen("1")
    answer = browser.post("/logout", token=browser.get("/my/new").token)
    assert (answer.status, answer.where) == (200, ""), "form-action forbids a redirect elsewhere"
    where = dict(answer.headers)["refresh"].removeprefix("0; url=")
    assert where.startswith("https://identity.example/logout?sid=sid-1")
    assert "localhost%2Flogin" in where
    assert f'href="{escape(where)}"' in answer.text


def test_a_provider_that_is_not_offered_is_no_page(house, browser):
    assert browser.get("/login/other").status == 404
    assert browser.get("/login/esia/other").status == 404
