"""One worked call for the REST description: made-up people, real topic codes and forms of address.

As structs of the contract, so that an example that no longer fits does not start.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.wires import binding
from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOSCOW: Final = timezone(timedelta(hours=3))
_RECEIPT_NUMBER: Final = "HSPH1TA9Z69"

APPEAL: Final = c.AppealIn(
    external_id="А26-02-00000019-СО1",
    regime="fz59",
    type="complaint",
    form="electronic",
    delivery_method="site",
    received_at=datetime(2026, 11, 20, 9, 15, 30, tzinfo=_MOSCOW),
    direct=True,
    subject="Холодные батареи и протечка кровли",
    text="Прошу принять меры: третьи сутки в подъезде нет отопления, в квартире 14 градусов. "
    "После дождя протекает кровля над пятым этажом.",
    applicants=(
        c.Applicant(
            person=c.Person(family_name="Примерова", given_name="Тестина", patronymic="Образцовна"),
            email="primerova@example.org",
            postal_address=c.Address(
                raw="394000, г. Воронеж, ул. Примерная, д. 5, кв. 17", postal_code="394000"
            ),
        ),
    ),
    problem_address=c.Address(
        raw="г. Воронеж, ул. Примерная, д. 5", oktmo="20701000", street="ул. Примерная", house="5"
    ),
    questions=(
        c.QuestionIn(
            text="Нет отопления в жилом доме", topics=(c.Topic(code="0005.0005.0055.1122"),)
        ),
        c.QuestionIn(text="Протекает кровля", topics=(c.Topic(code="0005.0005.0056.1149"),)),
    ),
    reply_to=c.ReplyTo(channel="email", address="primerova@example.org"),
)

RECEIPT: Final = c.Receipt(
    receipt_number=_RECEIPT_NUMBER,
    external_id=APPEAL.external_id,
    revision=1,
    accepted_at=datetime(2026, 11, 20, 6, 15, 31, 204000, tzinfo=UTC),
    content_sha256="4f7c2b9e1d0a8653c7b2f4e6a98d1035be6c07f2d4a1985360f7be2c9d84a1f3",
)

STATUS: Final = c.StatusReport(
    message_key="sed-2026-11-21-0001",
    key=c.AppealKey(receipt_number=_RECEIPT_NUMBER),  # the number that whoever was given it knows
    event="Registered",
    occurred_on=date(2026, 11, 21),
    registration=c.Registration(number="01-15/2345", date=date(2026, 11, 21)),
)

REQUESTS: Final[Mapping[type[c.Request], c.Request]] = {
    c.SubmitAppeal: c.SubmitAppeal(appeal=APPEAL),
    c.AmendAppeal: c.AmendAppeal(
        external_id=APPEAL.external_id,
        revision=2,
        appeal=msgspec.structs.replace(APPEAL, revision=2),
        reason="Заявитель уточнил адрес",
    ),
    c.SubmitStatus: c.SubmitStatus(report=STATUS),
    c.GetStatus: c.GetStatus(keys=(c.AppealKey(external_id=APPEAL.external_id),)),
    c.WithdrawAppeal: c.WithdrawAppeal(
        key=c.AppealKey(receipt_number=_RECEIPT_NUMBER),
        occurred_on=date(2026, 11, 22),
        reason="Вопрос решён",
        message_key="portal-withdraw-1",
    ),
    c.ResolveAddress: c.ResolveAddress(text="г Воронеж, ул 9 Января 68к2 кв 15", region_code="36"),
}

ASKED: Final[Mapping[type[c.Request], c.Request]] = {
    c.SuggestAddress: c.SuggestAddress(text="воронеж 9 янв", region_code="36", limit=10),
}
"""Worked calls that have no body."""

_STREET: Final = "Воронежская обл, г Воронеж, ул 9 Января"

ANSWERS: Final[Mapping[str, c.Response]] = {
    c.Receipt.__name__: RECEIPT,
    c.ResolveAddressResponse.__name__: c.ResolveAddressResponse(
        address=c.AddressOut(
            outcome="exact",
            confidence=0.99,
            fias_guid="00000000-0000-4000-8000-000000000682",
            level=10,
            full_name=f"{_STREET}, д. 68, к. 2",
            region_code="36",
            oktmo="20701000001",
            postal_code="394016",
            house_guid="00000000-0000-4000-8000-000000000682",
            street_guid="00000000-0000-4000-8000-000000000009",
            tokens=(
                c.AddressToken(text="г", start=0, end=1, role="settlement", why="тип: город"),
                c.AddressToken(text="Воронеж", start=2, end=9, role="settlement"),
            ),
            gar_version="20260908",
        )
    ),
    c.SuggestAddressResponse.__name__: c.SuggestAddressResponse(
        items=(
            c.AddressSuggestion(
                label=_STREET,
                value=f"{_STREET}, ",
                fias_guid="00000000-0000-4000-8000-000000000009",
                level=8,
                region_code="36",
                oktmo="20701000001",
                complete=False,
            ),
        ),
        gar_version="20260908",
    ),
}
"""Answers by the name of their type; the GUIDs are made up."""


def as_json(document: msgspec.Struct) -> Any:
    """Return a document as it stands in a JSON body."""
    return msgspec.to_builtins(document)


def as_xml(document: msgspec.Struct) -> str:
    """Return a document as it stands in an XML body."""
    return binding.write(document).decode()
