"""K: ГИС САДКО.ОГ (Калужская область), JSON of the inbox card and of the outgoing resolution.

The reply exchanges author and executor: on the way back the body that was asked is the author.
"""

from __future__ import annotations

from gateway.model.appeal import Appeal
from tests.contract.mappings.format import Format, Shape
from tests.contract.mappings.table import Leaves, Row, Table
from tests.contract.mappings.trees import read_json, write_json
from tests.contract.mappings.values import (
    BLOB,
    COUNT,
    KEY,
    LOCAL,
    MIDNIGHT,
    NUMBER_TEXT,
    SIZE,
    choice,
    fixed,
)

RESULT = "СonsiderationResultGzi"
"""The first letter is Cyrillic С (U+0421), as on the wire."""

_FORMS = choice({1: "written", 2: "electronic", 3: "oral"})
"""Codes of ConsiderationFormId: configuration of the peer, its directory is not public."""

_POSTAL = "applicants[0]/addresses[role=applicant_postal]"


def _code(wire: str, model: str) -> Row:
    name = wire.rpartition("/")[2]
    return Row(wire, f"{model}{{system=sadko.{name}}}/value", NUMBER_TEXT)


def _files(wire: str, model: str) -> tuple[Row, ...]:
    return (
        Row(f"{wire}[*]/Name", f"{model}[*]/declared_name"),
        Row(f"{wire}[*]/Guid", f"{model}[*]/refs[peer=sadko,kind=guid]/value"),
        Row(f"{wire}[*]/Data", f"{model}[*]/sha256", BLOB),
        Row(f"{wire}[*]/Data", f"{model}[*]/size", SIZE, one_way=True),
    )


_CARD = (
    Row("Card/Guid", "refs[peer=sadko,kind=guid]/value"),
    Row("Card/CitizenName", "applicants[0]/person/family"),
    Row("Card/CitizenSurname", "applicants[0]/person/given"),
    Row("Card/CitizenPatronymic", "applicants[0]/person/patronymic"),
    Row("Card/CitizenAddress", f"{_POSTAL}/raw"),
    Row("Card/CitizenAddressPost", f"{_POSTAL}/postal_code"),
    Row("Card/CitizenAddressAreaId", f"{_POSTAL}/codes[system=sadko.CitizenAddressAreaId]/value",
        NUMBER_TEXT),
    Row("Card/CitizenPhone", "applicants[0]/contacts[kind=phone]/value"),
    Row("Card/CitizenEmail", "applicants[0]/contacts[kind=email]/value"),
    _code("Card/CitizenSocialStatusId", "applicants[0]/social_status"),
    _code("Card/CitizenBenefitId", "applicants[0]/benefit"),
    _code("Card/LetterTypeId", "document_kind"),
    Row("Card/CorrespondentId", "referrals[0]/from_org/ids[system=sadko.CorrespondentId]/value",
        NUMBER_TEXT),
    Row("Card/ReceivedFrom", "referrals[0]/from_org/full_name"),
    Row("Card/LetterNumber", "referrals[0]/number"),
    Row("Card/LetterNumber", "referrals[0]/number_key", KEY, one_way=True),
    Row("Card/ReceiveDate", "referrals[0]/received_date", MIDNIGHT),
    Row("Card/ControlOrgSendDate", "control_marks[0]/date", MIDNIGHT),
    Row("Card/ControlOrgSendDate", "under_control", fixed(word=True), one_way=True),
    _code("Card/DeliveryTypeId", "delivery_method"),
    Row("Card/ConsiderationFormId", "form", _FORMS),
    Row("Card/RegistrationNumber", "registrations[0]/number"),
    Row("Card/RegistrationNumber", "registrations[0]/number_key", KEY, one_way=True),
    Row("Card/RegistrationDate", "registrations[0]/date", MIDNIGHT),
    Row("Card/PreviousCardsCount", "previous_count", COUNT),
    Row("Card/DocSheetNumber", "sheet_count", COUNT),
    Row("Card/DocCopyNumber", "copy_count", COUNT),
    Row("Card/ConcernedCitizensNumber", "concerned_count", COUNT),
    Row("Card/Message", "text"),
    Row("Card/Message", "questions[0]/text", one_way=True),
    *_files("Card/Files", "attachments"),
)  # fmt: skip

