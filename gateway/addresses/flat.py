"""An address as one row of text fields, the way registers of organisations keep it.

The rules, those of the public set of split addresses (geonorm):

- Names stand without types, types are whole words; a field that the text does not name is empty.
- A settlement is the innermost place. A city that another settlement stands in is its municipality,
  even where a district is named (`р-н, г. Кольчугино, п. Белая Речка`: Кольчугино). Else the
  municipality is the district or the municipal formation; a rural one (`с/с`) only when there is no
  other; none where it is called as the settlement itself (`МО "Город Магадан", г. Магадан`).
- Москва, Санкт-Петербург and Севастополь are regions; a city within one is the settlement.
- A microdistrict, quarter or territory is the street when there is no street, and the location
  when there is one, as is a second such element. A society (СНТ, ГСК, ТСН) is a location. A place
  on a railway (`ст`) is a location, and never a settlement; a part of a city is a location when
  nothing else is.
- house holds number, fraction and letter (`12/3`, `14А`, `19, лит. А` → `19А`); block is корпус,
  building строение. A plot of land is the house when no house is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.addresses.words import KINDS

if TYPE_CHECKING:
    from gateway.addresses.parts import Parsed, Part

FIELDS: Final = (
    "address", "region", "region_type", "municipality", "municipality_type", "settlement",
    "settlement_type", "street", "street_type", "house", "house_type", "block", "block_type",
    "building", "building_type", "apartment", "apartment_type", "postal_code", "location",
    "location_type", "letter", "rest",
)  # fmt: skip
"""The keys, in their order."""

_LOWER: Final = frozenset(
    {
        "сельсовет", "поссовет", "сельское поселение", "городское поселение", "поселение",
        "сельский округ", "сельская администрация", "сельское муниципальное образование",
        "межселенная территория", "наслег", "сумон",
    }
)  # fmt: skip
_SPELLED: Final = {
    "посёлок городского типа": "поселок городского типа",
    "рабочий посёлок": "рабочий поселок",
}
"""Types that the public set writes without ё."""


def flat(parsed: Parsed) -> dict[str, str]:
    """Return the fields of FIELDS, each a string, empty when the text does not name it."""
    row = dict.fromkeys(FIELDS, "")
    row["address"] = parsed.text
    row["rest"] = " ".join(parsed.rest)
    places: list[Part] = []
    divisions: list[Part] = []
    plans: list[Part] = []
    for part in parsed.parts:
        role = part.role
        if role in _PLAIN:
            if not row[role]:
                _set(row, role, part)
        elif role == "settlement":
            (plans if part.type in _RAILWAY else places).append(part)
        elif role == "municipality":
            divisions.append(part)
        elif role in ("plan", "district"):
            plans.append(part)
        elif role == "postal_code":
            row["postal_code"] = part.name
        elif role == "letter" and not row["letter"]:
            row["letter"] = part.name
    _numbers(row, parsed)
    _places(row, places, divisions)
    _plans(row, plans)
    return row


_PLAIN: Final = frozenset({"region", "street", "house", "block", "building", "apartment"})
_RAILWAY: Final = frozenset(
    {
        "станция",
        "железнодорожная станция",
        "разъезд",
        "железнодорожный разъезд",
        "остановочный пункт",
    }
)


def _set(row: dict[str, str], field: str, part: Part) -> None:
    """Put a part into its field and its type beside it."""
    row[field] = part.name
    row[f"{field}_type"] = _SPELLED.get(part.type, part.type)


def _numbers(row: dict[str, str], parsed: Parsed) -> None:
    """Complete the house: by its letter, or by the plot of land; and the flat by the room."""
    if not row["house"]:
        stead = parsed.first("stead")
        if stead is not None:
            _set(row, "house", stead)
    if row["letter"] and row["house"]:
        row["house"] += row["letter"]
    if not row["apartment"]:
        room = parsed.first("room")
        if room is not None:
            _set(row, "apartment", room)


def _places(row: dict[str, str], places: list[Part], divisions: list[Part]) -> None:
    """Fill settlement and municipality from nested places."""
    outer: Part | None = None
    if places:
        inner = places[-1]
        if len(places) > 1:
            # The city is the outer one in whichever order they stand.
            if inner.type == "город" and places[0].type != "город":
                inner, outer = places[0], inner
            else:
                outer = places[-2]
        _set(row, "settlement", inner)
    higher = [part for part in divisions if part.type not in _LOWER]
    chosen = outer or next(iter(higher or divisions), None)
    if chosen is None:
        return
    if chosen.type not in ("район", "улус") and _same(chosen.name, row["settlement"]):
        return
    _set(row, "municipality", chosen)
    if chosen.type == "муниципальное образование":
        row["municipality_type"] = "город"


def _same(name: str, other: str) -> bool:
    """Tell whether two names are equal but for case and ё."""
    return name.lower().replace("ё", "е") == other.lower().replace("ё", "е")


def _plans(row: dict[str, str], plans: list[Part]) -> None:
    """Fill location, and street where no street is named, from elements of planning."""
    for part in plans:
        kind = KINDS.get(part.type)
        street = part.role == "plan" and not (kind is not None and "q" in kind.flags)
        if street and not row["street"]:
            _set(row, "street", part)
        elif not row["location"]:
            _set(row, "location", part)
