"""Values of GeoReport v2 as the model has them, and back in the one spelling that we write.

A value that the model would not give back as it was spelt is kept beside it as an extra.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from gateway import limits
from gateway.errors import GatewayError, ValidationError, Violation
from gateway.model.base import FIRST_YEAR, LAST_YEAR
from gateway.model.fold import clean_text

NAME_CHARS: Final = 2_000
_DECIMAL: Final = frozenset("0123456789.+-")
_INTS: Final = 2**63
_HIGHEST: Final = {"lat": 90.0, "long": 180.0}


def text(value: str, path: str, limit: int, wrong: list[Violation]) -> str:
    """Return a text in NFC, or note what is wrong with it."""
    try:
        return clean_text(value, path, limit)
    except GatewayError as error:
        note(error, path, wrong)
    return ""


def note(error: GatewayError, path: str, wrong: list[Violation]) -> None:
    """Note what keeps a text from being taken."""
    if isinstance(error, ValidationError):
        wrong.extend(v._replace(path=path) for v in error.violations)
    else:
        wrong.append(Violation(path, "length", error.message, error.found, error.expected))


def degrees(value: Any, name: str, path: str, wrong: list[Violation]) -> float | None:
    """Return a latitude or longitude, WGS 84; a number, or a decimal fraction as text."""
    most = _HIGHEST[name]
    if isinstance(value, str):
        try:
            number = float(value) if value and _DECIMAL.issuperset(value) else None
        except ValueError:
            number = None
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        number = float(value) if is_number and abs(value) <= most else None
    if number is None or not -most <= number <= most:
        message = "не градусы WGS 84 · not degrees of WGS 84"
        wrong.append(Violation(path, "range", message, str(value)[:200], f"-{most:g}…{most:g}"))
        return None
    return number


def written_degrees(value: float) -> str:
    """Return degrees as XML and forms have them."""
    return repr(value).removesuffix(".0")


def moment(value: Any, path: str, wrong: list[Violation]) -> datetime | None:
    """Return an instant of W3C's profile of ISO 8601: with its offset, of a year that counts."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    offset = found.utcoffset() if found is not None else None
    if found is None or offset is None or offset.seconds % 60 or offset.microseconds:
        message = "не момент времени со смещением · not an instant with its offset"
        expected = "2026-01-31T09:00:00+03:00"
        wrong.append(Violation(path, "date_time", message, str(value)[:200], expected))
        return None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        years = f"{FIRST_YEAR}…{LAST_YEAR}"
        wrong.append(Violation(path, "range", "год вне границ · no such year", value[:200], years))
        return None
    return found


def written_moment(value: datetime) -> str:
    """Return an instant as the specification shows it."""
    return value.isoformat().replace("+00:00", "Z")


def is_plain(value: str) -> bool:
    """Whether a text that is an instant is spelt as `written_moment` would; looked at, not made."""
    if value[7:8] != "-" or value[10:11] != "T" or value[13:14] != ":" or value[16:17] != ":":
        return False
    if len(value) == len("2026-01-31T09:00:00Z"):
        return value[19] == "Z"
    return (
        len(value) == len("2026-01-31T09:00:00+03:00")
        and value[22] == ":"
        and not value.endswith("00:00")
    )


def storable(value: Any, path: str, wrong: list[Violation], depth: int = 0) -> bool:
    """Whether a value of any shape can be kept as an extra; note why not."""
    before = len(wrong)
    if isinstance(value, str):
        text(value, path, limits.TEXT_CHARS, wrong)
    elif depth > limits.JSON_DEPTH:
        wrong.append(Violation(path, "depth", "слишком глубоко · nested too deep"))
    elif isinstance(value, dict):
        for name, inner in value.items():
            text(name, path, NAME_CHARS, wrong)
            storable(inner, path, wrong, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            storable(inner, path, wrong, depth + 1)
    elif isinstance(value, int) and not -_INTS <= value < _INTS:
        wrong.append(Violation(path, "range", "слишком большое число · too large a number"))
    return len(wrong) == before
