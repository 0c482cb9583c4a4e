"""The options of the adapter, read once: where the catalogue is, what may be fetched, and when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from adapters.fias.format import EXTRAS
from gateway import limits
from gateway.errors import ConfigurationError
from gateway.options_read import choice, flag, words
from gateway.outbound import Outbound
from gateway.pinning import parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final[tuple[Literal["rest", "soap"], ...]] = ("rest", "soap")
REGIONS: Final = range(1, 100)
HOURS: Final = range(24)
ASK_SECONDS: Final = 60.0
"""For one question to the catalogue."""
_HOW: Final = "[adapter_options.fias]"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `[adapter_options.fias]`, as the manifest names them."""

    kind: Literal["rest", "soap"]
    url: str
    soap_url: str
    soap12: bool
    hosts: tuple[str, ...]
    allow_private: tuple[str, ...]
    ca_bundle: str
    proxy: str
    regions: tuple[int, ...]
    extras: tuple[str, ...]
    directory: str
    hours: tuple[int, ...]
    full: bool

    @property
    def address(self) -> str:
        """Address of the catalogue that is asked; empty: none is."""
        return self.url if self.kind == "rest" else self.soap_url

    def folder(self, data_dir: Path) -> Path:
        """Return where deliveries are kept."""
        return Path(self.directory) if self.directory else data_dir / "fias"

    def outbound(self) -> Outbound:
        """Return a client that reaches the catalogue and the hosts of files, and nothing else."""
        named = [parse_target(self.address).authority] if self.address else []
        return Outbound(
            allowed_hosts=(*self.hosts, *named),
            allow_private=self.allow_private,
            ca_bundle=self.ca_bundle,
            proxy=self.proxy,
            timeout=ASK_SECONDS,
            max_response_bytes=limits.FIAS_CATALOGUE_BYTES,
        )


def read(given: Mapping[str, Any]) -> Options:
    """Return the options; raise ConfigurationError that names the first which does not fit."""
    return Options(
        kind=choice(given, "kind", KINDS),
        url=str(given.get("url") or ""),
        soap_url=str(given.get("soap_url") or ""),
        soap12=flag(given, "soap12"),
        hosts=words(given, "hosts"),
        allow_private=words(given, "allow_private"),
        ca_bundle=str(given.get("ca_bundle") or ""),
        proxy=str(given.get("proxy") or ""),
        regions=_numbers(given, "regions", REGIONS, '["36", "77"]'),
        extras=_extras(given),
        directory=str(given.get("directory") or ""),
        hours=_numbers(given, "hours", HOURS, "[3]"),
        full=flag(given, "full"),
    )


def _extras(given: Mapping[str, Any]) -> tuple[str, ...]:
    found = words(given, "extras")
    if unknown := sorted(set(found) - set(EXTRAS)):
        raise ConfigurationError(
            "так ничего не догружают · not one of these",
            found=", ".join(unknown),
            expected=", ".join(EXTRAS),
            where=f"{_HOW} extras",
        )
    return found


def _numbers(given: Mapping[str, Any], name: str, fits: range, expected: str) -> tuple[int, ...]:
    """Return a list of numbers, each perhaps as text (`"05"`)."""
    found = given.get(name, ())
    listed = found if isinstance(found, list | tuple) else (found,)
    out = []
    for one in listed:
        text = str(one).strip()
        if isinstance(one, bool) or not (text.isascii() and text.isdigit() and int(text) in fits):
            raise ConfigurationError(
                f"{name}: не подходит · does not fit",
                found=text,
                expected=expected,
                where=f"{_HOW} {name}",
            )
        out.append(int(text))
    return tuple(sorted(set(out)))
