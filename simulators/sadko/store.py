"""What the simulated site holds: its inbox, made up by seed, and what came to its outbox."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import threading
import uuid
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from simulators.peer import clock
from simulators.sadko.rules import RESULT
from simulators.seed.appeals import Source, topic_name

if TYPE_CHECKING:
    from datetime import datetime

    from simulators.seed.appeals import Appeal

ZONE: Final = ZoneInfo("Europe/Moscow")
_NAMES: Final = uuid.UUID("5b1f6c1e-3f0e-4e57-9a0a-6f4f3f5f9b11")
_STAFF: Final = ("Поручителев А. А.", "Исполнителева Е. О.", "Контролёров К. К.")


class Store:
    """Thread-safe. A card is known by its Guid, which the list of the inbox names too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inbox: dict[str, dict[str, Any]] = {}
        self._outbox: dict[str, list[dict[str, Any]]] = {}
        self._made = 0

    def emit(self, count: int, seed: int) -> list[str]:
        """Put made-up items into the inbox and return their Guids; every fifth is a letter."""
        now = clock(ZONE)
        source, draw = Source(seed, now.date()), Random(seed)
        with self._lock:
            return [self._put(source.appeal("sstu"), draw, seed, now) for _ in range(count)]

    def listing(self) -> list[dict[str, Any]]:
        """Return the list of the inbox."""
        with self._lock:
            return [
                {"Guid": guid, "Created": item["created"], "Type": item["type"]}
                for guid, item in self._inbox.items()
            ]

    def item(self, kind: str, guid: str) -> dict[str, Any] | None:
        """Return one item as it is given out; None when there is none of this type."""
        with self._lock:
            found = self._inbox.get(guid)
            return copy.deepcopy(found["body"]) if found and found["type"] == kind else None

    def sent(self, document: Any) -> dict[str, Any] | None:
        """Return the item of the inbox that a document answers."""
        part = document.get("Card") or document.get("Letter") if isinstance(document, dict) else {}
        guid = part.get("Guid") if isinstance(part, dict) else None
        with self._lock:
            found = self._inbox.get(str(guid))
            return found["body"] if found else None

    def keep(self, guid: str, document: dict[str, Any]) -> dict[str, Any]:
        """Keep what came to the outbox; return what the journal says of it."""
        detail, result = document.get("LetterDetail") or {}, document.get(RESULT) or {}
        text = json.dumps(document, ensure_ascii=False, sort_keys=True)
        row = {
            "status": detail.get("Status", ""),
            "closed": bool(detail.get("Closed")),
            "answered": bool(detail.get("TextAnswer") or document["Resolution"].get("Files")),
            "result": result.get("ResultId"),
            "digest": hashlib.sha256(text.encode()).hexdigest(),
        }
        with self._lock:
            self._outbox.setdefault(guid, []).append(row)
        return {"key": guid, **row}

    def holds(self) -> list[dict[str, Any]]:
        """Return what was received, an item a card."""
        with self._lock:
            return [
                {
                    "key": guid,
                    "statuses": [row["status"] for row in rows],
                    "answers": sum(row["answered"] for row in rows),
                    "closed": any(row["closed"] for row in rows),
                    "results": [row["result"] for row in rows if row["result"] is not None],
                }
                for guid, rows in self._outbox.items()
            ]

    def rows(self) -> list[dict[str, Any]]:
        """Return what a person sees on the page, newest first."""
        with self._lock:
            found = [
                {"Guid": guid, "Status": row["status"], "Closed": row["closed"],
                 "ResultId": row["result"]}
                for guid, rows in self._outbox.items()
                for row in rows
            ]  # fmt: skip
        return found[::-1]

    def _put(self, appeal: Appeal, draw: Random, seed: int, now: datetime) -> str:
        self._made += 1
        guid = str(uuid.uuid5(_NAMES, f"{seed}/{self._made}"))
        letter = self._made % 5 == 0
        body = _letter(appeal, guid) if letter else _card(appeal, guid, draw, self._made)
        created = now - timedelta(seconds=draw.randint(0, 300))
        self._inbox[guid] = {
            "created": created.replace(tzinfo=None, microsecond=0).isoformat(),
            "type": "InboxLetter" if letter else "InboxResol",
            "body": body,
        }
        return guid


def _letter(appeal: Appeal, guid: str) -> dict[str, Any]:
    assert appeal.letter
    letter = {
        "Guid": guid,
        "LetterNumber": appeal.letter.number,
        "ReceivedFrom": appeal.letter.sender,
        "ReceiveDate": f"{appeal.letter.received.isoformat()}T00:00:00",
        "Message": appeal.text,
        "Urgent": False,
    }
    return {"Letter": letter}


def _card(appeal: Appeal, guid: str, draw: Random, made: int) -> dict[str, Any]:
    """A card as the published client reads it: the family name stands in `CitizenName`."""
    assert appeal.letter
    author = appeal.author
    received = appeal.letter.received
    card = {
        "Guid": guid,
        "CitizenName": author.family or author.company,
        "CitizenSurname": author.given,
        "CitizenPatronymic": author.patronymic or None,
        "CitizenAddress": author.postal,
        "CitizenAddressPost": None,
        "CitizenAddressAreaId": draw.randint(1, 26),
        "CitizenPhone": author.phone,
        "CitizenEmail": author.email or None,
        "CitizenSocialStatusId": draw.randint(1, 9),
        "CitizenBenefitId": None,
        "CitizenAnswerSendTypeId": draw.randint(1, 3),
        "LetterTypeId": 1,
        "DocumentTypeId": draw.randint(1, 4),
        "CorrespondentId": 205,
        "LetterNumber": appeal.letter.number,
        "ControlOrgSendDate": None,
        "ReceiveDate": f"{received.isoformat()}T00:00:00",
        "DeliveryTypeId": draw.randint(1, 8),
        "ConsiderationFormId": draw.choice((1, 2)),
        "ReceivedFrom": appeal.letter.sender,
        "RegistrationNumber": f"ОГ-{made}/{received:%y}",
        "RegistrationDate": f"{received.isoformat()}T10:{made % 60:02d}:07",
        "PreviousCardsCount": draw.randint(0, 2),
        "DocSheetNumber": draw.randint(1, 5),
        "DocCopyNumber": 1,
        "ConcernedCitizensNumber": appeal.concerned or 1,
        "Message": appeal.text,
        "Files": [
            {"Name": f"Обращение {made}.txt", "Guid": str(uuid.uuid5(_NAMES, f"{guid}/file")),
             "Data": base64.b64encode(appeal.text.encode()).decode()}
        ],
    }  # fmt: skip
    resolution = {
        "Guid": str(uuid.uuid5(_NAMES, f"{guid}/resolution")),
        "CreatedTime": f"{received.isoformat()}T11:20:45",
        "Author": _STAFF[0],
        "Executor": draw.choice(_STAFF[1:]),
        "DecisionId": 5,
        "ResolutionText": "Рассмотреть, ответить заявителю",
        "ControlDate": f"{(received + timedelta(days=28)).isoformat()}T00:00:00",
        "Themes": [
            {"Code": q.code, "Name": topic_name(q.code), "Annotation": q.text}
            for q in appeal.questions
        ],
        "Files": [],
    }
    return {"Card": card, "Resolution": resolution}
