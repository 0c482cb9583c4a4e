"""Labelled questions about a region: what people write, and which house is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from simulators.gar.region import Region


class Question(NamedTuple):
    """A text and its true answer."""

    text: str
    guid: str
    level: int
    determined: bool
    expect: str
    noise: tuple[str, ...]


def ask(region: Region, count: int, seed: int, *, hard: bool) -> list[Question]:
    """Return labelled questions."""
    raise NotImplementedError(region, count, seed, hard)
