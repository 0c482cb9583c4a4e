"""Looks up the addresses of new appeals: one question of the register for a whole batch.

An address that cannot be looked up is one that was not found: it never holds up its appeal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
import structlog

from gateway import places
from gateway.addresses.found import Resolved
from gateway.errors import GatewayError
from gateway.model.address import Address
from gateway.model.base import NIL
from gateway.store import addresses, keepers, synonyms
from gateway.store import places as store
from gateway.triage.looked import NOTHING, Answer, Looked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo
    from uuid import UUID

    from psycopg import Connection

    from gateway.addresses.found import Question
    from gateway.addresses.gazetteer import Synonym
    from gateway.model.peer import Peer
    from gateway.served import Served
    from gateway.store.work import Item
    from gateway.triage.build import Facts

log = structlog.get_logger(__name__)

NAMING: Final = frozenset({"submit", "amend"})
"""Operations that name the place of a problem."""
FAILED: Final = "адрес не удалось искать"


class _Places(msgspec.Struct, frozen=True):
    """The addresses of a stored appeal, without the rest of it."""

    addresses: tuple[Address, ...] = ()


_PLACES: Final = msgspec.json.Decoder(_Places)


class Lookup:
    """Looks addresses up; keeps streets, synonyms and territories, and threads may share it.

    regions: codes of ГАР that are likelier here. zone: of the installation.
    """

    def __init__(self, regions: Sequence[str], zone: tzinfo) -> None:
        self._regions = tuple(regions)
        self._zone = zone
        self._addresses = addresses.Kept(synonyms=self._names)
        self._territories = keepers.Kept()
        self._synonyms: tuple[synonyms.Row, ...] = ()
        self._loaded = False

    def warm(self, connection: Connection[Any]) -> None:
        """Read what has changed of the register, before any appeal is locked; or see none is."""
        self._loaded = store.loaded(connection)
        if self._loaded:
            self._addresses.read(connection)

    def read(
        self,
        connection: Connection[Any],
        items: Iterable[Item],
        facts: Facts,
    ) -> Looked:
        """Look up the addresses of the new appeals of a batch and of those that were amended.

        Nothing while `warm` has seen no register.
        """
        named = [(i, i.appeal_id) for i in items if i.operation in NAMING and i.appeal_id]
        if not named or not self._loaded:
            return NOTHING
        known: dict[UUID, Address | None] = {}
        asked: dict[UUID, tuple[Address, Question]] = {}
        for item, appeal_id in named:
            now = _bare(facts.contents.get(appeal_id))
            if places.last(facts.histories.get(appeal_id, ())) is not None:
                known.setdefault(appeal_id, now)
            address = _bare(item.decoded) if item.operation == "amend" else now
            if address is not None:
                regions = self._likely(facts.peers.get(item.peer))
                asked[item.message_id] = address, places.question(address, regions)
        answers = self._answers(connection, asked)
        return self._with_keepers(connection, answers, known, facts.now)

    def served(self, connection: Connection[Any], resolved: Resolved, now: datetime) -> Served:
        """Return who serves a place that was found before, or by a person."""
        made = {NIL: Answer(Address(), resolved)}
        return self._with_keepers(connection, made, {}, now).served(resolved)

    def _names(self, connection: Connection[Any]) -> list[Synonym]:
        self._synonyms = tuple(synonyms.active(connection))
        return synonyms.names_of(self._synonyms)

    def _likely(self, peer: Peer | None) -> tuple[str, ...]:
        """Return the regions that a peer's appeals are likelier from, and then those of all."""
        own = peer.options.get("regions", ()) if peer is not None else ()
        return (*own, *self._regions)

    def _answers(
        self, connection: Connection[Any], asked: Mapping[UUID, tuple[Address, Question]]
    ) -> dict[UUID, Answer]:
        if not asked:
            return {}
        texts = [question for _, question in asked.values()]
        found = self._resolve(connection, texts)
        answers = {
            message: Answer(address, resolved)
            for (message, (address, _)), resolved in zip(asked.items(), found, strict=True)
        }
        if any(a.address.fias_guid for a in answers.values()):
            answers = self._held(connection, answers)
        return self._by_people(connection, answers) if self._synonyms else answers

    def _resolve(
        self, connection: Connection[Any], questions: Sequence[Question]
    ) -> list[Resolved]:
        """Ask all at once; when one of them is refused, each by itself."""
        try:
            return addresses.resolve(connection, self._addresses, questions)
        except psycopg.Error:
            raise
        except Exception as error:
            if len(questions) == 1:
                code = error.code if isinstance(error, GatewayError) else "internal"
                trace = error if code == "internal" else None
                log.warning("places.failed", code=code, exc_info=trace)
                return [Resolved(outcome="not_found", notes=(FAILED,))]
        return [one for q in questions for one in self._resolve(connection, [q])]

    def _held(
        self, connection: Connection[Any], answers: Mapping[UUID, Answer]
    ) -> dict[UUID, Answer]:
        """Hold answers against the objects that sources named."""
        kept = self._addresses.read(connection)
        guids = {a.address.fias_guid.lower(): a for a in answers.values() if a.address.fias_guid}
        known = store.by_guid(connection, kept, guids, flats=False)
        # A text that names one house needs no help of a GUID that is of no house.
        left = [g for g, a in guids.items() if g not in known and a.resolved.outcome != "exact"]
        known |= store.by_guid(connection, kept, left)
        return {
            message: a._replace(
                resolved=places.checked(
                    a.address, a.resolved, known.get(a.address.fias_guid.lower())
                )
            )
            for message, a in answers.items()
        }

    def _by_people(
        self, connection: Connection[Any], answers: Mapping[UUID, Answer]
    ) -> dict[UUID, Answer]:
        """Put houses where people have said that a number means one, and note what was used."""
        numbers = {(s.scope, s.key): s for s in self._synonyms if synonyms.is_house(s.level)}
        meant: dict[UUID, synonyms.Row] = {}
        for message, answer in answers.items():
            street, key = places.street_and_house(answer.resolved)
            if street and (street, key) in numbers:
                meant[message] = numbers[street, key]
        kept = self._addresses.read(connection)
        houses = store.by_guid(connection, kept, sorted({s.target for s in meant.values()}))
        result = {}
        for message, answer in answers.items():
            row = meant.get(message)
            if row is not None and row.target in houses:
                chosen = places.by_person(answer.resolved, houses[row.target])
                answer = answer._replace(resolved=chosen, synonyms=(row.id,))  # noqa: PLW2901
            used = places.used(answer.resolved, self._synonyms)
            result[message] = answer._replace(synonyms=(*answer.synonyms, *used))
        return result

    def _with_keepers(
        self,
        connection: Connection[Any],
        answers: Mapping[UUID, Answer],
        known: dict[UUID, Address | None],
        now: datetime,
    ) -> Looked:
        day = now.astimezone(self._zone).date()
        sure = [a.resolved.best for a in answers.values() if a.resolved.outcome == "exact"]
        houses = {best.house_guid for best in sure if best is not None and best.house_guid}
        return Looked(
            there=True,
            answers=answers,
            keepers=keepers.for_houses(connection, houses, day) if houses else {},
            territories=self._territories.read(connection),
            known=known,
            day=day,
        )


def _bare(data: bytes | None) -> Address | None:
    """Return the place of the problem as a stored appeal names it."""
    if data is None:
        return None
    try:
        stored = _PLACES.decode(data)
    except msgspec.DecodeError:
        return None  # `plan` finds it out, and puts it off
    return places.bare(places.problem(stored))
