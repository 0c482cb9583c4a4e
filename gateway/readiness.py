"""Whether a peer's row can work: sent to, asked, or neither, and what is missing in it.

Destinations are built as dispatch builds them; nothing is connected to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import registry
from gateway.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.destinations import Builder
    from gateway.errors import GatewayError
    from gateway.model.peer import Peer
    from gateway.registry import Adapter


def only_takes(adapters: Mapping[str, Adapter], row: Peer) -> bool:
    """Whether a row is for what its peer pushes or brings as files, and no more."""
    adapter = adapters.get(row.adapter)
    return adapter is not None and registry.only_takes(adapter.manifest, row.options)


def hindrance(builder: Builder, adapters: Mapping[str, Adapter], row: Peer) -> GatewayError | None:
    """Return why a peer is not sent to, the option named; None when nothing hinders."""
    adapter = adapters.get(row.adapter)
    if adapter is not None and registry.only_takes(adapter.manifest, row.options):
        return StateError(
            registry.ONLY_TAKES,
            current_state=row.code,
            todo=f"если не только: · if not only: `gateway peer option {row.code} tell=push …`",
        )
    if adapter is not None:
        error = registry.lack(adapter.manifest, builder.options(row), row.code)
        if error is not None:
            return error
    return builder.hindrance(row)
