"""Who is registered at СМЭВ, by certificate, and which kinds of messages there are."""

from __future__ import annotations

import threading
from base64 import b64decode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from simulators.smev.names import Kind
from simulators.smev.rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"


class System(msgspec.Struct, kw_only=True):
    """An information system. certificates: SHA-256 of their DER. quota: bytes of files, 0 none."""

    mnemonic: str
    title: str
    certificates: set[str] = msgspec.field(default_factory=set)
    quota: int = 0
    used: int = 0


class Service(msgspec.Struct, kw_only=True):
    """A registered kind of message.

    providers: mnemonics that take requests of this kind. answers: kinds of the content of an
    answer, empty for any. consumers: who may ask, empty for everybody. codes: transaction codes of
    which one must be told, empty for none.
    """

    kind: Kind
    providers: list[str] = []
    answers: list[Kind] = []
    consumers: list[str] = []
    codes: list[str] = []


class Registry:
    """Thread-safe enough: what is added is never taken away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._systems: dict[str, System] = {}
        self._services: dict[Kind, Service] = {}

    def add_system(self, system: System, *certificates: bytes) -> None:
        """Register a system or add certificates (DER) to it."""
        with self._lock:
            known = self._systems.setdefault(system.mnemonic, system)
            known.certificates |= {sha256(der).hexdigest() for der in certificates}

    def add_service(self, service: Service) -> None:
        """Register a kind of message, in the place of what was known of it."""
        with self._lock:
            self._services[service.kind] = service

    def caller(self, certificate: bytes) -> System:
        """Return whose certificate it is, or raise Refusal."""
        digest = sha256(certificate).hexdigest()
        for system in tuple(self._systems.values()):
            if digest in system.certificates:
                return system
        raise Refusal("SenderIsNotRegistered", "сертификат не зарегистрирован")

    def system(self, mnemonic: str) -> System:
        """Return a system by its mnemonic; raise LookupError."""
        return self._systems[mnemonic]

    def service(self, kind: Kind) -> Service | None:
        """Return what is registered of a kind, None for nothing."""
        return self._services.get(kind)

    def answers(self, kind: Kind) -> bool:
        """Whether a kind is that of requests, or of the answer to some request."""
        services = tuple(self._services.values())
        return kind in self._services or any(kind in one.answers for one in services)

    def recipient(self, service: Service, sender: System, routed: Sequence[str]) -> System:
        """Return who takes a request, or raise Refusal. routed: what Routing names."""
        if service.consumers and sender.mnemonic not in service.consumers:
            raise Refusal("AccessDenied", f"{sender.mnemonic} не имеет доступа к {service.kind}")
        others = [one for one in service.providers if one != sender.mnemonic]
        if routed:
            others = [one for one in others if one in routed]
        if len(others) != 1 or others[0] not in self._systems:
            raise Refusal("RecipientIsNotFound", f"получателей: {len(others)}")
        return self._systems[others[0]]

    def told(self) -> dict[str, Any]:
        """Return what is registered, for a person."""
        services = tuple(self._services.values())
        return {
            "systems": {one.mnemonic: one.title for one in tuple(self._systems.values())},
            "services": {str(one.kind): list(one.providers) for one in services},
        }


def certificate(text: str) -> bytes:
    """Return a certificate as DER; text: PEM, or base64 of DER. Raise ValueError."""
    if _BEGIN in text:
        text = text.partition(_BEGIN)[2].partition(_END)[0]
    return b64decode("".join(text.split()), validate=True)
