"""A signer outside, as a program and as a service: what it signs is checked before it is used."""

from __future__ import annotations

import json
import stat
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.errors import BusyError, ConfigurationError, TrustError
from gateway.gost.external import Command, External
from gateway.gost.keyring import Keyring
from gateway.settings import KeyFile
from tests.gost_kit import NOW, needs_gost, opened, pki
from tests.unit.gost import signer

pytestmark = needs_gost

SIGNER = Path(__file__).with_name("signer.py")
DATA = "Подписать у себя нечем".encode()
TOKEN = "жетон-для-проб"


def arguments(*more, holder="ours"):
    made = getattr(pki(), holder)
    return (str(pki().conf), str(made.key), str(made.cert), *more)


def program(*more, holder="ours"):
    return [sys.executable, str(SIGNER), *arguments(*more, holder=holder)]


def external(**other):
    return opened(
        signing_backend="external",
        signing_keys=[{"name": "hsm", "cert": str(pki().ours.cert)}],
        **other,
    )


class Served(BaseHTTPRequestHandler):
    status, body, seen = 200, b"", ()

    def do_POST(self):
        given = self.rfile.read(int(self.headers["Content-Length"]))
        Served.seen = (self.path, self.headers["Authorization"], self.headers["Content-Type"])
        body = self.body or json.dumps(signer.answer(json.loads(given), *arguments())).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def service(status=200, body=b""):
    handler = type("Once", (Served,), {"status": status, "body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/sign"
        finally:
            server.shutdown()
            thread.join()


def signs(signing):
    """Whether a raw signature and a CMS of the signer are what a peer believes."""
    key = signing.keys.current("hsm", NOW)
    raw = signing.backend.sign(key, DATA)
    cms = signing.backend.cms_sign(key, DATA, NOW)
    plain = signing.backend.cms_sign(key, DATA, NOW, cades=False)
    engine = opened().backend
    assert engine.verify(pki().ours.der, DATA, raw)
    assert engine.cms_verify(cms, DATA).cades
    assert not engine.cms_verify(plain, DATA).cades
    assert signing.backend.verify(pki().ours.der, DATA, raw)
    assert signing.backend.name == "external"
    return key


def test_a_program_signs():
    key = signs(external(signer_command=program()))
    assert "hsm" in repr(key)


def test_a_service_signs_and_is_shown_its_token():
    with service() as url:
        signing = external(signer_url=url, signer_token=TOKEN.encode().hex())
        signs(signing)
    assert Served.seen == ("/sign", f"Bearer {TOKEN.encode().hex()}", "application/json")
    assert TOKEN.encode().hex() not in repr(signing)


def test_a_raw_signature_may_come_byte_by_byte_the_other_way_round():
    signing = external(signer_command=program("--reversed"))
    key = signing.keys.current("hsm", NOW)
    raw = signing.backend.sign(key, DATA)
    assert opened().backend.verify(pki().ours.der, DATA, raw)


def test_a_signature_by_another_key_is_not_used():
    signing = external(signer_command=program(holder="peer"))
    key = signing.keys.current("hsm", NOW)
    with pytest.raises(ConfigurationError) as refused:
        signing.backend.sign(key, DATA)
    assert "does not fit the certificate" in str(refused.value)
    with pytest.raises(ConfigurationError):
        signing.backend.cms_sign(key, DATA, NOW)


def test_a_refusal_says_what_the_signer_said():
    with service(body=b'{"error": "the token is locked"}') as url:
        signing = external(signer_url=url)
        with pytest.raises(ConfigurationError) as refused:
            signing.backend.sign(signing.keys.current("hsm", NOW), DATA)
    assert refused.value.found == "the token is locked"


@pytest.mark.parametrize("body", [b"no", b"{}", b'{"signature": 1}', b'{"signature": "?"}', b"[]"])
def test_an_answer_that_is_none_is_refused(body):
    with service(body=body) as url:
        signing = external(signer_url=url)
        with pytest.raises(ConfigurationError):
            signing.backend.sign(signing.keys.current("hsm", NOW), DATA)


def test_a_short_signature_is_refused():
    with service(body=b'{"signature": "AAAA"}') as url:
        signing = external(signer_url=url)
        with pytest.raises(ConfigurationError):
            signing.backend.sign(signing.keys.current("hsm", NOW), DATA)


def test_a_program_that_cannot_be_started_is_a_mistake_in_the_settings(tmp_path):
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\n")
    for program_ in (tmp_path / "absent", idle, tmp_path):
        signing = external(signer_command=[str(program_)])
        with pytest.raises(ConfigurationError) as refused:
            signing.backend.sign(signing.keys.current("hsm", NOW), DATA)
        assert refused.value.found == str(program_)


def test_a_signer_that_is_away_is_asked_later(tmp_path):
    quiet = tmp_path / "quiet"
    quiet.write_text("#!/bin/sh\nexit 3\n")
    quiet.chmod(quiet.stat().st_mode | stat.S_IXUSR)
    with service() as gone:
        pass
    with service(status=503, body=b"later") as later:
        for given in (
            {"signer_command": [str(quiet)]},
            {"signer_url": gone},
            {"signer_url": later},
        ):
            signing = external(**given)
            with pytest.raises(BusyError):
                signing.backend.sign(signing.keys.current("hsm", NOW), DATA)


def test_keys_of_files_sign_here_beside_those_of_the_signer():
    made = pki()
    signing = opened(
        signing_backend="external",
        signer_command=program(),
        signing_keys=[
            {"name": "hsm", "cert": str(made.ours.cert)},
            {"name": "seals", "cert": str(made.peer.cert), "key": str(made.peer.key)},
        ],
    )
    signs(signing)
    key = signing.keys.current("seals", NOW)
    assert signing.backend.verify(made.peer.der, DATA, signing.backend.sign(key, DATA))
    told = signing.backend.cms_verify(signing.backend.cms_sign(key, DATA, NOW), DATA)
    assert told.certificate.der == made.peer.der


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"signer_command": ["/bin/true"], "signer_url": "https://signer.example"},
        {"signer_url": "http://signer.example/sign"},
        {"signer_url": "http://10.0.0.7/sign"},
        {"signer_url": "ftp://127.0.0.1/"},
        {"signer_url": "signer"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given):
    with pytest.raises(ConfigurationError) as refused:
        external(**given)
    assert "signer" in refused.value.where


@pytest.mark.parametrize(
    "url", ["https://signer.example/sign", "http://[::1]:9/", "http://localhost/"]
)
def test_addresses_that_may_be_used(url):
    assert external(signer_url=url).backend.name == "external"


def test_without_the_engine_it_signs_and_checks_nothing():
    """A machine with neither library nor program: the signer alone."""
    backend = External(Command(program()), None)
    given = [KeyFile(name="hsm", cert=str(pki().ours.cert))]
    key = Keyring(given, backend, None, external=True).current("hsm", NOW)
    raw = backend.sign(key, DATA)
    assert opened().backend.verify(pki().ours.der, DATA, raw)
    assert backend.certificate(pki().ours.der).kind == "gost2012_256"
    for call in (
        lambda: backend.verify(pki().ours.der, DATA, raw),
        lambda: backend.verify_key(key.certificate.public_key, DATA, raw),
        lambda: backend.cms_verify(b"", DATA),
        lambda: backend.digest("streebog256", DATA),
    ):
        with pytest.raises(ConfigurationError):
            call()
    with pytest.raises(TrustError):
        backend.certificate(b"junk")
