"""TLS: names, authorities, our own certificate, a tunnel."""

import contextlib
import socket
import threading
import time

import pytest

from gateway.errors import PeerDoubtful, PeerUnavailable
from gateway.outbound import ClientCertificate
from tests.unit.outbound.peers import OK, always, tls_server


def test_tls_checks_the_name_and_the_authority(peer, client, certificates):
    connections = []

    def behave(peer, sock, number):
        connections.append(number)
        always(peer, sock, number)

    there = peer(behave, tls=tls_server(certificates))
    ca = str(certificates / "ca.pem")
    by_name = there.url.replace("127.0.0.1", "localhost")
    out = client(ca_bundle=ca)
    for _ in range(2):
        assert out.request("POST", by_name, body=b"x").status == 200
    assert len(connections) == 1
    for wrong, url in ((client(ca_bundle=ca), there.url), (client(), by_name)):
        with pytest.raises(PeerUnavailable, match=r"(?i)certificate"):
            wrong.request("POST", url, body=b"x")
    assert len(there.requests) == 2


def test_a_drip_inside_tls_is_cut_too(peer, client, certificates):
    def behave(peer, sock, number):
        peer.read(sock)
        for byte in OK:
            sock.sendall(bytes((byte,)))
            time.sleep(0.1)

    there = peer(behave, tls=tls_server(certificates))
    out = client(ca_bundle=str(certificates / "ca.pem"))
    with pytest.raises(PeerDoubtful):
        out.request("POST", there.url.replace("127.0.0.1", "localhost"), body=b"x", timeout=0.5)


def test_our_certificate_is_shown_and_a_missing_one_is_no_doubt(peer, client, certificates):
    there = peer(always, tls=tls_server(certificates, ask=True))
    url = there.url.replace("127.0.0.1", "localhost")
    ca = str(certificates / "ca.pem")
    ours = ClientCertificate(str(certificates / "client.pem"), str(certificates / "client.key"))
    assert client(ca_bundle=ca, client_cert=ours).request("POST", url, body=b"x").status == 200
    with pytest.raises(PeerUnavailable):
        client(ca_bundle=ca).request("POST", url, body=b"x")
    assert len(there.requests) == 1


def test_an_https_request_goes_through_a_proxys_tunnel(peer, client, certificates):
    there = peer(always, tls=tls_server(certificates))

    def behave(peer, sock, number):
        peer.read(sock)
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", there.port)) as far:

            def pump(source, sink):
                with contextlib.suppress(OSError):
                    while data := source.recv(65_536):
                        sink.sendall(data)

            back = threading.Thread(target=pump, args=(far, sock), daemon=True)
            back.start()
            pump(sock, far)

    proxy = peer(behave)
    out = client(ca_bundle=str(certificates / "ca.pem"), proxy=f"http://127.0.0.1:{proxy.port}")
    assert out.request("POST", f"https://localhost:{there.port}/", body=b"x").status == 200
    assert there.requests[0].endswith(b"x")
