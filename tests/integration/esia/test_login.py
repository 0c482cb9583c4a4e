"""Login by ЕСИА itself, against a stand that checks every signature."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.errors import PeerRefused, PeerUnavailable, TrustError
from gateway.model.person import ContactKind, IdentificationLevel
from tests.gost_kit import needs_gost
from tests.integration.esia import house

pytestmark = needs_gost


@pytest.fixture
def made(registered):
    return house.esia(house.options(registered), lent=house.lent())


def test_a_citizen_logs_in_and_is_known_by_name_level_and_contacts(made, people):
    person = people[0]

    identity = house.log_in(made, person["oid"])

    assert identity.subject == person["oid"] == identity.person.esia_oid
    assert identity.person.family == person["row"]["lastName"]
    assert identity.person.snils == person["row"]["snils"]
    assert identity.person.birth_date.strftime("%d.%m.%Y") == person["row"]["birthDate"]
    assert identity.level is IdentificationLevel.CONFIRMED
    assert {point.kind: point.verified for point in identity.contacts} == {
        ContactKind.EMAIL: True,
        ContactKind.PHONE: False,
    }
    assert identity.memberships == ()


def test_the_level_is_that_of_the_account(made, people):
    levels = [house.log_in(made, person["oid"]).level for person in people[:3]]

    assert levels == ["confirmed", "standard", "simplified"]


def test_an_official_comes_with_organisations_that_are_active(made, people):
    chief = house.log_in(made, people[5]["oid"], official=True)
    clerk = house.log_in(made, people[6]["oid"], official=True)

    assert chief.memberships[0].chief
    assert chief.memberships[0].roles == ("AGENCY", "CHIEF")
    assert [each.ogrn for each in clerk.memberships] == ["1020000000018"]
    assert clerk.memberships[0].roles == ("AGENCY", "ADMIN")


def test_the_evidence_is_a_digest_and_no_token(made, people):
    identity = house.log_in(made, people[0]["oid"])

    assert identity.session in identity.evidence
    assert "sha256=" in identity.evidence
    assert len(identity.evidence) < 200


@pytest.mark.parametrize("algorithm", ["GOST3410_2012_256", "RS256"])
@pytest.mark.parametrize("generation", ["v2", "v1"])
def test_both_generations_and_both_algorithms_of_tokens(esia, people, generation, algorithm):
    house.register(esia, algorithm=algorithm)
    made = house.esia(house.options(esia, generation=generation), lent=house.lent())

    assert house.log_in(made, people[0]["oid"]).subject == people[0]["oid"]


def test_padded_secrets_and_no_pkce_are_taken_too(registered, people):
    made = house.esia(house.options(registered, padded=True, pkce=False), lent=house.lent())

    assert house.log_in(made, people[0]["oid"]).subject


def test_scopes_of_an_organisation_are_asked_for_of_officials_only(registered, people):
    made = house.esia(house.options(registered, scope_org="org_ogrn"), lent=house.lent())
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)

    assert "scope_org" not in parse_qs(urlsplit(begun.url).query)
    assert house.log_in(made, people[5]["oid"], official=True).memberships


def test_the_page_of_the_stand_lets_a_person_choose_or_decline(made, people):
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    _, _, page = house.browse(begun.url)
    login = page.split('name="login" value="')[1].split('"')[0]
    url = f"{made.options.url}/login"

    status, place, _ = house.browse(url, form={"login": login, "go": "no"})

    assert status == 302
    query = {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}
    with pytest.raises(TrustError) as refused:
        finish(made, begun, query)
    assert refused.value.reason == "identity_refused"
    assert "ESIA-007004" in refused.value.found


def test_a_code_is_good_once(made, people):
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    query = house.returned(begun.url, people[0]["oid"])
    finish(made, begun, query)

    with pytest.raises(TrustError) as refused:
        finish(made, begun, query)
    assert refused.value.reason == "identity_refused"
    assert "007011" in refused.value.found


def test_a_code_without_its_verifier_is_worth_nothing(made, people):
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    query = house.returned(begun.url, people[0]["oid"])
    other = made.begin(house.now(), redirect_uri=house.BACK, official=False)

    with pytest.raises(TrustError) as refused:
        made.finish(
            other.secret, begun.state, query, house.now(), redirect_uri=house.BACK, official=False
        )
    assert refused.value.reason == "identity_refused"
    assert "007040" in refused.value.found


@pytest.mark.parametrize("state", ["", "00000000-0000-4000-8000-000000000000", "ё"])
def test_a_return_with_another_state_is_refused_before_it_is_read(made, people, state):
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)

    with pytest.raises(TrustError) as refused:
        finish(made, begun, {"state": state, "error": "access_denied"})
    assert refused.value.reason == "state_mismatch"


def test_a_login_that_took_too_long_begins_again(made, people):
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    query = house.returned(begun.url, people[0]["oid"])

    with pytest.raises(TrustError) as refused:
        made.finish(
            begun.secret, begun.state, query, begun.expires_at + timedelta(seconds=1),
            redirect_uri=house.BACK, official=False,
        )  # fmt: skip
    assert refused.value.reason == "state_mismatch"


def test_a_wrong_clock_a_foreign_certificate_and_scope_are_told_with_what_to_do(esia, people):
    from tests.gost_kit import pki

    house.register(esia)
    made = house.esia(house.options(esia), lent=house.lent())
    late = made.begin(house.now() - timedelta(hours=1), redirect_uri=house.BACK, official=False)
    assert "ESIA-007015" in house.returned(late.url, people[0]["oid"])["error_description"]

    house.register(esia, certificate=pki().peer.cert.read_text("utf-8"))
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    query = house.returned(begun.url, people[0]["oid"])
    with pytest.raises(PeerRefused) as refused:
        finish(made, begun, query)
    assert "ESIA-007053" in refused.value.found
    assert "gateway esia check" in refused.value.todo

    house.register(esia, scopes=["openid"])
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    with pytest.raises(PeerRefused, match="007019"):
        finish(made, begun, house.returned(begun.url, people[0]["oid"]))


def test_an_address_that_is_not_registered_gets_no_redirect(made):
    begun = made.begin(house.now(), redirect_uri="http://evil.example/", official=False)

    status, place, page = house.browse(begun.url, "1000000001")

    assert (status, place) == (400, "")
    assert "ESIA-007023" in page


def test_logging_out_ends_there_and_comes_back(made, people):
    identity = house.log_in(made, people[0]["oid"])

    status, place, _ = house.browse(made.logout_url(identity.session, house.BACK))

    assert status == 302
    assert place.startswith(house.BACK)


@pytest.mark.parametrize("variant", ["start", "token"])
def test_a_token_with_offline_access_is_renewed_by_either_string(esia, people, variant):
    house.register(esia, renewal=variant)
    made = house.esia(house.options(esia, renewal=variant), lent=house.lent())
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    url = begun.url.replace("access_type=online", "access_type=offline")
    query = house.returned(url, people[0]["oid"])
    request = made.provider.sign(
        house.now(), begun.state, house.BACK, official=False, last=query["code"]
    )
    proof = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "code_verifier": begun.secret["verifier"],
    }
    given = made.provider._token(request, proof)["refresh_token"]

    fresh = made.renew(given, house.now(), redirect_uri=house.BACK)

    assert fresh["access_token"].count(".") == 2
    assert fresh["refresh_token"] != given
    with pytest.raises(TrustError, match="007011"):
        made.renew(given, house.now(), redirect_uri=house.BACK)


@pytest.mark.parametrize(
    ("kind", "key", "raised"),
    [
        ("busy", "token", PeerUnavailable),
        ("refuse", "token", PeerRefused),
        ("error", "data", PeerUnavailable),
        ("refuse", "data", PeerRefused),
    ],
)
def test_a_failure_of_the_provider_is_no_login_and_no_distrust(
    made, esia, people, kind, key, raised
):
    begun = made.begin(house.now(), redirect_uri=house.BACK, official=False)
    query = house.returned(begun.url, people[0]["oid"])
    esia.plan(kind, key=key)

    with pytest.raises(raised):
        finish(made, begun, query)


def finish(made, begun, query):
    return made.finish(
        begun.secret, begun.state, query, house.now(), redirect_uri=house.BACK, official=False
    )
