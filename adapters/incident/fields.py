"""Takes fields out of a JSON object one by one; what nobody took stays in it, to be kept as extras.

A field that the model holds in another spelling (an instant in another form, a text that is not in
form C) is read and stays in the object too: its own spelling goes back.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.incident.codes import PEER
from gateway import limits
from gateway.errors import GatewayError, MalformedError, Violation, violations_of
from gateway.jsontext import check_values
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Extra
from gateway.model.fold import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping

Fields = dict[str, Any]
NAME_CHARS: Final = 2_000
_MOST: Final = 10_000_000_000


def parse(body: bytes) -> Fields:
    """Return the JSON object; raise MalformedError or TooLargeError."""
    check_values(body)
    try:
        found = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError("not JSON in UTF-8", found=str(error)) from error
    except RecursionError as error:
        raise MalformedError("nested too deep", expected=str(limits.JSON_DEPTH)) from error
    if type(found) is not dict:
        raise MalformedError("not a message of the feed", expected="an object")
    return found


class Taker:
    """Reads one message; wrong: everything that does not fit, by place."""

    __slots__ = ("wrong",)

    def __init__(self) -> None:
        self.wrong: list[Violation] = []

    def fault(
        self, path: str, code: str, message: str, found: object = "", expected: str = ""
    ) -> None:
        """Note what does not fit."""
        self.wrong.append(Violation(path, code, message, str(found)[:200], expected))

    def text(
        self,
        obj: Fields,
        name: str,
        path: str = "",
        limit: int = NAME_CHARS,
        *,
        required: bool = False,
    ) -> str:
        """A string; an empty one and a null stay where they are."""
        value = obj.get(name)
        if value is None or value == "":
            if required:
                self.fault(f"{path}/{name}", "required", "must not be empty")
            return ""
        del obj[name]
        if type(value) is not str:
            self.fault(f"{path}/{name}", "type", "must be a string", value, "string")
            return ""
        try:
            kept = clean_text(value, "", limit)
        except GatewayError:
            return self.clean(value, f"{path}/{name}", limit)  # notes why, by its place
        if kept is not value:
            obj[name] = value
        return kept

    def count(self, obj: Fields, name: str, path: str = "", least: int = 0) -> int | None:
        """A number of something."""
        value = obj.get(name)
        if value is None:
            return None
        del obj[name]
        if type(value) is not int or not least <= value <= _MOST:
            self.fault(f"{path}/{name}", "range", "must be a count", value, f"from {least}")
            return None
        return value

    def degrees(self, obj: Fields, name: str, path: str, most: float) -> float | None:
        """A coordinate in degrees, WGS 84."""
        value = obj.get(name)
        if value is None:
            return None
        del obj[name]
        if type(value) not in (int, float) or not -most <= value <= most:
            self.fault(f"{path}/{name}", "range", "must be degrees", value, f"-{most:g}…{most:g}")
            return None
        if type(value) is int:
            obj[name] = value
        return float(value)

    def moment(self, obj: Fields, name: str) -> datetime | None:
        """An instant with its offset."""
        value = obj.get(name)
        if value is None or value == "":
            self.fault(f"/{name}", "required", "must not be empty")
            return None
        del obj[name]
        found = _instant(value)
        if found is None:
            self.fault(f"/{name}", "date_time", "not an instant with its offset", value,
                       "ISO 8601 …+03:00")  # fmt: skip
        elif written(found) != value:
            obj[name] = value
        return found

    def part(self, obj: Fields, name: str) -> Fields:
        """An object; an absent one, a null and an empty one stay where they are."""
        value = obj.get(name)
        if not value:
            return {}
        del obj[name]
        if type(value) is dict:
            return value
        self.fault(f"/{name}", "type", "must be an object", type(value).__name__, "object")
        return {}

    def words(self, obj: Fields, name: str, most: int) -> tuple[str, ...]:
        """A list of strings; an empty one and a null stay where they are."""
        value = obj.get(name)
        if value is None or value == []:
            return ()
        del obj[name]
        if type(value) is not list or not all(type(word) is str and word for word in value):
            self.fault(f"/{name}", "type", "must be a list of words", expected="array of strings")
            return ()
        if len(value) > most:
            self.fault(f"/{name}", "count", "too many", len(value), str(most))
            return ()
        kept = tuple([self.clean(word, f"/{name}/{n}", NAME_CHARS) for n, word in enumerate(value)])
        if list(kept) != value:
            obj[name] = value
        return kept

    def parts(self, obj: Fields, name: str, most: int) -> list[Fields]:
        """A list of objects; an empty one and a null stay where they are."""
        value = obj.get(name)
        if value is None or value == []:
            return []
        del obj[name]
        if type(value) is not list or any(type(item) is not dict for item in value):
            self.fault(f"/{name}", "type", "must be a list of objects", expected="array")
            return []
        if len(value) > most:
            self.fault(f"/{name}", "count", "too many", len(value), str(most))
            return []
        return value

    def content(self, obj: Fields, name: str, path: str) -> bytes | None:
        """Bytes in base64, None when there are none; line breaks are taken and not kept."""
        value = obj.get(name)
        if value is None:
            return None
        del obj[name]
        try:
            if type(value) is str and value:
                return base64.b64decode("".join(value.split()), validate=True)
            reason = "the file is empty"
        except (binascii.Error, ValueError) as error:
            reason = str(error)
        self.fault(f"{path}/{name}", "base64", "not base64", reason, "base64")
        return None

    def extras(self, obj: Fields, path: str = "") -> tuple[Extra, ...]:
        """Take what is left, by its place below the entity."""
        if not obj:
            return ()
        if len(obj) > limits.EXTRAS_PER_ENTITY:
            self.fault(path, "count", "too many unknown fields", len(obj))
            return ()
        found = []
        for name, value in obj.items():
            place = f"{path}/{name}"
            if self._storable(name, place, 0) and self._storable(value, place, 0):
                found.append(Extra(peer=PEER, path=f"/{escape(name)}", value=value))
        return tuple(found)

    def clean(self, value: str, path: str, limit: int) -> str:
        """Return a text in form C, empty when no text may hold it."""
        try:
            return clean_text(value, path, limit)
        except GatewayError as error:
            self.wrong.extend(violations_of(error))
        return ""

    def _storable(self, value: Any, path: str, depth: int) -> bool:
        kind = type(value)
        if kind is str:
            if value.isascii() and value.isprintable() and len(value) <= limits.TEXT_CHARS:
                return True
            before = len(self.wrong)
            self.clean(value, path, limits.TEXT_CHARS)
            return len(self.wrong) == before
        if kind is dict or kind is list:
            if depth > limits.JSON_DEPTH:
                self.fault(path, "depth", "nested too deep", expected=str(limits.JSON_DEPTH))
                return False
            inner = [*value, *value.values()] if kind is dict else value
            return all(self._storable(item, path, depth + 1) for item in inner)
        return True


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo and FIRST_YEAR <= found.year <= LAST_YEAR else None


def written(moment: datetime) -> str:
    """Return an instant as the profile writes it."""
    return moment.isoformat()


def escape(name: str) -> str:
    """Return a name as one token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def put(obj: Fields, extras: tuple[Extra, ...]) -> Fields:
    """Put back what a decoder kept; its spelling stands in place of ours."""
    for extra in extras:
        if extra.peer == PEER:
            obj[extra.path[1:].replace("~1", "/").replace("~0", "~")] = extra.value
    return obj


def told(values: Mapping[str, Any]) -> Fields:
    """Return the fields that say something."""
    nothing: tuple[Any, ...] = ("", None, [], {})
    return {name: value for name, value in values.items() if value not in nothing}
