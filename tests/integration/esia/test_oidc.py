"""Login by any provider of OpenID Connect; no engine of ГОСТ is needed for it."""

import json
from datetime import timedelta

import pytest

from adapters.esia.adapter import Esia
from gateway.errors import ConfigurationError, PeerRefused, TrustError
from gateway.lent import Lent
from gateway.outbound import Outbound
from tests.gost_kit import needs_gost
from tests.integration.esia import house


def no_signing():
    raise AssertionError("RS256 is checked without the engine")


@pytest.fixture
def options(registered, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(house.SECRET, "utf-8")
    return house.plain(
        registered,
        client_secret_file=str(secret),
        level_claim="level",
        organisations_claim="organizations",
    )


@pytest.fixture
def made(options):
    return house.esia(options, lent=Lent(house.Memory(), no_signing, house.now))


def test_a_citizen_logs_in(made, people):
    identity = house.log_in(made, people[0]["oid"])

    assert identity.subject == f"{made.options.issuer}|{people[0]['oid']}"
    assert identity.person.family == people[0]["row"]["lastName"]
    assert identity.person.birth_date.strftime("%d.%m.%Y") == people[0]["row"]["birthDate"]
    assert identity.level == "confirmed"
    assert identity.contacts[0].verified


def test_an_official_comes_with_organisations(made, people):
    identity = house.log_in(made, people[5]["oid"], official=True)

    assert [each.ogrn for each in identity.memberships] == ["1020000000018"]
    assert identity.memberships[0].chief


def test_the_level_without_a_claim_is_the_least(options, people):
    made = house.esia({**options, "level_claim": ""})

    assert house.log_in(made, people[0]["oid"]).level == "simplified"


def test_a_client_proves_itself_by_basic(options, people):
    made = house.esia({**options, "client_auth": "client_secret_basic"})

    assert house.log_in(made, people[0]["oid"]).subject


@needs_gost
def test_a_client_proves_itself_by_a_signed_assertion(options, people):
    given = {**options, "client_auth": "private_key_jwt", "sign_with": "ours"}
    made = house.esia(given, lent=house.lent())

    assert house.log_in(made, people[0]["oid"]).subject


def test_a_wrong_secret_is_the_operators_matter(options, people, tmp_path):
    (tmp_path / "secret").write_text("другой")

    with pytest.raises(PeerRefused, match="invalid_client"):
        house.log_in(house.esia(options), people[0]["oid"])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("tampered", "signature_wrong"),
        ("stranger", "signature_wrong"),
        ("none", "token_wrong"),
        ("hs256", "algorithm_refused"),
        ("swapped", "algorithm_refused"),
        ("expired", "token_expired"),
        ("early", "token_expired"),
        ("no_expiry", "token_wrong"),
        ("issuer", "token_not_ours"),
        ("client", "token_not_ours"),
        ("nonce", "replayed"),
        ("person", "token_wrong"),
    ],
)
def test_a_token_is_refused(made, registered, people, how, reason):
    registered.control(alter={"how": how, "token": "id"})

    with pytest.raises(TrustError) as refused:
        house.log_in(made, people[0]["oid"])
    assert refused.value.reason == reason


def test_a_token_of_an_earlier_login_is_refused_by_its_nonce(made, registered, people):
    house.log_in(made, people[0]["oid"])
    registered.control(alter={"how": "replay", "token": "id"})

    with pytest.raises(TrustError) as refused:
        house.log_in(made, people[0]["oid"])
    assert refused.value.reason == "replayed"


class OnTheWay(Outbound):
    """The way to the provider, on which somebody changes what it gives for the code."""

    change: dict[str, str]

    def request(self, *given, **more):
        response = super().request(*given, **more)
        if b'"id_token"' not in response.body:
            return response
        return response._replace(body=json.dumps(json.loads(response.body) | self.change).encode())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"access_token": "of-somebody-else"}, "token_wrong"),
        ({"scope": "openid profile"}, "scope_wrong"),
        ({"scope": ""}, "scope_wrong"),
    ],
    ids=["nothing", "access token", "less scope", "no scope"],
)
def test_what_is_changed_beside_the_token_is_refused(options, people, change, reason):
    out = OnTheWay(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"])
    out.change = change
    made = Esia(options, outbound=out, lent=Lent(house.Memory(), no_signing, house.now))
    house.MADE.append(made)
    if not reason:
        assert house.log_in(made, people[0]["oid"]).subject
        return
    with pytest.raises(TrustError) as refused:
        house.log_in(made, people[0]["oid"])
    assert refused.value.reason == reason


def test_another_issuer_in_the_return_is_refused(made, people):
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    query = house.returned(begun.url, people[0]["oid"])

    with pytest.raises(TrustError) as refused:
        made.finish(
            begun.secret, begun.state, {**query, "iss": "https://evil.example"}, house.now(),
            redirect_uri=house.BACK, official=False,
        )  # fmt: skip
    assert refused.value.reason == "token_not_ours"


def test_new_keys_of_the_provider_are_fetched(made, registered, people):
    house.log_in(made, people[0]["oid"])
    made.provider._known = made.provider._known._replace(at=house.now() - timedelta(minutes=2))
    registered.control(rotate=True)

    assert house.log_in(made, people[0]["oid"]).subject


def test_a_document_of_another_issuer_is_refused(options):
    made = house.esia({**options, "issuer": options["issuer"] + "/"})

    with pytest.raises(PeerRefused, match="another issuer"):
        made.begin(house.now(), redirect_uri=house.BACK, official=False)


def test_a_provider_without_tls_is_refused(options):
    made = house.esia({**options, "issuer": "http://login.example"})

    with pytest.raises(ConfigurationError, match="TLS"):
        made.begin(house.now(), redirect_uri=house.BACK, official=False)


def test_logging_out_ends_there_and_comes_back(made, people):
    identity = house.log_in(made, people[0]["oid"])

    status, place, _ = house.browse(made.logout_url(identity.session, house.BACK))

    assert (status, place.rstrip("?")) == (302, house.BACK)
