"""A login that is not believed: our record says why and from where, its sender is told nothing."""

from __future__ import annotations

import json
import re

import pytest

from gateway.errors import TrustError
from tests.integration.cabinet.browser import Browser

REASONS = (
    "signature_wrong",
    "algorithm_refused",
    "replayed",
    "token_wrong",
    "token_expired",
    "token_not_ours",
    "scope_wrong",
    "state_mismatch",
    "certificate_expired",
    "identity_refused",
)


def shown(answer):
    """What an answer says, without what is of this browser alone."""
    return answer.status, re.sub(r'value="[0-9a-f]{64}"', "", answer.text)


def test_whatever_was_wrong_with_a_token_is_recorded_and_answered_alike(house, monkeypatch):
    answers = []
    for reason in REASONS:

        def finish(*_given, said=reason, **_more):
            raise TrustError("what the operator may read", said)

        monkeypatch.setattr(house.provider, "finish", finish)
        answers.append(shown(Browser(house, "192.0.2.7", secure=True).by_provider("c")))
    assert len(set(answers)) == 1
    assert answers[0][0] == 403
    assert "operator" not in answers[0][1]
    told = house.refused(len(REASONS))
    assert [reason.partition(":")[0] for reason in told] == list(REASONS)
    rows = house.rows("SELECT DISTINCT address, path, code FROM refusal")
    assert rows == [("192.0.2.7", "/login/esia/return", "trust")]
    rows = house.rows("SELECT DISTINCT kind, address FROM access_event")
    assert rows == [("login_refused", "192.0.2.7")]


def test_a_wrong_password_is_recorded_with_who_and_from_where(house):
    house.account()
    Browser(house, "192.0.2.8", secure=True).login(password="wrong")
    assert house.refused() == ["login_refused: wrong password"]
    assert house.rows("SELECT peer, address FROM refusal") == [("ivan", "192.0.2.8")]


def test_a_login_begun_at_another_host_is_recorded(house):
    answer = Browser(house, "192.0.2.9", secure=True).get("/login/esia", host="evil.example")
    assert answer.status == 403
    assert house.refused() == ["redirect_refused: esia"]
    assert house.rows("SELECT address FROM refusal") == [("192.0.2.9",)]


@pytest.mark.parametrize("cookie", ["", "A" * 43])
def test_a_session_that_is_over_is_told_to_a_program_by_the_code_alone(house, cookie):
    browser = Browser(house, "192.0.2.7", secure=True)
    if cookie:
        browser.cookies["gw_session"] = cookie
    answer = browser.get("/api/v1/my/appeals")
    assert answer.status == 401
    assert json.loads(answer.body)["code"] == "trust"
    assert "session_ended" not in answer.text
    assert browser.get("/login/esia", host="evil.example").status == 403
    assert house.refused() == ["redirect_refused: esia"], "nobody was accused before"
