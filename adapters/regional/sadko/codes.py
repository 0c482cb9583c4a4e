"""Words and numbers of САДКО.ОГ: names of the parts of a document, tables of its directories."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.answer import Result
from gateway.model.appeal import Form
from gateway.model.base import Code

PEER: Final = "sadko"
REGISTER: Final = "САДКО.ОГ"
"""The register whose number a card brings; it is not ours."""
SOURCE: Final = Code(system="gateway.source", value=PEER)
CARD: Final = "Card"
LETTER: Final = "Letter"
RESOLUTION: Final = "Resolution"
DETAIL: Final = "LetterDetail"
RESULT: Final = "СonsiderationResultGzi"
"""The first letter is Cyrillic С (U+0421), as the known client of the system writes it."""
GUID: Final = "guid"
LETTER_GUID: Final = "letterGuid"
"""Kinds of reference: an item that came as `Letter` goes back as one."""
JSON: Final = "application/json"
PATCH: Final = "application/json-patch+json"
"""What the outbox takes on POST, though no patch of RFC 6902 is sent."""
BUILTIN: Final = Path(__file__).parent / "tables" / "codes.toml"


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an event is called in `LetterDetail`."""

    id: int
    label: str


class Measures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`TakenMeasuresId` for measures that were taken, and that were not."""

    taken: int
    not_taken: int | None = None


class Send(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`SendTypeId` where the card names none."""

    otherwise: int | None = None


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The directories of one site. forms: identifier → form, as the file spells it."""

    forms: dict[str, Form]
    results: dict[Result, int]
    measures: Measures
    statuses: dict[str, Status]
    send: Send = Send()

    def form_id(self, form: Form | None) -> int | None:
        """Return the first identifier of a form, None where the table has none."""
        return next((int(key) for key, known in self.forms.items() if known is form), None)


@cache
def tables(path: str = "") -> Tables:
    """Return the tables of a file, ours when it is not named; raise ConfigurationError."""
    file = Path(path) if path else BUILTIN
    try:
        found = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Tables)
        for key in found.forms:
            int(key)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"таблица кодов не читается · the table of codes cannot be read: {error}",
            found=str(file),
            where="options.tables",
        ) from error
    return found
