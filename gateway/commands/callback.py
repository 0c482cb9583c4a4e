"""`gateway peer hosts`: where answers may go that a peer wants at an address of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands import context, output
from gateway.errors import NotFoundError
from gateway.options import callback_host
from gateway.store import peers

Hosts = Annotated[
    list[str] | None, typer.Option(metavar="HOST[:PORT]", help="Добавить узел · Add a host")
]
Gone = Annotated[
    list[str] | None, typer.Option(metavar="HOST[:PORT]", help="Убрать узел · Remove a host")
]


def hosts(
    code: Annotated[str, typer.Argument(metavar="КОД", help="Код · Code of the peer")],
    *,
    add: Hosts = None,
    remove: Gone = None,
    commit: output.Commit = False,
    as_json: output.Json = False,
) -> None:
    """Куда слать ответы по ReplyTo: показать или изменить · Show or change hosts for answers."""
    added = [callback_host(text) for text in add or ()]
    with context.opened(context.settings()) as gw, gw.connection() as db, db.transaction():
        before = peers.require_there(db, code).callback_hosts
        gone = {_named(text, before) for text in remove or ()}
        after = list(dict.fromkeys([*(h for h in before if h not in gone), *added]))
        changed = commit and after != before
        if changed:
            peers.set_callback_hosts(db, code, after)
    if as_json:
        output.document({"peer": code, "before": before, "hosts": after, "committed": commit})
        return
    output.say(f"Ответы могут уходить · Answers may go to: {', '.join(before) or '–'}")
    if add or remove:
        done = "Стало · Now" if commit else "Станет · Would become"
        output.say(f"{done}: {', '.join(after) or '–'}")
        output.planned(commit=commit)


def _named(text: str, hosts: list[str]) -> str:
    """Return the host of the row that is meant: as it stands there, or as it is written now."""
    if text in hosts:
        return text
    found = callback_host(text)
    if found not in hosts:
        raise NotFoundError(
            f"{text}: такого узла у системы нет · the peer has no such host",
            found=text,
            expected=", ".join(hosts),
        )
    return found
