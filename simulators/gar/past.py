"""What the streets of a region were before: renamed, split, merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.gar import vocabulary
from simulators.gar.thing import Before

if TYPE_CHECKING:
    from simulators.gar.region import Draft
    from simulators.gar.thing import Thing

_RENAMED: Final = 0.04
_DIVIDED: Final = 0.006
_SURELY: Final = (5, 6, 7)
"""A small region has streets that were split or merged, too."""


def tell(draft: Draft, streets: list[Thing]) -> None:
    """Rename some streets, let some be what became of a street that was closed."""
    draw = draft.draw
    for n, street in enumerate(streets):
        if street.forced or not street.up:
            continue
        chance = draw.random() if n not in _SURELY else _RENAMED
        if chance < _RENAMED:
            name = vocabulary.name_of(draw, street.kind, city=street.city)
            if (name, street.kind) not in draft.names[street.up.id]:
                day = f"{draw.randint(2016, 2024)}-{draw.randint(1, 12):02d}-15"
                street.before.append(Before(name, street.kind, day))
        elif chance < _RENAMED + _DIVIDED:
            _divide(draft, street, streets)


def _divide(draft: Draft, street: Thing, streets: list[Thing]) -> None:
    """Close a street that never was: split into this one and a neighbour, or merged into this."""
    draw = draft.draw
    assert street.up is not None
    near = [s for s in streets if s.up is street.up and s is not street and not s.origin]
    for _ in range(draw.choice((1, 2)) if near else 0):
        closed = draft.street(street.up)
        closed.active = False
        closed.into = [street]
        street.origin.append(closed)
    if len(street.origin) == 1 and near:
        other = draw.choice(near)
        street.origin[0].into.append(other)
        other.origin.append(street.origin[0])
