"""Words of АС ДОУ: its documents, in the order of their elements, and the tables of one site."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.answer import Result
from gateway.model.base import Code

PEER: Final = "asdou"
SPACE: Final = "urn:asdou-profile:v0"
"""Namespace of our own description: that of the service is not public."""
SOURCE: Final = Code(system="gateway.source", value=PEER)
REPORT: Final = "Report"
FINAL: Final = "FinalReport"
OPERATIONS: Final = {REPORT: "SendReport", FINAL: "SendFinalReport"}
IMPORT_ID: Final = "importId"
"""Kind of reference: of a report its own key, of an assignment what `parentId` names."""
OWN_ID: Final = "id"
"""Kind of reference: the number under which a letter or an assignment is known in this house."""
SUFFIXES: Final = {REPORT: "_О", FINAL: "_И"}
"""How an importId ends; both letters are Cyrillic (U+041E, U+0418)."""
RESULT_SYSTEM: Final = "asdou.reviewResult"
ONLY_FINAL: Final = ("clCodeList", "infos", "reviewResult")
"""What a final report has and a report has not."""
ORDER: Final = {
    REPORT: ("attachments", "author", "date", "importId", "parentId", "text"),
    FINAL: (
        "attachments", "author", "clCodeList", "date", "importId", "infos", "parentId",
        "reviewResult", "text",
    ),
    "attachment": ("name", "content"),
    "author": ("firstName", "lastName", "middleName"),
    "reviewResult": ("measuresTaken", "replyDate", "resultDocument", "type"),
    "resultDocument": ("attachments", "orgName", "orgSSTUId", "regDate", "regNumber"),
}  # fmt: skip
BUILTIN: Final = Path(__file__).parent / "tables" / "codes.toml"


class SendResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the codes of an answer mean; any other code is a refusal."""

    accepted: frozenset[str]
    repeated: frozenset[str]
    later: frozenset[str]


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The codes of one site."""

    results: dict[Result, str]
    send_result: SendResult

    def result(self, word: str) -> Result | None:
        """Return the result that a type stands for; None for one that is not known."""
        return next((result for result, known in self.results.items() if known == word), None)


@cache
def tables(path: str = "") -> Tables:
    """Return the tables of a file, ours when it is not named; raise ConfigurationError."""
    file = Path(path) if path else BUILTIN
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), Tables)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"таблица кодов не читается · the table of codes cannot be read: {error}",
            found=str(file),
            where="options.tables",
        ) from error
