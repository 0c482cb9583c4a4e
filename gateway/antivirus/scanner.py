"""Makes the antivirus that a setting names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from gateway.antivirus.clamd import Clamd
from gateway.antivirus.icap import Icap
from gateway.antivirus.wire import Place
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.antivirus.ports import Scanner

EXPECTED: Final = "clamd://host:3310, clamd:/run/clamav/clamd.ctl or icap://host:1344/service"
SECONDS: Final = 120.0
"""For one file as a whole: half a gigabyte takes clamd most of a minute."""
_PORTS: Final = {"clamd": 3310, "icap": 1344}


def scanner(address: str, seconds: float = SECONDS) -> Scanner | None:
    """Return the antivirus at an address, None for ""; raise ConfigurationError."""
    if not address:
        return None
    parts = urlsplit(address)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    path = parts.path.strip("/")
    if parts.scheme == "clamd" and not parts.netloc and path:
        return Clamd(Place(path=parts.path), seconds)
    if parts.scheme == "clamd" and parts.hostname and port and not path:
        return Clamd(Place(parts.hostname, port), seconds)
    if parts.scheme == "icap" and parts.hostname and port and path:
        service = f"{path}?{parts.query}" if parts.query else path
        return Icap(Place(parts.hostname, port), service, seconds)
    raise ConfigurationError(
        "не адрес антивируса · not the address of an antivirus",
        found=address,
        expected=EXPECTED,
        where="antivirus",
    )
