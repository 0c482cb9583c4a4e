"""How `gateway access list` tells of accounts, and of whom a provider's word lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.commands import output, times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from gateway.store.accounts import Account, Binding

MARK_CHARS: Final = 12
"""How much of the digest of a person's number is shown."""


def say_accounts(
    rows: Sequence[Account],
    let_in: Sequence[Binding],
    zone: ZoneInfo,
    now: datetime,
    *,
    as_json: bool,
) -> None:
    """Say which accounts there are; a pause after wrong tries only while it lasts."""
    if as_json:
        output.document(
            {
                "accounts": [_plain(row) for row in rows],
                "bindings": [one._asdict() for one in let_in],
            }
        )
        return
    output.table(
        times.titled("Учётные записи · Accounts", zone),
        ("Логин", "Организация", "Роли", "Чем входит", "Код", "Вкл.", "Пауза до", "Вход"),
        [
            (
                row.login, row.organisation, ", ".join(row.roles), _way(row),
                "да" if row.totp else "", "да" if row.enabled else "нет",
                times.shown(row.locked_until, zone)
                if row.locked_until and row.locked_until > now
                else "",
                times.shown(row.seen_at, zone) if row.seen_at else "",
            )
            for row in rows
        ],
    )  # fmt: skip
    if let_in:
        output.table(
            "По слову провайдера · By the provider's word",
            ("Провайдер", "Организация там", "Роль там", "Организация", "Роли"),
            [(b.provider, b.external, b.role, b.organisation, ", ".join(b.roles)) for b in let_in],
        )


def _way(row: Account) -> str:
    if row.subject:
        return f"{row.provider}:{bytes(row.subject).hex()[:MARK_CHARS]}…"
    return "разовый пароль" if row.must_change else "пароль" if row.password else "–"


def _plain(row: Account) -> dict[str, Any]:
    """Return an account without its name and secrets."""
    return {
        "login": row.login, "organisation": row.organisation, "roles": row.roles,
        "by": _way(row), "totp": row.totp is not None, "enabled": row.enabled,
        "lockedUntil": row.locked_until, "seenAt": row.seen_at,
    }  # fmt: skip
