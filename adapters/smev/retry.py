"""What to do about each fault of СМЭВ: the actions that its description asks a client for, as data.

| fault | what follows |
|---|---|
| MessageIsAlreadySent | success: an earlier try arrived and its answer was lost |
| StaleMessageId | a new number, and once more |
| SMEVFailure, DestinationOverflow, QuoteLimitExceeded | later, without end |
| anything else | a person has to mend it; sending the same again will not help |

`TargetMessageIsNotFound` of an Ack says that it was acknowledged before, so it is a success there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from gateway.errors import DeliveryError, PeerRefused, PeerUnavailable

if TYPE_CHECKING:
    from adapters.smev.messages.types import Fault

Action = Literal["done", "renew", "later", "refused", "ours"]

ACTIONS: Final[dict[str, Action]] = {
    "MessageIsAlreadySent": "done",
    "TargetMessageIsNotFound": "done",
    "StaleMessageId": "renew",
    "SMEVFailure": "later",
    "DestinationOverflow": "later",
    "QuoteLimitExceeded": "later",
    "BusinessDataTypeIsNotSupported": "refused",
    "InvalidContent": "refused",
    "RecipientIsNotFound": "refused",
    "AttachmentContentMiscoordination": "refused",
    "AttachmentSizeLimitExceeded": "refused",
    "EndOfLifeReached": "refused",
    "IncorrectResponseContentType": "refused",
    "RequestIsNotFound": "refused",
    "InvalidMessageIdFormat": "refused",
    "TransactionCodeInvalid": "ours",
    "SignatureVerificationFault": "ours",
    "SenderIsNotRegistered": "ours",
    "AccessDenied": "ours",
    "UnknownMessageType": "ours",
}
"""ours: settings of ours are wrong; nothing of the message is."""

TODO: Final[dict[str, str]] = {
    "SMEVFailure": "сбой СМЭВ; повторяется само · СМЭВ itself fails; it is sent again",
    "DestinationOverflow": "очередь получателя полна · the recipient's queue is full",
    "QuoteLimitExceeded": "исчерпана квота системы · the quota of our system is used up",
    "BusinessDataTypeIsNotSupported": "вид сведений не зарегистрирован, проверьте версию схемы"
    " · the kind of data is not registered, look at the version of its schema",
    "InvalidContent": "содержание не по схеме вида сведений · the content does not fit its schema",
    "RecipientIsNotFound": "получатель не найден · no recipient for this kind of data",
    "AttachmentContentMiscoordination": "заголовки и вложения не сходятся · headers and files"
    " do not agree",
    "AttachmentSizeLimitExceeded": "вложения велики: уменьшите attached_bytes, чтобы они шли"
    " через файловое хранилище · lower attached_bytes, so that they go by the file storage",
    "EndOfLifeReached": "срок сообщения прошёл · the message's time is over",
    "IncorrectResponseContentType": "ответ не того вида, что ждёт запрос · not the kind of answer"
    " that the request wants",
    "RequestIsNotFound": "запроса, на который отвечаем, в СМЭВ нет · there is no request to answer",
    "TransactionCodeInvalid": "проверьте transaction_code · look at transaction_code",
    "SignatureVerificationFault": "gateway smev verify FILE покажет, на каком шаге · shows at which"
    " step it fails",
    "SenderIsNotRegistered": "сертификат ключа не зарегистрирован в СМЭВ · the certificate of the"
    " key is not registered",
    "AccessDenied": "у системы нет права на этот вид сведений · our system may not send this kind",
    "UnknownMessageType": "проверьте kinds · look at kinds",
}


DONE_BY: Final[dict[str, str]] = {"TargetMessageIsNotFound": "Ack"}
"""The one operation for which a fault means success; elsewhere it is a refusal."""


def action(fault: Fault, operation: str = "") -> Action:
    """Return what to do; a fault that nobody knows is one that a person has to look at."""
    if DONE_BY.get(fault.name, operation) != operation:
        return "refused"
    return ACTIONS.get(fault.name, "refused" if fault.name else "later")


def error(fault: Fault, what: str) -> DeliveryError:
    """Return what a fault means for a delivery or an asking. what: the operation."""
    name = fault.name or "a fault without a name"
    told = f"{fault.code} {fault.description or fault.text}".strip()
    more = "; ".join(f"{key}: {value}" for key, value in fault.details[:3])
    found = f"{told}; {more}" if more else told
    todo = TODO.get(fault.name, "")
    if action(fault) == "later":
        return PeerUnavailable(f"СМЭВ: {what}: {name}", found=found, todo=todo)
    return PeerRefused(f"СМЭВ: {what}: {name}", found=found, todo=todo)
