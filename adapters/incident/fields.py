"""What a message of the feed has beside the fields of any JSON object (gateway.jsonfields)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.incident.codes import PEER
from gateway import jsonfields
from gateway.errors import MalformedError
from gateway.jsonfields import NAME_CHARS, Fields, unescape
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Extra

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse(body: bytes) -> Fields:
    """Return the JSON object; raise MalformedError or TooLargeError."""
    found = jsonfields.parse(body)
    if type(found) is not dict:
        raise MalformedError("not a message of the feed", expected="an object")
    return found


class Taker(jsonfields.Taker):
    """Reads one message."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(PEER)

    def part(self, obj: Fields, name: str, path: str = "") -> Fields | None:
        """An object; an empty one stays where it is, too."""
        return super().part(obj, name, path) if obj.get(name) else None

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


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo and FIRST_YEAR <= found.year <= LAST_YEAR else None


def written(moment: datetime) -> str:
    """Return an instant as the profile writes it."""
    return moment.isoformat()


def put(obj: Fields, extras: tuple[Extra, ...]) -> Fields:
    """Put back what a decoder kept; its spelling stands in place of ours."""
    for extra in extras:
        if extra.peer == PEER:
            obj[unescape(extra.path[1:])] = extra.value
    return obj


def told(values: Mapping[str, Any]) -> Fields:
    """Return the fields that say something."""
    nothing: tuple[Any, ...] = ("", None, [], {})
    return {name: value for name, value in values.items() if value not in nothing}
