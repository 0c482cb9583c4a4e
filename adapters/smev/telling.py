"""Events and appeals in the contract's words, as the other channels of the gateway say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from adapters.smev import encode as pure
from adapters.smev.codes import PEER
from gateway.adapter import Inbound
from gateway.errors import UnsupportedError
from gateway.wires import canonical, restored
from gateway.wires import contract as c
from gateway.wires.channels.change import status

if TYPE_CHECKING:
    from gateway.adapter import EncodeContext, Wire
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event


class Telling:
    """What `encode` is given."""

    def status(self, event: Event, ctx: EncodeContext, key: c.AppealKey) -> c.StatusReport:
        """Return a status report on an event; raise UnsupportedError for one without a word.

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

    def appeal(self, appeal: Appeal) -> c.AppealIn:
        """Return an appeal as it is given on: our number is what the receiver knows it by.

        What another format had beside is not for the body behind СМЭВ.
        """
        ours = {canonical.PEER, PEER}
        extras = tuple(x for x in appeal.extras if x.peer in ours and isinstance(x.value, str))
        kept = replace(appeal, extras=extras)
        item = Inbound(
            operation="submit",
            external_id=appeal.receipt_number,
            revision=max(appeal.revision, 1),
            appeal=kept,
        )
        given: c.AppealIn = restored.document(item)[1]
        return given


TELLING = Telling()


def encode(appeal: Appeal, event: Event | None, ctx: EncodeContext) -> Wire:
    """Return the wire of an event: `adapters.smev.encode` with the gateway's words."""
    return pure.encode(appeal, event, ctx, TELLING)
