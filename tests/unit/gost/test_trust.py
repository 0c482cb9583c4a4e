"""Which certificates are believed, and with which reason the others are not."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
import structlog

from gateway.errors import ConfigurationError, TrustError
from tests.gost_kit import NOW, Authority, authority, needs_gost, opened, openssl, pki

pytestmark = needs_gost


@pytest.fixture(params=["auto", "openssl-cli"])
def backend(request):
    return request.param


def reason(trust, der, now=NOW, extra=()):
    """The reason of a refusal, "" when it is believed; asked twice, since answers are kept."""
    told = []
    for _ in range(2):
        try:
            trust.check(der, now, extra)
            told.append("")
        except TrustError as error:
            told.append(error.reason)
    assert told[0] == told[1]
    return told[0]


def test_who_is_believed(backend):
    made, trust = pki(), opened(signing_backend=backend).trust
    for name in ("ours", "peer", "exchange", "tca", "wide", "rsa", "ec"):
        assert reason(trust, getattr(made, name).der) == "", name
    assert reason(trust, made.expired.der) == "certificate_expired"
    assert reason(trust, made.future.der) == "certificate_expired"
    assert reason(trust, made.revoked.der) == "certificate_revoked"
    assert reason(trust, made.stranger.der) == "certificate_unknown"
    assert reason(trust, made.encipher.der) == "certificate_unknown"
    assert reason(trust, b"no certificate") == "certificate_unreadable"
    after = datetime(2050, 1, 1, tzinfo=UTC)
    assert reason(trust, made.ours.der, after) == "certificate_expired"


def test_a_chain_that_was_found_is_not_believed_past_its_end():
    made, trust = pki(), opened(revocation_required=False).trust
    trust.check(made.expired.der, datetime(2020, 6, 1, tzinfo=UTC))
    with pytest.raises(TrustError) as refused:
        trust.check(made.expired.der, NOW)
    assert refused.value.reason == "certificate_expired"


def test_intermediate_certificates_may_come_with_the_message(backend):
    made = pki()
    trust = opened(signing_backend=backend, trusted_authorities=[str(made.root.cert)]).trust
    assert reason(trust, made.ours.der) == "certificate_unknown"
    assert reason(trust, made.ours.der, extra=[made.foreign.der]) == "certificate_unknown"
    assert reason(trust, made.ours.der, extra=[b"junk", made.intermediate.der]) == ""


def test_an_authority_that_comes_with_the_message_is_not_believed_for_that(backend):
    made, trust = pki(), opened(signing_backend=backend).trust
    assert reason(trust, made.stranger.der, extra=[made.foreign.der]) == "certificate_unknown"


def test_an_intermediate_authority_may_be_named_alone(backend):
    made = pki()
    trust = opened(
        signing_backend=backend,
        trusted_authorities=[str(made.intermediate.cert)],
        revocation_lists=[str(made.intermediate_crl)],
    ).trust
    assert reason(trust, made.ours.der) == ""
    assert reason(trust, made.revoked.der) == "certificate_revoked"


def test_a_certificate_may_be_named_itself(backend):
    made = pki()
    trust = opened(
        signing_backend=backend, trusted_authorities=[str(made.stranger.cert)], revocation_lists=[]
    ).trust
    assert reason(trust, made.stranger.der) == ""
    assert reason(trust, made.ours.der) == "certificate_unknown"


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        (["root_crl"], "no revocation list of"),
        (["intermediate_crl"], "no revocation list of"),
        (["root_crl", "foreign_crl"], "no revocation list of"),
        (["root_crl", "stale_crl"], "ended at 2021-01-01"),
        ([], "no revocation list of"),
    ],
)
def test_without_a_list_in_force_nobody_is_believed(lists, said):
    made = pki()
    paths = [str(getattr(made, name)) for name in lists]
    with pytest.raises(TrustError) as refused:
        opened(revocation_lists=paths).trust.check(made.ours.der, NOW)
    assert refused.value.reason == "certificate_unknown"
    assert said in refused.value.found
    opened(revocation_lists=paths, revocation_required=False).trust.check(made.ours.der, NOW)


def test_a_list_is_believed_only_of_its_authority(tmp_path):
    """One of the same name, by another key, says nothing."""
    made = pki()
    twin = authority(tmp_path / "twin", "twin", "/CN=Пробный УЦ/O=Проба")
    forged = twin.crl("forged")
    trust = opened(revocation_lists=[str(made.root_crl), str(forged)]).trust
    assert reason(trust, made.ours.der) == "certificate_unknown"
    both = opened(
        revocation_lists=[str(made.root_crl), str(forged), str(made.intermediate_crl)]
    ).trust
    assert reason(both, made.ours.der) == ""
    assert reason(both, made.revoked.der) == "certificate_revoked"


def test_a_revoked_certificate_stays_so_when_its_list_has_ended(tmp_path):
    made = pki()
    place = Authority(tmp_path / "place", made.intermediate)
    gone = place.certify("gone", "/CN=Отозванный давно")
    place.revoke(gone)
    ended = place.crl("ended", end="20210101000000Z")
    for required in (True, False):
        trust = opened(
            revocation_lists=[str(made.root_crl), str(ended)], revocation_required=required
        ).trust
        assert reason(trust, gone.der) == "certificate_revoked"


def test_a_later_list_tells_of_an_earlier_day(tmp_path):
    """A seal of years ago is checked by the list of today, which says who was revoked when."""
    made = pki()
    place = Authority(tmp_path / "place", made.intermediate)
    gone = place.certify("gone", "/CN=Отозванный сегодня")
    place.revoke(gone)
    lists = [str(place.crl("late", start="20480101000000Z")), str(made.root_crl)]
    trust = opened(revocation_lists=lists).trust
    assert reason(trust, made.ours.der) == ""
    assert reason(trust, gone.der) == "", "it was revoked later than that"
    assert reason(trust, gone.der, datetime.now(UTC)) == "certificate_revoked"
    assert reason(trust, gone.der, datetime(2048, 6, 1, tzinfo=UTC)) == "certificate_revoked"


def test_a_revoked_authority_takes_all_with_it(tmp_path, backend):
    made = pki()
    top = Authority(tmp_path / "top", made.root)
    top.revoke(made.intermediate)
    trust = opened(
        signing_backend=backend,
        revocation_lists=[str(top.crl("top")), str(made.intermediate_crl)],
    ).trust
    assert reason(trust, made.ours.der) == "certificate_revoked"


def test_one_who_is_no_authority_cannot_certify(tmp_path, backend):
    made = pki()
    place = Authority(tmp_path / "place", made.ours)
    child = place.certify("child", "/CN=Самозванец")
    trust = opened(signing_backend=backend, revocation_required=False).trust
    assert reason(trust, child.der, extra=[made.ours.der]) == "certificate_unknown"


def test_the_length_of_the_path_holds(tmp_path, backend):
    made = pki()
    place = Authority(tmp_path / "place", made.intermediate)
    below = place.certify("below", "/CN=УЦ ниже", kind="intermediate")
    child = place.certify("child", "/CN=Ещё ниже", by=below)
    trust = opened(signing_backend=backend, revocation_required=False).trust
    assert reason(trust, child.der, extra=[below.der]) == "certificate_unknown"


def test_a_changed_certificate_is_not_believed(backend):
    made, trust = pki(), opened(signing_backend=backend).trust
    name = "Шлюз обращений".encode()
    changed = made.ours.der.replace(name, name[:-2] + "х".encode())
    assert changed != made.ours.der
    assert reason(trust, changed) == "certificate_unknown"


def test_lists_and_authorities_are_read_again_when_they_change(tmp_path):
    made = pki()
    place = Authority(tmp_path / "place", made.intermediate)
    holder = place.certify("holder", "/CN=Пока действует")
    lists, roots = tmp_path / "lists.crl", tmp_path / "roots.pem"
    shutil.copy(place.crl("before"), lists)
    roots.write_bytes(made.root.cert.read_bytes() + made.intermediate.cert.read_bytes())
    trust = opened(
        trusted_authorities=[str(roots)], revocation_lists=[str(made.root_crl), str(lists)]
    ).trust
    assert reason(trust, holder.der) == ""
    place.revoke(holder)
    fresh = place.crl("after")
    with structlog.testing.capture_logs() as logged:
        lists.write_bytes(b"half a file")
        assert reason(trust, holder.der) == "", "what cannot be read changes nothing"
        fresh.replace(lists)
        assert reason(trust, holder.der) == "certificate_revoked"
        roots.write_bytes(made.foreign.cert.read_bytes())
        assert reason(trust, made.ours.der) == "certificate_unknown"
    assert [each["event"] for each in logged] == ["trust_unreadable", "trust_read", "trust_read"]


def test_der_and_several_in_one_pem(tmp_path):
    made = pki()
    root, crl = tmp_path / "root.der", tmp_path / "lists.pem"
    root.write_bytes(made.root.der)
    crl.write_bytes(made.root_crl.read_bytes() + made.intermediate_crl.read_bytes())
    trust = opened(
        trusted_authorities=[str(root), str(made.intermediate.cert)], revocation_lists=[str(crl)]
    ).trust
    assert reason(trust, made.ours.der) == ""
    der = tmp_path / "root.crl"
    openssl(made.conf, "crl", "-in", made.root_crl, "-outform", "DER", "-out", der)
    trust = opened(revocation_lists=[str(der), str(made.intermediate_crl)]).trust
    assert reason(trust, made.revoked.der) == "certificate_revoked"


@pytest.mark.parametrize("setting", ["trusted_authorities", "revocation_lists"])
def test_files_that_cannot_be_used_are_said_at_the_start(setting, tmp_path):
    junk = tmp_path / "junk"
    junk.write_bytes(b"junk")
    for path in (junk, tmp_path / "absent", pki().ours.key):
        with pytest.raises(ConfigurationError) as refused:
            opened(**{setting: [str(path)]})
        assert setting in refused.value.where


def test_a_weak_signature_of_a_link_is_refused(tmp_path):
    made = pki()
    asked, cert = tmp_path / "weak.csr", tmp_path / "weak.pem"
    openssl(made.conf, "req", "-new", "-key", made.rsa.key, "-subj", "/CN=SHA-1", "-out", asked)
    ca = tmp_path / "ca.pem"
    openssl(
        made.conf, "req", "-x509", "-new", "-key", made.rsa.key, "-subj", "/CN=CA", "-days", "9000",
        "-extensions", "root", "-out", ca,
    )  # fmt: skip
    openssl(
        made.conf, "x509", "-req", "-sha1", "-in", asked, "-CA", ca, "-CAkey", made.rsa.key,
        "-CAcreateserial", "-days", "9000", "-out", cert,
    )  # fmt: skip
    der = openssl(made.conf, "x509", "-in", cert, "-outform", "DER")
    now = datetime.now(UTC)
    trust = opened(trusted_authorities=[str(ca)], revocation_required=False).trust
    with pytest.raises(TrustError) as refused:
        trust.check(der, now)
    assert refused.value.reason == "algorithm_refused"
