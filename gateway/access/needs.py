"""What keeps a peer from proving what its row requires: for commands and the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.settings import Settings
    from gateway.store.peers import Held

REQUIRE: Final = {
    "key": "key",
    "basic": "key",
    "digest": "digest",
    "certificate": "certificate",
    "signature": "certificate",
}
"""What a peer may have to prove itself by, and the kind of credential that takes."""
ANSWERS: Final = ("", "timestamp", "signature")
"""What answers to a peer may have to carry in their Security header."""
KINDS: Final = {
    "key": "ключ · key",
    "digest": "секрет · secret",
    "certificate": "сертификат · certificate",
}


def missing(settings: Settings, require: str, held: Sequence[Held], now: datetime) -> list[str]:
    """Say what keeps a peer from proving what is required of it, a line each.

    held: its credentials, disabled ones included.
    """
    kind = REQUIRE.get(require)
    if kind is None:
        return [f"такого требования нет · no such requirement: {require}"]
    found = []
    live = [h for h in held if h.kind == kind and h.disabled_at is None]
    if not any(h.not_after is None or h.not_after > now for h in live):
        found.append(f"нет действующего · there is none in force: {KINDS[kind]}")
    if kind == "digest" and not settings.seal_key:
        found.append("не задан seal_key · seal_key is not set")
    at_server = settings.tls_cert and settings.tls_client_ca
    if require == "certificate" and not at_server and not settings.proxy_client_certificate:
        found.append(
            "сертификаты не спрашиваются · nobody is asked for a certificate:"
            " tls_client_ca | proxy_client_certificate"
        )
    return found
