"""What `gateway doctor` tells the operator of signing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points

import msgspec
import pytest

from gateway.gost import health
from gateway.settings import Settings
from tests.gost_kit import NOW, Authority, needs_gost, pieces, pki


def told(now=NOW, **other):
    return list(health.check(msgspec.convert(pieces(**other), Settings), "", now))


def test_nothing_is_said_where_nothing_signs():
    assert list(health.check(Settings(), "", NOW)) == []


@needs_gost
def test_all_is_well():
    found = told()
    assert {level for level, _, _ in found} == {"ok"}
    assert "openssl-engine" in found[0][1]
    assert "не СКЗИ" in found[0][1]
    assert len(found) == 1 + 7


@needs_gost
def test_a_key_that_ends_soon_is_seen_in_time(tmp_path):
    place = Authority(tmp_path / "place", pki().intermediate)
    soon = place.certify("soon", "/CN=Скоро", end="20260312090000Z")
    given = {"name": "smev", "cert": str(soon.cert), "key": str(soon.key)}
    found = told(signing_keys=[given])
    assert ("warn", "дней · days: 10") in [(level, todo[:15]) for level, _, todo in found]
    late = told(signing_keys=[given], now=NOW + timedelta(days=11))
    assert "fail" in {level for level, _, _ in late}
    later = {"name": "smev", "cert": str(pki().future.cert), "key": str(pki().future.key)}
    both = [what for _, what, _ in told(signing_keys=[given, later])]
    assert "smev: следующий с · the next one from 2048-01-01" in both


@needs_gost
@pytest.mark.parametrize(
    ("other", "level", "said"),
    [
        ({"seal_with": "nobody"}, "fail", "seal_with"),
        ({"trusted_authorities": []}, "warn", "никакому УЦ"),
        ({"revocation_required": False}, "warn", "отозванные не проверяются"),
        ({"signing_keys": [{"name": "smev", "key": "/nowhere"}]}, "fail", "signing_keys"),
        ({"signing_backend": "external"}, "fail", "signer_command"),
    ],
)
def test_what_is_wrong_is_said(other, level, said):
    assert any(found == level and said in what for found, what, _ in told(**other))


@needs_gost
def test_a_list_that_ended_fails_and_one_that_ends_soon_warns():
    lists = [str(pki().root_crl), str(pki().stale_crl)]
    assert any(
        level == "fail" and "2021" in what for level, what, _ in told(revocation_lists=lists)
    )
    evening = datetime(2020, 12, 31, 20, tzinfo=UTC)
    found = told(revocation_lists=lists, now=evening)
    assert any(level == "warn" and "2021" in what for level, what, _ in found)


def test_doctor_finds_it():
    assert "signing" in {each.name for each in entry_points(group="gateway.checks")}