_CARD_OWNERS = (
    ("Card/Files[*]", "attachments[*]"),
    ("Card/CitizenAnswerSendTypeId", "applicants[0]"),
)
_SYSTEM = {"source_system": {"system": "gateway.source", "value": "sadko"}}

_INBOX = Table(peer="sadko", rows=_CARD, owners=_CARD_OWNERS, always=_SYSTEM)

_OUTCOME = "questions[0]/outcome"
_LETTER = "answers[0]"

_OUTBOX = Table(
    peer="sadko",
    always=_SYSTEM,
    rows=(
        *(row for row in _CARD if row.model != "questions[0]/text"),
        Row("Resolution/Guid", "assignments[0]/refs[peer=sadko,kind=guid]/value"),
        Row("Resolution/CreatedTime", "assignments[0]/issued_at", LOCAL),
        Row("Resolution/Author", "assignments[0]/executors[0]/name"),
        Row("Resolution/Executor", "assignments[0]/author/name"),
        _code("Resolution/DecisionId", "assignments[0]/decision"),
        Row("Resolution/ResolutionText", "assignments[0]/text"),
        Row("Resolution/ControlDate", "assignments[0]/due", MIDNIGHT),
        Row("Resolution/Themes[*]/Code", "questions[*]/topics[0]/code{system=sstu}/value"),
        Row("Resolution/Themes[*]/Name", "questions[*]/topics[0]/name_as_given"),
        Row("Resolution/Themes[*]/Annotation", "questions[*]/annotation"),
        *_files("Resolution/Files", "assignments[0]/attachments"),
        Row("LetterDetail/TextAnswer", f"{_LETTER}/text"),
        _code("LetterDetail/SendTypeId", f"{_LETTER}/deliveries[0]/channel"),
        Row("LetterDetail/Sended", f"{_LETTER}/deliveries[0]/sent_at", LOCAL),
        Row("LetterDetail/EmployeeSended", f"{_LETTER}/deliveries[0]/sent_by/name"),
        Row("LetterDetail/StatusId", "questions[0]/peer_states[peer=sadko]/code", NUMBER_TEXT),
        Row("LetterDetail/Status", "questions[0]/peer_states[peer=sadko]/label"),
        _code(f"{RESULT}/ResultId", f"{_OUTCOME}/peer_result"),
        _code(f"{RESULT}/InspectionTypeId", f"{_OUTCOME}/inspection_type"),
        _code(f"{RESULT}/AddControlMeasureId", f"{_OUTCOME}/additional_control"),
        _code(f"{RESULT}/TakenMeasuresId", f"{_OUTCOME}/measures"),
        Row(f"{RESULT}/ResponseDate", "questions[0]/response_date", MIDNIGHT),
        Row(f"{RESULT}/HeadSign", f"{_OUTCOME}/decided_by/name"),
        Row("Resolution/Guid", "assignments[0]/responsible", fixed(word=True), one_way=True),
    ),
    owners=(
        *_CARD_OWNERS,
        ("Resolution/Themes[*]", "questions[*]"),
        ("Resolution/Files[*]", "assignments[0]/attachments[*]"),
        ("Resolution", "assignments[0]"),
        ("LetterDetail", _LETTER),
        (RESULT, _OUTCOME),
    ),
)  # fmt: skip


def _replied(leaves: Leaves) -> bool:
    return any(path.startswith("Resolution") for path in leaves)


def _worked(appeal: Appeal) -> bool:
    return bool(appeal.assignments)


FORMAT = Format("K", "САДКО.ОГ", (
    Shape("json:outbox", read_json, write_json, _OUTBOX, _replied, _worked),
    Shape("json:inbox", read_json, write_json, _INBOX),
))  # fmt: skip
