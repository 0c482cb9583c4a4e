"""amqps: the broker's certificate is checked against the name, and ours is shown."""

import pytest

from gateway.errors import ConfigurationError, PeerUnavailable
from tests.interop.authority import Authority


@pytest.fixture
def options(tls_port, authority):
    certificate, key = authority.paths("gateway")
    return {
        "broker": f"amqps://localhost:{tls_port}",
        "allow_private": ["127.0.0.1", "::1"],
        "ca_bundle": str(authority.path),
        "client_cert": str(certificate),
        "client_key": str(key),
    }


def test_an_event_goes_over_tls_with_our_certificate(side, options):
    side.channel(**options).deliver(side.wire("k-1"), "k-1")
    assert [properties.message_id for properties, _ in side.events()] == ["k-1"]


@pytest.mark.parametrize("without", ["ca_bundle", "client_cert"])
def test_without_their_authority_or_our_certificate_nothing_is_sent(side, options, without):
    with pytest.raises(PeerUnavailable):
        side.channel(timeout=3.0, **{**options, without: ""}).deliver(side.wire(), "k-1")


def test_a_certificate_of_a_stranger_is_not_accepted(side, options, tmp_path):
    stranger = Authority(tmp_path)
    certificate, key = stranger.issue("gateway")
    own = {**options, "client_cert": str(certificate), "client_key": str(key)}
    with pytest.raises(PeerUnavailable):
        side.channel(timeout=3.0, **own).deliver(side.wire(), "k-1")
    with pytest.raises(PeerUnavailable):
        side.channel(timeout=3.0, **{**options, "ca_bundle": str(stranger.path)}).deliver(
            side.wire(), "k-1"
        )


def test_a_certificate_file_that_is_not_there_is_named(side, options):
    with pytest.raises(ConfigurationError) as caught:
        side.channel(**{**options, "client_cert": "/nowhere.pem"}).deliver(side.wire(), "k-1")
    assert caught.value.where == "options.client_cert"
