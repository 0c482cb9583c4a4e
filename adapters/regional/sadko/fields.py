"""Takes fields out of a JSON object one by one; what nobody took stays in it, to be kept as extras.

A field that the model holds in another spelling (a day with a time, an identifier as text) is read
and stays in the object too: its own spelling goes back.
"""

from __future__ import annotations

import base64
import binascii
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.regional.sadko.codes import PEER
from gateway import limits
from gateway.errors import GatewayError, MalformedError, TooLargeError, Violation, violations_of
from gateway.jsontext import check_values
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Code, Extra
from gateway.model.fold import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

Fields = dict[str, Any]
_MIDNIGHT: Final = "T00:00:00"
_NAME_CHARS: Final = 2_000
_COUNT: Final = 1_000_000


def parse(body: bytes) -> Any:
    """Return the JSON value; raise MalformedError or TooLargeError."""
    if len(body) > limits.ZIP_MEMBER_BYTES:
        raise TooLargeError(
            "the document is too large",
            found=f"{len(body)} bytes",
            expected=f"{limits.ZIP_MEMBER_BYTES} bytes",
        )
    check_values(body)
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError("not JSON in UTF-8", found=str(error)) from error
    except RecursionError as error:
        raise MalformedError("nested too deep", expected=str(limits.JSON_DEPTH)) from error


def written(document: Fields) -> bytes:
    """Return a document as it leaves."""
    return msgspec.json.encode(document)


