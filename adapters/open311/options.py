"""The face's options, read once; a mistake in them stops the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.appeal import Regime

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS = 90
MOST = 1_000
"""Of a list of requests, by the specification."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest's `[options]` say, typed."""

    jurisdictions: tuple[str, ...] = ()
    reading: bool = False
    read_days: int = DAYS
    read_most: int = MOST
    media_hosts: tuple[str, ...] = ()
    media_most: int = 10
    regime: Regime = Regime.MESSAGE
    address_id_is_fias: bool = False
    request_id: str = "client_request_id"
    format: Literal["json", "xml"] = "json"
    contact: str = ""
    key_service: str = ""
    public_url: str = ""
    zone: ZoneInfo = ZoneInfo("Europe/Moscow")


def read(table: Mapping[str, Any]) -> Options:
    """Return the options; raise ConfigurationError naming the one that is wrong."""
    given = {name: table[name] for name in Options.__struct_fields__ if name in table}
    zone = str(given.pop("zone", "Europe/Moscow"))
    try:
        found = msgspec.convert(given, Options)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            "неверная настройка open311 · a wrong option of open311",
            found=str(error),
            where="options",
        ) from error
    for name, most in (("read_days", DAYS), ("read_most", MOST), ("media_most", 50)):
        if not 1 <= getattr(found, name) <= most:
            raise ConfigurationError(
                "неверная настройка open311 · a wrong option of open311",
                found=str(getattr(found, name)),
                expected=f"1…{most}",
                where=f"options.{name}",
            )
    try:
        return msgspec.structs.replace(found, zone=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError("no such time zone", found=zone, where="options.zone") from error
