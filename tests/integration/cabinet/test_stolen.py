"""What somebody gains by a stolen session, a left organisation, a slow provider, a read record."""

from __future__ import annotations

import asyncio
import base64
import re
import threading
import time
from hashlib import sha256

import pytest

from gateway.access import totp
from gateway.access.seals import Seals
from tests.integration.cabinet.browser import KEY, PASSWORD, Browser
from tests.integration.cabinet.test_provider import let_in


def enrol(house, browser, password):
    page = browser.get("/my/totp")
    secret = base64.b32decode(re.search(r"<code>([A-Z2-7]{32})</code>", page.text)[1])
    code = totp.code(secret, totp.step_of(house.now()))
    sent = {"token": page.token, "secret": page.hidden("secret"), "code": code}
    return browser.post("/my/totp", password=password, **sent)


def test_a_session_alone_enrols_no_second_factor_and_changes_none(house, browser):
    house.account()
    browser.login()
    assert enrol(house, browser, "").status == 403
    assert house.rows("SELECT totp FROM account") == [(None,)]
    assert enrol(house, browser, PASSWORD).status == 200
    kept = house.rows("SELECT totp, recovery FROM account")
    answer = enrol(house, browser, "не тот пароль совсем")
    assert (answer.status, "пароль не подошёл" in answer.text) == (403, True)
    assert house.rows("SELECT totp, recovery FROM account") == kept


def test_a_password_is_not_guessed_by_the_form_of_the_second_factor(house, browser):
    house.account()
    browser.login()
    for _ in range(6):
        assert enrol(house, browser, "не тот пароль совсем").status == 403
    assert enrol(house, browser, PASSWORD).status == 403, "the right one waits too"
    assert house.rows("SELECT locked_until IS NULL FROM account") == [(False,)]


def test_after_the_sealing_key_was_changed_who_left_an_organisation_is_still_out(house, browser):
    let_in(house, "org-1", "*", "gzhi", "executor")
    house.provider.people["c"] = {"subject": "7", "memberships": [("org-1",)]}
    assert browser.by_provider("c", "?official=1").where == "/my/"
    house.logins.seals = Seals("33" * 32, KEY)
    assert Browser(house).by_provider("c", "?official=1").where == "/my/"
    assert house.rows("SELECT count(*) FROM account") == [(1,)], "the same account as before"
    house.provider.people["c"]["memberships"] = []
    assert Browser(house).by_provider("c", "?official=1").status == 403
    house.logins.seals = Seals("33" * 32)
    assert Browser(house).by_provider("c", "?official=1").status == 403


def test_who_comes_in_by_a_provider_leaves_no_other_session_in_that_browser(house, browser):
    house.account()
    browser.login()
    left = dict(browser.cookies)
    browser.citizen("1000")
    thief = Browser(house)
    thief.cookies = left
    assert thief.get("/my/").status == 303
    assert house.rows("SELECT count(*) FROM person_session") == [(1,)]


def test_a_text_typed_for_a_login_is_not_guessed_from_its_mark(house, browser):
    typed = "password123456"
    browser.login(typed, "x")
    house.refused()
    ((peer,),) = house.rows("SELECT peer FROM refusal")
    assert sha256(typed.encode()).hexdigest()[:12] not in peer
    browser.login(typed, "y")
    house.refused(2)
    assert house.rows("SELECT DISTINCT peer FROM refusal") == [(peer,)], "the same text, one mark"


@pytest.mark.parametrize("host", ["localhost:80@evil.example", "localhost:evil", "localhost:/x"])
def test_a_host_with_something_for_a_port_begins_no_login(house, browser, host):
    assert browser.get("/login/esia", host=host).status in (400, 403, 421)


async def ask(house, method, path, body=b"", **headers):
    """Ask on the loop that is running; return the status."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    told = {"host": "localhost", "origin": "http://localhost", **headers}
    told["content-type"] = "application/x-www-form-urlencoded"
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "scheme": "http", "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
    }  # fmt: skip
    await house.serve(scope, receive, send)
    return sent[0]["status"]


def test_a_provider_that_hangs_keeps_nobody_else_waiting(house, browser, monkeypatch):
    """Neither people who have a session nor the loop that serves machines."""
    browser.citizen("1")
    other = Browser(house).citizen("2")
    cookies = ["; ".join(f"{k}={v}" for k, v in one.cookies.items()) for one in (browser, other)]
    form = f"token={browser.get('/my/new').token}".encode()
    freed, pauses = threading.Event(), []
    begin, leave = house.provider.begin, house.provider.logout_url

    def hanging(call):
        return lambda *given, **named: (freed.wait(3), call(*given, **named))[1]

    monkeypatch.setattr(house.provider, "begin", hanging(begin))
    monkeypatch.setattr(house.provider, "logout_url", hanging(leave))

    async def tick():
        while not freed.is_set():
            began = time.monotonic()
            await asyncio.sleep(0.01)
            pauses.append(time.monotonic() - began)

    async def crowd():
        ticking = asyncio.create_task(tick())
        waiting = [asyncio.create_task(ask(house, "GET", "/login/esia")) for _ in range(40)]
        waiting.append(asyncio.create_task(ask(house, "POST", "/logout", form, cookie=cookies[0])))
        await asyncio.sleep(0.1)
        try:
            return await asyncio.wait_for(ask(house, "GET", "/my/", cookie=cookies[1]), 1)
        finally:
            freed.set()
            assert await asyncio.gather(*waiting) == [303] * 40 + [200]
            await ticking

    assert asyncio.run(crowd()) == 200
    assert max(pauses) < 1
