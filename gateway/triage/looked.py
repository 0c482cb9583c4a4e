"""What was looked up of the addresses of a batch, before it is planned; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.served import Served

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from uuid import UUID

    from gateway.addresses.found import Resolved
    from gateway.keepers import Keeper, Territory
    from gateway.model.address import Address


class Answer(NamedTuple):
    """What an address was found to be. synonyms: of people, that it was found by."""

    address: Address
    resolved: Resolved
    synonyms: tuple[int, ...] = ()


class Looked(NamedTuple):
    """What was looked up for a batch.

    there: a register is loaded. answers: by message. keepers: of the houses that were found.
    known: the place of the problem that an appeal has an outcome for; kept current by `took`.
    """

    there: bool
    answers: Mapping[UUID, Answer]
    keepers: Mapping[str, tuple[Keeper, ...]]
    territories: tuple[Territory, ...]
    known: dict[UUID, Address | None]
    day: date | None = None

    def served(self, resolved: Resolved) -> Served:
        """Return the place as routing looks at it."""
        house = resolved.best.house_guid if resolved.best and resolved.outcome == "exact" else ""
        return Served(
            outcome=resolved.outcome,
            house=house,
            keepers=self.keepers.get(house, ()),
            territories=self.territories,
            day=self.day,
        )


NOTHING: Final = Looked(there=False, answers={}, keepers={}, territories=(), known={})
