import subprocess

import pytest

from gateway.outbound import Outbound
from tests.unit.outbound.peers import Peer


@pytest.fixture
def peer():
    running = []

    def start(behave, **more):
        running.append(Peer(behave, **more))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def client():
    made = []

    def make(**settings):
        made.append(
            Outbound(**{
                "allowed_hosts": ["127.0.0.1", "localhost"],
                "allow_private": ["127.0.0.1", "::1"], "timeout": 5.0, **settings,
            })
        )  # fmt: skip
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A made-up authority with a server and a client certificate, by the system's openssl."""
    folder = tmp_path_factory.mktemp("tls")

    def run(*args):
        try:
            subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("no openssl command here")

    new = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    run("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=made-up CA",
        "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for name, names in (("server", "DNS:localhost"), ("client", "DNS:client")):
        run("req", "-x509", *new, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}",
            "-addext", "basicConstraints=critical,CA:FALSE")  # fmt: skip
    return folder
