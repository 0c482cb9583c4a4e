"""What a machine has and lacks; and that its other users see nothing secret of the program."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys

import pytest

from gateway.errors import ConfigurationError
from gateway.gost.cli import Cli
from gateway.signing import SigningKey
from tests.gost_kit import NOW, PASSWORD, needs_gost, pki

DATA = b"what is signed"


@needs_gost
def test_no_secret_stands_in_arguments_environment_or_on_the_disk(tmp_path, monkeypatch):
    made = pki()
    real, seen = shutil.which("openssl"), tmp_path / "seen"
    place = tmp_path / "bin"
    place.mkdir()
    wrapper = place / "openssl"
    wrapper.write_text(
        f'#!/bin/sh\n{{ printf "%s\\n" "$@"; /usr/bin/env; }} >> {seen}\nexec {real} "$@"\n'
    )
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setenv("GATEWAY_SIGNER_TOKEN", "token-of-the-gateway")
    monkeypatch.chdir(tmp_path)
    backend = Cli()
    handle, der = backend.load_key(made.p12.read_bytes(), PASSWORD.encode())
    key = SigningKey(name="x", certificate=backend.certificate(der), handle=handle)
    backend.verify(der, DATA, backend.sign(key, DATA))
    backend.cms_verify(backend.cms_sign(key, DATA, NOW), DATA)
    shown = seen.read_text("utf-8")
    assert "-sign" in shown
    for secret in (PASSWORD, "PRIVATE", "token-of-the-gateway", DATA.decode()):
        assert secret not in shown
    assert handle.pem.decode().splitlines()[1] not in shown
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "seen"]


def test_without_the_program_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError) as refused:
        Cli()
    assert "libengine-gost-openssl" in refused.value.todo


_NONE = """
from gateway.errors import ConfigurationError
from gateway.gost import open_signing
from gateway.settings import Settings
for backend in ("auto", "openssl-engine", "openssl-cli"):
    try:
        open_signing(Settings(signing_backend=backend))
    except ConfigurationError as error:
        print(backend, error.todo)
"""


def test_without_the_engine_it_says_what_to_install(tmp_path):
    """The library is there, and the directory of its engines is empty."""
    environment = {**os.environ, "OPENSSL_ENGINES": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _NONE],
        capture_output=True,
        check=True,
        env={**environment, "PATH": str(tmp_path)},
    )
    told = done.stdout.decode().splitlines()
    assert [line.split()[0] for line in told] == ["auto", "openssl-engine", "openssl-cli"]
    assert all("libengine-gost-openssl" in line for line in told)


_TOGETHER = """
from concurrent.futures import ThreadPoolExecutor
from gateway.gost.engine import Engine
with ThreadPoolExecutor(8) as threads:
    engines = threads.map(lambda _: Engine(), range(8))
    print(len({engine.digest("streebog256", b"") for engine in engines}))
"""


@needs_gost
def test_eight_threads_may_be_the_first_at_once():
    done = subprocess.run([sys.executable, "-c", _TOGETHER], capture_output=True, check=False)
    assert done.stdout == b"1\n", done.stderr.decode()
