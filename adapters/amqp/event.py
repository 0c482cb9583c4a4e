"""The `data` of an event: what GetChanges, GetAppeal and a web hook say to the same destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.wires.channels.change import key_of, told
from gateway.wires.channels.pushed import Pushed
from gateway.wires.channels.told import appeal_told

if TYPE_CHECKING:
    from gateway.adapter import EncodeContext
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event


def data_of(appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Pushed:
    """Return the event and its appeal in the names of the contract, as far as they are disclosed.

    The change has no place in a lane here: a broker keeps no sequence that a reader could count on.
    """
    key, shown = key_of(appeal, ctx.peer), appeal_told(appeal, ctx.peer)
    if event is None:
        return Pushed(key=key, appeal=shown)
    change = told(appeal, event, ctx, key=key)
    given = {name: getattr(change, name) for name in change.__struct_fields__ if name != "sequence"}
    return Pushed(**given, appeal=shown)
