"""Run both desks: `python -m simulators.edds --port 0 --journal edds.jsonl`.

REST below `/rest`, SOAP 1.1 at `/soap/DispatchService`. `POST /_control` tells what was received
(`{"holds": true}`) and lets a desk call back: `{"push": {"address", "user", "key", "vendor":
"rest"|"soap", "state", "number", "count"}}`; without a number it is about the newest cards.
Failures are planned for the number of a card, `ask` and `health`.
"""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import ProxyHandler, Request, build_opener

from simulators import peer as base
from simulators.edds import rules, soap
from simulators.edds.store import Refused, Store
from simulators.page import Face

JSON: Final = "application/json; charset=utf-8"
XML: Final = "text/xml; charset=utf-8"
INNER: Final[dict[str, Any]] = {"allow_private": ["127.0.0.1"]}
"""The gateway reaches no inner address that nobody allowed."""
_PUSH_SECONDS: Final = 30.0
_STATES: Final = {"rest": "WORKING", "soap": "в работе"}
_open: Final = build_opener(ProxyHandler({})).open


class Desks:
    """The addresses of both vendors over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def routes(self) -> list[tuple[str, str, base.Handler]]:
        """Return the routes; longer ones win."""
        return [
            ("POST", "/rest/cards", self.card),
            ("PUT", "/rest/cards/", self.card),
            ("GET", "/rest/deliveries/", self.delivery),
            ("GET", "/rest/health", self.health),
            ("POST", "/soap/DispatchService", self.call),
            ("GET", "/soap/DispatchService", self.health),
        ]

    def card(self, request: base.Request) -> base.Answer:
        """Take a card, a correction or a withdrawal as JSON."""
        _, _, number, *more = (*request.path.strip("/").split("/"), "")[:4]
        kind = "card" if request.method == "POST" and not number else "amend"
        kind = "cancel" if "cancel" in more else kind
        try:
            told = _flat(json.loads(request.body.decode()))
        except (ValueError, AttributeError):
            return _error(400, "Тело не JSON", number)
        told["key"] = request.headers.get("idempotency-key", "")
        told["number"] = unquote(number) if number else told.get("number")
        key = str(told["number"] or "")
        try:
            card = self.store.check("rest", kind, told, request.body)
        except Refused as refused:
            return _error(refused.status, str(refused), key)
        body = {"cardId": card, "acceptedAt": base.clock().isoformat(timespec="seconds")}
        store = partial(self.store.keep, "rest", kind, told, request.body, card)
        return base.Answer(200, _json(body), JSON, key=key, store=store)

    def delivery(self, request: base.Request) -> base.Answer:
        """Say what became of a delivery."""
        found = self.store.delivery("rest", request.path.rpartition("/")[2])
        if found is None:
            return _error(404, "Такого сообщения не было", "ask")
        card, at = found
        return base.Answer(200, _json({"cardId": card, "acceptedAt": at}), JSON, key="ask")

    def health(self, request: base.Request) -> base.Answer:
        """Say that the desk is there."""
        return base.Answer(200, request.path.encode(), key="health")

    def call(self, request: base.Request) -> base.Answer:
        """Take a call of SOAP."""
        try:
            operation, told = soap.read(request.body)
        except ValueError as error:
            return _fault(str(error))
        action = request.headers.get("soapaction", "").strip('"')
        if action != f"{soap.DISPATCH}/{operation}":
            return _fault(f"SOAPAction {action}")
        if operation == "AskDelivery":
            found = self.store.delivery("soap", str(told.get("key", "")))
            return base.Answer(200, soap.found(found[0] if found else None), XML, key="ask")
        kind, key = soap.KINDS.get(operation), str(told.get("number", ""))
        if kind is None:
            return _fault(f"Нет операции {operation}", key)
        try:
            card = self.store.check("soap", kind, told, request.body)
        except Refused as refused:
            return _fault(str(refused), key)
        store = partial(self.store.keep, "soap", kind, told, request.body, card)
        return base.Answer(200, soap.accepted(card), XML, key=key, store=store)

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what the control address asks; raise ValueError or LookupError."""
        match command:
            case {"holds": True}:
                return {"items": self.store.holds()}
            case {"push": dict(order)}:
                return self._push(order)
        raise ValueError("unknown command")

    def face(self) -> Face:
        """Return what the page for a person says."""
        return Face(
            "ЕДДС · Emergency dispatch",
            rules.SOURCED,
            rules.OURS,
            self.store.rows,
            "Пока ни одной карточки: они придут об обращениях с угрозой жизни"
            " · No card yet: they come of appeals that tell of an emergency",
            by_source=rules.BY_SOURCE,
        )

    def _push(self, order: dict[str, Any]) -> dict[str, Any]:
        vendor = str(order.get("vendor", "rest"))
        made = self.store.call_back(
            vendor,
            str(order.get("number", "")),
            int(order.get("count", 1)),
            str(order.get("state", _STATES[vendor])),
        )
        told = [_call(order, vendor, one) for one in made]
        return {
            "keys": [one["event"] for one in made],
            "statuses": [status for status, _ in told],
            "answers": [answer for _, answer in told],
        }


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a card as the rules read them."""
    place = document.get("place") or {}
    point = place.get("point") or {}
    return {
        "number": document.get("externalId"),
        "type": document.get("type"),
        "title": document.get("typeName"),
        "urgency": document.get("urgency"),
        "address": place.get("address"),
        "lat": point.get("lat"),
        "lon": point.get("lon"),
        "due": document.get("deadline"),
        "revision": document.get("revision"),
    }


def _call(order: dict[str, Any], vendor: str, told: dict[str, Any]) -> tuple[int, str]:
    """Post one call-back; return status and body of the answer."""
    document = {
        "externalId": told["number"], "eventId": told["event"], "cardId": told["card"],
        "state": told["state"], "at": told["at"],
    }  # fmt: skip
    body, media = (_json(document), JSON) if vendor == "rest" else (soap.state(told), XML)
    pair = f"{order.get('user', '')}:{order.get('key', '')}".encode()
    headers = {
        "Content-Type": media,
        "Authorization": f"Basic {base64.b64encode(pair).decode()}",
    }
    request = Request(str(order["address"]), data=body, headers=headers, method="POST")  # noqa: S310
    try:
        with _open(request, timeout=_PUSH_SECONDS) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _error(status: int, text: str, key: str) -> base.Answer:
    return base.Answer(status, _json({"error": {"text": text}}), JSON, key=key, why=(text,))


def _fault(text: str, key: str = "") -> base.Answer:
    return base.Answer(500, soap.fault(text), XML, key=key, why=(text,))


def main() -> None:
    """Start both desks, print the address, serve until told to stop."""
    args = base.arguments("edds", __doc__).parse_args()
    desks = Desks(Store())
    peer = base.Peer(
        "edds",
        desks.routes(),
        journal=base.Journal(args.journal),
        faults=base.faults_of(args),
        control=desks.command,
        face=desks.face(),
        host=args.host,
        port=args.port,
    )
    base.announce(
        peer,
        rules.SOURCED,
        rules.OURS,
        options={"url": f"{peer.address}/rest", **INNER},
        soap={"url": f"{peer.address}/soap", "template": "card-soap", **INNER},
    )
    base.run_until_signal(peer)


if __name__ == "__main__":
    main()
