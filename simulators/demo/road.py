"""One appeal's road: its numbers, messages, deliveries with their attempts, terms with articles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.demo.ledger import Ledger
    from simulators.demo.stage import Stage
    from simulators.demo.tell import Teller


def tell_road(stage: Stage, teller: Teller, ledger: Ledger) -> None:
    """Print the road of an answered appeal whose answer the node took without saying so."""
    appeal = ledger.eventful()
    receipt = ledger.receipt(appeal)
    told = stage.command("evidence", receipt)
    pieces = told["pieces"]
    teller.say(f"Дорога обращения {appeal.external_id}", "the road of one appeal")
    teller.note(
        f"квитанция {receipt}, рег. № {ledger.number(appeal)}, отправитель {told['peer']}, "
        f"состояние {told['state']}"
    )
    for piece in pieces:
        if piece["kind"] == "received":
            teller.note(
                f"сообщение {piece['id']}  {_clock(piece)}  {piece['who']}: {piece['what']}"
            )
    for piece in pieces:
        if piece["kind"] == "event" and piece["what"] in ("DeadlineOpened", "Routed"):
            teller.note(_rule(piece["what"], piece["details"]["payload"]))
    for piece in pieces:
        if piece["kind"] == "owed":
            teller.note(_delivery(piece, pieces))


def _rule(what: str, payload: dict[str, Any]) -> str:
    if what == "Routed":
        return f"маршрут: {payload['reason']} → {', '.join(payload['destinations'])}"
    return f"срок: до {payload['due_legal']} ({payload['article']}), правило {payload['rule']}"


def _delivery(owed: dict[str, Any], pieces: list[dict[str, Any]]) -> str:
    """A delivery on one line: to whom, about what, how it stands, how each attempt ended."""
    tried = [
        piece["details"]["outcome"]
        for piece in pieces
        if piece["kind"] == "answered" and piece["details"].get("delivery") == owed["id"]
    ]
    road = f": {' → '.join(tried)}" if tried else ""
    return f"{owed['who']} {owed['what']}: {owed['details']['state']}{road}"


def _clock(piece: dict[str, Any]) -> str:
    return str(piece["at"])[11:19]
