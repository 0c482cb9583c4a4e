"""Questions about addresses: what was found in the register (ГАР), told in the contract's form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.addresses.found import Question
from gateway.addresses.suggest import suggest
from gateway.errors import BusyError, ValidationError, Violation
from gateway.store import addresses, suggestions, synonyms
from gateway.wires import contract as c
from gateway.wires.lists import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from gateway.access.policy import Caller
    from gateway.addresses.found import Place, Resolved
    from gateway.addresses.gazetteer import Gazetteer
    from gateway.addresses.parts import Token
    from gateway.addresses.suggest import Suggestion
    from gateway.store.pool import Pool

SUGGESTED: Final = 10
_NOT_LOADED_SECONDS: Final = 600


class Addresses:
    """Answers both questions; streets and settlements stay in memory (`addresses.Kept`).

    regions: codes of those that are likelier here, behind the one that a caller names.
    """

    def __init__(self, pool: Pool, regions: Sequence[str] = ()) -> None:
        self._pool = pool
        self._regions = tuple(regions)
        self._kept = addresses.Kept(synonyms.names)

    def resolve(
        self,
        request: c.ResolveAddress,
        caller: Caller,  # noqa: ARG002 - the register is the same for all
        encoding: str,
    ) -> c.ResolveAddressResponse:
        """Return what a text or questions were resolved to; raise ValidationError, BusyError."""
        asked = [
            Question(text=text, regions=self._likely(code)) for text, code in _questions(request)
        ]
        with self._pool.connection() as connection:
            self._gazetteer(connection)
            found = addresses.resolve(connection, self._kept, asked)
        if request.text:
            return c.ResolveAddressResponse(address=told(found[0]))
        items = [told(one) for one in found]
        room = len(fitting(items, request.max_bytes, encoding))
        if room < len(items):
            raise _no_room(room, len(items))
        return c.ResolveAddressResponse(items=tuple(items))

    def suggest(
        self,
        request: c.SuggestAddress,
        caller: Caller,  # noqa: ARG002 - the register is the same for all
        encoding: str,  # noqa: ARG002 - fifty of them fit into any answer
    ) -> c.SuggestAddressResponse:
        """Return completions of a text; raise BusyError when no register is loaded."""
        with self._pool.connection() as connection:
            gazetteer = self._gazetteer(connection)
            found = suggest(
                gazetteer,
                request.text,
                self._likely(request.region_code),
                request.limit or SUGGESTED,
                houses=partial(suggestions.houses, connection),
            )
        return c.SuggestAddressResponse(
            items=tuple(map(_suggestion, found.items)), gar_version=found.version
        )

    def _likely(self, code: str | None) -> tuple[str, ...]:
        return (code, *self._regions) if code else self._regions

    def _gazetteer(self, connection: Connection[Any]) -> Gazetteer:
        gazetteer = self._kept.read(connection)
        if not gazetteer.regions:
            raise not_loaded()
        return gazetteer


def not_loaded() -> BusyError:
    """Return the error of a question while no register is loaded: not found would be a lie."""
    error = BusyError(
        "no register of addresses is loaded", retry_after=_NOT_LOADED_SECONDS, where="addresses"
    )
    error.todo = "the operator loads it: gateway fias load PATH"
    return error


def told(found: Resolved) -> c.AddressOut:
    """Return an answer of the register in the contract's form."""
    best = found.best
    place = _best(best) if best is not None else {}
    return c.AddressOut(
        outcome=found.outcome,
        confidence=_bounded(found.confidence),
        candidates=tuple(map(_candidate, found.candidates)),
        tokens=tuple(map(_token, found.tokens)),
        notes=found.notes,
        gar_version=found.version,
        **place,
    )


def _best(place: Place) -> dict[str, Any]:
    return {
        **_common(place),
        "okato": place.okato or None,
        "cadastral_number": place.cadastral_number or None,
        "apartment_building": place.mkd,
    }


def _candidate(place: Place) -> c.AddressCandidate:
    return c.AddressCandidate(confidence=_bounded(place.confidence), **_common(place))


def _common(place: Place) -> dict[str, Any]:
    return {
        "fias_guid": place.guid,
        "level": place.level,
        "full_name": place.label,
        "municipal_name": place.municipal_label or None,
        "region_code": place.region,
        "oktmo": place.oktmo or None,
        "postal_code": place.postal_code or None,
        "latitude": place.lat,
        "longitude": place.lon,
        "house_guid": place.house_guid or None,
        "street_guid": place.street_guid or None,
        "historical": place.historical,
    }


def _token(token: Token) -> c.AddressToken:
    return c.AddressToken(
        text=token.text,
        start=token.start,
        end=token.end,
        role=token.role,
        why=token.why or None,
    )


def _suggestion(one: Suggestion) -> c.AddressSuggestion:
    return c.AddressSuggestion(
        label=one.label,
        value=one.value,
        fias_guid=one.guid,
        level=one.level,
        region_code=one.region,
        oktmo=one.oktmo or None,
        complete=one.complete,
    )


def _bounded(confidence: float) -> float:
    return min(max(confidence, 0.0), 1.0)


def _questions(request: c.ResolveAddress) -> list[tuple[str, str | None]]:
    """Return texts with their regions; raise ValidationError for none, or both forms at once."""
    if bool(request.text) == bool(request.questions):
        both = bool(request.text)
        message = "either a text or questions" if both else "nothing is asked"
        path, code = ("Questions", "unexpected") if both else ("Text", "required")
        raise ValidationError(
            message, (Violation(path, code, message, expected="Text, or Questions"),)
        )
    if request.text:
        return [(request.text, request.region_code)]
    return [(one.text, one.region_code or request.region_code) for one in request.questions]


def _no_room(room: int, asked: int) -> ValidationError:
    """Refuse rather than answer some of the questions."""
    message = f"the answer has room for {room} of {asked} questions"
    return ValidationError(
        message,
        (Violation("Questions", "max_bytes", message, str(asked), f"at most {room}"),),
        todo="ask less at once, or for more bytes with MaxBytes",
    )
