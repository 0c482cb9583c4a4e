"""A local account lets its owner in, and tells nobody else anything."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.access import logins, totp
from gateway.access.passwords import Parameters, Passwords
from tests.integration.cabinet.browser import PASSWORD, Browser

NEW = "другой конь и гвоздь"


def shown(answer):
    """What an answer says, without what is of this browser or request alone."""
    return answer.status, re.sub(r'value="[0-9a-f]{64}"', "", answer.text)


def test_the_owner_comes_in_and_out(house, browser):
    house.account(name="Иван")
    before = dict(browser.cookies)
    answer = browser.login()

    assert (answer.status, answer.where) == (303, "/my/")
    assert browser.cookies["gw_session"] not in before.values()
    page = browser.get("/my/")
    assert "Иван" in page.text
    assert "Исполнитель" in page.text
    stolen = dict(browser.cookies)
    assert browser.post("/logout", token=page.token).where == "/login"
    browser.cookies = stolen
    assert browser.get("/my/").where == "/login?next=/my/"
    assert house.events() == ["login_ok", "session_ended"]


def test_an_unknown_login_a_wrong_password_and_a_locked_one_look_alike_and_cost_alike(house):
    house.account("locked")
    house.rows("UPDATE account SET locked_until = '2100-01-01' RETURNING 1")
    house.account()
    house.account("disabled")
    house.rows("UPDATE account SET enabled = false WHERE login = 'disabled' RETURNING 1")
    house.account("nopassword", password="")
    answers, costs = [], []
    for login, password in [
        ("nobody", PASSWORD), ("ivan", "wrong"), ("locked", PASSWORD), ("disabled", PASSWORD),
        ("nopassword", ""), ("", ""), ("a\0b", "\0"),
    ]:  # fmt: skip
        before = house.logins.hashing.computed
        answers.append(shown(Browser(house).login(login, password)))
        costs.append(house.logins.hashing.computed - before)

    assert len(set(answers)) == 1
    assert answers[0][0] == 403
    assert set(costs) == {1}
    reasons = house.refused(7)
    assert "login_refused: no such login" in reasons
    assert "login_refused: wrong password" in reasons
    assert "login_locked: locked or disabled" in reasons


def test_a_record_of_a_refusal_holds_no_text_that_a_person_typed_for_a_login(house, browser):
    browser.login("мой пароль вместо логина", "x")
    house.refused()
    ((peer, code),) = house.rows("SELECT peer, code FROM refusal")
    assert re.fullmatch(r"unknown:[0-9a-f]{12}", peer)
    assert code == "trust"
    assert house.rows("SELECT who FROM access_event") == [(peer,)]
    assert "пароль" not in str(house.rows("SELECT * FROM access_event"))


def test_guesses_lock_the_login_for_a_growing_while_and_its_owner_comes_in_after_it(house):
    house.account()
    for n in range(logins.FREE):
        Browser(house, f"192.0.2.{n}", secure=True).login(password="wrong")
    assert Browser(house).login().status == 403
    house.ahead = timedelta(seconds=logins.PAUSE_SECONDS + 1)
    assert Browser(house).login(password="wrong").status == 403
    house.ahead *= 2
    assert Browser(house).login().status == 403, "the second pause is twice as long"
    house.ahead += timedelta(seconds=logins.PAUSE_SECONDS)
    assert Browser(house).login().status == 303
    assert house.rows("SELECT failures FROM account") == [(0,)]
    assert "login_locked" in house.events()


def test_one_address_tries_so_many_logins_a_minute(house):
    before = house.logins.hashing.computed
    for n in range(logins.PER_ADDRESS + 5):
        Browser(house).login(f"user{n}")
    assert house.logins.hashing.computed - before == logins.PER_ADDRESS


def test_a_one_time_password_is_changed_before_anything_else(house, browser):
    until = house.now() + timedelta(days=1)
    house.account(password="раз-два-три-четыре", password_until=until)
    browser.login(password="раз-два-три-четыре")

    assert browser.get("/my/").where == "/my/password"
    assert browser.get("/api/v1/my").where == "/my/password"
    page = browser.get("/my/password")
    first = browser.cookies["gw_session"]
    told = {"token": page.token, "old": "раз-два-три-четыре"}
    assert browser.post("/my/password", new="коротко", again="коротко", **told).status == 422
    assert browser.post("/my/password", new=NEW, again=NEW + "!", **told).status == 422
    assert browser.post("/my/password", **told | {"old": "x"}, new=NEW, again=NEW).status == 403
    assert browser.post("/my/password", new=NEW, again=NEW, **told).where == "/my/"
    assert browser.get("/my/").status == 200
    assert browser.cookies["gw_session"] != first
    assert Browser(house).login(password=NEW).status == 303


def test_a_one_time_password_ends(house, browser):
    house.account(password_until=house.now() - timedelta(seconds=1))
    assert browser.login().status == 403


def test_who_changes_the_password_is_out_everywhere_else(house, browser):
    house.account()
    other = Browser(house)
    other.login()
    browser.login()
    token = browser.get("/my/password").token
    browser.post("/my/password", token=token, old=PASSWORD, new=NEW, again=NEW)
    assert other.get("/my/").status == 303
    assert browser.get("/my/").status == 200


def enrol(house, browser):
    page = browser.get("/my/totp")
    spelled = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)[1]
    secret = __import__("base64").b32decode(spelled)
    sent = {"token": page.token, "secret": page.hidden("secret"), "password": PASSWORD}
    wrong = browser.post("/my/totp", code="000000", **sent)
    assert (wrong.status, "сверьте часы" in wrong.text) == (403, True)
    done = browser.post("/my/totp", code=totp.code(secret, totp.step_of(house.now())), **sent)
    assert done.status == 200
    return secret, re.findall(r"<code>([a-z2-7-]{19})</code>", done.text)


def with_code(house, code):
    browser = Browser(house)
    assert browser.login().where == "/my/"
    page = browser.get("/my/")
    assert page.where == "/login/code", "a password alone opens nothing"
    assert browser.post("/login/code", token=browser.get("/login/code").token, code=code)
    return browser.get("/my/").status == 200


def test_an_administrator_must_have_a_second_factor_and_a_code_counts_once(house, browser):
    house.account(roles=("administrator",))
    browser.login()
    assert browser.get("/my/").where == "/my/totp"
    secret, spare = enrol(house, browser)
    assert len(spare) == totp.RECOVERY_CODES
    used = totp.code(secret, totp.step_of(house.now()))

    assert not with_code(house, used), "the code that enrolled it is used"
    house.ahead = timedelta(seconds=totp.STEP_SECONDS)
    code = totp.code(secret, totp.step_of(house.now()))
    assert with_code(house, code)
    assert not with_code(house, code)
    assert with_code(house, spare[0])
    assert not with_code(house, spare[0])


def test_codes_are_not_guessed_without_end(house, browser):
    house.account(roles=("administrator",))
    browser.login()
    enrol(house, browser)
    house.ahead = timedelta(minutes=5)
    for _ in range(3):
        assert not with_code(house, "123456")
    assert Browser(house).login().status == 403, "the right password too waits now"


def test_the_secret_of_codes_is_sealed(house, browser):
    house.account(roles=("administrator",))
    browser.login()
    secret, _ = enrol(house, browser)
    ((sealed,),) = house.rows("SELECT totp FROM account")
    assert secret not in sealed


def test_who_is_disabled_is_out_at_once(house, browser):
    house.account()
    browser.login()
    house.rows("UPDATE account SET enabled = false RETURNING 1")
    assert browser.get("/my/").status == 303


def test_a_session_ends_when_nobody_uses_it_and_in_any_case(house, browser):
    house.account()
    browser.login()
    house.ahead = timedelta(minutes=29)
    assert browser.get("/my/").status == 200
    house.ahead = timedelta(minutes=60)
    assert browser.get("/my/").status == 303
    browser.login()
    for minutes in range(60, 60 * 13 + 1, 20):
        house.ahead = timedelta(minutes=minutes)
        last = browser.get("/my/").status
    assert last == 303


def test_a_cookie_that_was_put_there_before_the_login_is_worth_nothing(house, browser):
    house.account()
    fixed = "A" * 43
    browser.cookies["gw_session"] = fixed
    browser.login()
    assert browser.cookies["gw_session"] != fixed
    browser.cookies["gw_session"] = fixed
    assert browser.get("/my/").status == 303


def test_cookies_are_for_this_host_alone_where_the_wire_is_safe(house):
    house.account()
    browser = Browser(house, "203.0.113.5", secure=True)
    token = browser.get("/login").token
    answer = browser.post(
        "/login/local", {"origin": "https://localhost"}, login="ivan", password=PASSWORD,
        token=token,
    )  # fmt: skip
    told = answer.header("set-cookie")
    assert told.startswith("__Host-gw_session=")
    assert {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"} <= set(told.split("; "))
    assert "Domain" not in told
    assert answer.header("strict-transport-security")


def test_no_password_is_taken_on_a_wire_that_others_read(house):
    assert Browser(house, "203.0.113.5").get("/login").status == 403
    assert house.refused() == ["plain HTTP beyond loopback"]
    assert house.rows("SELECT address, code FROM refusal") == [("203.0.113.5", "access")]


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, ""),
        ({}, "0" * 64),
        ({"origin": "https://evil.example"}, None),
        ({"origin": "null"}, None),
        ({"sec_fetch_site": "cross-site"}, None),
    ],
)
@pytest.mark.parametrize("path", ["/login/local", "/logout", "/my/password"])
def test_a_form_of_another_page_changes_nothing(house, browser, path, headers, token):
    house.account()
    if path != "/login/local":
        browser.login()
    known = browser.get("/my/password" if path != "/login/local" else "/login").token
    fields = {"login": "ivan", "password": PASSWORD, "old": PASSWORD, "new": NEW, "again": NEW}
    answer = browser.post(path, headers, token=known if token is None else token, **fields)

    assert answer.status == 403
    assert house.rows("SELECT count(*) FROM person_session") == [(path != "/login/local",)]
    assert Browser(house).login().status == 303
    assert any("state_mismatch" in reason for reason in house.refused())


def test_no_role_comes_from_a_form(house, browser):
    house.account(roles=("executor",))
    token = browser.get("/login").token
    browser.post(
        "/login/local", login="ivan", password=PASSWORD, token=token, roles="administrator",
        organisation="gzhi", account="1", stage="in",
    )  # fmt: skip
    told = browser.get("/api/v1/my").text
    assert '"roles":["executor"]' in told
    assert '"organisation":""' in told


def test_a_hash_with_other_parameters_is_made_anew_at_login(house, browser):
    weak = Passwords(Parameters(memory=32, passes=1, lanes=1)).hash(PASSWORD)
    house.account(password="")
    house.rows("UPDATE account SET password = $1 RETURNING 1", weak)
    browser.login()
    ((phc,),) = house.rows("SELECT password FROM account")
    assert "m=64" in phc
    assert Browser(house).login().status == 303


def test_what_stands_in_a_name_is_shown_as_text(house, browser):
    house.account(name="<script>alert(1)</script>", organisation='"><img src=x>')
    browser.login()
    page = browser.get("/my/")
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "script-src" not in page.header("content-security-policy")
    assert "default-src 'none'" in page.header("content-security-policy")


def test_ending_every_session_ends_them(house, browser):
    house.account()
    other = Browser(house)
    other.login()
    browser.login()
    browser.post("/logout", token=browser.get("/my/").token, everywhere="1")
    assert other.get("/my/").status == 303
