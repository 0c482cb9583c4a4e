"""Reads one JSON object field by field, noting every fault and keeping what nobody asked for."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.sstu.codes import PEER
from gateway import limits
from gateway.errors import GatewayError, MalformedError, ValidationError, Violation
from gateway.jsonfields import escape, unescape
from gateway.jsontext import check_values
from gateway.model.base import Extra, day
from gateway.model.fold import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

_NAME_CHARS = 2_000


def parse(body: bytes, what: str) -> Any:
    """Return the JSON value in `body`, UTF-8 with or without a mark.

    Raises MalformedError, and TooLargeError for more values than `limits.JSON_VALUES`.
    """
    check_values(body)
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise MalformedError(f"{what} is not JSON in UTF-8", found=str(e)) from e
    except RecursionError as e:
        raise MalformedError(f"{what} is nested too deep", expected=str(limits.JSON_DEPTH)) from e


@lru_cache(maxsize=4_096)
def _day(text: str) -> date | None:
    """The day of a text, None for what is none; the same days stand in most documents."""
    try:
        return day(text)
    except ValidationError:
        return None


class Fields:
    """One JSON object. Each reader takes a field and notes in `wrong` what does not fit.

    known: the names of the format; a name whose first letter alone is a capital is taken for them
    (one client writes `Name`, `Questions`). path: JSON Pointer of the object. A null is an absent
    field, as the format's writers leave nulls out.
    """

    def __init__(
        self, obj: Mapping[str, Any], known: Collection[str], path: str, wrong: list[Violation]
    ) -> None:
        self.path = path
        self.wrong = wrong
        values: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, value in obj.items():
            if value is None:
                continue
            if name in known:
                values[name] = value
                continue
            lower = name[:1].lower() + name[1:]
            if lower in known and obj.get(lower) is None:
                values[lower] = value
            else:
                rest[name] = value
        self._values = values
        self._rest = rest

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def fault(
        self, name: str, code: str, message: str, found: Any = "", expected: str = ""
    ) -> None:
        """Note that something is wrong with a field."""
        self.wrong.append(
            Violation(f"{self.path}/{name}", code, message, str(found)[:200], expected)
        )

    def text(self, name: str, limit: int = _NAME_CHARS, *, required: bool = False) -> str:
        """A string, in NFC, spelling and spaces kept; empty when absent."""
        value = self._values.get(name, "")
        if not isinstance(value, str):
            self.fault(name, "type", "must be a string", value, "string")
            return ""
        if required and not value.strip():
            self.fault(name, "required", "must not be empty")
        if not value or (len(value) <= limit and value.isascii() and value.isprintable()):
            return value
        return self._clean(name, value, limit)

    def flag(self, name: str) -> bool | None:
        """A boolean; None when absent."""
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.fault(name, "type", "must be true or false", value, "boolean")
        return None

    def day(self, name: str) -> date | None:
        """A calendar date `YYYY-MM-DD`; None when absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and (known := _day(value)):
            return known
        try:
            return day(value, f"{self.path}/{name}")
        except ValidationError as e:
            self.wrong.extend(e.violations)
            return None

    def part(self, name: str) -> Mapping[str, Any] | None:
        """An object; None when absent."""
        value = self._values.get(name)
        if value is None or isinstance(value, dict):
            return value
        self.fault(name, "type", "must be an object", type(value).__name__, "object")
        return None

    def parts(self, name: str) -> list[Any]:
        """An array; empty when absent."""
        value = self._values.get(name, [])
        if isinstance(value, list):
            return value
        self.fault(name, "type", "must be an array", type(value).__name__, "array")
        return []

    def content(self, name: str) -> bytes:
        """Bytes written in base64, line breaks allowed; empty when absent."""
        value = self._values.get(name, "")
        if not isinstance(value, str) or not value:
            self.fault(name, "required", "the file is empty", expected="base64")
            return b""
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError) as e:
            self.fault(name, "base64", "not base64", str(e), "base64")
            return b""

    def rest(self) -> tuple[Extra, ...]:
        """What the format does not know, verbatim, by JSON Pointer below this object."""
        if not self._rest:
            return ()
        if len(self._rest) > limits.EXTRAS_PER_ENTITY:
            self.fault("", "count", "too many unknown fields", len(self._rest))
            return ()
        return tuple(
            Extra(peer=PEER, path=f"/{escape(self._clean(name, name, _NAME_CHARS))}", value=value)
            for name, value in self._rest.items()
            if self._storable(name, value)
        )

    def _clean(self, name: str, value: str, limit: int) -> str:
        try:
            return clean_text(value, f"{self.path}/{name}", limit)
        except ValidationError as e:
            self.wrong.extend(e.violations)
        except GatewayError as e:
            self.fault(name, e.code, e.message, e.found, e.expected)
        return ""

    def _storable(self, name: str, value: Any, depth: int = 0) -> bool:
        if depth > limits.JSON_DEPTH:
            self.fault(name, "depth", "nested too deep", expected=str(limits.JSON_DEPTH))
            return False
        match value:
            case str():
                before = len(self.wrong)
                self._clean(name, value, limits.TEXT_CHARS)
                return len(self.wrong) == before
            case dict():
                return all(
                    self._storable(name, k) and self._storable(name, v, depth + 1)
                    for k, v in value.items()
                )
            case list():
                return all(self._storable(name, v, depth + 1) for v in value)
        return True


def put_back(obj: dict[str, Any], extras: tuple[Extra, ...]) -> None:
    """Add to an outgoing object what its decoder kept; a mapped field is never overwritten."""
    for extra in extras:
        name = unescape(extra.path.removeprefix("/"))
        if extra.peer == PEER and extra.path.count("/") == 1 and name not in obj:
            obj[name] = extra.value
