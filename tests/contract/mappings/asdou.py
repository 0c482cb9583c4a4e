"""D: АС ДОУ (Воронеж), `Report` and `FinalReport` of RequestExecutionService.

The service's WSDL and namespaces are not public: the bodies are mapped without a namespace.
"""

from __future__ import annotations

from gateway.model.appeal import Appeal
from gateway.model.assignment import ReportKind
from tests.contract.mappings.format import Format, Shape
from tests.contract.mappings.table import Row, Table
from tests.contract.mappings.trees import Xml
from tests.contract.mappings.values import BLOB, DAY, KEY, SIZE, TRUTH, choice, fixed

_ORDER = {
    "Report": ("attachments", "author", "date", "importId", "parentId", "text"),
    "FinalReport": ("attachments", "author", "clCodeList", "date", "importId", "infos", "parentId",
                    "reviewResult", "text"),
    "attachment": ("name", "content"),
    "author": ("firstName", "lastName", "middleName"),
    "reviewResult": ("measuresTaken", "replyDate", "resultDocument", "type"),
    "resultDocument": ("attachments", "orgName", "orgSSTUId", "regDate", "regNumber"),
}  # fmt: skip
_REPEATED = frozenset({"attachment", "clCode", "info"})
_REPORT = "assignments[0]/reports[0]"
_RESULTS = {
    "ANSWERED": "answered", "EXPLAINED": "explained", "LEFTWITHOUTANSWER": "left_without_answer",
    "NOTSUPPORTED": "not_supported", "SUPPORTED": "supported", "TRANSFERRED": "transferred",
}  # fmt: skip


def _files(wire: str, model: str) -> tuple[Row, ...]:
    return (
        Row(f"{wire}/attachment[*]/name", f"{model}[*]/declared_name"),
        Row(f"{wire}/attachment[*]/content", f"{model}[*]/sha256", BLOB),
        Row(f"{wire}/attachment[*]/content", f"{model}[*]/size", SIZE, one_way=True),
        Row(f"{wire}/attachment[*]/name", f"{model}[*]/role", fixed("answer"), one_way=True),
    )


_ROWS = (
    *_files("attachments", f"{_REPORT}/attachments"),
    Row("author/lastName", f"{_REPORT}/author/family"),
    Row("author/firstName", f"{_REPORT}/author/given"),
    Row("author/middleName", f"{_REPORT}/author/patronymic"),
    Row("date", f"{_REPORT}/date", DAY),
    Row("importId", f"{_REPORT}/refs[peer=asdou,kind=importId]/value"),
    Row("parentId", "assignments[0]/refs[peer=asdou,kind=importId]/value"),
    Row("text", f"{_REPORT}/text"),
)
_SYSTEM = {"source_system": {"system": "gateway.source", "value": "asdou"}}
_OWNERS = (("attachments/attachment[*]", f"{_REPORT}/attachments[*]"), ("author", _REPORT))

_INTERIM = Table(
    peer="asdou",
    always=_SYSTEM,
    rows=(*_ROWS, Row("importId", f"{_REPORT}/kind", fixed("interim"), one_way=True)),
    owners=_OWNERS,
)

_RESULT = "reviewResult/resultDocument"

_FINAL = Table(
    peer="asdou",
    always=_SYSTEM,
    rows=(
        *_ROWS,
        Row("importId", f"{_REPORT}/kind", fixed("final"), one_way=True),
        Row("importId", "assignments[0]/responsible", fixed(word=True), one_way=True),
        Row("clCodeList/clCode[*]", "questions[*]/topics[0]/code{system=sstu}/value"),
        Row("reviewResult/type",
            "questions[0]/outcome/peer_result{system=asdou.reviewResult}/value"),
        Row("reviewResult/type", "questions[0]/outcome/result", choice(_RESULTS), one_way=True),
        Row("reviewResult/measuresTaken", "questions[0]/outcome/actions_taken", TRUTH),
        Row("reviewResult/replyDate", "questions[0]/response_date", DAY),
        Row(f"{_RESULT}/orgName", "answers[0]/organisation/full_name"),
        Row(f"{_RESULT}/orgSSTUId", "answers[0]/organisation/ids[system=sstu]/value"),
        Row(f"{_RESULT}/regDate", "answers[0]/date", DAY),
        Row(f"{_RESULT}/regNumber", "answers[0]/number"),
        Row(f"{_RESULT}/regNumber", "answers[0]/refs[peer=asdou,kind=regNumber]/value",
            one_way=True),
        Row(f"{_RESULT}/regNumber", "answers[0]/refs[peer=asdou,kind=regNumber]/value_key", KEY,
            one_way=True),
        *_files(f"{_RESULT}/attachments", "answers[0]/attachments"),
    ),
    owners=(*_OWNERS, (_RESULT, "answers[0]"), ("infos", _REPORT)),
)  # fmt: skip


def _xml(root: str) -> Xml:
    return Xml(root, namespaces={"": ""}, order=_ORDER, repeated=_REPEATED)


def _is_final(appeal: Appeal) -> bool:
    reports = (report for task in appeal.assignments for report in task.reports)
    return any(report.kind is ReportKind.FINAL for report in reports)


def _shape(root: str, table: Table, *, final: bool) -> Shape:
    xml = _xml(root)
    return Shape(
        f"xml:{root}", xml.read, xml.write, table, held=lambda appeal: _is_final(appeal) is final
    )


FORMAT = Format("D", "АС ДОУ", (
    _shape("FinalReport", _FINAL, final=True),
    _shape("Report", _INTERIM, final=False),
))  # fmt: skip
