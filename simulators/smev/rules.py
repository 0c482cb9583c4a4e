"""What the simulated СМЭВ refuses, written apart from the adapter so that each checks the other.

`SOURCED` rules stand in the published descriptions of the exchange (WSDL and schemas 1.1 to 1.3
with their notes); `OURS` are choices of this simulator where nothing that we read says it.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

SOURCED: Final = (
    (
        "без подписи, с чужой целью или неверной – SignatureVerificationFault со своим словом · "
        "no signature, one of another element or a wrong one is SignatureVerificationFault"
    ),
    (
        "очередь определяет сертификат подписи; незнакомый – SenderIsNotRegistered · "
        "the certificate of the signature decides whose queue it is; an unknown one is refused"
    ),
    (
        "не по схеме – InvalidContent с ValidationError · "
        "against the schema is InvalidContent with ValidationError"
    ),
    (
        "MessageID – UUID варианта 1: иначе InvalidMessageIdFormat; двое суток – StaleMessageId · "
        "MessageID is a UUID of version 1, younger than two days"
    ),
    (
        "повтор номера – MessageIsAlreadySent, посланное остаётся одно · "
        "the same number again is MessageIsAlreadySent, and nothing is sent twice"
    ),
    (
        "число и номера вложений сходятся с заголовками – иначе AttachmentContentMiscoordination · "
        "attachments agree with their headers by number and by name"
    ),
    (
        "неизвестный вид сведений – BusinessDataTypeIsNotSupported, в Get… – UnknownMessageType · "
        "an unknown kind of message is refused, and when it is asked for too"
    ),
    (
        "Ack того, чего нет в неподтверждённых, – TargetMessageIsNotFound · "
        "Ack of what is not waiting for it is TargetMessageIsNotFound"
    ),
    (
        "ответ не того вида – IncorrectResponseContentType; срок прошёл – EndOfLifeReached · "
        "an answer of the wrong kind, or past its EOL, is refused"
    ),
    (
        "ReplyTo непрозрачен и каждый раз другой; без Ack сообщение выдаётся снова · "
        "ReplyTo is opaque and never the same; without Ack a message is given again"
    ),
    (
        "DestinationOverflow, QuoteLimitExceeded, AttachmentSizeLimitExceeded, AccessDenied, "
        "TransactionCodeInvalid, SMEVFailure – как в описании · as described"
    ),
)
OURS: Final = (
    "через сколько секунд без Ack выдаётся снова · after how many seconds it is given again",
    "пределы очереди, вложений и квоты · the limits of a queue, of attachments and of the quota",
    "у каждой версии обмена своя очередь · each version of the exchange has a queue of its own",
    (
        "получатель – единственный другой поставщик вида сведений или назван в Routing · "
        "the recipient is the only other provider of the kind, or is named in Routing"
    ),
    (
        "сообщение получает узел, названный в запросе; без NodeID – любое · "
        "an answer goes to the node that asked; without NodeID any is given"
    ),
    (
        "Hash файла – Стрибог-256 в base64; файла нет или он другой – как расхождение вложений · "
        "Hash is Streebog-256 in base64; a file that is not there or differs is a disagreement"
    ),
    (
        "пароль к файлу действует до первой полной выдачи или до Ack · "
        "the password of a file ends with the first whole download or with Ack"
    ),
    "статус выдаётся один раз, без Ack · a status is given once, without Ack",
    "тексты отказов · the texts of refusals",
)
BY_SOURCE: Final = re.compile(r"(?!ours:)[A-Za-z]+(?:: |$)")
"""How a reason begins that follows from what is sourced: the name of its fault."""

Proof = Literal[
    "PoorSOAPEnvelopeFormat",
    "NoSignatureFound",
    "IncorrectSignatureTarget",
    "SignatureIsInvalid",
    "CertificateIsNotFound",
    "CertificateIsExpired",
]
"""What is wrong with a signature (faults-1.3.xsd, SignatureVerificationFault)."""
OLDEST: Final = timedelta(days=2)
"""faults-1.3.xsd, StaleMessageId: a message is tried for two days, no longer."""
AHEAD: Final = timedelta(hours=1)
"""How far a clock may be ahead; the description says only «wrong time»."""
_GREGORIAN: Final = datetime(1582, 10, 15, tzinfo=UTC)
_VOID: Final = frozenset(
    {
        "UnknownMessageType",
        "MessageIsAlreadySent",
        "InvalidMessageIdFormat",
        "StaleMessageId",
        "AttachmentContentMiscoordination",
        "AccessDenied",
        "SMEVFailure",
        "IncorrectResponseContentType",
        "RecipientIsNotFound",
        "SenderIsNotRegistered",
        "TargetMessageIsNotFound",
        "EndOfLifeReached",
    }
)
"""Faults whose element says what it means by being there, and holds nothing (faults-1.3.xsd)."""


class Refusal(Exception):
    """A message is refused. detail: local name of the fault's element; fields: what it holds.

    code, text: `Code` and `Description` where the element has them, and `faultstring`.
    """

    def __init__(self, detail: str, text: str, *, code: str = "", **fields: str | int) -> None:
        super().__init__(f"{detail}: {text}")
        self.detail = detail
        self.text = text
        self.code = code
        self.fields = fields

    @property
    def void(self) -> bool:
        """Whether its element is empty by the schema."""
        return self.detail in _VOID


def unproved(word: Proof, text: str) -> Refusal:
    """Return the refusal of a signature."""
    return Refusal("SignatureVerificationFault", text, SignatureVerificationFault=word)


def invalid(text: str, line: int = 0) -> Refusal:
    """Return the refusal of what the schema does not allow. line: where, 0 for unknown."""
    return Refusal("InvalidContent", text, ValidationError=text, errorPosition=line)


def check_id(message_id: str, now: datetime) -> None:
    """Refuse a number that is no UUID of RFC 4122, version 1, or is too old."""
    try:
        number = uuid.UUID(message_id)
    except ValueError:
        number = None
    if number is None or number.variant != uuid.RFC_4122 or number.version != 1:
        raise Refusal("InvalidMessageIdFormat", "MessageID не UUID версии 1 по RFC 4122")
    made = _GREGORIAN + timedelta(microseconds=number.time // 10)
    if not now - OLDEST < made < now + AHEAD:
        raise Refusal("StaleMessageId", f"MessageID создан {made:%Y-%m-%dT%H:%M:%SZ}")


def check_headers(headers: list[str], contents: list[str]) -> None:
    """Refuse attachments that do not agree with their headers; both are lists of their ids."""
    if sorted(headers) != sorted(contents) or len(set(headers)) != len(headers):
        raise Refusal(
            "AttachmentContentMiscoordination",
            f"заголовки {sorted(headers)}, содержимое {sorted(contents)}",
        )
