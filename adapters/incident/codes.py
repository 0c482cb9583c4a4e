"""Words of the feed's profile and the table of one site's topics."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.base import Code

if TYPE_CHECKING:
    from collections.abc import Iterable

PEER: Final = "incident"
JSON: Final = "application/json"
SOURCE: Final = Code(system="gateway.source", value=PEER)
SOCIAL: Final = Code(system="gateway.delivery", value="social")
ID: Final = "id"
"""Kind of reference: the feed's own id of a message."""
TOPICS: Final = "incident.topic"
URGENCY: Final = "incident.urgency"
FAST_TRACK: Final = "incident.fast_track"
EMERGENCY: Final = "emergency"
IMPORTANT: Final = "important"
NORMAL: Final = "normal"
"""Values of the urgency: the first two are the marks that the house's terms look at."""
LABELS: Final = {EMERGENCY: "ЧП", IMPORTANT: "Высокая важность", NORMAL: "Обычная"}
ABUSIVE: Final = "abusive"
BUILTIN: Final = Path(__file__).parent / "tables" / "topics.toml"


class FastTrack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A quicker order that a topic is considered in."""

    code: str
    label: str = ""


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What follows from a page's audience and from topics, at one site."""

    audience: int
    emergency: frozenset[str] = frozenset()
    important: frozenset[str] = frozenset()
    evidence: frozenset[str] = frozenset()
    fast_track: dict[str, FastTrack] = {}
    labels: dict[str, str] = {}

    def urgency(self, audience: int | None, topics: Iterable[str]) -> Code:
        """Return how urgent a message is; nothing is guessed from its text."""
        named = frozenset(topics)
        if named & self.emergency:
            value = EMERGENCY
        elif named & self.important or (audience is not None and audience > self.audience):
            value = IMPORTANT
        else:
            value = NORMAL
        return Code(system=URGENCY, value=value, label=LABELS[value])

    def track(self, topics: Iterable[str]) -> Code | None:
        """Return the quicker order of the first topic that has one."""
        for topic in topics:
            if found := self.fast_track.get(topic):
                return Code(system=FAST_TRACK, value=found.code, label=found.label)
        return None


@cache
def tables(path: str = "") -> Tables:
    """Return the table of a file, ours when it is not named; raise ConfigurationError."""
    file = Path(path) if path else BUILTIN
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), Tables)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"таблица тем не читается · the table of topics cannot be read: {error}",
            found=str(file),
            where="options.tables",
        ) from error
