"""Whose word is taken about who calls: only that of proxies named, and read from the near end."""

from __future__ import annotations

import pytest

from gateway.access.policy import is_loopback
from gateway.access.proxies import UNKNOWN, Origin, Proxies, parse, pretends
from gateway.errors import ConfigurationError

PROXY = Origin("10.0.0.1", "http")
TRUSTED = Proxies(["10.0.0.1", "10.1.0.0/16", "fd00::/8"])
STANDARD = Proxies(["10.0.0.1", "10.1.0.0/16"], "forwarded")


def x(chain, proto=None):
    headers = [(b"x-forwarded-for", part.encode("latin-1")) for part in chain]
    return headers + ([(b"x-forwarded-proto", proto.encode())] if proto is not None else [])


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7:51234"], "192.0.2.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["[2001:DB8::7]:443"], "2001:db8::7"),
        (["::ffff:192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9", "192.0.2.7"], "192.0.2.7"),
        (["203.0.113.9, 192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        (["192.0.2.7, 10.1.2.3 ,10.1.9.9"], "192.0.2.7"),
        (["10.1.2.3"], "10.1.2.3"),
        (["192.0.2.7, nonsense, 10.1.2.3"], UNKNOWN),
        (["192.0.2.7, "], UNKNOWN),
        (["unknown"], UNKNOWN),
        (["_hidden"], UNKNOWN),
        (["127.0.0.1"], UNKNOWN),
        (["::1"], UNKNOWN),
        (["::ffff:127.0.0.1"], UNKNOWN),
        (["192.0.2.7/24"], UNKNOWN),
        (["\xff" * 100], UNKNOWN),
    ],
)
def test_the_caller_is_the_nearest_address_that_is_no_proxy_of_ours(chain, address):
    assert TRUSTED.origin(PROXY, x(chain, "https")) == (address, "https")


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("https, http", "http"),
        ("http, https", "https"),
        ("", "http"),
        ("wss", "http"),
        (None, "http"),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_said_and_http_when_it_said_nothing(proto, scheme):
    assert TRUSTED.origin(PROXY, x(["192.0.2.7"], proto)).scheme == scheme
    assert TRUSTED.origin(Origin("10.0.0.1", "https"), x(["192.0.2.7"], proto)).scheme == scheme


def test_a_proxy_that_passes_nothing_on_speaks_for_itself():
    assert TRUSTED.origin(PROXY, [(b"host", b"gateway")]) is PROXY


@pytest.mark.parametrize("name", [b"x-forwarded-proto", b"x-real-ip", b"forwarded"])
def test_a_proxy_that_does_not_say_for_whom_speaks_for_somebody_unknown(name):
    assert TRUSTED.origin(PROXY, [(name, b"https")]).address == UNKNOWN
    assert not is_loopback(UNKNOWN)


@pytest.mark.parametrize(
    ("header", "origin"),
    [
        ("for=192.0.2.7;proto=https", ("192.0.2.7", "https")),
        ('For="[2001:db8::7]:4711" ; Proto=HTTPS', ("2001:db8::7", "https")),
        ("for=203.0.113.9;proto=https, for=192.0.2.7;proto=http", ("192.0.2.7", "http")),
        ("for=192.0.2.7, for=10.1.0.5;proto=https;by=10.0.0.1", ("192.0.2.7", "https")),
        ("proto=https", (UNKNOWN, "https")),
        ("for=192.0.2.7", ("192.0.2.7", "http")),
        ("for=_secret;proto=https", (UNKNOWN, "https")),
        ('for="192.0.2.7', (UNKNOWN, "http")),
        ('for="192.0.2.9, for=192.0.2.7;proto=https', (UNKNOWN, "http")),
        ("for=192.0.2.7;;proto=https", (UNKNOWN, "http")),
        ("", (UNKNOWN, "http")),
        ('"' * 5000, (UNKNOWN, "http")),
    ],
)
def test_the_standard_header_is_read_as_rfc_7239_has_it(header, origin):
    assert STANDARD.origin(PROXY, [(b"forwarded", header.encode())]) == origin


def test_the_other_family_of_headers_passes_through_proxies_and_says_nothing():
    headers = [*x(["192.0.2.7"], "http"), (b"forwarded", b"for=203.0.113.9;proto=https")]
    assert TRUSTED.origin(PROXY, headers) == ("192.0.2.7", "http")
    assert STANDARD.origin(PROXY, headers) == ("203.0.113.9", "https")


def test_nobody_is_trusted_unless_named():
    assert not Proxies().trusts("127.0.0.1")
    assert TRUSTED.trusts("10.1.255.1")
    assert TRUSTED.trusts("::ffff:10.0.0.1")
    assert TRUSTED.trusts("fd00::5")
    assert not TRUSTED.trusts("10.0.0.2")
    assert not TRUSTED.trusts("")


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example", "", "10.0.0.256", "*"])
def test_what_is_no_address_is_refused_at_start(text):
    with pytest.raises(ConfigurationError) as caught:
        Proxies([text])
    assert caught.value.where == "trusted_proxies"


def test_loopback_is_known_in_every_spelling():
    assert all(map(is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""]))
    assert not any(map(is_loopback, ["192.0.2.7", "localhost", UNKNOWN, "::"]))
    assert parse("fe80::1%eth0") == parse("fe80::1")


def test_a_call_that_was_passed_on_is_seen_by_any_of_its_headers():
    assert pretends([(b"host", b"x"), (b"x-real-ip", b"")])
    assert not pretends([(b"host", b"x")])