class Taker:
    """Reads one message. zone: of its instants. wrong: everything that does not fit, by place."""

    __slots__ = ("wrong", "zone")

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.wrong: list[Violation] = []

    def fault(
        self, path: str, code: str, message: str, found: object = "", expected: str = ""
    ) -> None:
        """Note what does not fit."""
        self.wrong.append(Violation(path, code, message, str(found)[:200], expected))

    def text(self, obj: Fields, name: str, path: str, limit: int = _NAME_CHARS) -> str:
        """A string; an empty one and a null stay where they are."""
        value = obj.get(name)
        if value is None or value == "":
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

    def code(self, obj: Fields, name: str, path: str) -> Code | None:
        """An identifier of a directory: a number on the wire, a code of this system here."""
        value = obj.get(name)
        if type(value) is int:
            del obj[name]
            return Code(system=f"{PEER}.{name}", value=str(value))
        if value is None or value == "":
            return None
        if type(value) is str and len(value) <= limits.ID_CHARS:
            return Code(system=f"{PEER}.{name}", value=self.clean(value, f"{path}/{name}"))
        del obj[name]
        self.fault(f"{path}/{name}", "type", "must be an identifier", value, "number")
        return None

    def count(self, obj: Fields, name: str, path: str) -> int | None:
        """A number of something."""
        value = obj.get(name)
        if value is None:
            return None
        del obj[name]
        if type(value) is not int or not 0 <= value <= _COUNT:
            self.fault(f"{path}/{name}", "range", "must be a count", value, f"0…{_COUNT}")
            return None
        return value

    def day(self, obj: Fields, name: str, path: str) -> date | None:
        """A calendar date, dressed as midnight without a zone."""
        value = obj.get(name)
        if value is None or value == "":
            return None
        try:
            if value[10:] == _MIDNIGHT:
                found = date.fromisoformat(value[:10])
                del obj[name]
            else:
                moment = datetime.fromisoformat(value)
                found = (moment.astimezone(self.zone) if moment.tzinfo else moment).date()
        except (ValueError, TypeError, OverflowError):
            self._undated(obj, name, path, value)
            return None
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
        self._undated(obj, name, path, value)
        return None

    def local(self, obj: Fields, name: str, path: str) -> datetime | None:
        """An instant, written in local time without a zone."""
        value = obj.get(name)
        if value is None or value == "":
            return None
        try:
            found = datetime.fromisoformat(value)
            if found.tzinfo is None:
                found = found.replace(tzinfo=self.zone)
            same = local(found, self.zone) == value
        except (ValueError, TypeError, OverflowError):
            self._undated(obj, name, path, value)
            return None
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            self._undated(obj, name, path, value)
            return None
        if same:
            del obj[name]
        return found

    def part(self, obj: Fields, name: str, path: str) -> Fields | None:
        """An object; None when it is absent or null."""
        value = obj.get(name)
        if value is None:
            return None
        del obj[name]
        if type(value) is dict:
            return value
        self.fault(f"{path}/{name}", "type", "must be an object", type(value).__name__, "object")
        return None

    def parts(self, obj: Fields, name: str, path: str, most: int) -> list[Fields]:
        """A list of objects; an empty one and a null stay where they are."""
        value = obj.get(name)
        if value is None or value == []:
            return []
        del obj[name]
        if type(value) is not list or any(type(item) is not dict for item in value):
            self.fault(f"{path}/{name}", "type", "must be a list of objects", expected="array")
            return []
        if len(value) > most:
            self.fault(f"{path}/{name}", "count", "too many", len(value), str(most))
            return []
        return value

    def content(self, obj: Fields, name: str, path: str) -> bytes:
        """Bytes in base64; line breaks are taken and not kept."""
        value = obj.pop(name, None)
        if type(value) is not str or not value:
            self.fault(f"{path}/{name}", "required", "the file is empty", expected="base64")
            return b""
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            self.fault(f"{path}/{name}", "base64", "not base64", error, "base64")
            return b""

    def extras(
        self, obj: Fields, path: str, below: str = "", names: Iterable[str] | None = None
    ) -> tuple[Extra, ...]:
        """Take what is left, or what is left of these names; below: prefix of the extras' paths."""
        if not obj:
            return ()
        chosen = list(obj) if names is None else [name for name in names if name in obj]
        if len(chosen) > limits.EXTRAS_PER_ENTITY:
            self.fault(path, "count", "too many unknown fields", len(chosen))
            return ()
        found = []
        for name in chosen:
            value = obj.pop(name)
            place = f"{path}/{name}"
            if self._storable(name, place, 0) and self._storable(value, place, 0):
                found.append(Extra(peer=PEER, path=f"{below}/{escape(name)}", value=value))
        return tuple(found)

    def clean(self, value: str, path: str, limit: int = _NAME_CHARS) -> str:
        """Return a text in form C, empty when no text may hold it."""
        try:
            return clean_text(value, path, limit)
        except GatewayError as error:
            self.wrong.extend(violations_of(error))
        return ""

    def _undated(self, obj: Fields, name: str, path: str, value: object) -> None:
        obj.pop(name, None)
        self.fault(f"{path}/{name}", "date", "not a date", value, "yyyy-MM-ddTHH:mm:ss")

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


def escape(name: str) -> str:
    """Return a name as one token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """Return the name that a token of a JSON Pointer stands for."""
    return token.replace("~1", "/").replace("~0", "~")


def put(document: Fields, extras: tuple[Extra, ...]) -> None:
    """Put back what a decoder kept; its spelling stands in place of ours.

    A place below a part that is not there makes the part.
    """
    for extra in extras:
        if extra.peer != PEER:
            continue
        *above, name = map(unescape, extra.path.split("/")[1:])
        place = document
        for step in above:
            place = place.setdefault(step, {})
        place[name] = extra.value


def local(moment: datetime, zone: tzinfo) -> str:
    """Return an instant as the system writes it."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat()


def midnight(day: date) -> str:
    """Return a calendar date as the system writes it."""
    return f"{day.isoformat()}{_MIDNIGHT}"


def number(code: Code | None) -> int | str | None:
    """Return an identifier as it stands on the wire."""
    if code is None:
        return None
    value = code.value
    return int(value) if value.removeprefix("-").isdecimal() and str(int(value)) == value else value
