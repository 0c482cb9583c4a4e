"""Takes values out of a card one by one; what nobody took, or what is spelt oddly, is kept."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from adapters.sed.codes import IDS, NS, PEER
from gateway.model.base import FIRST_YEAR, LAST_YEAR, Extra
from gateway.model.organisation import Officer, Organisation, OrganisationId

ROOT: Final = "communication"

if TYPE_CHECKING:
    from adapters.sed.tree import Card

_DAY_CHARS: Final = 10
_NUMBER_DIGITS: Final = 9


class Reader:
    """The values of a card that are left, by place.

    zone: of instants without an offset, which is how most systems write them. whole: what the card
    holds, taken or not.
    """

    def __init__(self, card: Card, zone: dt.tzinfo) -> None:
        self.whole = card.values
        self._values = dict(card.values)
        self._odd: dict[str, str] = {}
        self._under: dict[str, list[str]] = {}
        for place in self._values:
            cut = place.rfind("/")
            while cut > 0:
                self._under.setdefault(place[:cut], []).append(place)
                cut = place.rfind("/", 0, cut)
        self.zone = zone
        if card.plain:
            self._odd["#plain"] = "true"
        if card.namespace != NS:
            self._odd["#namespace"] = card.namespace
        if card.root != ROOT:
            self._odd["#root"] = card.root
        if card.note:
            self._odd["#encoding"] = card.note

    def has(self, place: str) -> bool:
        """Whether the card has an element at a place."""
        return place in self._under or place in self._values

    def peek(self, place: str) -> str:
        """Return a value without taking it."""
        return self._values.get(place, "").strip()

    def text(self, place: str) -> str:
        """Take a text; an empty one, and one with white space around it, is kept as it was too."""
        raw = self._values.pop(place, None)
        if raw is None:
            return ""
        found = raw.strip()
        if found != raw or not found:
            self._odd[place] = raw
        return found

    def day(self, place: str) -> dt.date | None:
        """Take a day; None, and kept as it was, when it is none."""
        raw = self._values.get(place, "")
        if len(raw) == _DAY_CHARS:
            try:
                found = dt.date.fromisoformat(raw)
            except ValueError:
                return None
            if FIRST_YEAR <= found.year <= LAST_YEAR:
                del self._values[place]
                return found
        return None

    def number(self, place: str) -> int | None:
        """Take a count of pages; `01` is 1, and kept as it was too."""
        raw = self._values.get(place, "")
        digits = raw.strip()
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _NUMBER_DIGITS):
            return None
        found = int(digits)
        if str(found) == raw:
            del self._values[place]
        return found

    def moment(self, place: str, *, keep: bool = False) -> dt.datetime | None:
        """Take an instant; one that we would write otherwise is kept as it was too.

        keep: leave it where it is in any case.
        """
        raw = self._values.get(place, "")
        try:
            found = dt.datetime.fromisoformat(raw.strip())
        except ValueError:
            return None
        if not FIRST_YEAR < found.year < LAST_YEAR:
            return None
        if found.tzinfo is None:
            found = found.replace(tzinfo=self.zone)
        try:
            same = local(found, self.zone) == raw
            found.astimezone(dt.UTC)
        except (OverflowError, ValueError):
            return None
        if same and not keep:
            del self._values[place]
        return found

    def officer(self, place: str) -> Officer:
        """Take somebody in office, as far as the model has places; the rest stays with them."""
        name = self.text(f"{place}/organization")
        person = self.text(f"{place}/person")
        return Officer(
            organisation=Organisation(full_name=name) if name else None,
            name=person,
            post=self.text(f"{place}/post"),
        )

    def source(self) -> Organisation | None:
        """Take the sender of the message."""
        uid = self.text("header/source/@uid")
        name = self.text("header/source/organization")
        if not (uid or name):
            return None
        ids = (OrganisationId(system=IDS, value=uid),) if uid else ()
        return Organisation(full_name=name, ids=ids)

    def places(self, place: str) -> list[str]:
        """Return the places of all elements of one name, in their order."""
        found = [place] if self.has(place) else []
        while found and self.has(at := f"{place}[{len(found)}]"):
            found.append(at)
        return found

    def around(self, place: str, name: str) -> str:
        """Return the child of a place that has a child of this name, whatever it is called."""
        found = (v for v in self._under.get(place, ()) if v.count("/") == place.count("/") + 2)
        return next((v[: -len(name) - 1] for v in found if v.endswith(f"/{name}")), place)

    def odd(self) -> tuple[Extra, ...]:
        """Return marks of how the document as a whole was written."""
        marks = (v for v in self._odd.items() if v[0].startswith("#"))
        return tuple(Extra(peer=PEER, path=v, value=value) for v, value in marks)

    def extras(self, place: str = "") -> tuple[Extra, ...]:
        """Take everything that is left at a place and under it, and what was spelt oddly there.

        Without a place: of the whole card.
        """
        if not place:
            left = {**self._odd, **self._values}
            self._odd, self._values = {}, {}
            return tuple(Extra(peer=PEER, path=v, value=value) for v, value in left.items())
        out = []
        for v in (place, *self._under.get(place, ())):
            value = self._odd.pop(v, None)
            value = self._values.pop(v, None) if value is None else value
            if value is not None:
                out.append(Extra(peer=PEER, path=v, value=value))
        return tuple(out)


def local(moment: dt.datetime, zone: dt.tzinfo) -> str:
    """Return an instant as the users of the schema write it: local, without an offset."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat()
