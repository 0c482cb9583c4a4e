"""Keys that tokens are checked by: files that an operator puts, or a JWKS that is fetched.

ЕСИА changes its keys about once a year and publishes them as an archive, so a set is kept, tokens
are tried on each key of the kind that their algorithm needs, and files are read again when they
change. That a key stands in our own file is why it is believed; its certificate is only asked for
its dates.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import ConfigurationError, TrustError
from gateway.gost import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gateway.signing import Kind

FILE_BYTES: Final = 4 * 1024 * 1024
MEMBER_BYTES: Final = 64 * 1024
KEYS: Final = 64
"""At most so many are tried."""
_BLOCK: Final = re.compile(
    rb"-----BEGIN (CERTIFICATE|PUBLIC KEY)-----\s(.*?)-----END \1-----", re.DOTALL
)
_KINDS: Final = frozenset({"gost2012_256", "rsa"})
log = structlog.get_logger(__name__)


class Key(NamedTuple):
    """One public key, SubjectPublicKeyInfo; since and until: of its certificate, if it has one."""

    kind: Kind
    public: bytes
    kid: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether no date of its certificate forbids it."""
        return (self.since is None or self.since <= now) and (
            self.until is None or now <= self.until
        )


class KeyFiles:
    """The keys of files and directories: PEM, DER and zip archives of them. Thread-safe.

    Raises ConfigurationError at first when nothing can be read; later what was read stays in force
    until something readable takes its place, so that a half-copied archive locks nobody out.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = tuple(paths)
        self._lock = Lock()
        self._stamps: tuple[Any, ...] | None = None
        self._keys: tuple[Key, ...] = ()

    def current(self) -> tuple[Key, ...]:
        """Return the keys as the files are now."""
        stamps = tuple(_stamps(self._paths))
        with self._lock:
            if stamps == self._stamps:
                return self._keys
            found = tuple(_read(self._paths))[:KEYS]
            if found:
                self._keys = found
                log.info("identity_keys_read", keys=len(found))
            elif not self._keys:
                raise ConfigurationError(
                    "нет ни одного ключа поставщика · there is no key of the provider",
                    where="options.keys",
                    found=", ".join(self._paths),
                    expected="PEM, DER or zip: certificates or public keys, ГОСТ 256 or RSA",
                )
            else:
                log.warning("identity_keys_unreadable", kept=len(self._keys))
            self._stamps = stamps
            return self._keys


def _members(path: str) -> list[Path]:
    place = Path(path)
    try:
        return sorted(each for each in place.iterdir() if each.is_file())
    except NotADirectoryError:
        return [place]
    except OSError:
        return []


def _stamps(paths: Sequence[str]) -> Iterator[tuple[str, int, int, int]]:
    for path in paths:
        for each in _members(path):
            try:
                found = each.stat()
            except OSError:
                continue
            yield str(each), found.st_mtime_ns, found.st_size, found.st_ino


def _read(paths: Sequence[str]) -> Iterator[Key]:
    for path in paths:
        for each in _members(path):
            try:
                if each.stat().st_size <= FILE_BYTES:
                    yield from keys_in(each.read_bytes())
            except OSError:
                continue


def keys_in(content: bytes) -> Iterator[Key]:
    """Yield the keys in the bytes of a file; what is none is passed over."""
    if content.startswith(b"PK\x03\x04"):
        for member in _unpacked(content):
            yield from keys_in(member) if not member.startswith(b"PK\x03\x04") else ()
        return
    blocks = [block for _, block in _BLOCK.findall(content)] if b"-----BEGIN" in content else []
    if not blocks:
        yield from _key(content)
    for block in blocks:
        try:
            yield from _key(binascii.a2b_base64(block))
        except binascii.Error:
            continue


def _unpacked(content: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist()[: 4 * KEYS]:
                if not info.is_dir() and info.file_size <= MEMBER_BYTES:
                    with archive.open(info) as member:
                        yield member.read(MEMBER_BYTES)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return


def _key(der: bytes) -> Iterator[Key]:
    """Yield the key of a certificate or of a SubjectPublicKeyInfo."""
    try:
        found = certificates.read(der)
    except TrustError:
        try:
            key = Key(certificates.kind(der), der)
        except (ValueError, IndexError):
            return
    else:
        key = Key(found.kind, found.public_key, "", found.not_before, found.not_after)
    if key.kind in _KINDS:
        yield key


def of_jwks(document: Any) -> tuple[Key, ...]:
    """Return the keys of a JWKS (RFC 7517) that sign: RSA, or whatever its certificate has."""
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return ()
    return tuple(key for row in rows[:KEYS] if isinstance(row, dict) for key in _of_jwk(row))


def _of_jwk(row: dict[str, Any]) -> Iterator[Key]:
    kid = row["kid"] if isinstance(row.get("kid"), str) else ""
    if row.get("use", "sig") != "sig":
        return
    chain = row.get("x5c")
    try:
        if row.get("kty") == "RSA":
            numbers = RSAPublicNumbers(_number(row["e"]), _number(row["n"])).public_key()
            public = numbers.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            yield Key("rsa", public, kid)
        elif isinstance(chain, list) and chain and isinstance(chain[0], str):
            yield from (key._replace(kid=kid) for key in _key(base64.b64decode(chain[0])))
    except (KeyError, TypeError, ValueError, binascii.Error):
        return


def _number(text: str) -> int:
    if len(text) > 2 * certificates.RSA_BITS[1] // 8:
        raise ValueError("the number is too long")
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
