"""Detached CMS and CAdES-BES: made by one backend, believed by the other and by openssl."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import TrustError
from gateway.gost import cms_rules
from gateway.gost import der as asn1
from gateway.gost.cli import Cli
from gateway.gost.engine import Engine
from gateway.signing import SigningKey
from tests.gost_kit import NOW, needs_gost, pki

pytestmark = needs_gost

DATA = "Файл, приложенный к обращению\r\n\x00\xff".encode()


def key_of(backend, name):
    holder = getattr(pki(), name)
    handle, _ = backend.load_key(holder.key.read_bytes(), b"")
    return SigningKey(name=name, certificate=backend.certificate(holder.der), handle=handle)


@pytest.mark.parametrize("name", ["ours", "exchange", "tca", "wide", "rsa", "ec"])
@pytest.mark.parametrize("cades", [True, False])
@pytest.mark.parametrize(("signs", "checks"), [(Engine, Cli), (Cli, Engine), (Engine, Engine)])
def test_what_one_signs_the_other_believes(signs, checks, cades, name):
    key = key_of(signs(), name)
    made = signs().cms_sign(key, DATA, NOW, cades=cades)
    told = checks().cms_verify(made, DATA)
    assert told.certificate.der == key.certificate.der
    assert told.cades is cades
    stated = NOW if signs is Engine else datetime.now(UTC)
    assert abs(told.signed_at - stated) < timedelta(hours=1)


@pytest.mark.parametrize("backend", [Engine, Cli])
@pytest.mark.parametrize("cades", [True, False])
def test_what_was_changed_is_not_believed(backend, cades):
    used = backend()
    made = used.cms_sign(key_of(used, "ours"), DATA, NOW, cades=cades)
    for content in (DATA + b" ", DATA.replace(b"\r\n", b"\n"), b"", DATA[:-1]):
        with pytest.raises(TrustError) as refused:
            used.cms_verify(made, content)
        assert refused.value.reason == "signature_wrong"


def test_no_byte_of_what_is_signed_can_be_changed():
    """Every byte of the attributes, the names of methods and the signature, in turn.

    Where ASN.1 leaves a choice of writing, what is believed says the very same.
    """
    backend = Engine()
    made = backend.cms_sign(key_of(backend, "ours"), DATA, NOW)
    told = backend.cms_verify(made, DATA)
    believed = 0
    attributes = made.index(bytes.fromhex("2a864886f70d010903"))
    for place in range(attributes, len(made)):
        changed = made[:place] + bytes([made[place] ^ 0x20]) + made[place + 1 :]
        with suppress(TrustError):
            assert backend.cms_verify(changed, DATA) == told
            believed += 1
    assert believed < 6


def test_the_command_line_of_openssl_believes_it(tmp_path):
    made, content = tmp_path / "made.der", tmp_path / "content"
    content.write_bytes(DATA)
    made.write_bytes(Engine().cms_sign(key_of(Engine(), "ours"), DATA, NOW))
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pki().root.cert.read_bytes() + pki().intermediate.cert.read_bytes())
    pki().openssl(
        "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", made,
        "-content", content, "-CAfile", chain, "-attime", str(int(NOW.timestamp())),
        "-purpose", "any", "-out", "/dev/null",
    )  # fmt: skip


def made_by_openssl(*options, signer="ours", given=DATA):
    holder = getattr(pki(), signer)
    return pki().openssl(
        "cms", "-sign", "-binary", "-signer", holder.cert, "-inkey", holder.key,
        "-md", "md_gost12_256", "-nosmimecap", *options, given=given,
    )  # fmt: skip


@pytest.mark.parametrize("backend", [Engine, Cli])
def test_forms_that_other_tools_write(backend):
    """With its content inside, without attributes, and as BER of indefinite length."""
    used = backend()
    for options in (["-nodetach"], ["-noattr"], ["-stream"], ["-keyid"], ["-nodetach", "-stream"]):
        told = used.cms_verify(made_by_openssl("-outform", "DER", *options), DATA)
        assert told.certificate.der == pki().ours.der
        assert (told.signed_at is None) is ("-noattr" in options)


@pytest.mark.parametrize("backend", [Engine, Cli])
def test_a_content_inside_does_not_stand_for_the_one_asked_about(backend):
    made = made_by_openssl("-nodetach", "-outform", "DER")
    with pytest.raises(TrustError):
        backend().cms_verify(made, b"another file")


@pytest.mark.parametrize("backend", [Engine, Cli])
def test_without_a_certificate_or_with_two_signers_it_is_refused(backend):
    bare = made_by_openssl("-nocerts", "-outform", "DER")
    peer = pki().peer
    double = made_by_openssl("-outform", "DER", "-signer", peer.cert, "-inkey", peer.key)
    for made in (bare, double):
        with pytest.raises(TrustError) as refused:
            backend().cms_verify(made, DATA)
        assert refused.value.reason == "signature_wrong"


@pytest.mark.parametrize("backend", [Engine, Cli])
def test_a_digest_that_is_not_for_the_key_is_refused(backend):
    rsa = pki().rsa
    weak = pki().openssl(
        "cms", "-sign", "-binary", "-signer", rsa.cert, "-inkey", rsa.key, "-md", "sha1",
        "-outform", "DER", given=DATA,
    )  # fmt: skip
    with pytest.raises(TrustError) as refused:
        backend().cms_verify(weak, DATA)
    assert refused.value.reason == "algorithm_refused"


@pytest.mark.parametrize("backend", [Engine, Cli])
def test_attributes_are_no_content(backend):
    """A signature over attributes, stripped of them, does not fit them as a content."""
    used = backend()
    made = used.cms_sign(key_of(used, "ours"), DATA, NOW, cades=False)
    begin = made.index(bytes.fromhex("a0"), made.rindex(bytes.fromhex("2a85030701010202")))
    length = made[begin + 1]
    size = length if length < 0x80 else made[begin + 2]
    head = 2 if length < 0x80 else 3
    attributes = b"\x31" + made[begin + 1 : begin + head + size]
    signature = made[-64:]
    assert used.verify(pki().ours.der, attributes, signature), "these are what was signed"
    forged = made_by_openssl("-noattr", "-outform", "DER", given=attributes)
    forged = forged[:-64] + signature
    with pytest.raises(TrustError, match="without attributes"):
        used.cms_verify(forged, attributes)


def naming(made, count):
    """Return a CMS that names its digest method so many times over; nothing signs that list."""
    kind, content = asn1.inside(made, asn1.value(made))
    signed = asn1.inside(made, content)[0]
    version, methods, *_ = asn1.inside(made, signed)
    named = made[methods.start : methods.end] * count
    inner = made[signed.start : version.end] + tlv(asn1.SET, named) + made[methods.end : signed.end]
    head = made[asn1.value(made).start : kind.end]
    return tlv(asn1.SEQUENCE, head + tlv(0xA0, tlv(asn1.SEQUENCE, inner)))


def tlv(tag, content):
    size = len(content).to_bytes(4)
    return bytes([tag, 0x84]) + size + content


@pytest.mark.parametrize("backend", [Engine, Cli])
@pytest.mark.parametrize("count", [9, 100_000])
def test_a_digest_method_that_is_named_very_often_costs_nothing(backend, count):
    """libcrypto digests the content once for each, and each calls the next: the stack ended."""
    used = backend()
    made = used.cms_sign(key_of(used, "ours"), DATA, NOW)
    assert used.cms_verify(naming(made, 2), DATA).certificate.der == pki().ours.der
    with pytest.raises(TrustError, match="too many"):
        used.cms_verify(naming(made, count), DATA)


def test_cades_that_names_another_certificate_is_refused():
    backend = Engine()
    made = backend.cms_sign(key_of(backend, "ours"), DATA, NOW)
    named = cms_rules.signer(made).attributes[cms_rules.CERTIFICATE_V2]
    with pytest.raises(TrustError):
        cms_rules.names(named, backend.certificate(pki().peer.der), backend.digest)
    cms_rules.names(named, backend.certificate(pki().ours.der), backend.digest)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (b"260302090000Z", NOW),
        (b"20260302090000Z", NOW),
        (b"991231235959Z", datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"261302090000Z", None),
        (b"2603020900Z", None),
        (b"260302090000+0300", None),
        (b"", None),
    ],
)
def test_times_as_rfc_5652_writes_them(text, at):
    assert cms_rules.instant(text) == at


def test_a_refusal_says_nothing_of_keys():
    with pytest.raises(TrustError) as refused:
        Engine().cms_verify(b"\x30\x00", DATA)
    assert not re.search("BEGIN|PRIVATE", str(refused.value))
