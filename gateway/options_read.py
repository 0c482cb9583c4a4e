"""What an adapter reads out of its peer's options: one value, or an error that names the option.

`gateway.options` judges types by the manifest before; a row of an earlier version may still say a
number as text.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound=str)
ZONE: Final = "Europe/Moscow"


def number(
    options: Mapping[str, Any], name: str, default: float, *, least: float = 1, most: float = inf
) -> float:
    """Return a finite number from `least` to `most`; raise ConfigurationError."""
    given = options.get(name, default)
    try:
        found = float("nan") if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        found = float("nan")
    if not (least <= found <= most and found < inf):
        raise ConfigurationError(
            f"{name}: число не подходит · the number does not fit",
            found=str(given),
            expected=f"{least:g} … {most:g}" if most < inf else f"от · from {least:g}",
            where=f"options.{name}",
        )
    return found


def choice(options: Mapping[str, Any], name: str, words: tuple[T, ...]) -> T:
    """Return one of the words, the first of them when nothing is said; raise ConfigurationError."""
    found: T = options.get(name, words[0])
    if found not in words:
        raise ConfigurationError(
            f"{name}: нет такого выбора · no such choice",
            found=str(found),
            expected=", ".join(words),
            where=f"options.{name}",
        )
    return found


def flag(options: Mapping[str, Any], name: str) -> bool:
    """Return true or false, false when nothing is said; raise ConfigurationError."""
    found = options.get(name, False)
    if not isinstance(found, bool):
        raise ConfigurationError(
            f"{name}: да или нет · true or false",
            found=str(found),
            expected="true | false",
            where=f"options.{name}",
        )
    return found


def words(options: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of words, empty when nothing is said; raise ConfigurationError."""
    found = options.get(name, ())
    if not isinstance(found, list | tuple) or not all(isinstance(word, str) for word in found):
        raise ConfigurationError(
            f"{name}: это не список слов · this is no list of words",
            found=str(found),
            expected='["…", "…"]',
            where=f"options.{name}",
        )
    return tuple(found)


def zone(options: Mapping[str, Any], name: str = "zone", default: str = ZONE) -> ZoneInfo:
    """Return a time zone by its name in the IANA database; raise ConfigurationError."""
    said = str(options.get(name) or default)
    try:
        return ZoneInfo(said)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{name}: нет такого пояса · no such time zone",
            found=said,
            expected=ZONE,
            where=f"options.{name}",
        ) from error
