"""What must stand at each destination, made from the seed and the СЭД's own log alone."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from simulators.demo.office import SCAN, scan_of

if TYPE_CHECKING:
    from datetime import date

    from simulators.demo.office import Work
    from simulators.seed.appeals import Appeal

WORDS: Final = {
    "": "InWork",
    "supported": "Supported",
    "explained": "Explained",
    "not_supported": "NotSupported",
    "transferred": "Transferred",
    "declined": "LeftWithoutAnswer",
    "extended": "InWorkExtended",
}
_ANSWERED: Final = ("supported", "explained", "not_supported")


def sstu_document(
    appeal: Appeal,
    *,
    number: str,
    day: date,
    department: str,
    work: Work | None,
    guids: dict[str, str],
) -> dict[str, Any]:
    """Return the document that the node must hold in the end.

    number, day: of the registration; a covering letter's number comes before ours. guids: of the
    organisations that questions are forwarded to.
    """
    letter = appeal.letter
    author = appeal.author
    card: dict[str, Any] = {
        "departmentId": department,
        "isDirect": letter is None,
        "format": "Other",
        "number": letter.number if letter else number,
        "createDate": letter.day.isoformat() if letter else None,
        "name": author.full_name or author.company,
        "address": author.postal,
        "email": author.email,
    }
    card["questions"] = [
        _question(appeal, ordinal, day=day, work=work, guids=guids)
        for ordinal in range(1, len(appeal.questions) + 1)
    ]
    return {name: value for name, value in card.items() if value not in (None, "")}


def _question(
    appeal: Appeal, ordinal: int, *, day: date, work: Work | None, guids: dict[str, str]
) -> dict[str, Any]:
    word = work.words.get(ordinal, "") if work else ""
    incoming = appeal.letter.received if appeal.letter else appeal.received_on
    out: dict[str, Any] = {
        "code": appeal.questions[ordinal - 1].code,
        "status": WORDS[word],
        "incomingDate": incoming.isoformat(),
        "registrationDate": day.isoformat(),
    }
    if word in (*_ANSWERED, "declined"):
        out["responseDate"] = day.isoformat()
    if word in _ANSWERED and work:
        content = base64.b64encode(scan_of(work.number)).decode()
        out["attachment"] = {"name": SCAN, "content": content}
    if word == "supported":
        out["actionsTaken"] = True
    if word == "transferred" and work:
        out["transfer"] = {
            "departmentId": guids[work.transfer_to],
            "transferDate": day.isoformat(),
            "transferNumber": work.number,
        }
    return out
