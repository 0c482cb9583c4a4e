"""What the row of a peer says of a system behind СМЭВ; see manifest.toml and README.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from adapters.smev.messages.types import VERSIONS, Selector, Version
from gateway.errors import ConfigurationError
from gateway.options_read import choice, flag, number, words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_DEFAULT: Version = "1.3"
_LAST_PORT: Final = 65_535
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FTP: Final = 21
Refusal = Literal["rejected", "payload"]
REFUSALS: Final[tuple[Refusal, ...]] = ("rejected", "payload")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The peer's `[options]`.

    key, personal_key: names of signing keys of the settings. wanted: (namespace, root) of what is
    polled, empty for anything. batch: messages of one asking. attached_bytes: files of a message
    that go inside of it; more go by the file storage. file_bytes: the largest file taken.
    certificates: SHA-256 of those of СМЭВ itself, small hex; none: any that is trusted.
    """

    url: str
    version: Version
    key: str
    personal_key: str = ""
    node_id: str = ""
    wanted: tuple[tuple[str, str], ...] = ()
    statuses: bool = True
    transaction_code: str = ""
    test: bool = False
    batch: int = 20
    attached_bytes: int = 5_000_000
    file_bytes: int = 50_000_000
    storage_host: str = ""
    storage_port: int = 21
    storage_user: str = ""
    storage_tls: bool = False
    certificates: tuple[str, ...] = ()
    refuse_with: Refusal = "rejected"
    table: Mapping[str, Any]

    @classmethod
    def of(cls, options: Mapping[str, Any], base: str = "") -> Options:
        """Read them; raise ConfigurationError that names the option."""
        host, port = _storage(str(options.get("storage", "")))
        return cls(
            url=base or str(options.get("url", "")),
            version=choice({"version": options.get("version", _DEFAULT)}, "version", VERSIONS),
            key=str(options.get("key", "")),
            personal_key=str(options.get("personal_key", "")),
            node_id=str(options.get("node_id", "")),
            wanted=tuple(_kind(word) for word in words(options, "kinds")),
            statuses=flag({"statuses": options.get("statuses", True)}, "statuses"),
            transaction_code=str(options.get("transaction_code", "")),
            test=flag(options, "test"),
            batch=int(number(options, "batch", 20, most=500)),
            attached_bytes=int(number(options, "attached_bytes", 5_000_000, least=0)),
            file_bytes=int(number(options, "file_bytes", 50_000_000)),
            storage_host=host,
            storage_port=port,
            storage_user=str(options.get("storage_user", "")),
            storage_tls=flag(options, "storage_tls"),
            certificates=tuple(_sha256(word) for word in words(options, "smev_certificates")),
            refuse_with=choice(options, "refuse_with", REFUSALS),
            table=options,
        )

    def selectors(self, now: datetime) -> tuple[Selector, ...]:
        """Return what is asked for, one queue after the other."""
        wanted = self.wanted or (("", ""),)
        return tuple(
            Selector(now=now, namespace=namespace, local_name=root, node_id=self.node_id)
            for namespace, root in wanted
        )


def _storage(said: str) -> tuple[str, int]:
    """Return host and port of the file storage; FTP's own port when none is said."""
    host, colon, port = said.partition(":")
    if not colon:
        return host, _FTP
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise ConfigurationError(
            "storage: порт не число от 1 до 65535 · the port is no number from 1 to 65535",
            found=said,
            expected="host:port",
            where="options.storage",
        )
    return host, int(port)


def _sha256(word: str) -> str:
    """Return a fingerprint in small hex; colons and capitals are as `openssl` prints them."""
    found = word.replace(":", "").strip().lower()
    if not _SHA256.fullmatch(found):
        raise ConfigurationError(
            "smev_certificates: это не SHA-256 сертификата · this is no SHA-256 of a certificate",
            found=word,
            expected="SHA-256: 64 hex",
            where="options.smev_certificates",
            todo="openssl x509 -in FILE -outform DER | sha256sum",
        )
    return found


def _kind(word: str) -> tuple[str, str]:
    namespace, _, root = word.strip().rpartition(" ")
    if not namespace or not root:
        raise ConfigurationError(
            "kinds: вид сведений — пространство имён и корень через пробел"
            " · a kind is a namespace and a root with a space between",
            found=word,
            expected="urn://… Root",
            where="options.kinds",
        )
    return namespace.strip(), root
