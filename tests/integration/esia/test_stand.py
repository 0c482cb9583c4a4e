"""The stand itself: its page, and what it refuses of requests that no client of ours makes."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.gost_kit import needs_gost
from tests.integration.esia import house


def test_its_page_says_who_logged_in_and_whose_rules_they_are(registered):
    status, _, page = house.browse(registered.address + "/")

    assert status == 200
    assert "Имитатор, не настоящая система" in page
    assert "ESIA-007053" in page


@needs_gost
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "1"}, "007003"),
        ({"response_type": "token"}, "007003"),
        ({"access_type": ""}, "007014"),
        ({"scope": ""}, "007013"),
        ({"scope": "root"}, "007006"),
        ({"timestamp": "2025-09-02T13:00:29+03:00"}, "007015"),
        ({"client_certificate_hash": "0" * 64}, "007053"),
        ({"client_secret": "AAAA"}, "007053"),
        ({"redirect_uri": "https://evil.example"}, "007023"),
        ({"client_id": "NOBODY"}, "007002"),
        ({"code_challenge_method": "plain"}, "007003"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_the_code_of_esia(registered, change, code):
    status, place, page = house.browse(changed(registered, change), "1000000001")

    told = dict(parse_qsl(urlsplit(place).query)).get("error_description", page)
    assert f"ESIA-{code}" in told
    assert status == (400 if code in {"007002", "007023"} else 302)


@needs_gost
def test_a_plus_that_was_not_encoded_is_a_wrong_time(registered):
    url = changed(registered, {}).replace("%20%2B0", "%20+0").replace("+%2B0", "++0")

    assert "007015" in house.browse(url, "1000000001")[1]


@needs_gost
def test_a_parameter_that_comes_twice_is_refused(registered):
    url = changed(registered, {}) + "&scope=openid"

    assert "007003" in house.browse(url, "1000000001")[1]


@needs_gost
def test_data_are_given_by_a_token_of_that_person_only(registered):
    status, _, text = house.browse(registered.address + "/rs/prns/1000000001")

    assert status == 401
    assert "lastName" not in text


def changed(simulator, change):
    made = house.esia(house.options(simulator), lent=house.lent())
    url = made.begin(house.now(), redirect_uri=house.BACK, official=False).url
    fields = dict(parse_qsl(urlsplit(url).query)) | change
    return f"{simulator.address}/aas/oauth2/v2/ac?{urlencode(fields)}"
