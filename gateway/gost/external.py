"""The hook for a signer outside of this process: CryptoPro CSP, an HSM, a signing service.

It is asked for two things, a raw signature and a detached CMS, by one JSON object, as a program on
its standard input or as a service by POST; docs/howto/signing.md describes the exchange. Everything
that needs no private key is asked of the engine on this machine, where there is one.
"""

from __future__ import annotations

import binascii
import ipaddress
import subprocess
from datetime import UTC
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec
import urllib3
from urllib3.util import parse_url

from gateway.errors import BusyError, ConfigurationError
from gateway.gost import certificates
from gateway.gost.local import ExternalKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.gost.local import Local
    from gateway.settings import Settings
    from gateway.signing import CertificateInfo, CmsSigned, Digest, SigningKey

_SECONDS: Final = 30.0
_CONNECTIONS: Final = 8
"""Connections to a service that stay open between calls."""
_ANSWER_BYTES: Final = 1024 * 1024


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request. certificate: SHA-256 of its DER, hex. data: base64 of what to sign over."""

    version: Literal[1] = 1
    op: Literal["sign", "cms"]
    key: str
    kind: str
    certificate: str
    data: bytes
    cades: bool = False
    signing_time: str = ""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. reversed: the raw signature is byte by byte the other way round."""

    signature: bytes = b""
    reversed: bool = False
    error: str = ""


class Wire(Protocol):
    """How a signer is reached."""

    def ask(self, request: bytes) -> bytes:
        """Return the answer; raise BusyError when there is none."""
        ...


class Command:
    """A program: the request on its standard input, the answer on its standard output."""

    def __init__(self, words: Sequence[str]) -> None:
        """Keep the program and its arguments."""
        self._words = tuple(words)

    def ask(self, request: bytes) -> bytes:
        """Run it once; raise ConfigurationError when there is no such program.

        What it writes to standard error is not kept: it may be anything.
        """
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own words, no shell
                self._words, input=request, capture_output=True, check=False, timeout=_SECONDS
            )
        except (FileNotFoundError, PermissionError) as error:
            raise ConfigurationError(
                "подписывающая программа не запускается · the signer cannot be started",
                where="signer_command",
                found=self._words[0],
                expected="a program that this account may run",
            ) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _silent(self._words[0]) from error
        if done.returncode and not done.stdout:
            raise _silent(f"{self._words[0]}, exit {done.returncode}")
        return done.stdout


class Service:
    """A service: POST of JSON, `Authorization: Bearer` where a token is set."""

    def __init__(self, url: str, token: str) -> None:
        """Keep the address; raise ConfigurationError for one that would show what is signed."""
        given = parse_url(url)
        if given.scheme != "https" and not (given.scheme == "http" and _here(given.host or "")):
            raise ConfigurationError(
                "адрес подписывающей службы · the address of the signing service",
                where="signer_url",
                found=url,
                expected="https://… or http://127.0.0.1…",
            )
        self._url = url
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._pool = urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            retries=False,
            timeout=urllib3.Timeout(connect=5.0, read=_SECONDS),
        )

    def ask(self, request: bytes) -> bytes:
        """Send it once, following no redirect."""
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=request,
                headers=self._headers,
                redirect=False,
                preload_content=False,
            )
            body = answer.read(_ANSWER_BYTES + 1)
            if len(body) > _ANSWER_BYTES:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise _silent(type(error).__name__) from error
        if answer.status // 100 == 5 or (answer.status != 200 and not body):
            raise _silent(f"HTTP {answer.status}")
        return body


