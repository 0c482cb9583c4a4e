"""Who serves the place of a problem, as rules of routing ask for it; pure.

A rule names its executor as `@management` (whoever manages the house; any service of
`gateway.keepers`), `@territory` (the body of the territory) or `@territory:roads` (the body that
answers there for roads).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import keepers

if TYPE_CHECKING:
    import datetime as dt

    from gateway.keepers import Keeper, Territory

LOOKED_UP: Final = "@"
TERRITORY: Final = "territory"
_OUTCOMES: Final = {
    "": "адрес не искали или его нет",
    "exact": "в адресе нет номера дома",
    "street_only": "известна только улица",
    "ambiguous": "подходит несколько адресов",
    "not_found": "адрес не найден",
}


class Served(NamedTuple):
    """The place of a problem, who serves it and whose territory it is.

    outcome: of the look-up, empty when there was none. house: OBJECTGUID, when one is sure.
    keepers: of that house, on the day. territories: of all the land; an ОКТМО says which is meant.
    """

    outcome: str = ""
    house: str = ""
    keepers: tuple[Keeper, ...] = ()
    territories: tuple[Territory, ...] = ()
    day: dt.date | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether an address was looked up and no house is sure."""
        return bool(self.outcome) and not self.house

    @property
    def unknown(self) -> str:
        """Say why no house is sure, in Russian."""
        return f"дом не определён ({_OUTCOMES.get(self.outcome, self.outcome)})"


NOBODY: Final = Served()


class LookedUp(NamedTuple):
    """Who was found, or why nobody; in the order of a condition of routing.

    doubt: nobody only because the place is not known well enough. found: the organisation.
    """

    held: bool
    words: str
    doubt: bool = False
    found: str = ""


def look_up(executor: str, oktmo: str, served: Served) -> LookedUp:
    """Return who an executor `@…` is at a place, with the service and the day it is so.

    oktmo: of the place, 8 or 11 digits, empty when not known.
    """
    if _is_territory(executor):
        return _body(_service(executor), oktmo, served)
    service = _service(executor)
    title = keepers.title_of(service)
    keeper = next((k for k in served.keepers if k.service == service), None)
    if keeper is not None:
        said = f"{title}: {keeper.organisation} на {served.day}"
        return LookedUp(held=True, words=said, found=keeper.organisation)
    if served.house:
        return LookedUp(held=False, words=f"{title}: на {served.day} никто не указан для дома")
    return LookedUp(held=False, words=f"{title}: {served.unknown}", doubt=served.in_doubt)


def _body(service: str, oktmo: str, served: Served) -> LookedUp:
    title = f"орган территории, {keepers.title_of(service)}" if service else "орган территории"
    if not oktmo:
        words = f"{title}: ОКТМО не известен, {served.unknown}"
        return LookedUp(held=False, words=words, doubt=served.in_doubt)
    day = served.day
    body = keepers.body_of(served.territories, oktmo, day, service) if day else None
    if body is None:
        return LookedUp(held=False, words=f"{title}: для ОКТМО {oktmo} никто не указан")
    said = f"{title}, ОКТМО {body.oktmo}: {body.organisation} на {day}"
    return LookedUp(held=True, words=said, found=body.organisation)


def asked(executor: str) -> tuple[str, ...]:
    """Return the service that an executor asks for, as one or none."""
    if not executor.startswith(LOOKED_UP) or executor == LOOKED_UP + TERRITORY:
        return ()
    return (_service(executor),)


def unknown_service(service: str) -> str:
    """Return the services there are when this is none of them, empty when it is one."""
    if keepers.service_of(service) is not None:
        return ""
    return ", ".join(s.code for s in keepers.SERVICES)


def wrong_outcome(outcome: str) -> str:
    """Return the outcomes there are when this is none of them, empty when it is one."""
    return "" if outcome in _OUTCOMES else ", ".join(filter(None, _OUTCOMES))


def _is_territory(executor: str) -> bool:
    asked_for = executor.removeprefix(LOOKED_UP)
    return asked_for == TERRITORY or asked_for.startswith(f"{TERRITORY}:")


def _service(executor: str) -> str:
    named = executor.removeprefix(LOOKED_UP)
    return named.removeprefix(TERRITORY).removeprefix(":") if _is_territory(executor) else named
