"""The xmlsec1 command: another implementation verifies what we signed, and we what it signed."""

import shutil
import subprocess

import pytest

from gateway import ns
from gateway.soap import security
from tests.unit.soap.security.kit import (
    BODY,
    EXC,
    HOLE,
    MORE,
    NOW,
    SHA256,
    SPACE,
    Ctx,
    Peers,
    binary_token,
    by_reference,
    certificate,
    header,
    pem,
    read,
    refused,
    signed,
    soap,
    timestamp,
    transform,
)

pytestmark = pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="needs the package xmlsec1")
KINDS = [("rsa", f"{MORE}rsa-sha256"), ("p256", f"{MORE}ecdsa-sha256")]
LISTS = ["", "e", "#default", "#default e x"]


def xmlsec1(tmp_path, message, *options):
    """Run the command on a message; return what it wrote, or what it said."""
    path = tmp_path / "message.xml"
    path.write_bytes(message)
    ids = [
        f"{ns.WSU}:Timestamp", f"{ns.WSSE}:UsernameToken", f"{ns.SOAP11}:Body", f"{ns.SOAP12}:Body",
    ]  # fmt: skip
    named = [option for name in ids for option in ("--id-attr:Id", name)]
    return subprocess.run(
        ["xmlsec1", *options, *named, str(path)], capture_output=True, check=False, timeout=60
    )


def verifies(tmp_path, message, kind):
    public = tmp_path / "certificate.pem"
    public.write_bytes(pem(kind)[0])
    done = xmlsec1(tmp_path, message, "--verify", "--pubkey-cert-pem", str(public))
    return done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_xmlsec1_verifies_what_we_signed(tmp_path, kind, version):
    envelope = (
        f'<s:Envelope xmlns:s="{SPACE[version]}" xmlns="urn:d"><s:Body>{BODY}</s:Body></s:Envelope>'
    )
    token = security.username_token("omsu", "пароль", digest=True, now=NOW, nonce=b"1" * 16)
    signer = security.load(*pem(kind))
    message = security.sign_envelope(envelope.encode(), signer, NOW, token=token)
    good, said = verifies(tmp_path, message, kind)
    assert good, said
    assert "3/3" in said
    tampered = message.replace("проба".encode(), "подлог".encode())
    assert not verifies(tmp_path, tampered, kind)[0]


@pytest.mark.parametrize("prefixes", LISTS)
def test_the_messages_of_these_tests_are_signed_as_xmlsec1_reads_them(tmp_path, prefixes):
    message = signed(transforms=transform(EXC, prefixes), prefixes=prefixes)
    good, said = verifies(tmp_path, message.encode(), "rsa")
    assert good, said


@pytest.mark.parametrize("prefixes", LISTS)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_we_verify_what_xmlsec1_signed(tmp_path, kind, method, version, prefixes):
    reference = (
        '<ds:Reference URI="#{}"><ds:Transforms>' + transform(EXC, prefixes) + "</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue/></ds:Reference>'
    )
    template = (
        f'<ds:Signature xmlns:ds="{ns.DS}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{EXC}"/><ds:SignatureMethod Algorithm="{method}"/>'
        f"{reference.format('B')}{reference.format('T')}</ds:SignedInfo><ds:SignatureValue/>"
        f"<ds:KeyInfo>{by_reference()}</ds:KeyInfo></ds:Signature>"
    )
    head = header(timestamp(), binary_token(certificate(kind)), HOLE).replace(HOLE, template)
    declared = ' xmlns="urn:default" xmlns:x="urn:x"'
    body = BODY.replace("<Key>", '<Key xmlns:y="urn:y"><y:a xmlns="" x:b="y:c"><d/></y:a>')
    private = tmp_path / "key.pem"
    private.write_bytes(pem(kind)[1])
    message = soap(head, body, version, declared=declared).encode()
    done = xmlsec1(tmp_path, message, "--sign", "--privkey-pem", str(private))
    assert done.returncode == 0, done.stderr.decode()
    ctx = Ctx(keys=Peers(registered={certificate(kind): "omsu"}))
    assert read(done.stdout, ctx, version).signed == {"body", "timestamp"}
    tampered = done.stdout.replace("проба".encode(), "подлог".encode())
    assert refused(tampered, ctx, version).fault == "FailedCheck"
