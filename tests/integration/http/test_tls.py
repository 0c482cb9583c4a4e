"""A gateway that speaks TLS by its own settings, without a proxy in front."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.request

import pytest


@pytest.fixture
def secure(make_house, tmp_path):
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    made = make_house(GATEWAY_TLS_CERT=str(certificate), GATEWAY_TLS_KEY=str(key))
    return made, ssl.create_default_context(cafile=certificate)


def test_it_says_its_address_answers_there_and_writes_it_into_the_wsdl(secure):
    house, context = secure
    assert house.address.startswith("https://")
    asked = urllib.request.Request(
        f"{house.address}/api/v1/ping", headers={"X-API-Key": house.keys["portal"]}
    )
    with urllib.request.urlopen(asked, context=context, timeout=30) as answer:
        assert json.load(answer)["peerCode"] == "portal"
    with urllib.request.urlopen(f"{house.soap_address}?wsdl", context=context) as answer:
        assert f'"{house.soap_address}"'.encode() in answer.read()