class External:
    """Signs by a signer outside; checks by `local`."""

    name = "external"

    def __init__(self, wire: Wire, local: Local | None) -> None:
        """Keep how the signer is reached, and what checks on this machine (None: nothing)."""
        self._wire = wire
        self._local = local

    def digest(self, method: Digest, data: bytes) -> bytes:
        """Return the digest by the backend of this machine."""
        return self._here().digest(method, data)

    def sign(self, key: SigningKey, data: bytes) -> bytes:
        """Return the raw signature of the signer, turned round if it says so, and checked."""
        if not isinstance(key.handle, ExternalKey):
            return self._here().sign(key, data)
        answer = self._ask(key, _asked(key, "sign", data))
        made = answer.signature[::-1] if answer.reversed else answer.signature
        wanted = certificates.LENGTHS.get(key.certificate.kind, len(made))
        fits = self._local is None or self._local.verify(key.certificate.der, data, made)
        if len(made) != wanted or not fits:
            raise _unfit(key, f"{len(made)} B")
        return made

    def verify(self, certificate: bytes, data: bytes, signature: bytes) -> bool:
        """Say whether a signature fits, by the backend of this machine."""
        return self._here().verify(certificate, data, signature)

    def verify_key(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """Say the same of a bare key."""
        return self._here().verify_key(public_key, data, signature)

    def cms_sign(self, key: SigningKey, data: bytes, now: datetime, *, cades: bool = True) -> bytes:
        """Return the detached CMS of the signer, checked."""
        if not isinstance(key.handle, ExternalKey):
            return self._here().cms_sign(key, data, now, cades=cades)
        stated = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        asked = msgspec.structs.replace(_asked(key, "cms", data), cades=cades, signing_time=stated)
        made = self._ask(key, asked).signature
        if self._local is not None:
            signed = self._local.cms_verify(made, data)
            if signed.certificate.sha256 != key.certificate.sha256 or signed.cades < cades:
                raise _unfit(key, signed.certificate.subject)
        return made

    def cms_verify(self, cms: bytes, data: bytes) -> CmsSigned:
        """Return who signed, by the backend of this machine."""
        return self._here().cms_verify(cms, data)

    def certificate(self, der: bytes) -> CertificateInfo:
        """Read a certificate."""
        return certificates.read(der)

    def _ask(self, key: SigningKey, asked: Asked) -> Answered:
        body = self._wire.ask(msgspec.json.encode(asked))
        try:
            if len(body) > _ANSWER_BYTES:
                raise ValueError("the answer is too long")
            answer = msgspec.json.decode(body, type=Answered)
        except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
            raise ConfigurationError(
                "ответ подписывающей программы не читается · the signer's answer cannot be read",
                where=key.name,
                expected='{"signature": "<base64>"}',
            ) from error
        if answer.error or not answer.signature:
            raise ConfigurationError(
                "подписывающая программа отказала · the signer refused",
                where=key.name,
                found=answer.error or "no signature",
            )
        return answer

    def _here(self) -> Local:
        if self._local is None:
            raise ConfigurationError(
                "проверять нечем · nothing on this machine can check signatures",
                where="signing_backend",
                todo="apt-get install libengine-gost-openssl",
            )
        return self._local


def wire(settings: Settings) -> Wire:
    """Return how the signer of settings is reached; raise ConfigurationError."""
    if bool(settings.signer_command) == bool(settings.signer_url):
        raise ConfigurationError(
            "нужна одна подписывающая программа или служба · one signer is needed",
            where="signer_command, signer_url",
            found="both" if settings.signer_url else "none",
        )
    if settings.signer_command:
        return Command(settings.signer_command)
    return Service(settings.signer_url, settings.signer_token)


def _asked(key: SigningKey, op: Literal["sign", "cms"], data: bytes) -> Asked:
    held = key.certificate
    return Asked(op=op, key=key.handle.name, kind=held.kind, certificate=held.sha256, data=data)


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _silent(why: str) -> BusyError:
    return BusyError(
        "подписывающая программа не отвечает · the signer does not answer",
        retry_after=5,
        where=why,
    )


def _unfit(key: SigningKey, found: str) -> ConfigurationError:
    return ConfigurationError(
        "подпись внешней программы не подходит к сертификату"
        " · the signer's signature does not fit the certificate",
        where=key.name,
        found=found,
        expected="s ‖ r, big-endian; a signer that writes it reversed says so in its answer",
    )
