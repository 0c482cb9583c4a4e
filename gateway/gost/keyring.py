"""Our signing keys: by name, several of one name by their validity, read again when they change."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from gateway.errors import ConfigurationError, GatewayError, TrustError
from gateway.gost import files
from gateway.gost.local import ExternalKey
from gateway.signing import SigningKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.gost.local import Local
    from gateway.settings import KeyFile
    from gateway.signing import Backend

SETTING: Final = "signing_keys"
_PROBE: Final = "Ключ к сертификату подходит · the key fits its certificate".encode()

log = structlog.get_logger(__name__)


class _Held(NamedTuple):
    stamps: tuple[files.Stamp, ...]
    key: SigningKey


class Keyring:
    """Keys of `settings.signing_keys`."""

    def __init__(
        self, given: Sequence[KeyFile], backend: Backend, loader: Local | None, *, external: bool
    ) -> None:
        """Read every key; raise ConfigurationError for one that cannot be read.

        loader: reads key files, None where nothing on this machine can. external: a signer
        outside has the keys that settings give no file of.
        """
        self._given = tuple(given)
        self._backend = backend
        self._loader = loader
        self._external = external
        self._lock = Lock()
        self._watched = [
            files.Watched((each.cert, each.key, each.password_file)) for each in self._given
        ]
        self._held = [
            _Held(watched.stamps(), self._read(each))
            for watched, each in zip(self._watched, self._given, strict=True)
        ]

    def names(self) -> Sequence[str]:
        """Return the names that settings give, each once."""
        return tuple(dict.fromkeys(each.name for each in self._given))

    def all(self) -> Sequence[SigningKey]:
        """Return every key as its files are now, in force or not."""
        return [self._fresh(place) for place in range(len(self._given))]

    def current(self, name: str, now: datetime) -> SigningKey:
        """Return the key in force that holds the longest; raise ConfigurationError for none."""
        named = [self._fresh(place) for place, each in enumerate(self._given) if each.name == name]
        held = [key for key in named if key.certificate.holds(now)]
        if held:
            return max(held, key=lambda key: key.certificate.not_after)
        ends = ", ".join(
            f"{key.certificate.not_before:%Y-%m-%d}…{key.certificate.not_after:%Y-%m-%d}"
            for key in named
        )
        raise ConfigurationError(
            "нет действующего ключа с этим именем · there is no key of this name in force",
            where=SETTING,
            found=f"{name}: {ends}" if ends else name,
            expected=", ".join(self.names()),
        )

    def _fresh(self, place: int) -> SigningKey:
        """Return a key, read again if its files are others; one that went bad stays as it was.

        A half-written file must not stop what signs: the next call finds it whole.
        """
        given, held = self._given[place], self._held[place]
        stamps = self._watched[place].stamps()
        if stamps == held.stamps:
            return held.key
        with self._lock:
            held = self._held[place]
            if stamps == held.stamps:
                return held.key
            try:
                held = _Held(stamps, self._read(given))
                log.info("signing_key_read", name=given.name, sha256=held.key.certificate.sha256)
            except GatewayError as error:
                held = _Held(stamps, held.key)
                log.warning("signing_key_unreadable", name=given.name, why=str(error))
            self._held[place] = held
        return held.key

    def _read(self, given: KeyFile) -> SigningKey:
        try:
            return self._loaded(given)
        except ConfigurationError as error:
            where = f"{SETTING}, {given.name}: {given.key or given.cert}"
            raise ConfigurationError(
                error.message,
                where=where,
                found=error.found,
                expected=error.expected,
                todo=error.todo,
            ) from error
        except TrustError as error:
            where = f"{SETTING}, {given.name}: {given.cert or given.key}"
            raise ConfigurationError(
                error.message, where=where, found=error.found, expected=error.expected
            ) from error

    def _loaded(self, given: KeyFile) -> SigningKey:
        handle: object = ExternalKey(given.name)
        beside = b""
        if given.key:
            if self._loader is None:
                raise ConfigurationError("there is nothing on this machine to read a key with")
            password = files.content(given.password_file, SETTING) if given.password_file else b""
            handle, beside = self._loader.load_key(
                files.content(given.key, SETTING), password.rstrip(b"\r\n")
            )
        elif not self._external:
            raise ConfigurationError(
                "не назван файл ключа · no file of the key is named",
                expected="key, or signing_backend = external",
            )
        if given.cert:
            beside = files.ders(given.cert, SETTING, b"CERTIFICATE")[0]
        if not beside:
            raise ConfigurationError(
                "нет сертификата этого ключа · there is no certificate of this key",
                expected="cert, or a PKCS#12 that has it",
            )
        key = SigningKey(
            name=given.name, certificate=self._backend.certificate(beside), handle=handle
        )
        if given.key and not self._fits(key):
            raise ConfigurationError(
                "ключ не от этого сертификата · the key does not belong to its certificate",
                found=key.certificate.subject,
            )
        return key

    def _fits(self, key: SigningKey) -> bool:
        """Sign a probe and check it: what a peer would do."""
        try:
            signature = self._backend.sign(key, _PROBE)
            return self._backend.verify(key.certificate.der, _PROBE, signature)
        except GatewayError as error:
            if isinstance(error, ConfigurationError | TrustError):
                raise
            return False
