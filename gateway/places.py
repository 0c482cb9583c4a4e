"""What an address of an appeal was asked as, and what it was found to be; pure.

The event `AddressResolved` says how surely an address was found. What was found lies apart, in the
content that the event names by digest, as a `Found`: a house names its tenants. Here both become an
address again, filled where its source said nothing; the source's own words stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from gateway.addresses import keys
from gateway.addresses.found import Place, Question, Resolved
from gateway.addresses.keys import fold
from gateway.addresses.parts import Part
from gateway.addresses.words_regions import BY_CODE
from gateway.addresses.words_regions import region as region_of
from gateway.model import facts as f
from gateway.model.address import Address, AddressRole, Candidate, Resolution
from gateway.model.events import Event, EventType

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.model.appeal import Appeal

HOUSE: Final = 10
"""Level of a house in ГАР: 9 is a plot of land, 11 and on what is inside a house."""
STEAD: Final = 9
NAMED: Final = frozenset({"street", "plan", "settlement", "district", "municipality"})
"""Roles of parts that are names."""
BY_PERSON: Final = "дом найден по написанию, которое указал человек"
ROLE: Final = AddressRole.PROBLEM
"""The address that is looked up: where an author lives is not where the trouble is."""
SURE: Final = frozenset({"exact", "street_only"})
NONE: Final = "none"
"""Outcome when an appeal names no such address any more."""
DISAGREES: Final = "ИД ФИАС источника и текст адреса указывают на разные объекты"
UNKNOWN_GUID: Final = "ИД ФИАС источника в справочнике не найден"
NO_TEXT: Final = "в адресе нет ни текста, ни ИД ФИАС"


class HasAddresses(Protocol):
    """An appeal, or as much of it as its addresses."""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Return the addresses, in order."""
        ...


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lies in the content of `AddressResolved`.

    It is stored, so `Place` and `Part` may only gain fields that have a default.

    best: the object, when one is sure. candidates: what else was possible. notes: in Russian.
    parts: what the text was taken apart into, by which a person's choice is remembered.
    """

    best: Place | None = None
    candidates: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


_FOUND: Final = msgspec.json.Decoder(Found)


def problem(appeal: HasAddresses) -> Address | None:
    """Return the place of the problem, None when the appeal names none."""
    return next((a for a in appeal.addresses if a.role is ROLE), None)


def bare(address: Address | None) -> Address | None:
    """Return an address as its source gave it, by which a changed one is known."""
    return replace(address, resolution=None, extras=()) if address is not None else None


def question(address: Address, regions: Sequence[str] = ()) -> Question:
    """Return what the register is asked about an address.

    regions: codes of ГАР that are likelier; the address's own region goes before them.
    """
    own = region_code(address.region)
    listed = dict.fromkeys((*([own] if own else []), *regions))
    return Question(text=spelled(address), regions=tuple(listed))


def spelled(address: Address) -> str:
    """Return an address as one line: its parts where they name a street and a house, else its text.

    Forms of sources have no field for a microdistrict or a garden: the text has it.
    """
    above = [p for p in (address.region, address.municipality, address.settlement) if p]
    if address.house and (address.street or not address.raw):
        return ", ".join((*above, *_below(address)))
    if not address.raw:
        return ", ".join((*above, *([address.street] if address.street else [])))
    text = fold(address.raw)
    return ", ".join((*(p for p in above if not _digits(p) and fold(p) not in text), address.raw))


def _digits(text: str) -> bool:
    return text.isdecimal()


def _below(address: Address) -> list[str]:
    """The street and what lies below, each number with the word that says what it is."""
    numbers = (
        ("д.", address.house), ("корп.", address.block), ("стр.", address.building),
        ("кв.", address.apartment),
    )  # fmt: skip
    told = [v if v[:1].isalpha() else f"{word} {v}" for word, v in numbers if v]
    return [address.street, *told] if address.street else told


_TYPE: Final = re.compile(
    r"\b(область|обл|край|республика|респ|автономный|автономная|округ|ао|аобл|город|г)\b\.?",
    re.IGNORECASE,
)


def region_code(text: str) -> str:
    """Return the code in ГАР of a region as a source names it: `36`, `Воронежская обл.`, `СПб`."""
    if not text.strip():
        return ""
    if text.strip() in BY_CODE:
        return text.strip()
    found = region_of(text) or region_of(_TYPE.sub(" ", text))
    return found.code if found else ""


def region_name(code: str) -> str:
    """Return a region by its code in ГАР as people write it, the code where it is not known."""
    found = BY_CODE.get(code)
    if found is None:
        return code
    if found.type == "республика":
        return f"Республика {found.name}"
    return found.name if found.type == "город" else f"{found.name} {found.type}"


def checked(address: Address, resolved: Resolved, given: Place | None) -> Resolved:
    """Hold what a text was found to be against the object that its source named.

    given: that object, None when the register has none such. An object that does not agree with the
    text is a doubt: a wrong house costs more than one.
    """
    if not address.fias_guid:
        return resolved
    if given is None and resolved.outcome == "exact":
        return resolved  # an apartment's, perhaps: those are looked up only when they are needed
    if given is None:
        return replace(resolved, notes=(*resolved.notes, UNKNOWN_GUID))
    if not given.house_guid:
        return resolved
    if not spelled(address).strip() or _agrees(resolved, given):
        best = resolved.best
        same = best is not None and best.house_guid == given.house_guid
        return replace(
            resolved,
            outcome="exact",
            confidence=1.0,
            best=best if same and best is not None and best.level > given.level else given,
            candidates=(),
        )
    others = [p for p in (resolved.best, *resolved.candidates) if p is not None]
    return replace(
        resolved,
        outcome="ambiguous",
        confidence=min(resolved.confidence, 0.5),
        best=None,
        candidates=tuple({p.guid: p for p in (given, *others)}.values())[:10],
        notes=(*resolved.notes, DISAGREES),
    )


def _agrees(resolved: Resolved, given: Place) -> bool:
    best, house = resolved.best, given.house_guid
    if best is None:
        return house in {p.house_guid for p in resolved.candidates}
    if best.house_guid:
        return best.house_guid == house
    return not named_house(resolved) and (
        best.guid == given.street_guid or given.label.startswith(best.label + ",")
    )


def named_house(resolved: Resolved) -> bool:
    """Whether the text names a house or a plot of land."""
    parsed = resolved.parsed
    return parsed is not None and any(p.role in {"house", "stead"} for p in parsed.parts)


def street_and_house(resolved: Resolved) -> tuple[str, str]:
    """Return the street of an answer whose house is not in the register, and the house's key.

    Empty when the answer is another. One may stand for it that people know.
    """
    best, parsed = resolved.best, resolved.parsed
    if resolved.outcome != "street_only" or best is None or parsed is None:
        return "", ""
    return best.guid, house_key(parsed.parts)


def house_key(parts: Sequence[Part]) -> str:
    """Return the key of the house that a text names, empty when it names none."""
    named = {part.role: part.name for part in reversed(parts)}
    if named.get("house") or named.get("block") or named.get("building"):
        return keys.house(
            *(named.get(role, "") for role in ("house", "block", "building", "letter"))
        )
    return keys.stead(named["stead"]) if named.get("stead") else ""


def by_person(resolved: Resolved, house: Place) -> Resolved:
    """Return an answer with the house that people know by the number of the text."""
    return replace(
        resolved,
        outcome="exact",
        best=replace(house, confidence=resolved.confidence),
        notes=(*resolved.notes, BY_PERSON),
    )


class Called(Protocol):
    """A name that people have said to mean an object."""

    @property
    def id(self) -> int:
        """Return its number."""
        ...

    @property
    def key(self) -> str:
        """Return the spelling by which names are compared."""
        ...

    @property
    def target(self) -> str:
        """Return the GUID of the object."""
        ...

    @property
    def level(self) -> int:
        """Return the level of the object."""
        ...


def used(resolved: Resolved, known: Iterable[Called]) -> tuple[int, ...]:
    """Return by which names of people a street was found."""
    best, parsed = resolved.best, resolved.parsed
    if best is None or parsed is None:
        return ()
    named = {keys.name(part.name) for part in parsed.parts if part.role in NAMED}
    there = {best.guid, best.street_guid}
    return tuple(s.id for s in known if s.level < STEAD and s.key in named and s.target in there)


def found_of(resolved: Resolved) -> Found:
    """Return what of an answer lies in the content of its event."""
    return Found(
        best=resolved.best,
        candidates=resolved.candidates,
        notes=resolved.notes,
        parts=resolved.parsed.parts if resolved.parsed else (),
    )


def facts_of(resolved: Resolved, *, by: str = "register", doubt: bool = False) -> f.AddressFacts:
    """Return the payload of the event of an answer."""
    return f.AddressFacts(
        role=ROLE.value,
        outcome=resolved.outcome,
        confidence=round(resolved.confidence, 4),
        level=resolved.best.level if resolved.best else None,
        by=by,
        gar_version=resolved.version,
        doubt=doubt,
    )


def encoded(found: Found) -> bytes:
    """Return the bytes of a content."""
    return msgspec.json.encode(found, order="sorted")


def decoded(content: bytes | Mapping[str, Any] | None) -> Found | None:
    """Return what a content holds, given as bytes or decoded; None when it was erased."""
    if content is None:
        return None
    return _FOUND.decode(content) if isinstance(content, bytes) else msgspec.convert(content, Found)


def last(events: Iterable[Event], role: str = ROLE.value) -> Event | None:
    """Return the event that says what the address of a role is now; None when none does."""
    found = None
    for event in events:
        if event.type is EventType.ADDRESS_RESOLVED and role == _role(event):
            found = event
    return found


def _role(event: Event) -> str:
    return event.payload.role if isinstance(event.payload, f.AddressFacts) else ""


def told(appeal: Appeal, events: Iterable[Event], texts: Mapping[str, Mapping[str, Any]]) -> Appeal:
    """Return an appeal with what its address was found to be, as events and contents say.

    texts: digest → decoded content; what was erased is not there.
    """
    event = last(events)
    if event is None or not isinstance(event.payload, f.AddressFacts):
        return appeal
    found = decoded(texts.get(event.content or ""))
    return resolved(appeal, event.payload, found, event.recorded_at) if found else appeal


def resolved(appeal: Appeal, facts: f.AddressFacts, found: Found, at: dt.datetime) -> Appeal:
    """Return an appeal with the place of its problem filled where the source said nothing."""
    place = problem(appeal)
    if place is None:
        return appeal
    filled = _filled(place, facts, found, at)
    return replace(appeal, addresses=tuple(filled if a is place else a for a in appeal.addresses))


def _filled(address: Address, facts: f.AddressFacts, found: Found, at: dt.datetime) -> Address:
    best = found.best if facts.outcome in SURE else None
    listed = ([best] if best else []) + [p for p in found.candidates if p != best]
    changes: dict[str, Any] = {
        "resolution": Resolution(
            outcome=facts.outcome,
            confidence=facts.confidence,
            candidates=tuple(
                Candidate(fias_guid=p.guid, label=p.label, confidence=p.confidence or None)
                for p in listed
            ),
            by=facts.by,
            at=at,
            gar_version=facts.gar_version,
        )
    }
    if best is not None:
        guid = best.house_guid or best.guid
        told = {
            "fias_guid": guid, "oktmo": best.oktmo, "okato": best.okato,
            "postal_code": best.postal_code, "region": region_name(best.region),
        }  # fmt: skip
        told |= _parts(found.parts) if not (address.street or address.house) else {}
        changes |= {name: value for name, value in told.items() if not getattr(address, name)}
        if address.fias_level is None and address.fias_guid in {"", guid}:
            changes["fias_level"] = min(best.level, HOUSE)
        if address.lat is None and address.lon is None and best.lat is not None:
            changes |= {"lat": best.lat, "lon": best.lon}
    return replace(address, **changes)


def _parts(parts: Iterable[Part]) -> dict[str, str]:
    """Return the parts of a text as fields of an address; the first of each role counts."""
    said: dict[str, str] = {}
    for part in parts:
        if part.role in {"municipality", "settlement", "house", "block", "building", "apartment"}:
            said.setdefault(part.role, part.name)
        elif part.role == "street":
            said.setdefault("street", f"{part.type} {part.name}".strip())
    return said
