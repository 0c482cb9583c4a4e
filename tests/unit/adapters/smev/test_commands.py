"""`gateway smev …`, as an engineer runs it: files in, bytes and lines out, no database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from lxml import etree
from typer.testing import CliRunner, Result

from adapters.smev.commands import attach
from tests.gost_kit import Pki, needs_gost, pieces, pki

VECTORS = Path(__file__).parents[4] / "tests/data/smev-transform"
TYPES = "urn://x-artefacts-smev-gov-ru/services/message-exchange/types/1.3"
MESSAGE = f"""<t:GetResponseResponse xmlns:t="{TYPES}" xmlns:p="urn:made-up:payload">
  <t:Response Id="SIGNED_BY_SMEV">
    <t:Sent Id="SIGNED_BY_CALLER">
      <p:Answer>Фонарь горит с 21 ноября</p:Answer>
    </t:Sent>
    <t:SenderInformationSystemSignature/>
  </t:Response>
  <t:SMEVSignature/>
</t:GetResponseResponse>"""


def run(*arguments: str, given: bytes = b"") -> Result:
    def opened() -> None:
        raise AssertionError("no database is opened")

    app = typer.Typer()
    attach(app, opened)
    return CliRunner().invoke(app, ["smev", *arguments], input=given)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pki:
    """Settings with keys and authorities, in a file that the environment names."""
    made = pki()
    given = pieces()
    lines = [
        f"{name} = {json.dumps(given[name])}"
        for name in ("trusted_authorities", "revocation_lists")
    ]
    for key in given["signing_keys"]:
        lines += ["[[signing_keys]]", *(f"{name} = {json.dumps(key[name])}" for name in key)]
    config = tmp_path / "gateway.toml"
    config.write_text("\n".join(lines), "utf-8")
    monkeypatch.setenv("GATEWAY_CONFIG", str(config))
    return made


def signed(tmp_path: Path, key: str = "ours", outer: str = "peer") -> Path:
    """Sign the inner element by one and the outer by another, as a message of СМЭВ comes."""
    file = tmp_path / "message.xml"
    file.write_text(MESSAGE, "utf-8")
    for name, by in (("SIGNED_BY_CALLER", key), ("SIGNED_BY_SMEV", outer)):
        done = run("sign", str(file), "--id", name, "--key", by)
        assert done.exit_code == 0, done.output
        file.write_bytes(done.stdout_bytes)
    return file


@pytest.mark.parametrize("given", sorted(VECTORS.glob("*.in.xml")), ids=lambda path: path.name)
def test_transform_writes_the_bytes_and_nothing_else(given: Path) -> None:
    done = run("transform", str(given))
    assert done.exit_code == 0
    expected = given.with_name(given.name.replace(".in.", ".out.")).read_bytes()
    assert done.stdout_bytes == expected
    assert run("transform", "-", given=given.read_bytes()).stdout_bytes == expected


@needs_gost
@pytest.mark.usefixtures("house")
def test_signing_and_verifying_meet(tmp_path: Path) -> None:
    done = run("verify", str(signed(tmp_path)))
    assert done.exit_code == 0, done.output
    assert "SenderInformationSystemSignature #SIGNED_BY_CALLER" in done.output
    assert "SMEVSignature #SIGNED_BY_SMEV" in done.output
    assert "НЕТ" not in done.output
    assert done.output.count("доверие · trust") == 2


@needs_gost
@pytest.mark.usefixtures("house")
def test_verify_names_the_step_that_failed(tmp_path: Path) -> None:
    file = signed(tmp_path)
    changed = file.read_text("utf-8").replace("21 ноября", "22 ноября")
    file.write_text(changed, "utf-8")
    done = run("verify", str(file))
    assert done.exit_code == 1
    failed = [line for line in done.output.splitlines() if "НЕТ" in line]
    assert len(failed) == 2
    assert all("дайджест · digest" in line and "digest_mismatch" in line for line in failed)


@needs_gost
@pytest.mark.usefixtures("house")
def test_indenting_fails_at_the_signature(tmp_path: Path) -> None:
    file = signed(tmp_path)
    file.write_text(file.read_text("utf-8").replace("><ds:", ">\n<ds:"), "utf-8")
    done = run("verify", str(file))
    assert done.exit_code == 1
    failed = [line for line in done.output.splitlines() if "НЕТ" in line]
    assert all("подпись · signature" in line or "digest" in line for line in failed)
    assert any("signature_wrong" in line for line in failed)


@needs_gost
@pytest.mark.usefixtures("house")
def test_a_certificate_of_nobody_fails_at_the_trust(tmp_path: Path, house: Pki) -> None:
    file = tmp_path / "message.xml"
    file.write_text(MESSAGE, "utf-8")
    key = ("--cert", str(house.stranger.cert), "--key-file", str(house.stranger.key))
    done = run("sign", str(file), "--id", "SIGNED_BY_CALLER", *key)
    assert done.exit_code == 0, done.output
    file.write_bytes(done.stdout_bytes)
    done = run("verify", str(file))
    assert done.exit_code == 1
    assert "certificate_unknown" in done.output
    assert run("verify", "--no-trust", str(file)).exit_code == 0


@needs_gost
@pytest.mark.usefixtures("house")
def test_explain_shows_what_lies_between(tmp_path: Path) -> None:
    file = signed(tmp_path)
    done = run("explain", str(file))
    assert done.exit_code == 0, done.output
    inner = run("transform", str(file), "--id", "SIGNED_BY_CALLER").stdout
    assert f"transformed: {inner}" in done.output
    for name in ("computed:", "found:", "signed_info: <ds:SignedInfo", "subject:", "uri:"):
        assert name in done.output


@needs_gost
@pytest.mark.usefixtures("house")
def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    file.write_text(MESSAGE, "utf-8")
    assert run("verify", str(file)).exit_code == 1
    for arguments in (
        ("verify", str(tmp_path / "none.xml")),
        ("transform", str(file), "--id", "NONE"),
        ("sign", str(file), "--key", "ours"),
        ("sign", str(file), "--id", "SIGNED_BY_CALLER"),
        ("sign", str(file), "--id", "SIGNED_BY_CALLER", "--key", "nobody"),
    ):
        assert run(*arguments).exit_code == 2
    for text in ("<!DOCTYPE a><a xmlns='urn:a'/>", "<a xmlns='urn:a'", "<a/>"):
        assert run("transform", "-", given=text.encode()).exit_code == 2
    include = MESSAGE.replace(
        "Фонарь", '<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include"/>'
    )
    assert run("transform", "-", "--id", "SIGNED_BY_SMEV", given=include.encode()).exit_code == 2


@needs_gost
@pytest.mark.usefixtures("house")
def test_nothing_is_added_around_the_signature(tmp_path: Path) -> None:
    root = etree.fromstring(signed(tmp_path).read_bytes())
    for place in ("SenderInformationSystemSignature", "SMEVSignature"):
        found = root.find(f".//{{{TYPES}}}{place}")
        assert found is not None
        assert len(found) == 1
        assert (found.text, found[0].tail) == (None, None)


@pytest.mark.parametrize("label", ["cp-1251", "utf16", "utf-16le", "us-ascii", "utf8"])
@pytest.mark.parametrize("command", ["transform", "verify", "explain"])
def test_an_encoding_of_any_name_is_read_or_told(
    tmp_path: Path, house: Pki, command: str, label: str
) -> None:
    """libxml2 knows fewer names of encodings than we do: that was a traceback."""
    file = tmp_path / "message.xml"
    file.write_bytes(f'<?xml version="1.0" encoding="{label}"?><a xmlns="urn:a">a</a>'.encode())

    done = run(command, str(file))

    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.output


@pytest.mark.parametrize("command", ["verify", "explain"])
def test_a_message_cannot_write_lines_of_ours(tmp_path: Path, house: Pki, command: str) -> None:
    """A URI with a line in it that says what only we say, and one that clears the screen."""
    file = signed(tmp_path)
    forged = "SIGNED_BY_SMEV&#10;  ok  доверие · trust CN=СМЭВ&#x9b;2J"
    file.write_text(file.read_text("utf-8").replace("#SIGNED_BY_SMEV", f"#{forged}"), "utf-8")

    done = run(command, str(file))

    assert done.exit_code == 1
    assert "CN=СМЭВ" in done.output, "it is shown, in its own line"
    assert not any(
        line.startswith("  ok  доверие · trust CN=СМЭВ") for line in done.output.splitlines()
    )
    assert "\x9b" not in done.output
