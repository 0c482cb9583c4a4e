"""The table of REST routes: each is one operation of the contract and says where its parts stand.

`wrap` names the field of the operation that the JSON body is (the appeal of SubmitAppeal); without
it the body is the operation itself. An XML body is always the operation's own element. Path and
query parameters fill fields of the same name; those of the key (`receiptNumber`, `externalId`, …)
fill the operation's AppealKey.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gateway.wires import contract as c


class Route(NamedTuple):
    """One route. status: of the first success; a repeat is answered with 200."""

    method: str
    path: str
    operation: type[c.Request]
    response: type[c.Response]
    title: str
    wrap: str = ""
    query: tuple[str, ...] = ()
    status: int = 200
    key: str = ""
    """Field of the operation that is an AppealKey taken from path and query."""
    unwrap: str = ""
    """Field of the response that is the answer's body."""
    kept: bool = True
    """Of GET: the caller may keep the answer and ask whether it still stands (ETag)."""


KEY_NAMES: Final = ("receiptNumber", "externalId", "registrationNumber", "organisationId")

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/ping", c.Ping, c.PingResponse, "Проверка связи · Check the connection"),
    Route(
        "POST", "/appeals", c.SubmitAppeal, c.SubmitAppealResponse,
        "Передать обращение · Submit an appeal", wrap="appeal", status=201, unwrap="receipt",
    ),
    Route(
        "POST", "/appeals/batch", c.SubmitAppeals, c.SubmitAppealsResponse,
        "Передать до 100 обращений · Submit up to 100 appeals",
    ),
    Route(
        "PUT", "/appeals/{externalId:str}/revisions/{revision:str}", c.AmendAppeal,
        c.AmendAppealResponse, "Дополнить обращение · Amend an appeal", wrap="appeal",
        query=("reason",), unwrap="receipt",
    ),
    Route(
        "POST", "/withdrawals", c.WithdrawAppeal, c.WithdrawAppealResponse,
        "Отозвать обращение · Withdraw an appeal", status=201, unwrap="receipt",
    ),
    Route(
        "GET", "/appeal", c.GetAppeal, c.GetAppealResponse,
        "Прочитать обращение по одному из номеров · Read an appeal by one of its numbers",
        query=(*KEY_NAMES, "includeText"), key="key", unwrap="appeal",
    ),
    Route(
        "GET", "/appeals/{receiptNumber:str}", c.GetAppeal, c.GetAppealResponse,
        "Прочитать обращение по номеру квитанции · Read an appeal by its receipt number",
        query=("includeText",), key="key", unwrap="appeal",
    ),
    Route(
        "POST", "/status", c.GetStatus, c.GetStatusResponse,
        "Состояние до 500 обращений · State of up to 500 appeals",
    ),
    Route(
        "GET", "/appeals", c.FindAppeals, c.FindAppealsResponse,
        "Реестр своих обращений · Register of your appeals",
        query=(
            "registeredFrom", "registeredTo", "changedFrom", "changedTo", "state", "topicPrefix",
            "organisationId", "cursor", "max", "maxBytes",
        ),
    ),
    Route(
        "GET", "/changes", c.GetChanges, c.GetChangesResponse,
        "Изменения с последнего подтверждения · Changes since your last acknowledgement",
        query=("cursor", "max", "maxBytes"),
    ),
    Route(
        "POST", "/changes/ack", c.AckChanges, c.AckChangesResponse,
        "Подтвердить получение изменений · Acknowledge changes",
    ),
    Route(
        "POST", "/statuses", c.SubmitStatus, c.SubmitStatusResponse,
        "Сообщить о состоянии · Report a status", wrap="report", status=201, unwrap="receipt",
    ),
    Route(
        "POST", "/answers", c.SubmitAnswer, c.SubmitAnswerResponse,
        "Передать ответ · Submit an answer", wrap="answer", status=201, unwrap="receipt",
    ),
    Route(
        "GET", "/receipts", c.GetReceipts, c.GetReceiptsResponse,
        "Что мы приняли от вас · What we hold of yours", query=("from", "to", "cursor", "max"),
    ),
    Route(
        "POST", "/attachments", c.AttachFile, c.AttachFileResponse,
        "Приложить файл · Attach a file", status=201,
    ),
    Route(
        "GET", "/attachments/{attachmentId:str}", c.GetAttachment, c.GetAttachmentResponse,
        "Прочитать файл · Read a file",
    ),
    Route(
        "GET", "/directories/{name:str}", c.GetDirectory, c.GetDirectoryResponse,
        "Справочник · A directory", query=("sinceVersion", "cursor"),
    ),
    Route(
        "POST", "/addresses/resolve", c.ResolveAddress, c.ResolveAddressResponse,
        "Найти адрес в ГАР, или до 500 адресов · Find an address in the register, or up to 500",
    ),
    Route(
        "GET", "/addresses/suggest", c.SuggestAddress, c.SuggestAddressResponse,
        "Дополнить адрес по мере ввода · Complete an address while it is typed",
        query=("text", "region", "limit"), kept=False,
    ),
)  # fmt: skip
