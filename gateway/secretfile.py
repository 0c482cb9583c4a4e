"""Secrets that lie in a file which an option names: never in the database, a backup or a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


def read(options: Mapping[str, Any], name: str, *, least: int = 1, peer: str = "") -> bytes:
    """Return what stands in the file that an option names, without the white space around it.

    least: bytes that it must have. peer: code of the row, for the error. Raises ConfigurationError,
    which tells nothing of the secret.
    """
    found = whole(options, name, peer=peer).strip()
    if len(found) < least:
        raise ConfigurationError(
            f"{name}: секрет короче {least} байт · the secret is shorter than {least} bytes",
            found=f"{len(found)} B",
            where=_where(peer, name),
        )
    return found


def whole(options: Mapping[str, Any], name: str, *, peer: str = "") -> bytes:
    """Return the bytes of the file that an option names; raise ConfigurationError."""
    path = str(options.get(name, ""))
    if not path:
        raise ConfigurationError(
            f"{name}: настройка не задана · the peer's row lacks this option",
            where=_where(peer, name),
            todo=f"`gateway peer option {peer or '…'} {name}=…`",
        )
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{name}: файл не читается · cannot be read: {error.strerror}",
            found=path,
            where=_where(peer, name),
        ) from error


def _where(peer: str, name: str) -> str:
    return f"peer {peer}" if peer else f"options.{name}"
