"""`gateway esia check`: for the engineer who hunts ESIA-007053 or 007005.

Shows what is signed, by whom, and the address that a browser would be sent to. What is signed is no
secret; the key never leaves its backend, and `client_secret` is good for one state only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from adapters.esia.portal import Portal
from gateway import registry, screen
from gateway.errors import ConfigurationError
from gateway.gost import open_signing
from gateway.lent import Lent
from gateway.store.memory import StoredMemory

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

_STATE: Final = "00000000-0000-4000-8000-000000000000"
Redirect = Annotated[
    str, typer.Option("--redirect-uri", help="Зарегистрированный адрес возврата · A registered one")
]
Official = Annotated[bool, typer.Option("--official", help="Как должностное лицо · An official")]


def attach(app: typer.Typer, opened: Callable[[], AbstractContextManager[Any]]) -> None:
    """Add the commands to a Typer application; `opened` lends settings, database and clock."""
    group = typer.Typer(
        name="esia",
        help="ЕСИА: проверить подпись запроса · Checking how requests are signed",
        cls=screen.Group,
        no_args_is_help=True,
    )

    @group.callback()
    def whole() -> None:
        """Keep `check` a word of its own, though it is alone."""

    @group.command("check")
    def check(redirect_uri: Redirect, *, official: Official = False) -> None:
        """Показать, что подписывается и чем · Show what is signed and by what."""
        with opened() as house:
            for name, value in told(house.settings, house.now(), redirect_uri, official=official):
                typer.echo(f"{name}\n  {value}")

    app.add_typer(group, name="esia")


def told(
    settings: Any, now: datetime, redirect_uri: str, *, official: bool
) -> list[tuple[str, str]]:
    """Return what an engineer compares with the registration, as names and values."""
    adapter = registry.load(("esia",))["esia"]
    given = registry.options(adapter, settings.adapter_options)
    if lacking := registry.lack(adapter.manifest, given):
        raise lacking
    signing = open_signing(settings)
    lent = Lent(StoredMemory(None, "esia", lambda: now), lambda: signing, lambda: now)
    made = adapter.make(given, lent=lent)
    if not isinstance(made.provider, Portal):
        raise ConfigurationError(
            "проверять нечего · nothing is signed for this provider",
            where="adapter_options.esia.provider",
            found="oidc",
            expected="esia",
        )
    signed = made.provider.sign(now, _STATE, redirect_uri, official=official)
    key = made.provider.key(now)
    return [
        ("подписываемая строка · the string that is signed", signed.text.decode()),
        ("client_certificate_hash (ГОСТ Р 34.11-2012, DER)", signed.certificate_hash),
        ("сертификат · certificate", key.certificate.subject),
        ("SHA-256", key.certificate.sha256),
        (
            "действует · in force",
            f"{key.certificate.not_before:%d.%m.%Y} – {key.certificate.not_after:%d.%m.%Y}",
        ),
        (
            "подписано · signed by",
            f"{signing.backend.name}, client_secret: {len(signed.secret)} знаков",
        ),
        (
            "адрес входа · where the browser is sent",
            made.begin(now, redirect_uri=redirect_uri, official=official).url,
        ),
    ]
