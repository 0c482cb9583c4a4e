"""Words of the profile: sections of a template, names of a card's fields, headers of a wire."""

from __future__ import annotations

from typing import Final

from gateway.model.events import EventType

PEER: Final = "edds"
"""Of extras, and of the message that a call-back is."""
FORMS: Final = ("json", "xml")

CARD_ON: Final = (EventType.RECEIVED, EventType.REGISTERED, EventType.ASSIGNED)
"""Events of which one makes the card, by the option `card_on`."""
SECTIONS: Final = {EventType.AMENDED: "amend", EventType.WITHDRAWN: "cancel"}

NAMES: Final = frozenset({
    "key", "event", "event_at", "receipt_number", "registration_number", "organisation", "topic",
    "topic_code", "topic_system", "urgency", "urgency_code", "description", "address", "region",
    "settlement", "street", "house", "block", "building", "postal_code", "fias", "oktmo", "lat",
    "lon", "received_at", "due", "concerned_count", "revision", "reason", "test",
})  # fmt: skip
"""Fields of a card."""
PLACE: Final = "place"
"""In `required`: an address, or a point."""
REPLY_NAMES: Final = frozenset(
    {"receipt_number", "message_key", "repeat", "code", "message", "side", "correlation"}
)
"""Fields of the answer to a call-back. side: Client or Server, as SOAP 1.1 calls it."""

SECTION: Final = "edds-section"
PATH: Final = "edds-path"
METHOD: Final = "edds-method"
NUMBER: Final = "edds-receipt-number"
OWN: Final = "edds-"
"""Headers of a wire that are for the channel and are not sent begin with this."""
