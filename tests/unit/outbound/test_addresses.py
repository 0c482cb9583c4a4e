"""Where the client may go: hosts, addresses, proxies."""

import socket
import threading
import time

import pytest

from gateway.errors import ConfigurationError, PeerUnavailable
from gateway.outbound import ClientCertificate, Outbound
from gateway.pinning import Resolver, parse_target
from tests.unit.outbound.peers import always, answers


def test_a_host_outside_the_peers_row_is_not_spoken_to(peer, client):
    there = peer(always)
    out = client(allowed_hosts=["example.ru", f"127.0.0.1:{there.port + 1}"])
    with pytest.raises(ConfigurationError, match="allow"):
        out.request("POST", there.url, body=b"x")
    assert client(allowed_hosts=[f"127.0.0.1:{there.port}"]).request("GET", there.url).status == 200
    assert len(there.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "/relative", "ftp://127.0.0.1/", "http:///x", "http://user:secret@127.0.0.1/", "http://",
        "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(client, url):
    with pytest.raises(ConfigurationError):
        client().request("GET", url)


def test_headers_that_would_split_the_request_are_refused(peer, client):
    there = peer(always)
    with pytest.raises(ConfigurationError):
        client().request("POST", there.url, headers={"X": "a\r\nHost: evil"}, body=b"x")
    assert there.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.7", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fe80::1",
        "fc00::1", "::ffff:10.0.0.7", "64:ff9b::a00:7", "2002:a00:7::", "224.0.0.1", "100.64.0.1",
        "2001:0:53aa:64c:0:0:f5ff:fff8", "64:ff9b:1::a00:7", "::ffff:0:10.0.0.7", "::10.0.0.7",
        "fec0::1",
    ],
)  # fmt: skip
def test_addresses_outside_the_public_internet_are_refused_unless_listed(address):
    with pytest.raises(ConfigurationError, match="public Internet"):
        Resolver().addresses(address, time.monotonic() + 1)
    listed = Resolver(allow_private=[address])
    assert [str(a) for a in listed.addresses(address, time.monotonic() + 1)]


def test_public_addresses_need_no_listing():
    for address in ("77.88.8.8", "2a02:6b8::feed:0ff"):
        assert Resolver().addresses(address, time.monotonic() + 1)


def test_a_name_is_resolved_once_and_the_checked_address_is_used(peer, client, monkeypatch):
    there = peer(always)
    asked = []

    def resolve(host, *_, **__):
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "203.0.113.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    out = client(allowed_hosts=["node.example.ru"])
    for _ in range(3):
        headers = {"Connection": "close"}
        assert (
            out.request("GET", f"http://node.example.ru:{there.port}/", headers=headers).status
            == 200
        )
    assert asked == ["node.example.ru"]
    assert f"Host: node.example.ru:{there.port}".encode() in there.requests[0]


def test_a_name_that_points_inside_is_refused(client, monkeypatch):
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    with pytest.raises(ConfigurationError, match="public Internet"):
        client(allowed_hosts=["node.example.ru"]).request("GET", "http://node.example.ru/")


def test_a_slow_name_service_is_cut_at_the_deadline(client, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])
    with pytest.raises(PeerUnavailable, match="in time"):
        client(allowed_hosts=["slow.example.ru"]).request(
            "GET", "http://slow.example.ru/", timeout=0.3
        )
    release.set()


def test_plain_http_goes_through_a_proxy_in_absolute_form(peer, client):
    proxy = peer(always)
    out = client(
        allowed_hosts=["far.example.ru"], proxy=f"http://127.0.0.1:{proxy.port}", proxy_login="u:p"
    )
    assert out.request("GET", "http://far.example.ru:8081/a").status == 200
    assert proxy.requests[0].startswith(b"GET http://far.example.ru:8081/a HTTP/1.1")
    assert b"Proxy-Authorization: Basic dTpw" in proxy.requests[0].title() or (
        b"dTpw" in proxy.requests[0]
    )


def test_a_proxy_that_refuses_the_tunnel_has_let_nothing_through(peer, client):
    proxy = peer(answers(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
    out = client(allowed_hosts=["far.example.ru"], proxy=f"http://127.0.0.1:{proxy.port}")
    with pytest.raises(PeerUnavailable, match="403"):
        out.request("POST", "https://far.example.ru/", body=b"x")
    assert proxy.requests[0].startswith(b"CONNECT far.example.ru:443 ")


@pytest.mark.parametrize(
    "settings",
    [
        {"allow_private": ["ten"]}, {"proxy": "https://proxy:1"}, {"ca_bundle": "/no/such/file"},
        {"proxy": "http://u:p@proxy:1"},
        {"client_cert": ClientCertificate("/no/such/file")},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_at_once(settings):
    with pytest.raises(ConfigurationError):
        Outbound(allowed_hosts=["a"], **settings)


def test_an_ipv6_literal_keeps_its_brackets_only_on_the_wire():
    target = parse_target("http://[2A02:6b8::1]:81/x?y")
    assert (target.host, target.port, target.path) == ("2a02:6b8::1", 81, "/x?y")
    assert target.authority == "[2a02:6b8::1]:81"
