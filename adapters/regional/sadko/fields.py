"""What a document of САДКО.ОГ has beside the fields of any JSON object (gateway.jsonfields).

A field that the model holds in another spelling (a day with a time, an identifier as text) is read
and stays in the object too: its own spelling goes back.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from adapters.regional.sadko.codes import PEER
from gateway import jsonfields, limits
from gateway.jsonfields import Fields, unescape
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Code, Extra

if TYPE_CHECKING:
    from datetime import tzinfo

_MIDNIGHT: Final = "T00:00:00"


def written(document: Fields) -> bytes:
    """Return a document as it leaves."""
    return msgspec.json.encode(document)


class Taker(jsonfields.Taker):
    """Reads one message. zone: of its instants."""

    __slots__ = ("zone",)

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(PEER)
        self.zone = zone

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

    def _undated(self, obj: Fields, name: str, path: str, value: object) -> None:
        obj.pop(name, None)
        self.fault(f"{path}/{name}", "date", "not a date", value, "yyyy-MM-ddTHH:mm:ss")


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
