"""Logins that the stand of ЕСИА spoils, in a whole cabinet: recorded exactly, answered alike."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from gateway.cabinet.mount import providers_of
from tests import gost_kit
from tests.gost_kit import needs_gost
from tests.integration.cabinet.browser import Browser
from tests.integration.cabinet.browser import House as Cabinet
from tests.integration.esia import house

pytestmark = needs_gost
BACK = "https://localhost/login/esia/return"
ADDRESS = "192.0.2.7"
WAYS = [
    ("replay", ("id", "access"), "replayed"),  # the first: of the login that was good
    ("tampered", ("access",), "signature_wrong"),
    ("stranger", ("id",), "signature_wrong"),
    ("swapped", ("id",), "signature_wrong"),
    ("hs256", ("access",), "algorithm_refused"),
    ("none", ("id",), "token_wrong"),
    ("expired", ("id",), "token_expired"),
    ("client", ("id",), "token_not_ours"),
    ("scope", ("access",), "scope_wrong"),
    ("state", ("id",), "state_mismatch"),
]


@pytest.fixture
def cabinet(pg_url, tmp_path, esia):
    """A cabinet whose people come by the adapter of ЕСИА itself, as settings put it together."""
    house.register(esia, redirect_uris=[BACK])
    ours = gost_kit.pki().ours
    made = Cabinet(
        pg_url,
        tmp_path,
        GATEWAY_ADAPTER_OPTIONS=json.dumps({"esia": house.options(esia)}),
        GATEWAY_SIGNING_KEYS=json.dumps(
            [{"name": "ours", "cert": str(ours.cert), "key": str(ours.key)}]
        ),
        GATEWAY_LOGIN_PROVIDERS="esia",
    )
    real = providers_of(made.settings, made.serve._cabinet._pool, made.now)
    made.logins.providers["esia"] = real["esia"]
    yield made
    real["esia"].close()
    made.stop()


def return_of(browser, person):
    """Begin a login, let the stand log the person in, and return where it sends the browser."""
    begun = browser.get("/login/esia")
    assert begun.status == 303
    status, place, text = house.browse(begun.where, person["oid"])
    assert status == 302, text
    assert place.startswith(BACK)
    return urlsplit(place)._replace(scheme="", netloc="").geturl()


def logged_in(made, person):
    browser = Browser(made, ADDRESS, secure=True)
    return browser.get(return_of(browser, person))


def shown(answer):
    """What an answer says, without what is of this browser alone."""
    return answer.status, re.sub(r'value="[0-9a-f]{64}"', "", answer.text)


def declined(made):
    """Log in, and say no at the provider's page."""
    browser = Browser(made, ADDRESS, secure=True)
    begun = browser.get("/login/esia")
    _, _, page = house.browse(begun.where)
    login = re.search(r'name="login" value="([^"]*)"', page)[1]
    stand = urlsplit(begun.where)
    _, place, _ = house.browse(
        f"{stand.scheme}://{stand.netloc}/login", form={"login": login, "go": "no"}
    )
    return browser.get(urlsplit(place)._replace(scheme="", netloc="").geturl())


def of_another_state(made, person):
    browser = Browser(made, ADDRESS, secure=True)
    way = return_of(browser, person)
    return browser.get(re.sub(r"state=[0-9a-f-]+", f"state={'0' * 32}", way))


def test_whatever_the_stand_spoils_is_recorded_with_its_reason_and_answered_alike(
    cabinet, esia, people
):
    assert logged_in(cabinet, people[0]).status == 303, "what is replayed later was good once"
    answers = []
    for how, tokens, _ in WAYS:
        for token in tokens:
            esia.control(alter={"how": how, "token": token})
        answers.append(shown(logged_in(cabinet, people[0])))
    answers += [shown(declined(cabinet)), shown(of_another_state(cabinet, people[0]))]

    assert len(set(answers)) == 1
    assert answers[0][0] == 403
    expected = [*(reason for _, _, reason in WAYS), "identity_refused", "state_mismatch"]
    assert not any(reason in answers[0][1] for reason in expected)
    told = cabinet.refused(len(expected))
    assert [reason.partition(":")[0] for reason in told] == expected
    rows = cabinet.rows("SELECT DISTINCT peer, address, path, code FROM refusal")
    assert rows == [("", ADDRESS, "/login/esia/return", "trust")]
    rows = cabinet.rows(
        "SELECT reason, address FROM access_event WHERE kind = 'login_refused' ORDER BY at, id"
    )
    assert rows == [(reason, ADDRESS) for reason in expected]
    assert cabinet.rows("SELECT count(*) FROM person_session") == [(1,)]
    assert people[0]["oid"] not in str(cabinet.rows("SELECT * FROM refusal"))
