"""The peer: a system or organisation that talks with us."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """One peer as its row says.

    adapter: code of the adapter that speaks with it, or the channel: `webhook`, `soap`, `file`,
    `pull`. options: what that adapter or channel needs; `tell` (`pull`, `push`, `none`) says how it
    learns what happened to appeals it sent, `events` which events it wants. disabled_at: since when
    it is not enabled.
    """

    code: str
    name: str = ""
    adapter: str = ""
    role: str = "partner"
    require: str = "key"
    enabled: bool = True
    disabled_at: datetime | None = None
    test: bool = False
    disclosure: str = "reference_only"
    disclosure_ground: str = ""
    callback_hosts: list[str] = []
    options: dict[str, Any] = {}
