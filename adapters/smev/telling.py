"""An event in the contract's words, as the other channels of the gateway say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gateway.errors import UnsupportedError
from gateway.wires import contract as c
from gateway.wires.channels.change import status

if TYPE_CHECKING:
    from gateway.adapter import EncodeContext
    from gateway.model.events import Event


def status_of(event: Event, ctx: EncodeContext, key: c.AppealKey) -> c.StatusReport:
    """Return a status report on an event; raise UnsupportedError for one it has no word for.

    Its message key is the delivery's, the same for every attempt.
    """
    told = msgspec.to_builtins(status(event))
    own = ctx.key or f"{event.appeal_id}/{event.seq}"
    given = {**told, "messageKey": own, "key": msgspec.to_builtins(key)}
    if event.question is not None:
        given["questionOrdinal"] = event.question
    if given.get("event") == "LetterSent":
        given["event"] = "Answered"  # the letter says itself which kind it is
    try:
        return msgspec.convert(given, c.StatusReport, strict=False)
    except msgspec.ValidationError as error:
        raise UnsupportedError(
            "the profile has no word for this event", found=event.type.value
        ) from error
