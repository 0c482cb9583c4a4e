"""What `gateway doctor` says of the login."""

from datetime import timedelta

import msgspec

from adapters.esia import health
from gateway.settings import Settings
from tests.gost_kit import needs_gost, pieces
from tests.integration.esia import house


def told(options, now=None, **given):
    table = {"login_providers": ["esia"], **given, "adapter_options": {"esia": options}}
    return list(health.check(msgspec.convert(table, Settings), "", now or house.now()))


def ours(simulator, **given):
    return {**simulator.facts["options"], "client_id": "X", "sign_with": "ours", **given}


@needs_gost
def test_both_certificates_are_told_with_their_end(registered):
    signing, keys = told(ours(registered), **pieces())

    assert signing[0] == keys[0] == "ok"
    assert "2049-12-31" in signing[1]


@needs_gost
def test_keys_that_end_soon_are_a_warning(registered):
    later = house.now() + timedelta(days=380)

    _, keys = told(ours(registered), later, **pieces())

    assert keys[0] == "warn"
    assert "esia.zip" in keys[2]


@needs_gost
def test_a_login_that_cannot_work_is_a_failure(registered):
    for wrong in ({"keys": ["none.zip"]}, {"sign_with": "nobody"}, {"client_id": ""}):
        found = told(ours(registered, **wrong), **pieces())

        assert found[-1][0] == "fail"
        assert found[-1][2]


def test_a_plain_provider_is_asked(registered):
    given = {**registered.facts["oidc"], "client_id": "X", "client_auth": "none"}

    assert told(given)[0][0] == "ok"
    assert told({**given, "issuer": "http://127.0.0.1:9/oidc"})[0][0] == "fail"


def test_nothing_is_said_where_nobody_logs_in_by_it():
    assert told({}, login_providers=[]) == []
