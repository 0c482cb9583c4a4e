"""What `SendResult` says: a code for the program, and why for people, in Russian and English.

The codes are ours: no description of the source's was found.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import (
    ConflictError,
    GatewayError,
    InputError,
    NotFoundError,
    StateError,
    violations_of,
)

ACCEPTED: Final = 0
CODES: Final[dict[type[GatewayError], int]] = {
    InputError: 1,
    NotFoundError: 2,
    ConflictError: 3,
    StateError: 4,
}
"""Codes of a report that was not taken. Whatever else goes wrong is a fault."""
REFUSALS: Final = tuple(CODES)
WORDS: Final = {
    1: "отчёт не принят, в нём ошибка · not taken, the report is not right",
    2: "отчёт не принят, нет порученного вам обращения с таким parentId"
    " · not taken, no appeal that was given to you has this parentId",
    3: "отчёт не принят, этот importId уже был у другого отчёта"
    " · not taken, this importId was used before for another report",
    4: "отчёт не принят, состояние обращения не позволяет"
    " · not taken, the state of the appeal does not allow it",
}
PLACES: Final = {
    "Outcome/ActionsTaken": "reviewResult/measuresTaken",
    "Transfer/ToOrganisation": "reviewResult/resultDocument/orgSSTUId",
    "Transfer/Date": "reviewResult/resultDocument/regDate",
    "Transfer/Number": "reviewResult/resultDocument/regNumber",
    "Date": "reviewResult/replyDate",
    "OccurredOn": "date",
}
"""Where in a report stands what the gateway speaks of."""


def accepted(number: str) -> str:
    """Return the message of a report that is stored."""
    return f"принято, обращение {number} · accepted, appeal {number}"


def refused(error: GatewayError) -> tuple[int, str]:
    """Return the code and the message of an error of `REFUSALS`, with the places of the report."""
    code = next(code for kind, code in CODES.items() if isinstance(error, kind))
    return code, f"{WORDS[code]}: {_why(error)}"


def _why(error: GatewayError) -> str:
    if isinstance(error, InputError):
        return "; ".join(
            f"{PLACES.get(each.path, each.path)}: {each.message}" for each in violations_of(error)
        )
    return error.message
