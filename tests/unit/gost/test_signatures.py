"""Raw signatures: what one backend signs the other believes, and nothing else is believed."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import ConfigurationError, InternalError, TrustError
from gateway.gost.cli import Cli
from gateway.gost.engine import Engine
from gateway.signing import SigningKey
from tests.gost_kit import NOW, PASSWORD, Authority, needs_gost, opened, openssl, pki

pytestmark = needs_gost

HOLDERS = ["ours", "exchange", "tca", "wide", "rsa", "ec"]
LENGTHS = {"gost2012_256": 64, "gost2012_512": 128, "rsa": 256, "ec": 64}
DATA = "Обращение № 1".encode()


def key_of(backend, name):
    holder = getattr(pki(), name)
    handle, _ = backend.load_key(holder.key.read_bytes(), b"")
    return SigningKey(name=name, certificate=backend.certificate(holder.der), handle=handle)


@pytest.mark.parametrize("name", HOLDERS)
@pytest.mark.parametrize(("signs", "checks"), [(Engine, Cli), (Cli, Engine), (Engine, Engine)])
def test_what_one_signs_the_other_believes(signs, checks, name):
    key = key_of(signs(), name)
    signature = signs().sign(key, DATA)
    assert len(signature) == LENGTHS[key.certificate.kind]
    assert checks().verify(key.certificate.der, DATA, signature)
    assert checks().verify_key(key.certificate.public_key, DATA, signature)
    assert not checks().verify(key.certificate.der, DATA + b" ", signature)
    assert not checks().verify(pki().peer.der, DATA, signature)


@pytest.mark.parametrize("backend", [Engine, Cli])
@pytest.mark.parametrize("name", HOLDERS)
def test_a_changed_signature_is_not_believed(backend, name):
    used = backend()
    key = key_of(used, name)
    made = used.sign(key, DATA)
    for wrong in (
        made[:-1] + bytes([made[-1] ^ 1]),
        made[::-1],
        made[:-1],
        made + b"\0",
        bytes(len(made)),
        b"\xff" * len(made),
        b"",
    ):
        assert not used.verify(key.certificate.der, DATA, wrong)


def test_the_command_line_of_openssl_believes_it(tmp_path):
    made = tmp_path / "signature"
    made.write_bytes(Engine().sign(key_of(Engine(), "ours"), DATA))
    public = tmp_path / "public.pem"
    public.write_bytes(pki().openssl("x509", "-in", pki().ours.cert, "-noout", "-pubkey"))
    said = pki().openssl(
        "dgst", "-md_gost12_256", "-verify", public, "-signature", made, given=DATA
    )
    assert said == b"Verified OK\n"


def test_eight_threads_sign_and_check_at_once():
    backend = Engine()
    keys = [key_of(backend, name) for name in ("ours", "wide", "rsa", "ec")]

    def work(number):
        key, data = keys[number % 4], DATA + str(number).encode()
        signature = backend.sign(key, data)
        other = keys[(number + 1) % 4].certificate.der
        return (
            backend.verify(key.certificate.der, data, signature),
            backend.verify(other, data, signature),
            len(backend.digest("streebog512", data)),
        )

    with ThreadPoolExecutor(8) as threads:
        told = set(threads.map(work, range(400)))
    assert told == {(True, False, 64)}


@pytest.mark.parametrize("backend", [Engine, Cli])
def test_keys_of_pem_and_pkcs12_with_a_password(backend, tmp_path):
    used, made = backend(), pki()
    closed = tmp_path / "closed.pem"
    openssl(
        made.conf, "pkcs8", "-topk8", "-in", made.ours.key, "-out", closed,
        "-passout", f"file:{made.p12_password}",
    )  # fmt: skip
    for path in (closed, made.p12):
        handle, _ = used.load_key(path.read_bytes(), PASSWORD.encode())
        key = SigningKey(name="x", certificate=used.certificate(made.ours.der), handle=handle)
        assert used.verify(made.ours.der, DATA, used.sign(key, DATA))
        for wrong in (b"", b"wrong"):
            with pytest.raises(ConfigurationError) as refused:
                used.load_key(path.read_bytes(), wrong)
            assert PASSWORD not in str(refused.value)
    assert used.load_key(made.p12.read_bytes(), PASSWORD.encode()).certificate == made.ours.der


@pytest.mark.parametrize("backend", [Engine, Cli])
@pytest.mark.parametrize(
    "ciphers",
    [
        ("-keypbe", "gost89", "-certpbe", "gost89", "-macalg", "md_gost12_512"),
        ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"),
    ],
)
def test_pkcs12_as_other_tools_close_it(backend, ciphers):
    """By GOST 28147-89 with a GOST digest, and by 3DES as Windows exports."""
    made = pki()
    box = made.openssl(
        "pkcs12", "-export", "-in", made.ours.cert, "-inkey", made.ours.key,
        "-passout", f"file:{made.p12_password}", *ciphers,
    )  # fmt: skip
    assert backend().load_key(box, PASSWORD.encode()).certificate == made.ours.der


@pytest.mark.parametrize("backend", [Engine, Cli])
@pytest.mark.parametrize(
    "content",
    [b"", b"key", b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", b"0" * 4000],
)
def test_bytes_that_are_no_key_are_refused(backend, content):
    with pytest.raises(ConfigurationError):
        backend().load_key(content, b"")


@pytest.mark.parametrize("backend", [Engine, Cli])
def test_weak_keys_are_refused(backend, tmp_path):
    place, by = Authority(tmp_path / "weak"), pki().intermediate
    short = place.certify("short", "/CN=RSA 1024", algorithm="rsa", bits=1024, by=by)
    odd = place.certify("odd", "/CN=secp256k1", algorithm="ec", paramset="secp256k1", by=by)
    for holder in (short, odd):
        with pytest.raises(TrustError) as refused:
            backend().verify(holder.der, DATA, bytes(128))
        assert refused.value.reason == "algorithm_refused"


def test_a_key_shows_nothing_and_does_not_leave_its_process():
    for backend in (Engine(), Cli()):
        key = key_of(backend, "ours")
        secret = pki().ours.key.read_text().splitlines()[1]
        for shown in (repr(key), str(key), repr(key.handle), str(key.handle)):
            assert "PRIVATE" not in shown
            assert secret not in shown
    with pytest.raises(InternalError):
        pickle.dumps(key_of(Engine(), "ours").handle)


def test_a_key_of_one_backend_is_refused_by_another():
    for signs, other in ((Engine(), Cli()), (Cli(), Engine())):
        with pytest.raises(ConfigurationError):
            other.sign(key_of(signs, "ours"), DATA)


def test_what_a_certificate_says():
    told = opened().backend.certificate(pki().ours.der)
    assert told.subject == "O=Пробная администрация,CN=Шлюз обращений"
    assert told.issuer == "O=Проба,CN=Пробный УЦ"
    assert (told.not_before.year, told.not_after.year) == (2020, 2049)
    assert (told.kind, told.may_sign, told.authority) == ("gost2012_256", True, False)
    spki = pki().openssl("x509", "-in", pki().ours.cert, "-noout", "-pubkey")
    assert told.public_key == pki().openssl("pkey", "-pubin", "-outform", "DER", given=spki)
    authority = Engine().certificate(pki().intermediate.der)
    assert authority.authority
    assert not authority.may_sign
    assert len(authority.ski) == 20
    assert not Engine().certificate(pki().encipher.der).may_sign


QUALIFIED = """
[qualified]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment
extendedKeyUsage = clientAuth,emailProtection,1.2.643.100.113.1
certificatePolicies = 1.2.643.100.113.1,1.2.643.100.113.2
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://uc.example/uc.crl
authorityInfoAccess = caIssuers;URI:http://uc.example/uc.crt
subjectAltName = email:gateway@example.ru
1.2.643.100.111 = ASN1:UTF8String:Средство подписи, пробное
1.2.643.100.112 = ASN1:SEQUENCE:tools
1.2.643.100.114 = ASN1:INTEGER:0
2.5.29.16 = ASN1:SEQUENCE:period
[period]
begin = IMPLICIT:0,GENERALIZEDTIME:20200101000000Z
end = IMPLICIT:1,GENERALIZEDTIME:20300101000000Z
[tools]
one = UTF8String:Средство подписи УЦ
two = UTF8String:Средства УЦ
three = UTF8String:Заключение 1
four = UTF8String:Заключение 2
"""


def test_a_certificate_of_the_shape_of_a_qualified_one_is_read(tmp_path):
    """With the extensions and names that order 795 of the ФСБ (2011) prescribes."""
    place = Authority(tmp_path / "qualified", pki().intermediate)
    with place.conf.open("a", encoding="utf-8") as conf:
        conf.write(QUALIFIED)
    text = place.conf.read_text("utf-8")
    policy = "OGRN = optional\nSNILS = optional\nsurname = optional"
    text = text.replace("commonName = supplied", f"commonName = supplied\n{policy}")
    place.conf.write_text(text, "utf-8")
    subject = "/CN=Пробная администрация/SN=Пробный/OGRN=1027700000000/SNILS=00000000000"
    holder = place.certify("qualified", subject, kind="qualified")
    told = Engine().certificate(holder.der)
    assert "CN=Пробная администрация" in told.subject
    assert "1.2.643.100.1=1027700000000" in told.subject
    assert told.may_sign
    opened(revocation_required=False).trust.check(holder.der, NOW)
    key = SigningKey(
        name="q", certificate=told, handle=Engine().load_key(holder.key.read_bytes(), b"").handle
    )
    made = Engine().cms_sign(key, DATA, NOW)
    assert Cli().cms_verify(made, DATA).certificate == told
