"""A certificate by GOST as what proves a peer: registered by command, tried on every way in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
import pytest
from typer.testing import CliRunner

from gateway import cli, server
from gateway.access import certificates
from gateway.errors import ConfigurationError
from gateway.gost.engine import shared
from gateway.model.peer import Peer
from gateway.outbound import ClientCertificate, Outbound
from gateway.soap import security
from gateway.store import peers
from tests.gost_kit import needs_gost, pki
from tests.integration.house import SOAP11, eventually

pytestmark = needs_gost
HEADER = "X-SSL-Client-Cert"
XML = {"Content-Type": "text/xml; charset=utf-8"}
HOLDERS = {"short": "peer", "exchanged": "exchange", "tc26": "tca", "long": "wide"}
"""Peers that sign, by whose certificate: 256 bits of three parameter sets, and 512."""


@pytest.fixture(scope="module")
def house(own_house):
    """A gateway behind a proxy that hands on certificates of TLS."""
    made = own_house(
        "gost", GATEWAY_TRUSTED_PROXIES="127.0.0.1", GATEWAY_PROXY_CLIENT_CERTIFICATE=HEADER
    )
    now = datetime.now(UTC)
    with made.database() as db:
        for code in (*HOLDERS, "shown", "ending"):
            peers.add(db, Peer(code=code, name=code), now)
    for code, name in HOLDERS.items():
        commanded(made, "peer", "certificate", code, getattr(pki(), name).cert)
        commanded(made, "peer", "require", code, "signature", "--commit")
    yield made
    assert not made.defects()


def commanded(house, *words):
    """Give a command as an engineer does; return what it says, as JSON."""
    environ = {
        "PATH": os.defpath, "GATEWAY_DATABASE_URL": house.url,
        "GATEWAY_PROXY_CLIENT_CERTIFICATE": HEADER,
    }  # fmt: skip
    done = CliRunner(env=environ).invoke(cli.assemble(), [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return msgspec.json.decode(done.stdout)


def call(house, holder):
    """Ping, signed with a Timestamp as WS-Security has it."""
    signer = security.load(holder.cert.read_bytes(), holder.key.read_bytes())
    body = (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body><Ping xmlns="urn:gov:appeals:v1"/></s:Body>'
        "</s:Envelope>"
    )
    made = security.sign_envelope(body.encode(), signer, datetime.now(UTC))
    return house.call("POST", "/soap/appeals.svc", made, peer="", **XML)


@pytest.mark.parametrize("code", HOLDERS)
def test_a_message_signed_by_it_is_of_its_peer(house, code):
    answer = call(house, getattr(pki(), HOLDERS[code]))
    assert answer.status == 200, answer.body
    assert f">{code}<".encode() in answer.body


def test_one_that_nobody_registered_opens_nothing(house):
    for name in ("ours", "stranger"):
        assert call(house, getattr(pki(), name)).status in {401, 500}


def test_one_that_was_disabled_opens_nothing_any_more(house):
    holder = pki().ours
    told = commanded(house, "peer", "certificate", "ending", holder.cert)
    assert told["sha256"] == certificates.fingerprint(holder.der)
    commanded(house, "peer", "require", "ending", "signature", "--commit")
    eventually(lambda: call(house, holder).status == 200)
    commanded(house, "peer", "certificate", "ending", "--disable", told["id"], "--commit")
    eventually(lambda: call(house, holder).status != 200)


def test_one_that_has_ended_is_not_registered():
    with pytest.raises(ConfigurationError, match="истёк"):
        certificates.from_file(pki().expired.cert.read_bytes(), "f", datetime.now(UTC))


def test_a_proxy_that_speaks_tls_by_gost_hands_it_on(house):
    """The gateway compares its bytes; the proxy has seen that its caller holds the key."""
    holder = pki().encipher
    commanded(house, "peer", "certificate", "shown", holder.cert)
    told = commanded(house, "peer", "require", "shown", "certificate", "--commit")
    assert told["missing"] == []
    given = {
        "X_Forwarded_For": "192.0.2.1", "X_Forwarded_Proto": "https",
        HEADER.replace("-", "_"): quote(holder.cert.read_text(), safe=""),
    }  # fmt: skip
    eventually(lambda: house.get("/ping", peer="", **given).status == 200)
    given[HEADER.replace("-", "_")] = quote(pki().rsa.cert.read_text(), safe="")
    assert house.get("/ping", peer="", **given).status == 401


@pytest.mark.parametrize("loaded", [False, True], ids=["alone", "with the engine"])
def test_tls_of_ours_neither_shows_nor_serves_one_and_says_so(loaded):
    """With the engine loaded Python would take the files, and have no cipher for them."""
    if loaded:
        shared()
    holder = pki().peer
    shown = ClientCertificate(str(holder.cert), str(holder.key), "")
    with pytest.raises(ConfigurationError, match="TLS by GOST") as refused:
        Outbound(allowed_hosts=["127.0.0.1"], client_cert=shown)
    assert refused.value.where == "client_cert"
    with pytest.raises(ConfigurationError, match="TLS by GOST") as refused:
        server.tls_options(str(holder.cert), str(holder.key), "")
    assert refused.value.where == "tls_cert"
