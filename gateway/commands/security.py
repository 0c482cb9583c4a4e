"""Tells of what a command did to access or to personal data: the log of events, the syslog."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from gateway.store import accounts
from gateway.syslog import SecurityEvent, Syslog

if TYPE_CHECKING:
    from psycopg import Connection

    from gateway.commands.context import Opened
    from gateway.syslog import Kind


def actor() -> str:
    """Return who runs the command, as events name him."""
    return f"command:{getpass.getuser()}"


def tell(gw: Opened, db: Connection[Any], *events: tuple[Kind, str, str]) -> None:
    """Write events and send them on; waits a few seconds for the syslog at most.

    events: kind, what it was done to, and why. No personal data.
    """
    syslog = Syslog(gw.settings.syslog)
    for kind, what, reason in events:
        event = SecurityEvent(kind=kind, at=gw.now(), who=actor(), what=what, reason=reason)
        accounts.tell(db, event)
        syslog.tell(event)
    syslog.start()
    syslog.stop()
