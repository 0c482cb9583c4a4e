"""What the simulated node holds: one record an appeal, in the shape of its analytics list."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from simulators.peer import clock
from simulators.seed.appeals import Source
from simulators.seed.forms import sstu_document
from simulators.sstu.rules import ANSWERED, STATUS_NAMES

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DEPARTMENT: Final = "7d9a2c31-4f6e-4a0b-9c55-1f0e6a2b8d10"
"""The invented body for which it makes reports up."""
FORMAT_NAMES: Final = {"Electronic": "МЭДО", "Other": "Другое"}
_LOOK_ALIKE: Final = str.maketrans("АВЕКМНОРСТУХЁ", "ABEKMHOPCTYXE")


def fold(number: str) -> str:
    """The number with look-alike Cyrillic letters as Latin, upper case, without spaces."""
    return "".join(number.upper().split()).translate(_LOOK_ALIKE)


def digest(document: dict[str, Any]) -> str:
    """SHA-256 of the document with sorted keys."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """Records by department and folded number. Thread-safe; a file makes it survive a restart.

    forward_after and upload_after: seconds after receipt when the next stages are reached.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        path: str = "",
        *,
        forward_after: float = 0.0,
        upload_after: float = 0.0,
    ) -> None:
        self.zone = zone
        self.forward_after = forward_after
        self.upload_after = upload_after
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._last = datetime.min.replace(tzinfo=zone)
        self._fd = -1
        if path:
            self._load(path)
            self._fd = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)

    def put(self, document: dict[str, Any]) -> dict[str, Any]:
        """Keep the document; return number, requestId and digest for the journal."""
        key = self._key(document["departmentId"], document["number"])
        with self._lock:
            known = self._records.get(key)
            now = self._now()
            record = {
                "requestId": known[0]["requestId"] if known else str(uuid.uuid4()),
                "received": now.isoformat(),
                "modified": now.isoformat(),
                "exceptionMessage": None,
                "digest": digest(document),
                "document": _without_content(document),
            }
            self._keep(key, [record])
        return {
            "number": document["number"],
            "requestId": record["requestId"],
            "digest": record["digest"],
            "replaced": bool(known),
        }

    def listing(self, department: str) -> list[dict[str, Any]]:
        """The analytics rows of one department."""
        with self._lock:
            now = clock(self.zone)
            return [
                self._row(record, now)
                for (owner, _), records in self._records.items()
                if owner == department.lower()
                for record in records
            ]

    def holds(self) -> list[dict[str, Any]]:
        """Number, digest and question states of everything, for tests."""
        with self._lock:
            return [
                {
                    "key": record["document"]["number"],
                    "departmentId": record["document"]["departmentId"],
                    "number": record["document"]["number"],
                    "requestId": record["requestId"],
                    "digest": record["digest"],
                    "statuses": [q["status"] for q in record["document"]["questions"]],
                    "answers": sum(
                        q["status"] in ANSWERED for q in record["document"]["questions"]
                    ),
                }
                for records in self._records.values()
                for record in records
            ]

    def shown(self) -> list[dict[str, Any]]:
        """What a person sees of it, the newest first; no names."""
        with self._lock:
            records = [record for records in self._records.values() for record in records]
        newest = sorted(records, key=lambda record: record["modified"], reverse=True)
        return [
            {
                "number": record["document"]["number"],
                "statuses": [STATUS_NAMES[q["status"]] for q in record["document"]["questions"]],
                "modified": record["modified"],
                "exceptionMessage": record["exceptionMessage"],
                "requestId": record["requestId"],
            }
            for record in newest
        ]

    def emit(self, count: int, seed: int) -> list[str]:
        """Take reports that somebody else made: rows of the list that are not known elsewhere."""
        source = Source(seed, clock(self.zone).date())
        return [
            str(self.put(sstu_document(source.appeal("sstu"), DEPARTMENT))["number"])
            for _ in range(count)
        ]

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Plant a difference, or tell what is held.

        `{"holds": true}` · `{"emit": n, "seed": s}` · `{"drop": number}` ·
        `{"duplicate": number}` · `{"plant": document}` · `{"change": number, "status": word}` ·
        `{"exception": text, "number": number}` ·
        `{"stages": {"forward_after": s, "upload_after": s}}`. Raises LookupError when the number
        is not held.
        """
        match command:
            case {"holds": True}:
                return {"items": self.holds()}
            case {"emit": int(count)}:
                return {"keys": self.emit(count, int(command.get("seed", 0)))}
            case {"plant": dict(document)}:
                return self.put(document)
            case {"stages": {"forward_after": forward, "upload_after": upload}}:
                self.forward_after, self.upload_after = float(forward), float(upload)
                return {"set": True}
            case {"drop": str(number)}:
                return self._edit(number, lambda _: [])
            case {"duplicate": str(number)}:
                return self._edit(number, _duplicate)
            case {"change": str(number), "status": str(status)} if status in STATUS_NAMES:
                return self._edit(number, lambda records: [self._change(records[0], status)])
            case {"exception": str(text), "number": str(number)}:
                return self._edit(number, lambda rs: [{**r, "exceptionMessage": text} for r in rs])
        raise ValueError("unknown command")

    def _change(self, record: dict[str, Any], status: str) -> dict[str, Any]:
        document = record["document"]
        questions = [{**q, "status": status} for q in document["questions"]]
        return {
            **record,
            "modified": self._now().isoformat(),
            "document": {**document, "questions": questions},
        }

    def _edit(self, number: str, change: Any) -> dict[str, Any]:
        with self._lock:
            for key, records in list(self._records.items()):
                if key[1] == fold(number) and records:
                    self._keep(key, change(records))
                    return {"changed": len(records)}
        raise LookupError(f"not held: {number}")

    def _keep(self, key: tuple[str, str], records: list[dict[str, Any]]) -> None:
        if records:
            self._records[key] = records
        else:
            self._records.pop(key, None)
        if self._fd >= 0:
            line = json.dumps({"key": key, "records": records}, ensure_ascii=False)
            os.write(self._fd, line.encode() + b"\n")

    def _load(self, path: str) -> None:
        if not os.path.exists(path):  # noqa: PTH110 - a plain path from the command line
            return
        with open(path, encoding="utf-8") as lines:  # noqa: PTH123
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue  # a line cut by a kill: that request was never answered
                self._keep(tuple(entry["key"]), entry["records"])

    def _now(self) -> datetime:
        """The node's time, never twice the same, so that dt_modified orders changes."""
        self._last = max(clock(self.zone), self._last + timedelta(microseconds=1))
        return self._last

    def _row(self, record: dict[str, Any], now: datetime) -> dict[str, Any]:
        document = record["document"]
        received = datetime.fromisoformat(record["received"])
        forwarded = received + timedelta(seconds=self.forward_after)
        uploaded = forwarded + timedelta(seconds=self.upload_after)
        failed = record["exceptionMessage"] is not None
        return {
            "requestId": record["requestId"],
            "number": document["number"],
            "dt_modified": self._stamp(datetime.fromisoformat(record["modified"])),
            "departmentId": document["departmentId"],
            "departmentName": "Орган (имитатор)",
            "format": document["format"],
            "formatName": FORMAT_NAMES[document["format"]],
            "isDirect": document["isDirect"],
            "createDate": document.get("createDate"),
            "name": document["name"],
            "address": document.get("address"),
            "email": document.get("email"),
            "receiveDate": self._stamp(received),
            "dispatchDate": self._stamp(forwarded) if forwarded <= now else None,
            "uploadDate": self._stamp(uploaded) if uploaded <= now and not failed else None,
            "exceptionMessage": record["exceptionMessage"],
            "questions": [
                {
                    "code": q["code"],
                    "status": q["status"],
                    "questionStatusName": STATUS_NAMES[q["status"]],
                    "incomingDate": q.get("incomingDate"),
                }
                for q in document["questions"]
            ],
        }

    def _stamp(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S.%f")

    def _key(self, department: str, number: str) -> tuple[str, str]:
        return department.lower(), fold(number)


def _duplicate(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*records, {**records[0], "requestId": str(uuid.uuid4())}]


def _without_content(document: dict[str, Any]) -> dict[str, Any]:
    """The document without file bytes, which the node's list never shows."""
    questions = [
        {k: v for k, v in question.items() if k != "attachment"}
        for question in document["questions"]
    ]
    return {**document, "questions": questions}
