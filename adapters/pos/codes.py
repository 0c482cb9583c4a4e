"""Words of pos-profile/0: events, kinds and the tables that an installation may replace."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.base import Code
from gateway.model.events import EventType

if TYPE_CHECKING:
    from collections.abc import Mapping

PEER: Final = "pos"
PROFILE: Final = "pos-profile/0"
ITEM_ID: Final = "pos_id"
"""Kind of the reference that holds the platform's number of an item."""
MESSAGE_ID: Final = "message_id"
OPA: Final = "pos.opa"
"""System of `opaId`, which names the body whose widget or page the item was made on."""
BODY: Final = "pos"
"""System of the platform's identifiers of bodies."""
SOURCE: Final = Code(system="gateway.source", value="epgu/pos")
KIND_SYSTEM: Final = "pos.kind"
STAGE_SYSTEM: Final = "pos.stage"
FAST_TRACK: Final = "pos.fast_track"
REASON: Final = "pos.reason"
MODERATION: Final = "pos.moderation"
SCALE: Final = "pos.scale"
LEVELS: Final = ("pos.fact", "pos.subcategory", "pos.category")
"""Systems of the classifier, the most exact first."""
BY_MAIL: Final = Code(system="pos.channel", value="mail")
BY_API: Final = Code(system="pos.channel", value="api")
DUE_AS_SENT: Final = "Фаст-трек"
DUE_BY_TABLE: Final = "Фаст-трек: срок по таблице"

ITEM: Final = "item"
EVENT: Final = "event"
REWORK: Final = "rework"
"""What a return of a 59-ФЗ answer becomes: a new, repeat appeal."""
POLLS: Final = ("poll", "vote")
KINDS: Final = (ITEM, *POLLS, EVENT)

STAGE: Final = "stage"
RETURNED: Final = "returned_for_rework"
EVENTS: Final[Mapping[str, EventType]] = MappingProxyType(
    {
        "moderation_started": EventType.SENT_TO_MODERATION,
        "moderation_passed": EventType.MODERATION_PASSED,
        "moderation_refused": EventType.REGISTRATION_REFUSED,
        "assigned": EventType.ASSIGNED,
        "reassigned": EventType.REASSIGNED,
        "taken_to_work": EventType.TAKEN_TO_WORK,
        "postponed": EventType.EXTENDED,
        "redirected": EventType.TRANSFERRED,
        "answer_prepared": EventType.ANSWER_PREPARED,
        "answer_returned": EventType.ANSWER_REJECTED,
        "answered": EventType.ANSWERED,
        "published": EventType.DELIVERED,
        "rated": EventType.RATED,
        "confirmed": EventType.CONFIRMED,
        RETURNED: EventType.RETURNED_FOR_REWORK,
        "clarification_asked": EventType.CLARIFICATION_ASKED,
        "clarification_given": EventType.CLARIFICATION_ANSWERED,
        "withdrawn": EventType.WITHDRAWN,
        STAGE: EventType.PEER_STATE_REPORTED,
    }
)
"""The platform's word for what happened to an item → our event. Ours, like the whole profile."""
WORDS: Final[Mapping[EventType, str]] = MappingProxyType({e: w for w, e in EVENTS.items()})

RESULTS: Final[Mapping[str, tuple[str, bool | None]]] = MappingProxyType(
    {
        "solved": ("supported", True),
        "postponed": ("supported", False),
        "explained": ("explained", None),
        "declined": ("not_supported", None),
    }
)
"""Decision of an answer that somebody else gave → result, and whether measures were taken."""


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the classifier; parent: code on the level above, empty on the first."""

    label: str
    parent: str = ""


class Track(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category of the fast track; days: calendar days from submission."""

    label: str
    days: int


class Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the e-mails are written: field → labels, and words of a subject that mean 59-ФЗ."""

    labels: dict[str, tuple[str, ...]]
    fz59: tuple[str, ...] = ()


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything of `tables/pos.toml`; the file says which words are sourced."""

    profile: str
    stages: dict[str, str]
    decisions: dict[str, str]
    outcomes: dict[str, str]
    moderation: dict[str, str]
    moderation_of: dict[str, str]
    fast_track: dict[str, Track]
    categories: dict[str, Node]
    subcategories: dict[str, Node]
    facts: dict[str, Node]
    mail: Mail

    @property
    def levels(self) -> tuple[tuple[str, str, dict[str, Node]], ...]:
        """The classifier from the most exact level up: system, field of an item, lines."""
        return (
            (LEVELS[0], "fact", self.facts),
            (LEVELS[1], "subcategory", self.subcategories),
            (LEVELS[2], "category", self.categories),
        )


@cache
def tables(path: str = "") -> Tables:
    """Read the tables, those of the package by default; raise ConfigurationError."""
    own = files("adapters.pos").joinpath("tables", "pos.toml")
    where = path or "adapters/pos/tables/pos.toml"
    try:
        text = Path(path).read_text("utf-8") if path else own.read_text("utf-8")
        return msgspec.convert(tomllib.loads(text), Tables)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"the tables of ПОС cannot be read: {error}",
            where=f"options.tables: {where}",
            todo="start from adapters/pos/tables/pos.toml",
        ) from error
