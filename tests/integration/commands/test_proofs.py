"""What proves a peer, by command: shown once, refused with a reason, never lost by a slip."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway import doctor, doctor_peers
from gateway.access import certificates
from gateway.access.policy import Gate
from gateway.access.seals import Seals
from gateway.settings import load
from tests.unit.access.pki import DAY, Authority

CA = Authority()
KEY, NEW = "11" * 32, "22" * 32


@pytest.fixture
def sealed(house):
    """A house with a sealing key, and its secrets as the processes see them."""
    house.environ["GATEWAY_SEAL_KEY"] = KEY

    def secrets(code, key=KEY):
        gate = Gate(house.url, trusted_wire=True, refused=lambda _: None, seals=Seals(key))
        gate.any_credential()
        return [secret.decode() for secret in gate.keys.secrets(code)]

    return secrets


@pytest.fixture
def pem(tmp_path):
    def write(issued, name="peer"):
        return issued.write(tmp_path, name)[0]

    return write


def listed(house, code):
    return next(p for p in house.json("peer", "list") if p["code"] == code)


def told(house):
    """What the doctor says of proofs, but for what is well."""
    checks = doctor_peers.checks(load(house.environ), house.url, datetime.now(UTC))
    found = doctor.examine({"proofs": checks["proofs"]})
    return [(f.level, f.what) for f in found if f.level != "ok"]


def test_the_secret_that_is_shown_is_the_one_that_digests_are_checked_with(house, sealed):
    shown = house.json("peer", "secret", "epgu")["secret"]
    second = house.run("peer", "secret", "epgu").splitlines()[-1]

    assert sorted(sealed("epgu")) == sorted([shown, second])
    stored = b"".join(row[0] for row in house.rows("SELECT sealed FROM credential"))
    assert shown.encode() not in stored
    assert shown not in str(house.json("peer", "list"))


def test_without_a_sealing_key_no_secret_is_minted_and_it_says_what_to_do(house):
    said = house.run("peer", "secret", "epgu", code=2)
    assert "GATEWAY_SEAL_KEY_FILE" in said
    assert house.rows("SELECT count(*) FROM credential") == [(0,)]


def test_a_secret_is_disabled_only_with_commit(house, sealed):
    house.run("peer", "secret", "epgu")
    (found,) = listed(house, "epgu")["proofs"]
    assert "--commit" in house.run("peer", "secret", "epgu", "--disable", found["id"])
    assert len(sealed("epgu")) == 1
    house.run("peer", "secret", "epgu", "--disable", found["id"], "--commit")
    assert sealed("epgu") == []


def test_secrets_are_sealed_anew_under_a_new_key(house, sealed):
    shown = house.json("peer", "secret", "epgu")["secret"]
    house.environ |= {"GATEWAY_SEAL_KEY": NEW, "GATEWAY_SEAL_KEY_OLD": KEY}
    assert house.json("peer", "reseal") == {"sealed": 1, "failed": [], "committed": False}
    assert sealed("epgu", NEW) == []
    house.run("peer", "reseal", "--commit")
    assert sealed("epgu", NEW) == [shown]
    assert sealed("epgu", KEY) == []


def test_a_certificate_is_shown_as_the_peer_can_compare_it(house, pem):
    issued = CA.issue("epgu.example")
    said = house.run("peer", "certificate", "epgu", pem(issued))
    assert "CN=epgu.example" in said
    assert certificates.fingerprint(issued.der) in said
    assert re.search(r"\d\d\.\d\d\.\d{4} – \d\d\.\d\d\.\d{4}", said)
    (found,) = listed(house, "epgu")["proofs"]
    assert found["sha256"] == certificates.fingerprint(issued.der)
    assert found["kind"] == "certificate"


def test_a_peer_may_have_the_next_certificate_before_the_old_one_ends(house, pem):
    for days in (10, 400):
        house.run("peer", "certificate", "epgu", pem(CA.issue("epgu", ends=days * DAY)))
    first, second = listed(house, "epgu")["proofs"]
    house.run("peer", "certificate", "epgu", "--disable", first["id"])
    assert all(p["disabled_at"] is None for p in listed(house, "epgu")["proofs"])
    house.run("peer", "certificate", "epgu", "--disable", first["id"], "--commit")
    alive = [p["id"] for p in listed(house, "epgu")["proofs"] if p["disabled_at"] is None]
    assert alive == [second["id"]]
    assert "сертификат · certificate: 1" in house.run("peer", "list")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("secret", "nobody"), "no such peer"),
        (("secret", "epgu", "--disable", "nothing", "--commit"), "no such live digest"),
        (("certificate", "nobody", "{good}"), "no such peer"),
        (("certificate", "epgu", "{old}"), "expired"),
        (("certificate", "epgu", "/no/such/file"), "cannot be read"),
        (("certificate", "epgu"), "name the file"),
        (("certificate", "epgu", "{taken}"), "sed"),
        (("certificate", "epgu", "--disable", "nothing"), "no such live certificate"),
        (("require", "epgu", "smile", "--commit"), "key | basic | digest"),
        (("require", "epgu", "key", "--answers", "smile", "--commit"), "timestamp | signature"),
        (("require", "nobody", "key", "--commit"), "no such peer"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(house, sealed, pem, arguments, said):
    taken = pem(CA.issue("sed"), "taken")
    house.run("peer", "certificate", "sed", taken)
    files = {
        "good": pem(CA.issue("good"), "good"),
        "old": pem(CA.issue("old", begins=-3 * DAY, ends=-DAY), "old"),
        "taken": taken,
    }
    before = house.rows("SELECT * FROM credential"), house.rows("SELECT * FROM peer")

    assert said in house.run("peer", *(a.format(**files) for a in arguments), code=2)

    assert before == (house.rows("SELECT * FROM credential"), house.rows("SELECT * FROM peer"))


def test_what_a_peer_must_prove_changes_only_with_commit_and_says_what_is_missing(house, pem):
    found = house.json("peer", "require", "epgu", "signature")
    assert (found["before"], found["committed"]) == ("key", False)
    assert "certificate" in found["missing"][0]
    assert listed(house, "epgu")["require"] == "key"

    house.run("peer", "certificate", "epgu", pem(CA.issue("epgu")))
    options = ("--answers", "signature", "--commit")
    found = house.json("peer", "require", "epgu", "signature", *options)
    assert ["sign_key" in line for line in found["missing"]] == [True]
    row = listed(house, "epgu")
    assert (row["require"], row["answers"]) == ("signature", "signature")

    house.run("peer", "require", "epgu", "digest", "--commit")
    assert listed(house, "epgu")["answers"] == "signature", "not named, so it stays"
    house.run("peer", "require", "epgu", "digest", "--answers", "none", "--commit")
    assert listed(house, "epgu")["answers"] == ""


def test_a_disabled_peer_has_nothing_left_to_prove_itself_by(house, sealed, pem):
    house.run("peer", "secret", "epgu")
    house.run("peer", "certificate", "epgu", pem(CA.issue("epgu")))
    house.run("peer", "disable", "epgu", "--commit")
    assert all(p["disabled_at"] for p in listed(house, "epgu")["proofs"])


def advised(house):
    """What the doctor says to do, each by the word that matters in it."""
    words = ("peer secret epgu", "peer certificate sed FILE.pem", "tls_client_ca")
    found = house.json("doctor", code=0)["findings"]
    todos = [f["todo"] for f in found if f["check"] == "proofs" and f["level"] == "warn"]
    return [next((w for w in words if w in todo), todo) for todo in todos]


def test_the_doctor_names_peers_that_cannot_prove_what_they_must(house, sealed, pem):
    assert told(house) == []
    house.run("peer", "require", "epgu", "digest", "--commit")
    house.run("peer", "require", "sed", "certificate", "--commit")
    assert [level for level, _ in told(house)] == ["warn"] * 3
    assert "secret" in told(house)[0][1]
    assert "tls_client_ca" in told(house)[2][1]
    assert advised(house) == ["peer secret epgu", "peer certificate sed FILE.pem", "tls_client_ca"]

    house.run("peer", "secret", "epgu")
    house.run("peer", "certificate", "sed", pem(CA.issue("sed", ends=300 * DAY)))
    house.environ["GATEWAY_PROXY_CLIENT_CERTIFICATE"] = "X-SSL-Client-Cert"
    assert ["trusted_proxies" in what for _, what in told(house)] == [True]
    house.environ["GATEWAY_TRUSTED_PROXIES"] = "127.0.0.1"
    assert told(house) == []


@pytest.mark.parametrize(
    ("ends", "said"), [(5 * DAY, ["has ended"]), (20 * DAY, ["ends"]), (60 * DAY, [])]
)
def test_the_doctor_warns_before_the_last_certificate_of_a_peer_ends(house, pem, ends, said):
    house.run("peer", "certificate", "epgu", pem(CA.issue("epgu", ends=ends)))
    if said == ["has ended"]:
        house.change("UPDATE credential SET not_after = now() - $1::interval", timedelta(hours=1))
    assert [word for word in said if word in str(told(house))] == said
    assert len(told(house)) == len(said)
    house.run("peer", "certificate", "epgu", pem(CA.issue("epgu", ends=400 * DAY)))
    assert told(house) == []


def test_the_doctor_fails_when_secrets_cannot_be_opened_or_answers_not_signed(house, sealed):
    house.run("peer", "secret", "epgu")
    house.environ["GATEWAY_SEAL_KEY"] = NEW
    assert [(level, "epgu" in what) for level, what in told(house)] == [("fail", True)]
    del house.environ["GATEWAY_SEAL_KEY"]
    assert [(level, "seal_key" in what) for level, what in told(house)] == [("fail", True)]
    house.environ["GATEWAY_SEAL_KEY"] = KEY
    house.run("peer", "require", "sed", "key", "--answers", "signature", "--commit")
    assert [(level, "sed" in what) for level, what in told(house)] == [("fail", True)]


@pytest.mark.parametrize("name", ["SIGN", "TLS"])
def test_the_doctor_looks_at_our_own_certificates(house, tmp_path, name):
    for days, warned in ((20, 1), (90, 0)):
        certificate, key = CA.issue("ours", ends=days * DAY).write(tmp_path, "ours")
        house.environ |= {f"GATEWAY_{name}_CERT": certificate, f"GATEWAY_{name}_KEY": key}
        assert len(told(house)) == warned
    house.environ[f"GATEWAY_{name}_CERT"] = "/no/such/file"
    assert [level for level, _ in told(house)] == ["fail"]


def test_certificates_that_a_row_names_are_told_before_they_end(house, tmp_path, pem):
    ended, soon, long = (
        CA.issue("partner", begins=-9 * DAY, ends=days * DAY) for days in (-1, 5, 300)
    )
    both = tmp_path / "answers.pem"
    both.write_bytes(ended.pem + long.pem)
    options = {
        "answer_cert": str(both),
        "sign_cert": pem(soon, "sign"),
        "client_cert": str(tmp_path / "absent.pem"),
    }
    house.peer("back", adapter="soap", options=options)
    assert [what.split(":")[0] for _, what in told(house) if "back" in what] == ["back, sign_cert"]

    both.write_bytes(ended.pem)
    [(level, what)] = [one for one in told(house) if "answer_cert" in one[1]]
    assert level == "warn"
    assert "has ended" in what
