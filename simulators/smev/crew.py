"""The other body: a made-up system inside the stand that sends appeals and answers requests.

It has a key of its own and goes through the same desk as everybody, by signed messages; no failure
of the line is planned for it. `{"emit": n, "seed": s}` sends appeals to whoever else is a provider,
with files when `"files": true`; `{"answer": true}` takes what waits for it, answers every request
(receipt, registered, taken, answer; or as `"as": "refusal"` or `"rejected"` says) and reads the
answers to its own. `"version"` is that of the exchange, 1.3 when it is not told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway import contracts
from simulators.smev import payload
from simulators.smev.caller import Caller
from simulators.smev.desk import Desk
from simulators.smev.troubles import Troubles

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.smev.caller import Got
    from simulators.smev.house import House
    from simulators.smev.troubles import Trouble

MNEMONIC: Final = "OTHER"
TITLE: Final = "Выдуманное ведомство"
KINDS: Final = payload.KINDS
_OF_SENDING: Final = frozenset({"twice", "reject", "reject_as_response"})
_REJECTED: Final = (
    "<t:RequestRejected><t:RejectionReasonCode>NO_DATA</t:RejectionReasonCode>"
    "<t:RejectionReasonDescription>Сведений нет</t:RejectionReasonDescription>"
    "</t:RequestRejected>"
)


def schema() -> Path:
    """Return the schema of the content."""
    return contracts.folder("xsd", "smev") / payload.FILE


class Body:
    """The other body over a house. Not thread-safe beyond what the control address needs."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._desk = Desk(house._replace(troubles=_Sending(house.troubles)))
        self._numbers = 0
        self.heard: dict[str, list[str]] = {}
        """Number of a request of ours → what came back, by the names of the answers."""

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what `POST /_control` asks; raise ValueError for what is not known."""
        version = str(command.get("version", "1.3"))
        match command:
            case {"emit": int(count)}:
                seed, files = int(command.get("seed", 0)), bool(command.get("files", False))
                return self.emit(count, seed, version, files=files)
            case {"answer": True}:
                return self.answer(version, str(command.get("as", "answer")))
            case {"heard": True}:
                return {"heard": self.heard}
        raise ValueError("unknown command")

    def emit(self, count: int, seed: int, version: str, *, files: bool) -> dict[str, Any]:
        """Send appeals; return their numbers, and those of the messages."""
        caller, keys, ids = self._caller(version), [], []
        for one in payload.submissions(seed, self._house.now().date(), count, files=files):
            ids.append(caller.request(one.content, attachments=one.files))
            keys.append(one.external_id)
            self.heard[ids[-1]] = []
        return {"keys": keys, "ids": ids}

    def answer(self, version: str, how: str) -> dict[str, Any]:
        """Answer every request that waits, and read every answer; return how many of each."""
        caller, asked, heard = self._caller(version), 0, 0
        while (got := caller.get("Request")) is not None:
            self._answer(caller, got, how)
            caller.ack(got.id)
            asked += 1
        while (got := caller.get("Response")) is not None:
            self.heard.setdefault(got.original, []).append(_name(got))
            caller.ack(got.id)
            heard += 1
        return {"answered": asked, "heard": heard}

    def _answer(self, caller: Caller, got: Got, how: str) -> None:
        now = self._house.now()
        today = now.date()
        self._numbers += 1
        number = f"ВВ-{self._numbers}"
        if how == "rejected":
            caller.respond(got.reply_to, other=_REJECTED)
            return
        if how == "refusal":
            caller.respond(got.reply_to, payload.refusal(today))
            return
        caller.respond(got.reply_to, payload.receipt(number, now))
        name = "{*}Appeal/{*}ExternalId"
        external_id = got.content.findtext(name) if got.content is not None else None
        if got.content is None or not str(got.content.tag).endswith("}SubmitAppeal"):
            return
        for content in (
            payload.registered(external_id or "", number, today),
            payload.taken(external_id or "", today),
            payload.answer(external_id or "", number, today),
        ):
            caller.respond(got.reply_to, content)

    def _caller(self, version: str) -> Caller:
        def send(headers: dict[str, str], body: bytes) -> tuple[str, bytes]:
            lower = {name.lower(): value for name, value in headers.items()}
            served = self._desk.serve(version, lower, body)
            if served.keep is not None:
                served.keep()
            return served.reply.media_type, served.reply.body

        return Caller(self._house.ring.signer(MNEMONIC, self._house.now()), send, version)


class _Sending(Troubles):
    """Of the planned troubles those of messages on their way, and none of the line."""

    def __init__(self, real: Troubles) -> None:
        super().__init__()
        self._real = real

    def take(self, kind: Trouble, operation: str) -> bool:
        return kind in _OF_SENDING and self._real.take(kind, operation)


def _name(got: Got) -> str:
    """Return what came back: root of the content, or the element that stands instead."""
    if got.content is not None:
        return str(got.content.tag).rpartition("}")[2]
    return str(got.data[-1].tag).rpartition("}")[2]
