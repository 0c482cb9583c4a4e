"""Words on the wire: types of messages, names of CloudEvents attributes and of AMQP properties."""

from __future__ import annotations

from typing import Final

from gateway.rest.routes import Route
from gateway.wires import contract as c

TYPE_PREFIX: Final = "gov.appeals."
"""Before the name of an event that goes out, and of an operation that comes in."""
APPEAL: Final = "Appeal"
"""The word of a delivery that is about the appeal as a whole and no event."""
SUBMIT: Final = "SubmitAppeal"
"""What a message is that names no type."""

JSON: Final = "application/json"
CLOUDEVENT: Final = "application/cloudevents+json"
SPEC: Final = "1.0"

BINDING: Final = ("cloudevents:", "cloudevents_")
"""Prefixes of an attribute among the headers (AMQP binding of CloudEvents 1.0.2, §3.1.3.1), in
lower case; the first is written."""
WRITTEN: Final = "cloudEvents:"

KEY: Final = "amqp-routing-key"
TYPE: Final = "amqp-type"
"""Headers of a wire that are properties of the message and no headers of it."""

OPERATIONS: Final[dict[str, Route]] = {
    SUBMIT: Route("POST", "", c.SubmitAppeal, c.SubmitAppealResponse, "", wrap="appeal"),
    "AmendAppeal": Route("POST", "", c.AmendAppeal, c.AmendAppealResponse, ""),
    "WithdrawAppeal": Route("POST", "", c.WithdrawAppeal, c.WithdrawAppealResponse, ""),
    "SubmitStatus": Route("POST", "", c.SubmitStatus, c.SubmitStatusResponse, "", wrap="report"),
    "SubmitAnswer": Route("POST", "", c.SubmitAnswer, c.SubmitAnswerResponse, "", wrap="answer"),
    "AttachFile": Route("POST", "", c.AttachFile, c.AttachFileResponse, ""),
}
"""Type of a message → how its document is read: the body that REST takes for the operation."""


def operation_of(word: str) -> str:
    """Return the operation that a type names, with its prefix or without."""
    return word.removeprefix(TYPE_PREFIX) or SUBMIT
