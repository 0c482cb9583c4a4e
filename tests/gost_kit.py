"""A made-up public key infrastructure by GOST R 34.10-2012, made by the `openssl` command line.

`pki()` makes it once a process; `pieces()` gives the settings that use it, `opened()` what
`gateway.gost.open_signing` makes of them. Everything is valid from 2020 to the end of 2049, so a
test may take any instant between as its `now` (`NOW` is one).
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gateway.signing import Signing

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "не-секрет-для-проб"
"""Of the PKCS#12 file."""

_CONFIG = """
openssl_conf = conf
[conf]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
[req]
distinguished_name = empty
string_mask = utf8only
[empty]
[ca]
default_ca = authority
[authority]
dir = {place}
database = {place}/index.txt
serial = {place}/serial
crlnumber = {place}/crlnumber
new_certs_dir = {place}
unique_subject = no
email_in_dn = no
policy = any
[any]
commonName = supplied
organizationName = optional
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[encipher]
basicConstraints = CA:FALSE
keyUsage = critical,keyEncipherment
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
_FROM, _UNTIL = "20200101000000Z", "20491231235959Z"
_MD = {"gost2012_256": "md_gost12_256", "gost2012_512": "md_gost12_512"}


@lru_cache(1)
def has_gost() -> bool:
    """Whether the command line has the engine."""
    if shutil.which("openssl") is None:
        return False
    done = subprocess.run(["openssl", "engine", "gost"], capture_output=True, check=False)
    return done.returncode == 0


needs_gost = pytest.mark.skipif(
    not has_gost(), reason="needs the package libengine-gost-openssl (and openssl)"
)


@dataclass(frozen=True)
class Holder:
    """Somebody with a certificate: PEM files of it and of the key, and the certificate as DER."""

    name: str
    cert: Path
    key: Path
    der: bytes


@dataclass(frozen=True)
class Pki:
    """Authorities, those whom they certified, and revocation lists.

    ours, peer: gost2012_256, CryptoPro-A. exchange: the same with XchA. tca: tc26 paramset A. wide:
    gost2012_512. rsa: RSA 2048. ec: P-256. expired: ended in 2021. future: begins in 2048.
    revoked: is in intermediate_crl. stranger: of an authority that nobody named, `foreign`.
    encipher: KeyUsage forbids it to sign. All but `stranger` are of `intermediate`.
    p12, p12_password: PKCS#12 of `ours`. stale_crl: its nextUpdate was in 2021.
    """

    place: Path
    conf: Path
    root: Holder
    intermediate: Holder
    foreign: Holder
    ours: Holder
    peer: Holder
    exchange: Holder
    tca: Holder
    wide: Holder
    rsa: Holder
    ec: Holder
    expired: Holder
    future: Holder
    revoked: Holder
    encipher: Holder
    stranger: Holder
    p12: Path
    p12_password: Path
    root_crl: Path
    intermediate_crl: Path
    stale_crl: Path
    foreign_crl: Path

    def openssl(self, *arguments: str | Path, given: bytes = b"") -> bytes:
        """Run the command line with the engine; return its standard output."""
        return openssl(self.conf, *arguments, given=given)


def openssl(conf: Path, *arguments: str | Path, given: bytes = b"") -> bytes:
    """Run the command line by a configuration; fail the test with what it said."""
    done = subprocess.run(
        ["openssl", *map(str, arguments)],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, "OPENSSL_CONF": str(conf)},
    )
    assert done.returncode == 0, (arguments, done.stderr.decode(errors="replace"))
    return done.stdout


class Authority:
    """One authority with its own directory: certifies, revokes, lists."""

    def __init__(self, place: Path, holder: Holder | None = None) -> None:
        self.place = place
        self.holder = holder
        self.conf = place / "openssl.cnf"
        place.mkdir(exist_ok=True)
        self.conf.write_text(_CONFIG.format(place=place), "utf-8")
        (place / "index.txt").touch()
        (place / "serial").write_text(f"7A{secrets.token_hex(7)}\n")
        (place / "crlnumber").write_text("01\n")

    def certify(
        self,
        name: str,
        subject: str,
        *,
        algorithm: str = "gost2012_256",
        paramset: str = "A",
        kind: str = "leaf",
        start: str = _FROM,
        end: str = _UNTIL,
        by: Holder | None = None,
        bits: int = 2048,
    ) -> Holder:
        """Make a key and its certificate; by itself when this authority has no holder yet."""
        key, cert, asked = (self.place / f"{name}.{end}" for end in ("key", "pem", "csr"))
        if algorithm == "rsa":
            how = ("-algorithm", "rsa", "-pkeyopt", f"rsa_keygen_bits:{bits}")
        elif algorithm == "ec":
            how = ("-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{paramset}")
        else:
            how = ("-algorithm", algorithm, "-pkeyopt", f"paramset:{paramset}")
        openssl(self.conf, "genpkey", *how, "-out", key)
        md = ("-" + _MD.get(algorithm, "sha256"),)
        openssl(
            self.conf, "req", "-new", "-utf8", "-key", key, "-subj", subject, *md, "-out", asked
        )
        issuer = by or self.holder
        if issuer is None:
            signs = ("-selfsign", "-keyfile", key)
        else:
            signs = ("-cert", issuer.cert, "-keyfile", issuer.key)
        openssl(
            self.conf, "ca", "-batch", "-config", self.conf, "-notext", "-md", "md_gost12_256",
            *signs, "-utf8", "-extensions", kind, "-startdate", start, "-enddate", end,
            "-in", asked, "-out", cert,
        )  # fmt: skip
        der = openssl(self.conf, "x509", "-in", cert, "-outform", "DER")
        return Holder(name, cert, key, der)

    def revoke(self, holder: Holder) -> None:
        """Put a certificate on the list of the next `crl`."""
        assert self.holder is not None
        openssl(
            self.conf, "ca", "-config", self.conf, "-md", "md_gost12_256", "-cert",
            self.holder.cert, "-keyfile", self.holder.key, "-revoke", holder.cert,
        )  # fmt: skip

    def crl(self, name: str, start: str = _FROM, end: str = _UNTIL) -> Path:
        """Make a revocation list (PEM) of what is revoked so far."""
        assert self.holder is not None
        made = self.place / f"{name}.crl"
        openssl(
            self.conf, "ca", "-config", self.conf, "-md", "md_gost12_256", "-gencrl", "-cert",
            self.holder.cert, "-keyfile", self.holder.key,
            "-crl_lastupdate", start, "-crl_nextupdate", end, "-out", made,
        )  # fmt: skip
        return made


def authority(place: Path, name: str, subject: str) -> Authority:
    """Make one more root authority, for a test that needs its own."""
    made = Authority(place)
    made.holder = made.certify(name, subject, kind="root")
    return made


@lru_cache(1)
def pki() -> Pki:
    """Make the infrastructure, once a process; its directory goes with the process."""
    place = Path(tempfile.mkdtemp(prefix="gateway-gost-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    top = authority(place / "root", "root", "/CN=Пробный корневой УЦ/O=Проба")
    middle = Authority(place / "intermediate")
    middle.holder = top.certify("intermediate", "/CN=Пробный УЦ/O=Проба", kind="intermediate")
    strange = authority(place / "foreign", "foreign", "/CN=Чужой УЦ/O=Чужие")
    assert top.holder is not None
    assert strange.holder is not None
    body = "/O=Пробная администрация"
    revoked = middle.certify("revoked", f"/CN=Отозванный{body}")
    empty_root = top.crl("root")
    stale = middle.crl("stale", end="20210101000000Z")
    middle.revoke(revoked)
    ours = middle.certify("ours", f"/CN=Шлюз обращений{body}")
    password = place / "p12.password"
    password.write_text(PASSWORD, "utf-8")
    p12 = place / "ours.p12"
    openssl(
        middle.conf, "pkcs12", "-export", "-in", ours.cert, "-inkey", ours.key, "-certfile",
        middle.holder.cert, "-passout", f"file:{password}", "-out", p12,
    )  # fmt: skip
    return Pki(
        place=place,
        conf=middle.conf,
        root=top.holder,
        intermediate=middle.holder,
        foreign=strange.holder,
        ours=ours,
        peer=middle.certify("peer", "/CN=Пробный СМЭВ/O=Проба"),
        exchange=middle.certify("exchange", f"/CN=Обмен{body}", paramset="XA"),
        tca=middle.certify("tca", f"/CN=Набор TC26{body}", paramset="TCA"),
        wide=middle.certify("wide", f"/CN=Длинный ключ{body}", algorithm="gost2012_512"),
        rsa=middle.certify("rsa", f"/CN=RSA{body}", algorithm="rsa"),
        ec=middle.certify("ec", f"/CN=EC{body}", algorithm="ec", paramset="P-256"),
        expired=middle.certify("expired", f"/CN=Истекший{body}", end="20210101000000Z"),
        future=middle.certify("future", f"/CN=Будущий{body}", start="20480101000000Z"),
        revoked=revoked,
        encipher=middle.certify("encipher", f"/CN=Только шифрует{body}", kind="encipher"),
        stranger=strange.certify("stranger", "/CN=Незнакомец/O=Чужие"),
        p12=p12,
        p12_password=password,
        root_crl=empty_root,
        intermediate_crl=middle.crl("intermediate"),
        stale_crl=stale,
        foreign_crl=strange.crl("foreign"),
    )


def pieces(**other: Any) -> dict[str, Any]:
    """Return what to give `Settings`: every key above by its name, the authorities, their CRLs."""
    made = pki()
    signers = (made.ours, made.peer, made.exchange, made.tca, made.wide, made.rsa, made.ec)
    return {
        "signing_backend": "auto",
        "signing_keys": [
            {"name": each.name, "cert": str(each.cert), "key": str(each.key)} for each in signers
        ],
        "trusted_authorities": [str(made.root.cert), str(made.intermediate.cert)],
        "revocation_lists": [str(made.root_crl), str(made.intermediate_crl)],
        **other,
    }


def opened(**other: Any) -> Signing:
    """Return backend, keys and trust over this infrastructure, other settings as given."""
    import msgspec

    from gateway.gost import open_signing
    from gateway.settings import Settings

    return open_signing(msgspec.convert(pieces(**other), Settings))
