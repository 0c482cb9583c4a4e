"""Takes fields out of a JSON object one by one; what nobody took stays in it, to be kept as extras.

A field that the model holds in another spelling (an instant in another form, a text that is not in
form C) is read and stays in the object too: its own spelling goes back.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway import limits
from gateway.errors import GatewayError, MalformedError, TooLargeError, Violation, violations_of
from gateway.jsontext import check_values
from gateway.model.base import Extra
from gateway.model.fold import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable

Fields = dict[str, Any]
NAME_CHARS: Final = 2_000
MOST: Final = 10_000_000_000


def parse(body: bytes) -> Any:
    """Return the JSON value, UTF-8 with or without a mark; raise MalformedError, TooLargeError."""
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


def called(value: object) -> str:
    """Return what an object says is its id, to name it in a refusal; empty for what is no id."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if len(text) <= limits.ID_CHARS and text.isprintable() else ""


class Taker:
    """Reads one message of a peer. wrong: everything that does not fit, by place."""

    __slots__ = ("peer", "wrong")

    def __init__(self, peer: str) -> None:
        self.peer = peer
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

    def count(
        self, obj: Fields, name: str, path: str = "", least: int = 0, most: int = MOST
    ) -> int | None:
        """A number of something."""
        value = obj.get(name)
        if value is None:
            return None
        del obj[name]
        if type(value) is not int or not least <= value <= most:
            self.fault(f"{path}/{name}", "range", "must be a count", value, f"{least}…{most}")
            return None
        return value

    def part(self, obj: Fields, name: str, path: str = "") -> Fields | None:
        """An object; None when it is absent or null, and then it stays where it is."""
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

    def content(self, obj: Fields, name: str, path: str) -> bytes | None:
        """Bytes in base64, None when there are none; line breaks are taken and not kept."""
        value = obj.get(name)
        if value is None:
            return None
        del obj[name]
        if type(value) is not str or not value:
            self.fault(f"{path}/{name}", "required", "the file is empty", expected="base64")
            return None
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            self.fault(f"{path}/{name}", "base64", "not base64", error, "base64")
            return None

    def extras(
        self, obj: Fields, path: str = "", below: str = "", names: Iterable[str] | None = None
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
                found.append(Extra(peer=self.peer, path=f"{below}/{escape(name)}", value=value))
        return tuple(found)

    def clean(self, value: str, path: str, limit: int = NAME_CHARS) -> str:
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


def escape(name: str) -> str:
    """Return a name as one token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1") if "/" in name or "~" in name else name


def unescape(token: str) -> str:
    """Return the name that a token of a JSON Pointer stands for."""
    return token.replace("~1", "/").replace("~0", "~")
