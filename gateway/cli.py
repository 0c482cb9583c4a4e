"""The `gateway` command: processes here, everything else in `gateway.commands`.

Commands from outside the gateway join by entry points of the group `gateway.commands`: a function
`attach(app, opened)` that adds them; `opened()` lends them the open database.
"""

from __future__ import annotations

import errno
import pkgutil
import signal
import socket
import sys
import threading
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from gateway import __version__, commands, logs
from gateway.access.policy import is_loopback
from gateway.access.proxies import Proxies
from gateway.commands import context, output
from gateway.embedded import wait_stopped
from gateway.errors import ConfigurationError, GatewayError
from gateway.store import schema
from gateway.supervisor import Child, supervise

if TYPE_CHECKING:
    from gateway.settings import Settings

log = structlog.get_logger(__name__)
app = typer.Typer(
    name="gateway",
    cls=output.Group,
    help="Шлюз обращений граждан · The Appeals Gateway",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _settings() -> Settings:
    """Return the settings of a process that runs long, with its log set up."""
    settings = context.settings()
    logs.configure(settings.log_level, settings.log_format)
    return settings


@app.command()
def serve(
    fd: Annotated[int, typer.Option(help="Inherited listening socket")] = -1,
) -> None:
    """Отвечать по SOAP и REST · Answer SOAP and REST."""
    from gateway import server
    from gateway.app import Serve
    from gateway.connection import GuardedProtocol

    settings = _settings()
    with context.opened(settings) as opened:
        bound = socket.socket(fileno=fd) if fd >= 0 else _listen(settings)
        made = Serve(settings, opened.url)
        check_listening(settings, made)
        GuardedProtocol.per_address = settings.connections_per_address
        GuardedProtocol.proxies = Proxies(settings.trusted_proxies, settings.proxy_headers)
        server.run(
            made,
            bound,
            tls=server.tls_options(settings.tls_cert, settings.tls_key, settings.tls_client_ca),
            ready=lambda: _say_address(bound, settings) if fd < 0 else None,
        )


@app.command()
def work() -> None:
    """Разбирать и доставлять · Triage, dispatch and keep the schedule."""
    from gateway.worker import Worker

    settings = _settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with context.opened(settings) as opened:
        Worker(settings, opened.url).run(stop)


@app.command()
def run() -> None:
    """Всё на одной машине · Everything on one machine, with the embedded database."""
    settings = _settings()
    with context.opened(settings, migrated=False) as opened:
        schema.upgrade(opened.url, opened.now())
        bound = _listen(settings)
        bound.set_inheritable(True)
        _say_address(bound, settings)
        serves = [
            Child(f"serve-{n}", ["serve", "--fd", str(bound.fileno())], [bound.fileno()])
            for n in range(1, settings.serve_processes + 1)
        ]
        supervise([*serves, Child("work", ["work"], [])])
    if not settings.database_url:
        # A container that ends with us must not cut the database's own stop short.
        wait_stopped(settings.data_dir)


def _listen(settings: Settings) -> socket.socket:
    from gateway import server

    try:
        return server.listen(settings.host, settings.port)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            "another program listens there already" if taken else "cannot listen there",
            found=f"{settings.host}:{settings.port}" + ("" if taken else f": {error}"),
            where="GATEWAY_HOST, GATEWAY_PORT",
            todo="stop that program (`ss -ltnp` names it), or set another port"
            if taken
            else "set an address of this machine, and a port that this account may listen on",
        ) from error


def check_listening(settings: Settings, made: object) -> None:
    """Refuse to listen beyond loopback while nobody could prove who they are (design §2.16)."""
    gate = getattr(made, "gate", None)
    if is_loopback(settings.host) or gate is None or gate.any_credential():
        return
    raise ConfigurationError(
        "no peer has a credential, so only loopback may be listened on",
        found=settings.host,
        todo='`gateway peer add` and `gateway peer key`, or host = "127.0.0.1"',
    )


def _say_address(bound: socket.socket, settings: Settings) -> None:
    host, port = bound.getsockname()[:2]
    scheme = "https" if settings.tls_cert else "http"
    sys.stdout.write(f"{scheme}://{host}:{port}\n")
    sys.stdout.flush()


@app.callback(invoke_without_command=True)
def _options(
    *, version: Annotated[bool, typer.Option("--version", help="Версия · Version")] = False
) -> None:
    if version:
        typer.echo(f"gateway {__version__}")
        raise typer.Exit


def assemble() -> typer.Typer:
    """Return the whole command: processes, the house's commands, and those of entry points."""
    for module in pkgutil.iter_modules(commands.__path__):
        found = getattr(import_module(f"gateway.commands.{module.name}"), "app", None)
        if isinstance(found, typer.Typer):
            _join(module.name, found)
    for point in entry_points(group="gateway.commands"):
        point.load()(app, lambda: context.opened(context.settings()))
    return app


def _join(name: str, found: object) -> None:
    if not isinstance(found, typer.Typer):
        app.command(name)(found)  # type: ignore[type-var]
    elif (
        len(found.registered_commands) == 1
        and not found.registered_groups
        and found.registered_callback is None
    ):
        only = found.registered_commands[0]
        app.command(name, help=only.help or found.info.help)(only.callback)  # type: ignore[type-var]
    else:
        app.add_typer(found, name=name)


def main() -> None:
    """Run the command; an error of ours is one line, not a trace."""
    try:
        assemble()()
    except GatewayError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from error
