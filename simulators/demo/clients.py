"""The senders: SOAP 1.1 and 1.2 by hand, SOAP by zeep, REST. Each writes a log of its own.

The log is what the demo counts by: one JSON line a call, with what was sent and what came back.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import urllib3
from lxml import etree

from simulators.seed import forms

if TYPE_CHECKING:
    from pathlib import Path

TRIES: Final = 40
OK: Final = 200
BUSY: Final = 503
_ENVELOPE: Final = {"1.1": forms.SOAP11, "1.2": forms.SOAP12}
_NS: Final = f"{{{forms.NAMESPACE}}}"


class Reply(NamedTuple):
    """What a call got. code: ours, of an error; receipt: its fields, empty without one."""

    status: int
    code: str
    receipt: dict[str, str]
    body: bytes

    @property
    def accepted(self) -> bool:
        """Whether the gateway gave a receipt."""
        return bool(self.receipt)


class Log:
    """Append-only JSON lines of one sender; also kept for counting."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, **record: Any) -> None:
        """Append one record."""
        with self._lock:
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Client:
    """A peer with its key; comes again when the gateway is busy or just being started anew."""

    def __init__(self, address: str, peer: str, key: str, log: Log) -> None:
        self.peer = peer
        self.key = key
        self.address = address
        self.log = log
        self._pool = urllib3.PoolManager(maxsize=4, retries=False)

    def call(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        """Call until it is answered with something else than `busy`."""
        basic = base64.b64encode(f"{self.peer}:{self.key}".encode()).decode()
        for _ in range(TRIES):
            try:
                response = self._pool.request(
                    method,
                    self.address + path,
                    body=body,
                    headers={"Authorization": f"Basic {basic}", **headers},
                    timeout=20.0,
                )
            except urllib3.exceptions.HTTPError:
                time.sleep(0.25)
                continue
            if response.status != BUSY:
                return response
            time.sleep(0.25)
        raise RuntimeError(f"{method} {path}: no answer in {TRIES} tries")

    def json(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """Call REST with a JSON document; return the status and the answer."""
        body = None if document is None else json.dumps(document, ensure_ascii=False).encode()
        response = self.call(method, path, body, {"Content-Type": "application/json"})
        return response.status, json.loads(response.data) if response.data else None

    def changes(self) -> list[tuple[str, str]]:
        """Read and acknowledge everything new; return (receipt number, event) in order."""
        found: list[tuple[str, str]] = []
        while True:
            status, page = self.json("GET", "/api/v1/changes?max=500&maxBytes=400000")
            if status != OK:
                raise RuntimeError(f"changes: {status} {page}")
            items = page["items"]
            found += [(item["key"]["receiptNumber"], item["eventType"]) for item in items]
            if not items:
                return found
            self.json("POST", "/api/v1/changes/ack", {"cursor": page["nextCursor"]})

    def told(self, operation: str, document: dict[str, Any], reply: Reply, **more: Any) -> Reply:
        """Write a call of one appeal into the log."""
        self.log.write(
            peer=self.peer,
            operation=operation,
            external_id=document["externalId"],
            revision=document.get("revision", 1),
            sent_sha256=sent_digest(document),
            status=reply.status,
            code=reply.code,
            receipt=reply.receipt,
            **more,
        )
        return reply


def sent_digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a document as it was made from the seed."""
    return sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Rest(Client):
    """A portal that speaks REST."""

    def submit(self, document: dict[str, Any]) -> Reply:
        """Submit one appeal."""
        status, answer = self.json("POST", "/api/v1/appeals", document)
        return self.told("submit", document, _reply(status, answer), wire="rest")

    def submit_many(self, documents: list[dict[str, Any]]) -> list[Reply]:
        """Submit up to a hundred appeals in one call."""
        status, answer = self.json("POST", "/api/v1/appeals/batch", {"items": documents})
        replies = []
        for document, item in zip(documents, answer["items"], strict=True):
            found = item.get("receipt") or item.get("error") or {}
            reply = _reply(status if "receipt" in item else 400, found)
            replies.append(self.told("submit", document, reply, wire="rest-batch"))
        return replies

    def amend(self, document: dict[str, Any]) -> Reply:
        """Replace the content of an appeal by a higher revision."""
        key = f"{document['externalId']}/revisions/{document['revision']}"
        status, answer = self.json("PUT", f"/api/v1/appeals/{key}", document)
        return self.told("amend", document, _reply(status, answer), wire="rest")


class Soap(Client):
    """A portal that speaks SOAP without a library; version is 1.1 or 1.2."""

    def __init__(self, address: str, peer: str, key: str, log: Log, version: str) -> None:
        super().__init__(address, peer, key, log)
        self.version = version

    def submit(self, document: dict[str, Any]) -> Reply:
        """Submit one appeal."""
        inner = forms.element("SubmitAppeal", {"appeal": document}, root=True)
        return self._send("submit", "SubmitAppeal", inner, document)

    def amend(self, document: dict[str, Any]) -> Reply:
        """Replace the content of an appeal by a higher revision."""
        call = {
            "externalId": document["externalId"],
            "revision": document["revision"],
            "appeal": document,
            "reason": "Заявитель уточнил обращение",
        }
        inner = forms.element("AmendAppeal", call, root=True)
        return self._send("amend", "AmendAppeal", inner, document)

    def _send(self, word: str, operation: str, inner: str, document: dict[str, Any]) -> Reply:
        body = forms.wrapped(inner, _ENVELOPE[self.version])
        action = f"{forms.NAMESPACE}/{operation}"
        headers = (
            {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
            if self.version == "1.1"
            else {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        )
        response = self.call("POST", "/soap/appeals.svc", body, headers)
        reply = _soap_reply(response.status, response.data)
        return self.told(word, document, reply, wire=f"soap{self.version}")


def _reply(status: int, answer: Any) -> Reply:
    told = answer or {}
    body = json.dumps(told, sort_keys=True).encode()
    if "receiptNumber" in told and "acceptedAt" in told:
        receipt = {name: str(value) for name, value in told.items()}
        return Reply(status, "", receipt, body)
    return Reply(status, str(told.get("code", status)), {}, body)


def _soap_reply(status: int, body: bytes) -> Reply:
    root = etree.fromstring(body)
    found = root.find(f".//{_NS}Receipt")
    if found is None:
        code = root.findtext(f".//{_NS}Code") or str(status)
        return Reply(status, code, {}, body)
    receipt = {
        etree.QName(child).localname[0].lower() + etree.QName(child).localname[1:]: child.text or ""
        for child in found
    }
    return Reply(status, "", receipt, body)
