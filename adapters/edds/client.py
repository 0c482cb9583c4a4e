"""Talks to a dispatcher's interface over HTTP, as the template says."""

from __future__ import annotations

import base64
import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

from adapters.edds.codes import METHOD, NUMBER, OWN, PATH, SECTION
from adapters.edds.places import Elements, Tree
from gateway import secretfile
from gateway.adapter import SENT_AT, Receipt
from gateway.errors import GatewayError, PeerDoubtful, PeerRefused, UnsupportedError
from gateway.outbound import Answered, Outbound, Response, check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.edds.places import Place
    from adapters.edds.tables import Call, Template
    from gateway.adapter import Wire

NAME = "ЕДДС"
_KEPT_BYTES = 4096
_PAGE: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE
).match
"""What stands before an interface speaks so: a proxy, a page to log in. It knows of no card."""


class Desk:
    """One dispatcher. base: absolute address that the paths of the template come after."""

    def __init__(
        self, outbound: Outbound, base: str, template: Template, table: Mapping[str, Any]
    ) -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")
        self._template = template
        self._table = table

    def send(self, wire: Wire) -> Receipt:
        """Send once; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        call = self._template.calls[wire.headers[SECTION]]
        headers = {
            name: value
            for name, value in wire.headers.items()
            if not name.startswith(OWN) and name != SENT_AT
        }
        answer = self._outbound.request(
            wire.headers[METHOD],
            self._base + wire.headers[PATH],
            headers={"Content-Type": wire.media_type, **headers, **self._credential()},
            body=wire.body,
        )
        told = self._told(answer, call)
        self._refusal(answer, call, told)
        check(answer, NAME)
        return self._receipt(answer, call, told, sent=wire.headers.get(NUMBER, ""))

    def ask(self, wire: Wire, key: str) -> Receipt | None:
        """Ask what became of a delivery; raise PeerDoubtful when it cannot be told."""
        call = self._template.calls.get("ask")
        if call is None:
            raise UnsupportedError("the template has no [ask]", where=self._template.profile)
        fields = {"key": key, "receipt_number": wire.headers.get(NUMBER, "")}
        answer = self._outbound.request(
            call.method,
            self._base + call.path.path(fields),
            headers={
                **({"Content-Type": self._template.media_type} if call.body else {}),
                **{name: value.header(fields) for name, value in call.headers.items()},
                **self._credential(),
            },
            body=call.body.fill(fields) if call.body else b"",
            safe=True,
        )
        if answer.status == 404 and not _PAGE(answer.body):
            return None
        check(answer, NAME, safe=True)
        told = self._told(answer, call)
        if told is None:
            raise PeerDoubtful(f"{NAME}: the answer to a question cannot be read")
        self._refusal(answer, call, told)
        number = call.answer.number
        if number is not None and not _text(told, number):
            if told.find(number) in (None, "") and told.has_room(number):
                return None
            raise PeerDoubtful(
                f"{NAME}: the answer to a question is about something else",
                found=f"HTTP {answer.status}",
                todo="compare the template's [ask] with the vendor's description",
            )
        return self._receipt(answer, call, told, sent="")

    def probe(self) -> str:
        """Say what the interface answers; raise DeliveryError."""
        call = self._template.calls.get("probe")
        answer = self._outbound.request(
            call.method if call else "HEAD",
            self._base + (call.path.path({}) if call else "/"),
            headers=self._credential(),
            safe=True,
        )
        if call:
            check(answer, NAME, safe=True)
        return f"HTTP {answer.status}"

    def _credential(self) -> dict[str, str]:
        out = {}
        if user := str(self._table.get("user") or ""):
            password = secretfile.read(self._table, "password_file")
            pair = base64.b64encode(user.encode() + b":" + password).decode()
            out["Authorization"] = f"Basic {pair}"
        if header := str(self._table.get("key_header") or ""):
            out[header] = secretfile.read(self._table, "key_file").decode("ascii", "replace")
        return out

    def _told(self, answer: Response, call: Call) -> Tree | Elements | None:
        """Read an answer, where the template says that something stands in it."""
        places = call.answer
        if not any((places.number, places.accepted_at, places.error, places.fault)):
            return None
        try:
            if self._template.form == "json":
                return Tree(answer.body)
            return Elements(answer.body)
        except GatewayError:
            return None

    def _refusal(self, answer: Response, call: Call, told: Tree | Elements | None) -> None:
        """Raise PeerRefused for a plain "no", also where SOAP makes it a 500 or a 200."""
        if told is None:
            return
        reason, fault = _text(told, call.answer.error), _text(told, call.answer.fault)
        side = fault.rpartition(":")[2].lower()
        if side in ("client", "sender") or (200 <= answer.status < 300 and reason and not side):
            raise PeerRefused(
                f"{NAME} refused", found=f"{answer.status} {reason or fault}"[:200]
            ) from Answered(answer)

    def _receipt(
        self, answer: Response, call: Call, told: Tree | Elements | None, *, sent: str
    ) -> Receipt:
        number = _text(told, call.answer.number)
        if call.answer.number is not None and not number:
            raise PeerDoubtful(
                f"{NAME} took the card and told no number of it",
                found=f"HTTP {answer.status}",
                where=sent,
                todo="compare the template's answer.number with the vendor's description",
            )
        return Receipt(
            final=not call.waits,
            status=answer.status,
            reference=number,
            body=answer.body[:_KEPT_BYTES],
            at=_moment(_text(told, call.answer.accepted_at)),
        )


def _text(told: Tree | Elements | None, at: Place | None) -> str:
    value = told.find(at) if told is not None else None
    told_of = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if told_of else ""


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
