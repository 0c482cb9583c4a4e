"""A partner's program made by zeep from the served WSDL: it proves that the contract is usable."""

from __future__ import annotations

import base64
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import zeep
from requests import Session
from requests.auth import HTTPBasicAuth

from simulators.demo.clients import Client, Reply
from simulators.seed import forms

if TYPE_CHECKING:
    from simulators.demo.clients import Log


class Zeep(Client):
    """A portal whose SOAP client was generated; nothing here knows the shape of an envelope."""

    def __init__(self, address: str, peer: str, key: str, log: Log) -> None:
        super().__init__(address, peer, key, log)
        session = Session()
        session.trust_env = False
        session.auth = HTTPBasicAuth(peer, key)
        make: Any = zeep  # it has no types
        transport = make.Transport(session=session, timeout=20, operation_timeout=20)
        client = make.Client(f"{address}/soap/appeals.svc?wsdl", transport=transport)
        self._service = client.bind("AppealService", "Soap12")

    def submit(self, document: dict[str, Any]) -> Reply:
        """Submit one appeal."""
        try:
            found = self._service.SubmitAppeal(Appeal=_argument(document))
        except zeep.exceptions.Fault as fault:
            reply = Reply(500, str(fault.message), {}, b"")
        else:
            receipt = {
                name[0].lower() + name[1:]: _text(found[name])
                for name in found
                if found[name] is not None
            }
            reply = Reply(200, "", receipt, b"")
        return self.told("submit", document, reply, wire="zeep")

    def changes(self) -> list[tuple[str, str]]:
        """Read and acknowledge everything new; return (receipt number, event) in order."""
        found: list[tuple[str, str]] = []
        while True:
            page = self._service.GetChanges(Max=500, MaxBytes=400_000)
            items = page.Items.Change if page.Items else []
            found += [(item.Key.ReceiptNumber, item.EventType) for item in items]
            if not items:
                return found
            self._service.AckChanges(Cursor=page.NextCursor)


def _argument(node: Any, key: str = "") -> Any:
    """Return a document of the contract as zeep wants it: capitals, item names, Python values."""
    if isinstance(node, dict):
        return {k[0].upper() + k[1:]: _argument(v, k) for k, v in node.items()}
    if isinstance(node, list):
        return {forms.ITEMS[key]: [_argument(item) for item in node]}
    if key == "receivedAt":
        return datetime.fromisoformat(node)
    if key in {"date", "receivedDate"}:
        return date.fromisoformat(node)
    return base64.b64decode(node) if key == "content" else node


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
