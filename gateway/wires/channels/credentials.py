"""What we prove ourselves with to a peer: files that its row names, read when its channel is made.

A secret lies in a file and never in the database, a backup or a log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gateway import secretfile
from gateway.access import certificates
from gateway.access.known import Caller, Keys, Known, Owned
from gateway.errors import ConfigurationError, MalformedError, TrustError
from gateway.gost import certificates as gost
from gateway.gost.algorithms import Gost
from gateway.gost.engine import shared
from gateway.outbound import ClientCertificate

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.model.peer import Peer
    from gateway.soap.identity import Identity
    from gateway.soap.vouched import Voucher


def required(row: Peer, name: str) -> str:
    """Return an option as text; raise ConfigurationError when the row lacks it."""
    value = str(row.options.get(name, ""))
    if not value:
        raise ConfigurationError(
            f"{name}: настройка не задана · the peer's row lacks this option",
            where=f"peer {row.code}",
            todo=f"`gateway peer option {row.code} {name}=…`",
        )
    return value


def proxy_login(row: Peer) -> str:
    """Return `user:password` for the peer's proxy, empty without one; raise ConfigurationError."""
    if not row.options.get("proxy_password_file"):
        return ""
    found = secretfile.read(row.options, "proxy_password_file", least=3, peer=row.code)
    login = found.decode("latin-1")
    if ":" not in login or not login.isprintable():
        raise ConfigurationError(
            "proxy_password_file: в файле не user:password · the file has no user:password",
            expected="user:password",
            where=f"peer {row.code}",
        )
    return login


def secret(row: Peer, name: str, *, least: int = 1) -> bytes:
    """Return what stands in the file that an option names, without the white space around it.

    least: bytes that it must have. Raises ConfigurationError, which tells nothing of it.
    """
    return secretfile.read(row.options, name, least=least, peer=row.code)


def client_certificate(row: Peer) -> ClientCertificate | None:
    """Return the certificate that we show when the peer's TLS asks for one; None: we have none."""
    if "client_cert" not in row.options:
        _refuse_alone(row, ("client_key", "client_key_password_file"), "client_cert")
        return None
    return ClientCertificate(
        str(row.options["client_cert"]),
        str(row.options.get("client_key", "")),
        _optional(row, "client_key_password_file").decode(),
    )


def identity(row: Peer, now: Callable[[], datetime], *, trusted_wire: bool) -> Identity | None:
    """Return user, password and signing key of a SOAP peer's row; None when it names none."""
    from gateway.soap.identity import Identity, Login
    from gateway.soap.security import load

    login = signer = None
    if "login" in row.options:
        try:
            password = secret(row, "password_file").decode()
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                "password_file: не UTF-8 · the password is not in UTF-8", where=f"peer {row.code}"
            ) from error
        login = Login(kind=row.options["login"], user=required(row, "user"), password=password)
    else:
        _refuse_alone(row, ("user", "password_file"), "login")
    if "sign_cert" in row.options:
        certificate = _file(row, "sign_cert")
        key = _file(row, "sign_key") if "sign_key" in row.options else certificate
        password_of_key = _optional(row, "sign_key_password_file") or None
        try:
            signer = load(certificate, key, password_of_key)
        except ConfigurationError as error:
            error.where = f"peer {row.code}: sign_cert, sign_key"
            raise
        if row.options.get("wsse") == "smev2":
            _require_smev2(row)
            signer = msgspec.structs.replace(signer, profile="smev2")
    else:
        _refuse_alone(row, ("sign_key", "sign_key_password_file"), "sign_cert")
    if login is None and signer is None:
        return None
    return Identity(now=now, login=login, signer=signer, trusted_wire=trusted_wire)


def voucher(row: Peer, now: Callable[[], datetime]) -> Voucher | None:
    """Return whose signature the answers of a SOAP peer must have; None when its row does not say.

    `answer_cert` may hold several certificates in PEM, the old one and the new one.
    """
    from gateway.soap.security.algorithms import STANDARD
    from gateway.soap.vouched import Voucher

    if "answer_cert" not in row.options:
        return None
    try:
        found = certificates.several(_file(row, "answer_cert"))
        by_gost = any(gost.read(one.der).kind.startswith("gost") for one in found)
    except (ValueError, MalformedError, TrustError) as error:
        raise ConfigurationError(
            "answer_cert: сертификат не читается · the certificate cannot be read",
            found=str(row.options["answer_cert"]),
            expected="PEM: -----BEGIN CERTIFICATE-----",
            where=f"peer {row.code}",
        ) from error
    known = Known(
        callers={row.code: Caller(peer=row.code, options=row.options)},
        certificates={one.der: Owned(peer=row.code, certificate=one) for one in found},
    )
    keys = Keys(lambda: known, lambda: now().timestamp())
    return Voucher(keys=keys, now=now, algorithms=Gost(shared()) if by_gost else STANDARD)


def _require_smev2(row: Peer) -> None:
    """Raise ConfigurationError for options that do not go with the signature of СМЭВ 2."""
    login = row.options.get("login", "basic")
    found = ["soap12"] * bool(row.options.get("soap12")) + [f"login={login}"] * (login != "basic")
    if found:
        raise ConfigurationError(
            "wsse=smev2: подпись СМЭВ 2 – SOAP 1.1 без логина в сообщении"
            " · СМЭВ 2 knows SOAP 1.1 and signatures only",
            found=", ".join(found),
            expected="soap12=false, login=basic",
            where=f"peer {row.code}",
        )


def _refuse_alone(row: Peer, names: tuple[str, ...], wanted: str) -> None:
    """Raise ConfigurationError for options that do nothing without another one."""
    for name in names:
        if name in row.options:
            raise ConfigurationError(
                f"{name}: без {wanted} ничего не значит · means nothing without {wanted}",
                where=f"peer {row.code}",
                todo=f"`gateway peer option {row.code} {wanted}=…`",
            )


def _optional(row: Peer, name: str) -> bytes:
    return secret(row, name) if name in row.options else b""


def _file(row: Peer, name: str) -> bytes:
    return secretfile.whole(row.options, name, peer=row.code)
