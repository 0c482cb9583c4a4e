"""Reads one JSON object by taking out what the format knows; what is left are the extras.

Nothing is copied: the object is the one that was just parsed, and it is emptied. An empty value
(null, "", [], {}) stays where it is, so that it comes back as it was.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from math import isfinite
from typing import Any, Final

import msgspec

from adapters.pos.codes import PEER
from gateway import limits
from gateway.errors import GatewayError, MalformedError, ValidationError, Violation
from gateway.jsonfields import escape, unescape
from gateway.jsontext import check_values
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Extra
from gateway.model.fold import clean_text

SHORT: Final = limits.ID_CHARS
NAME: Final = limits.SUBJECT_CHARS
MOST: Final = 2**31 - 1
_DAY_CHARS: Final = len("2026-01-01")


def parse(body: bytes) -> dict[str, Any]:
    """Return the one JSON object in `body`, UTF-8 with or without a mark.

    Raises MalformedError, and TooLargeError for more values than `limits.JSON_VALUES`.
    """
    check_values(body)
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, ValueError) as error:
        raise MalformedError("the item is not JSON in UTF-8", found=str(error)) from error
    except RecursionError as error:
        raise MalformedError(
            "the item is nested too deep", expected=str(limits.JSON_DEPTH)
        ) from error
    if type(value) is not dict:
        raise MalformedError("one item is one JSON object", found=type(value).__name__)
    return value


class Fields:
    """One JSON object that is being emptied. path: its JSON Pointer; wrong: collects faults."""

    __slots__ = ("obj", "path", "wrong")

    def __init__(self, obj: dict[str, Any], path: str, wrong: list[Violation]) -> None:
        self.obj = obj
        self.path = path
        self.wrong = wrong

    def fault(
        self, name: str, code: str, message: str, found: Any = "", expected: str = ""
    ) -> None:
        """Note that something is wrong with a field."""
        path = f"{self.path}/{name}" if name else self.path or "/"
        self.wrong.append(Violation(path, code, message, str(found)[:200], expected))

    def text(self, name: str, limit: int = SHORT, *, required: bool = False) -> str:
        """Take a string, in NFC; empty when absent."""
        value = self.obj.get(name)
        if value is None or value == "":
            if required:
                self.fault(name, "required", "must not be empty")
            return ""
        if type(value) is not str:
            self._mistyped(name, value, "string")
            return ""
        if required and value.isspace():
            self.fault(name, "required", "must not be empty")
            return ""
        if len(value) <= limit and value.isascii() and value.isprintable():
            del self.obj[name]  # nothing in it that a text may not hold, nor another form of it
            return value
        kept = self.clean(name, value, limit)
        if kept == value:
            del self.obj[name]
        return kept

    def flag(self, name: str) -> bool | None:
        """Take a boolean; None when absent."""
        value = self.obj.get(name)
        if value is True or value is False:
            del self.obj[name]
            return bool(value)
        if value is not None:
            self._mistyped(name, value, "boolean")
        return None

    def mark(self, name: str) -> bool:
        """Take a true; a false says nothing that leaving it out would not, and stays."""
        if self.obj.get(name) is True:
            del self.obj[name]
            return True
        value = self.obj.get(name)
        if value is not None and value is not False:
            self._mistyped(name, value, "boolean")
        return False

    def whole(self, name: str, least: int = 0, most: int = MOST) -> int | None:
        """Take a whole number within bounds; None when absent."""
        value = self.obj.get(name)
        if value is None:
            return None
        if type(value) is not int:
            self._mistyped(name, value, "integer")
            return None
        if not least <= value <= most:
            self.fault(name, "range", "out of range", value, f"{least}…{most}")
            return None
        del self.obj[name]
        return value

    def degrees(self, name: str, most: float) -> float | None:
        """Take an angle in degrees; None when absent."""
        value = self.obj.get(name)
        if value is None:
            return None
        if type(value) not in (float, int):
            self._mistyped(name, value, "number")
            return None
        if not -most <= value <= most:
            self.fault(name, "range", "no such angle", value, f"±{most:g}°")
            return None
        del self.obj[name]
        number: float = value
        return number

    def day(self, name: str) -> date | None:
        """Take a calendar day `YYYY-MM-DD`; None when absent."""
        value = self.obj.get(name)
        if value is None or value == "":
            return None
        try:
            if type(value) is str and len(value) == _DAY_CHARS and value[4] == "-":
                found = date.fromisoformat(value)
                if found.isoformat() == value and FIRST_YEAR <= found.year <= LAST_YEAR:
                    del self.obj[name]
                    return found
        except ValueError:
            pass
        self.fault(name, "date", "not a calendar day", value, "YYYY-MM-DD")
        return None

    def instant(self, name: str, *, required: bool = False) -> datetime | None:
        """Take an instant with its offset; a spelling that is not Python's stays, to come back."""
        value = self.obj.get(name)
        if value is None or value == "":
            if required:
                self.fault(name, "required", "must not be empty")
            return None
        try:
            if type(value) is str:
                found = datetime.fromisoformat(value)
                if found.tzinfo is not None and FIRST_YEAR <= found.year <= LAST_YEAR:
                    if found.isoformat() == value:
                        del self.obj[name]
                    return found
        except ValueError:
            pass
        self.fault(name, "date_time", "not an instant with its offset", value, "ISO 8601")
        return None

    def part(self, name: str, *, required: bool = False) -> Fields | None:
        """Return an object of its own, None when absent or empty; `left` puts its rest back."""
        value = self.obj.get(name)
        if value is None and not required:
            return None
        if not value:
            if value not in (None, {}):
                self._mistyped(name, value, "object")
            elif required:
                self.fault(name, "required", "must be given", expected="object")
            return None
        if type(value) is not dict:
            self._mistyped(name, value, "object")
            return None
        return Fields(value, f"{self.path}/{name}", self.wrong)

    def drop(self, name: str) -> None:
        """Take out an object of which nothing is left, or whose rest was taken care of."""
        if not self.obj.get(name, True):
            del self.obj[name]

    def parts(self, name: str, most: int) -> list[Any]:
        """Take an array; empty when absent."""
        value = self.obj.get(name)
        if not value:
            if value not in (None, []):
                self._mistyped(name, value, "array")
            return []
        if type(value) is not list:
            self._mistyped(name, value, "array")
            return []
        if len(value) > most:
            self.fault(name, "count", "too many", len(value), f"at most {most}")
            return []
        del self.obj[name]
        return value

    def rest(self) -> tuple[Extra, ...]:
        """What is left, verbatim, by JSON Pointer below this object."""
        left = self.obj
        if not left:
            return ()
        if len(left) > limits.EXTRAS_PER_ENTITY:
            self.fault("", "count", "too many unknown fields", len(left))
            return ()
        return tuple(
            [
                Extra(peer=PEER, path=f"/{escape(name)}", value=value)
                for name, value in left.items()
                if self._storable(name, name) and self._storable(name, value)
            ]
        )

    def storable(self) -> bool:
        """Whether the object as it is left can be kept whole; notes faults where it cannot."""
        return self._storable("", self.obj)

    def clean(self, name: str, value: str, limit: int) -> str:
        """Return a text in NFC; empty, and a fault noted, for one that cannot be stored."""
        try:
            return clean_text(value, f"{self.path}/{name}", limit)
        except ValidationError as error:
            self.wrong.extend(error.violations)
        except GatewayError as error:
            self.fault(name, error.code, error.message, error.found, error.expected)
        return ""

    def _mistyped(self, name: str, value: Any, expected: str) -> None:
        self.fault(name, "type", f"must be of type {expected}", type(value).__name__, expected)

    def _storable(self, name: str, value: Any, depth: int = 0) -> bool:
        if value is None or value is True or value is False or type(value) is int:
            return True
        if depth > limits.JSON_DEPTH:
            self.fault(name, "depth", "nested too deep", expected=str(limits.JSON_DEPTH))
            return False
        match value:
            case str():
                before = len(self.wrong)
                self.clean(name, value, limits.TEXT_CHARS)
                return len(self.wrong) == before
            case dict():
                return all(
                    self._storable(name, k, depth + 1) and self._storable(name, v, depth + 1)
                    for k, v in value.items()
                )
            case list():
                return all(self._storable(name, v, depth + 1) for v in value)
            case float() if not isfinite(value):
                self.fault(name, "range", "not a number that can be written", value)
                return False
        return True


def put_back(obj: dict[str, Any], extras: tuple[Extra, ...]) -> None:
    """Write extras of one entity back; an extra is a field's own spelling and wins.

    `/name`: a field; what is left of an inner object joins what was made of it. `/name/1`: an item
    of a list, put in at its place. `/name/1/other`: a field of such an item.
    """
    own = [(e.path[1:].split("/"), e.value) for e in extras if e.peer == PEER]
    for steps, value in sorted(own, key=_depth):
        node: Any = obj
        for step, following in pairwise(steps):
            if isinstance(node, list):
                node = node[int(step)]
            else:
                node = node.setdefault(unescape(step), [] if following.isdecimal() else {})
        if isinstance(node, list):
            node.insert(int(steps[-1]), value)
        else:
            _join(node, unescape(steps[-1]), value)


def _depth(extra: tuple[list[str], Any]) -> int:
    return len(extra[0])


def _join(obj: dict[str, Any], name: str, value: Any) -> None:
    there = obj.get(name)
    if isinstance(there, dict) and isinstance(value, dict):
        for inner, told in value.items():
            _join(there, inner, told)
    else:
        obj[name] = value
