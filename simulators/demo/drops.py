"""Partners that drop files and wait for the acknowledgement and the error file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree

from simulators.demo.clients import Log, Reply, sent_digest
from simulators.demo.stage import until
from simulators.seed import forms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simulators.seed.appeals import Appeal

WAIT_SECONDS: Final = 40.0
_NS: Final = f"{{{forms.NAMESPACE}}}"


class Wrong(NamedTuple):
    """One line of an error file."""

    row: int
    column: str
    rule: str
    reason: str


class Drop:
    """One partner's directory."""

    def __init__(self, box: Path, peer: str, log: Log) -> None:
        self.box = box
        self.peer = peer
        self.log = log

    def put(self, name: str, data: bytes) -> None:
        """Drop a file as good programs do: written aside, then renamed."""
        (self.box / "in").mkdir(parents=True, exist_ok=True)
        temporary = self.box / "in" / f"{name}.part"
        temporary.write_bytes(data)
        temporary.rename(self.box / "in" / name)

    def answered(self, name: str) -> None:
        """Wait until the file has been put away."""
        places = [self.box / place / name for place in ("done", "error")]
        until(WAIT_SECONDS, lambda: any(p.exists() for p in places), f"{self.peer}: {name}")

    def receipts(self, name: str, encoding: str = "utf-8") -> dict[int, dict[str, str]]:
        """Return row → receipt of the acknowledgement, its columns renamed as in the contract."""
        path = self.box / "out" / f"{name}.ack.csv"
        if not path.exists():
            return {}
        return {
            int(row["row"]): {
                "externalId": row["external_id"],
                "revision": row["revision"],
                "receiptNumber": row["receipt_number"],
                "acceptedAt": row["accepted_at"],
                "contentSha256": row["content_sha256"],
                "result": row["result"],
            }
            for row in _table(path, encoding)
        }

    def xml_receipts(self, name: str) -> dict[int, dict[str, str]]:
        """Return item, from 1 → receipt of the acknowledgement of an XML bundle."""
        root = etree.parse(self.box / "out" / f"{name}.ack.xml").getroot()
        found = {}
        for item in root.iter(f"{_NS}SubmitResult"):
            receipt = item.find(f"{_NS}Receipt")
            if receipt is None:
                continue
            told = {etree.QName(child).localname: child.text or "" for child in receipt}
            found[int(item.findtext(f"{_NS}Index") or 0) + 1] = {
                name[0].lower() + name[1:]: value for name, value in told.items()
            }
        return found

    def wrong(self, name: str, encoding: str = "utf-8") -> list[Wrong]:
        """Return the lines of the error file, none when there is no such file."""
        path = self.box / "out" / f"{name}.err.csv"
        if not path.exists():
            return []
        rows = _table(path, encoding)
        return [Wrong(int(r["row"]), r["column"], r["rule"], r["reason_ru"]) for r in rows]

    def note(
        self, appeals: Sequence[tuple[int, Appeal]], receipts: dict[int, dict[str, str]], name: str
    ) -> dict[str, Reply]:
        """Write what came back into the log; return it by the seed's external id."""
        replies: dict[str, Reply] = {}
        for row, appeal in appeals:
            receipt = {k: v for k, v in receipts.get(row, {}).items() if k != "result"}
            given = receipts.get(row, {}).get("result", "accepted" if receipt else "rejected")
            taken = receipt if given != "conflict" else {}
            reply = Reply(200 if taken else 400, "" if taken else given, taken, b"")
            replies[appeal.external_id] = reply
            self.log.write(
                peer=self.peer,
                operation="submit",
                external_id=appeal.external_id,
                revision=int(receipt.get("revision") or 1),
                sent_sha256=sent_digest(forms.contract(appeal)),
                status=reply.status,
                code=reply.code,
                receipt=reply.receipt,
                wire="file",
                file=name,
                row=row,
            )
        return replies


def rows_of(appeals: Sequence[Appeal]) -> list[tuple[int, Appeal]]:
    """Return each appeal with the first of its rows in the default table, header included."""
    placed: list[tuple[int, Any]] = []
    row = 2
    for appeal in appeals:
        placed.append((row, appeal))
        row += len(appeal.questions)
    return placed


def numbered(appeals: Sequence[Appeal], first: int = 1) -> list[tuple[int, Appeal]]:
    """Return each appeal with its place, counted from `first`."""
    return list(enumerate(appeals, first))


def _table(path: Path, encoding: str) -> list[dict[str, str]]:
    text = path.read_bytes().decode(encoding).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
