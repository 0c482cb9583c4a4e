"""Writes an error of ours as a SOAP fault with the typed detail of the contract (model.md §2).

The status is always 500: .NET reads a fault from no other (soap-wcf interoperability notes), though
SOAP 1.2 would have 400 for a sender's mistake. SOAP 1.1 has one faultstring, in English; SOAP 1.2
has the reason in Russian and in English, in one Text: gSOAP cannot read a fault that has two.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway import limits, ns
from gateway.errors import (
    WIRE,
    AddressingError,
    BusyError,
    ConflictError,
    GatewayError,
    MustUnderstandError,
    SecurityError,
    StateError,
    VersionMismatchError,
    Violation,
    Wire,
    violations_of,
)
from gateway.soap import addressing, construct
from gateway.soap.frame import Frame, Sealed, wrap
from gateway.xml import escape, quote

STATUS: Final = 500
REASONS: Final = {
    "input": "Сообщение не принято",
    "malformed": "Сообщение не удалось прочитать",
    "too_large": "Сообщение превышает допустимый размер",
    "validation": "Сообщение не соответствует контракту",
    "addressing": "Заголовки WS-Addressing неверны или просят того, чего здесь не предлагают",
    "security": "Заголовок WS-Security не подтверждает отправителя",
    "unknown_operation": "Нет такой операции или версии",
    "unsupported": "Запрошенное здесь не предлагается",
    "version_mismatch": "Версия SOAP не поддерживается или не та, что объявлена",
    "encoding_style": "Кодирование данных SOAP (rpc/encoded) не поддерживается",
    "must_understand": "Обязательный заголовок SOAP не поддерживается",
    "conflict": "Под этим ключом уже принято другое содержание",
    "state": "Событие недопустимо в текущем состоянии обращения",
    "not_found": "Не найдено",
    "infected": "Антивирус нашёл в файле вредоносное содержимое",
    "access": "Доступ не разрешён",
    "busy": "Шлюз занят, повторите позже",
}
"""What a person reads first, by code; the rest are our own troubles."""
OUR_TROUBLE: Final = "Сбой на стороне шлюза, повторите позже"
_RETRY_SECONDS: Final = 30
_UPGRADE: Final = (
    f'<u:Upgrade xmlns:u="{ns.SOAP12}">'
    f'<u:SupportedEnvelope xmlns:e="{ns.SOAP12}" qname="e:Envelope"/>'
    f'<u:SupportedEnvelope xmlns:e="{ns.SOAP11}" qname="e:Envelope"/>'
    "</u:Upgrade>"
)


class Typed(NamedTuple):
    """The typed detail of a fault in the words of a contract."""

    action: str
    """Action URI of the fault in that contract."""
    detail: str
    """The element inside of the detail, with its namespace declared."""


def seal_fault(
    error: GatewayError, frame: Frame, correlation_id: str, typed: Typed | None = None
) -> Sealed:
    """Return the fault for an error.

    frame: of the call, or `frame.of_request` when it could not be opened. correlation_id: names the
    call in our log. typed: the detail when it is another than the main contract's. Never fails and
    never tells the text of a defect of ours.
    """
    wire = WIRE.get(error.code, WIRE["internal"])
    names = _names(error)
    about_header = (
        bool(names)
        or isinstance(error, VersionMismatchError | MustUnderstandError)
        or error.where.startswith(construct.BLOCKS)
    )
    typed = typed or Typed(f"{ns.APPEALS}/{wire.fault}", _detail(error, wire, correlation_id))
    detail = typed.detail + _problem(error)
    if frame.version == "1.2":
        body, blocks = _fault12(error, wire, names, detail), _blocks12(error)
    else:
        # A detail in SOAP 1.1 says that the fault is about the Body (4.4): none about headers.
        body = _fault11(error, wire, names, "" if about_header else detail)
        blocks = _blocks11(error, detail)
    action = ""
    if frame.addressing is not None:
        action = typed.action
        if about_header:
            about_addressing = isinstance(error, AddressingError)
            version = frame.addressing.version
            action = addressing.fault_action(version, about_addressing=about_addressing)
        blocks = addressing.write(action, frame.addressing, fault=True) + blocks
    return wrap(frame, blocks, body.encode(), status=STATUS, action=action)


def message_of(error: GatewayError) -> str:
    """Return what the peer may read: the message of its own mistake, or that the fault is ours."""
    if error.who != "peer" and not isinstance(error, BusyError):
        return "the gateway failed; nothing is wrong with your message"
    return _short(f"{error.message}; {error.todo}" if error.todo else error.message)


def _names(error: GatewayError) -> tuple[str, ...]:
    """Return the Clark names that a specification gives to this fault, the general one first."""
    if isinstance(error, AddressingError):
        return error.names
    if isinstance(error, SecurityError):
        return (ns.tag(ns.WSSE, error.fault),)
    return ()


def _problem(error: GatewayError) -> str:
    """Return which header an addressing fault is about (WS-Addressing SOAP Binding 1.0, 6.3)."""
    if not isinstance(error, AddressingError) or not error.header:
        return ""
    space, _, local = error.header[1:].partition("}")
    name = f"<a:ProblemHeaderQName>a:{local}</a:ProblemHeaderQName>"
    if error.action:
        action = escape(_short(error.action))
        name = f"<a:ProblemAction><a:Action>{action}</a:Action></a:ProblemAction>"
    return name.replace(">", f' xmlns:a="{quote(space)}">', 1)


def _fault11(error: GatewayError, wire: Wire, names: tuple[str, ...], detail: str) -> str:
    code, declared = f"s:{wire.soap11}", ""
    if names:
        code, declared = _qname(names[0])
    return (
        f"<s:Fault><faultcode{declared}>{code}</faultcode>"
        f'<faultstring xml:lang="en">{escape(message_of(error))}</faultstring>'
        + (f"<detail>{detail}</detail>" if detail else "")
        + "</s:Fault>"
    )


def _fault12(error: GatewayError, wire: Wire, names: tuple[str, ...], detail: str) -> str:
    russian = REASONS.get(error.code, OUR_TROUBLE)
    subcode = ""
    for name in reversed(names or (ns.tag(ns.APPEALS, error.code),)):
        code, declared = _qname(name)
        subcode = f"<s:Subcode><s:Value{declared}>{code}</s:Value>{subcode}</s:Subcode>"
    return (
        f"<s:Fault><s:Code><s:Value>s:{wire.soap12}</s:Value>{subcode}</s:Code><s:Reason>"
        f'<s:Text xml:lang="ru">{russian} · {escape(message_of(error))}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )


def _qname(name: str) -> tuple[str, str]:
    """Return a Clark name as a prefixed one and the declaration of its prefix."""
    space, _, local = name[1:].partition("}")
    return f"f:{local}", f' xmlns:f="{quote(space)}"'


def _blocks11(error: GatewayError, detail: str) -> str:
    """Return what SOAP 1.1 has to say of a header: in a header (4.4; WS-Addressing, 6.2).

    The versions that we speak are told in the block of SOAP 1.2 (its appendix A).
    """
    if isinstance(error, VersionMismatchError):
        return _UPGRADE
    if not isinstance(error, AddressingError) or not error.header:
        return ""
    space = quote(error.header[1:].partition("}")[0])
    return f'<a:FaultDetail xmlns:a="{space}">{detail}</a:FaultDetail>'


def _blocks12(error: GatewayError) -> str:
    """SOAP 1.2, 5.4.7 and 5.4.8: which envelopes we speak, which headers we did not understand."""
    if isinstance(error, VersionMismatchError):
        return _UPGRADE
    if not isinstance(error, MustUnderstandError):
        return ""
    blocks = []
    for header in error.headers:
        namespace, _, local = header.rpartition("}")
        declared = f' xmlns:h="{quote(namespace[1:])}"' if namespace else ""
        prefix = "h:" if namespace else ""
        blocks.append(f'<s:NotUnderstood{declared} qname="{prefix}{local}"/>')
    return "".join(blocks)


def _detail(error: GatewayError, wire: Wire, correlation_id: str) -> str:
    """Return the typed detail; its fields stand in the order of xsd/appeals/appeals-v1.xsd."""
    fields = [
        ("Code", error.code if error.code in WIRE else "internal"),
        ("Message", message_of(error)),
        ("CorrelationId", correlation_id),
    ]
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields)
    return f'<{wire.fault} xmlns="{ns.APPEALS}">{inner}{_particulars(error, wire)}</{wire.fault}>'


def _particulars(error: GatewayError, wire: Wire) -> str:
    if wire.fault == "ValidationFault":
        return _errors(violations_of(error))
    if wire.fault == "BusyFault":
        seconds = error.retry_after if isinstance(error, BusyError) else _RETRY_SECONDS
        return f"<RetryAfterSeconds>{seconds}</RetryAfterSeconds>"
    if isinstance(error, ConflictError):
        revision = str(error.existing_revision or "")
        return (
            _optional("ReceiptNumber", error.receipt_number)
            + _optional("ExistingSha256", error.existing_sha256)
            + _optional("ExistingRevision", revision)
        )
    if isinstance(error, StateError):
        events = "".join(_optional("EventType", event) for event in error.allowed_events)
        return _optional("CurrentState", error.current_state) + (
            f"<AllowedEvents>{events}</AllowedEvents>" if events else ""
        )
    return ""


def _errors(violations: tuple[Violation, ...]) -> str:
    items = "".join(
        "<FieldError>"
        f"<Path>{escape(_short(item.path))}</Path>"
        + _optional("Line", str(item.line or ""))
        + f"<Code>{escape(item.code)}</Code>"
        + _optional("Found", item.found)
        + _optional("Expected", item.expected)
        + f"<Message>{escape(_short(item.message))}</Message></FieldError>"
        for item in violations
    )
    return f"<Errors>{items}</Errors>"


def _optional(name: str, value: str) -> str:
    return f"<{name}>{escape(_short(value))}</{name}>" if value else ""


def _short(text: str) -> str:
    """Return what a fault tells of a text: a small question must not have a huge answer."""
    return text if len(text) <= limits.FAULT_CHARS else f"{text[: limits.FAULT_CHARS]}…"
