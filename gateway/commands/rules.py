"""`gateway rules`: why an appeal goes where it goes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import psycopg
import typer
from rich.markup import escape

from gateway import masking, places, policies, routing
from gateway.addresses.found import Resolved
from gateway.commands import context, output, redecode
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    MalformedError,
    NotFoundError,
    StateError,
)
from gateway.model.appeal import Appeal
from gateway.model.facts import AddressFacts
from gateway.served import NOBODY, Served
from gateway.store import history, lookup, organisations, peers, topics
from gateway.store import places as places_store
from gateway.triage.build import Rules
from gateway.triage.topics import seen
from gateway.wires import canonical
from gateway.wires import contract as c

app = output.app("rules", "Правила направления · Rules of routing")


@app.command()
def check(*, as_json: output.Json = False) -> None:
    """Проверить правила по системам и органам · Check the rules against peers and bodies."""
    with context.opened(context.settings()) as gw, gw.connection() as db:
        path = _path(gw.settings.routing_file)
        known = organisations.read_all(db)
        table = routing.read_rules(path, peers=peers.read_all(db), organisations=known or None)
    if as_json:
        output.document({"rules": len(table), "file": str(path)})
    else:
        output.say(f"Правил · Rules: {len(table)}, {path}")


@app.command()
def explain(
    appeal: Annotated[
        str,
        typer.Argument(metavar="ФАЙЛ|НОМЕР", help="JSON, XML или номер · A file or any number"),
    ],
    *,
    source: Annotated[
        str, typer.Option(metavar="КОД", help="Как если бы от этой системы · As if from this peer")
    ] = "",
    as_json: output.Json = False,
) -> None:
    """Объяснить по каждому правилу, подошло ли оно и почему · Explain every rule."""
    settings = context.settings()
    table = routing.read_rules(_path(settings.routing_file))
    path = Path(appeal)
    if path.is_file():
        given, peer, served = read_file(path), source, NOBODY
    else:
        with context.opened(settings) as gw, gw.connection() as db:
            given, peer, served = _stored(db, appeal, policies.rules(settings), gw.now())
            given = seen(given, topics.tables(db), gw.now().date())
    subject = policies.subject(given, source or peer, served)
    found = routing.explain(subject, table)
    chosen = routing.route(subject, table)
    if as_json:
        output.document(
            {
                "chosen": chosen._asdict() if chosen else None,
                "rules": [
                    one._asdict() | {"conditions": [c._asdict() for c in one.conditions]}
                    for one in found
                ],
            }
        )
        return
    screen = output.console()
    for one in found:
        style = "green" if one.chosen else "yellow" if one.matched else "dim"
        screen.print(escape(str(one)), style=style, soft_wrap=True)
    if chosen is None:
        output.say("Ни одно правило не подошло · No rule matched")
        return
    output.say(f"→ {chosen.executor}; {', '.join(chosen.destinations) or '-'}: {chosen.reason}")


def read_file(path: Path) -> Appeal:
    """Read an appeal of the contract (AppealIn or SubmitAppeal) or a canonical one.

    Raises MalformedError when it is neither.
    """
    body = path.read_bytes()
    if not masking.looks_like_xml(body):
        for kind, convert in _KINDS:
            try:
                made: Appeal = convert(msgspec.json.decode(body, type=kind))
            except (msgspec.DecodeError, GatewayError):
                continue
            return made
        raise MalformedError("the file holds no appeal", found=str(path), expected="AppealIn")
    request = redecode.request(body, "application/xml", "SubmitAppeal", datetime.now(UTC))
    if not isinstance(request, c.SubmitAppeal):
        raise MalformedError("the file holds no appeal", found=type(request).__name__)
    appeal = canonical.submission(request.appeal).appeal
    assert appeal is not None
    return appeal


def _of_contract(given: c.AppealIn) -> Appeal:
    appeal = canonical.submission(given).appeal
    assert appeal is not None
    return appeal


_KINDS: tuple[tuple[Any, Any], ...] = (
    (c.AppealIn, _of_contract),
    (c.SubmitAppeal, lambda request: _of_contract(request.appeal)),
    (Appeal, lambda appeal: appeal),
)


def _stored(
    db: psycopg.Connection[Any], number: str, rules: Rules, now: datetime
) -> tuple[Appeal, str, Served]:
    """Return a stored appeal as it is now, who sent it, and who serves its place today."""
    found = lookup.one(db, number)
    content = lookup.content(db, found.id)
    if content is None:
        raise StateError("the content of this appeal was erased", current_state=found.state)
    appeal = msgspec.json.decode(content, type=Appeal)
    event = places.last(history.load(db, [found.id])[found.id])
    if event is None or not isinstance(event.payload, AddressFacts):
        return appeal, found.peer, NOBODY
    what = places_store.found(db, event) or places.Found()
    resolved = Resolved(outcome=event.payload.outcome, best=what.best)  # type: ignore[arg-type]
    served = rules.lookup.served(db, resolved, now)
    return places.resolved(appeal, event.payload, what, now), found.peer, served


def _path(name: str) -> Path:
    if not name:
        raise ConfigurationError("there are no rules", where="routing_file")
    path = Path(name)
    if not path.is_file():
        raise NotFoundError("no such file", found=name, where="routing_file")
    return path
