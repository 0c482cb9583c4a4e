"""`gateway esia check`: what an engineer sees is what the stand takes."""

from contextlib import contextmanager
from types import SimpleNamespace

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from adapters.esia import commands
from gateway.errors import ConfigurationError
from gateway.settings import Settings
from tests.gost_kit import needs_gost, pieces, pki
from tests.integration.esia import house

pytestmark = needs_gost


def run(simulator, *words, **given):
    options = {**simulator.facts["options"], "client_id": house.MNEMONIC, "sign_with": "ours"}
    table = {**pieces(), "adapter_options": {"esia": {**options, **given}}}
    settings = msgspec.convert(table, Settings)

    @contextmanager
    def opened():
        yield SimpleNamespace(settings=settings, now=house.now)

    app = typer.Typer()
    commands.attach(app, opened)
    return CliRunner().invoke(app, ["esia", "check", "--redirect-uri", house.BACK, *words])


def test_the_string_the_hash_and_the_address_are_shown_and_no_secret_key(registered, people):
    done = run(registered)

    der = pki().openssl("x509", "-in", pki().ours.cert, "-outform", "DER")
    digest = pki().openssl("dgst", "-md_gost12_256", "-binary", given=der).hex().upper()
    assert done.exit_code == 0, done.output
    assert digest in done.output
    assert f"  {house.MNEMONIC}openid fullname" in done.output
    assert "PRIVATE" not in done.output
    url = done.output.splitlines()[-1].strip()
    assert "code" in house.returned(url, people[0]["oid"])


def test_an_official_is_asked_for_more(registered):
    assert "usr_org" in run(registered, "--official").output


def test_what_cannot_be_checked_is_said(registered):
    lacking = run(registered, client_id="")
    other = run(registered, provider="oidc", issuer="https://login.example", client_auth="none")
    rsa = run(registered, sign_with="rsa")

    for done, word in ((lacking, "client_id"), (other, "oidc"), (rsa, "gost2012_256")):
        assert done.exit_code == 2
        assert word in done.output


@pytest.mark.parametrize("kind", ["wide", "rsa"])
def test_a_key_that_esia_does_not_take_is_named_before_anybody_is_sent_there(registered, kind):
    made = house.esia(house.options(registered, sign_with=kind), lent=house.lent())

    with pytest.raises(ConfigurationError, match="gost2012_256"):
        made.begin(house.now(), redirect_uri=house.BACK, official=False)
