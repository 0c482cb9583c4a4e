"""Backends that sign and check by GOST R 34.10-2012 and 34.11-2012, and by RSA beside.

Which one is in force is a setting; none of them is certified (docs/howto/signing.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import ConfigurationError
from gateway.gost.cli import Cli
from gateway.gost.engine import shared
from gateway.gost.external import External, wire
from gateway.gost.keyring import Keyring
from gateway.gost.trust import Believed
from gateway.signing import Signing

if TYPE_CHECKING:
    from gateway.gost.local import Local
    from gateway.settings import Settings
    from gateway.signing import Backend


def open_signing(settings: Settings) -> Signing:
    """Return backend, keys and trust as settings say; raise ConfigurationError.

    Cheap after the first call in a process, except for reading the files again.
    """
    external = settings.signing_backend == "external"
    local = _local(settings.signing_backend)
    backend: Backend | None = local
    if external:
        backend = External(wire(settings), local)
    assert backend is not None
    return Signing(
        backend=backend,
        keys=Keyring(settings.signing_keys, backend, local, external=external),
        trust=Believed(
            settings.trusted_authorities,
            settings.revocation_lists,
            local,
            revocation_required=settings.revocation_required,
        ),
    )


def _local(setting: str) -> Local | None:
    """Return what signs and checks on this machine; None where a signer outside has to do alone.

    Raise ConfigurationError where settings ask for what is not installed.
    """
    if setting == "openssl-cli":
        return Cli()
    try:
        return shared()
    except ConfigurationError:
        if setting != "external":
            raise
    try:
        return Cli()
    except ConfigurationError:
        return None
