"""Backends that sign and check by GOST R 34.10-2012 and 34.11-2012, and by RSA beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.signing import Signing


def open_signing(settings: Settings) -> Signing:
    """Return backend, keys and trust as settings say; raise ConfigurationError."""
    raise ConfigurationError("there is no backend yet", where=settings.signing_backend)
