"""M: МЭДО 2.6 (IEDMS card): the document and its notifications.

A notification tells of a document that somebody registered, refused or gave to an executor; it
decodes to the part of the appeal that it knows, tied by the uid of the document.
"""

from __future__ import annotations

from gateway.model.appeal import Appeal
from tests.contract.mappings.format import Format, Shape
from tests.contract.mappings.table import Leaves, Row, Table
from tests.contract.mappings.trees import Xml
from tests.contract.mappings.values import DAY, KEY, LOCAL, NUMBER, choice, fixed

_ANYONE = ("region", "organization", "person", "department", "post", "contactInfo")
_NOTICE = ("time", "foundation", "clause", "correspondent")

XML = Xml(
    "communication",
    namespaces={"": "http://www.infpres.com/IEDMS"},
    prefix="xdms",
    qualified=True,
    encoding="windows-1251",
    repeated=frozenset({"signatory", "addressee", "correspondent", "link", "clause", "file",
                        "signedData"}),
    order={
        "communication": ("header", "document", "files", "notification", "acknowledgment",
                          "deliveryIndex"),
        "header": ("source", "operator", "comment"),
        "source": ("organization", "comment"),
        "document": (
            "type", "kind", "num", "classification", "urgency", "insteadOfDistributed",
            "specialMark", "signatories", "addressees", "pages", "enclosuresPages", "annotation",
            "enclosures", "correspondents", "links", "clauses", "executor", "files", "comment",
        ),
        "num": ("number", "date"),
        "signatory": (*_ANYONE, "signed", "comment"),
        "addressee": (*_ANYONE, "comment"),
        "executor": (*_ANYONE, "comment"),
        "principal": (*_ANYONE, "comment"),
        "secretary": (*_ANYONE, "comment"),
        "manager": (*_ANYONE, "comment"),
        "parcipant": (*_ANYONE, "comment"),
        "signer": _ANYONE,
        "correspondent": (*_ANYONE, "num", "comment"),
        "link": ("linkType", "document", "reference"),
        "reference": ("region", "organization", "person", "department", "post", "num", "comment"),
        "foundation": ("region", "organization", "person", "department", "post", "num", "comment"),
        "report": ("region", "organization", "person", "department", "post", "num", "comment"),
        "clause": ("designation", "text", "deadline", "principal", "principals", "parcipants",
                   "comment"),
        "file": ("group", "description", "pages", "signedData"),
        "signerInfo": ("digestTime", "signer", "comment"),
        "notification": (
            "documentAccepted", "documentRefused", "executorAssigned", "reportPrepared",
            "reportSent", "courseChanged", "documentPublished", "comment",
        ),
        "documentAccepted": (*_NOTICE, "num"),
        "documentRefused": (*_NOTICE, "reason"),
        "executorAssigned": (*_NOTICE, "secretary", "manager", "executor"),
        "reportPrepared": (*_NOTICE, "signatory"),
        "reportSent": (*_NOTICE, "report"),
    },
)  # fmt: skip

_SYSTEM = {"system": "gateway.source", "value": "medo26"}
_LINKS = {
    "В ответ на": "answer_to", "Ответ": "answer_to", "На №": "answer_to",
    "Во исполнение": "in_pursuance", "Документ-основание": "ground", "Связан с": "attached_case",
}  # fmt: skip
_GROUPS = {"Текст документа": "text", "Текст приложения": "enclosure", "Данные": "data"}


def _officer(wire: str, model: str) -> tuple[Row, ...]:
    return (
        Row(f"{wire}/organization", f"{model}/organisation/full_name"),
        Row(f"{wire}/person", f"{model}/name"),
        Row(f"{wire}/post", f"{model}/post"),
    )


def _code(name: str, attribute: str) -> Row:
    return Row(f"document/{name}", f"{attribute}{{system=medo.{name}}}/value")


_HEADER = (
    Row("header/@uid", "refs[peer=medo,kind=mid]/value"),
    Row("header/@created", "sent_at", LOCAL),
)

_DOCUMENT = Table(
    peer="medo",
    always={"source_system": _SYSTEM},
    wire_always={"@version": "2.6", "header/@type": "Документ"},
    rows=(
        *_HEADER,
        Row("header/source/@uid", "referrals[0]/from_org/ids[system=medo]/value"),
        Row("header/source/organization", "referrals[0]/from_org/full_name"),
        Row("document/@uid", "refs[peer=medo,kind=uid]/value"),
        Row("document/@id", "refs[peer=medo,kind=id]/value"),
        _code("kind", "document_kind"),
        Row("document/num/number", "referrals[0]/number"),
        Row("document/num/number", "referrals[0]/number_key", KEY, one_way=True),
        Row("document/num/date", "referrals[0]/date", DAY),
        _code("classification", "classification"),
        _code("urgency", "urgency"),
        _code("specialMark", "special_mark"),
        *_officer("document/signatories/signatory[*]", "referrals[0]/signed_by[*]"),
        Row("document/signatories/signatory[*]/signed", "referrals[0]/signed_by[*]/signed_on", DAY),
        *_officer("document/addressees/addressee[*]", "addressees[*]"),
        Row("document/pages", "sheet_count", NUMBER),
        Row("document/enclosuresPages", "enclosure_pages", NUMBER),
        Row("document/annotation", "subject"),
        Row("document/correspondents/correspondent[*]/person",
            "applicants[*]/person/full_name_as_given"),
        Row("document/correspondents/correspondent[*]/contactInfo",
            "applicants[*]/addresses[role=applicant_postal]/raw"),
        Row("document/links/link[*]/linkType", "links[*]/peer_kind{system=medo.linkType}/value"),
        Row("document/links/link[*]/linkType", "links[*]/kind", choice(_LINKS), one_way=True),
        Row("document/links/link[*]/reference/organization", "links[*]/organisation/full_name"),
        Row("document/links/link[*]/reference/num/number", "links[*]/number"),
        Row("document/links/link[*]/reference/num/date", "links[*]/date", DAY),
        Row("document/clauses/clause[*]/designation",
            "assignments[*]/refs[peer=medo,kind=designation]/value"),
        Row("document/clauses/clause[*]/text", "assignments[*]/text"),
        Row("document/clauses/clause[*]/deadline", "assignments[*]/due", DAY),
        *_officer("document/clauses/clause[*]/principal", "assignments[*]/executors[0]"),
        *_officer("document/clauses/clause[*]/parcipants/parcipant",
                  "assignments[*]/co_executors[0]"),
        *_officer("document/executor", "referrals[0]/executor"),
        Row("document/executor/contactInfo", "referrals[0]/executor/phone"),
        Row("files/file[*]/@localName", "attachments[*]/declared_name"),
        Row("files/file[*]/@localId", "attachments[*]/refs[peer=medo,kind=localId]/value"),
        Row("files/file[*]/@type", "attachments[*]/declared_type"),
        Row("files/file[*]/group", "attachments[*]/group", choice(_GROUPS)),
        Row("files/file[*]/description", "attachments[*]/description"),
        Row("files/file[*]/pages", "attachments[*]/pages", NUMBER),
        Row("files/file[*]/signedData[*]/@localName",
            "attachments[*]/signatures[*]/declared_name"),
        Row("files/file[*]/signedData[*]/signerInfo/digestTime",
            "attachments[*]/signatures[*]/at", LOCAL),
        Row("files/file[*]/signedData[*]/signerInfo/signer/person",
            "attachments[*]/signatures[*]/signer"),
    ),
    owners=(
        ("files/file[*]/signedData[*]", "attachments[*]/signatures[*]"),
        ("files/file[*]", "attachments[*]"),
        ("document/links/link[*]", "links[*]"),
        ("document/clauses/clause[*]", "assignments[*]"),
        ("document/correspondents/correspondent[*]", "applicants[*]"),
        ("document/signatories/signatory[*]", "referrals[0]/signed_by[*]"),
        ("document/addressees/addressee[*]", "addressees[*]"),
        ("header/source", "referrals[0]"),
    ),
)  # fmt: skip


def _notification(word: str, element: str, own: tuple[Row, ...], owner: str) -> Shape:
    """Return the shape of one kind of notification; own: the rows of its element."""
    at = f"notification/{element}"
    state = "questions[0]/peer_states[peer=medo]"
    table = Table(
        peer="medo",
        always={"source_system": _SYSTEM},
        wire_always={"@version": "2.6", "header/@type": "Уведомление"},
        rows=(
            *_HEADER,
            Row("notification/@uid", "refs[peer=medo,kind=uid]/value"),
            Row("notification/@id", "refs[peer=medo,kind=id]/value"),
            Row("notification/@mid", "refs[peer=medo,kind=documentMid]/value"),
            Row("notification/@type", f"{state}/code"),
            Row(f"{at}/time", f"{state}/at", LOCAL),
            Row(f"{at}/foundation/organization", "referrals[0]/from_org/full_name"),
            Row(f"{at}/foundation/num/number", "referrals[0]/number"),
            Row(f"{at}/foundation/num/number", "referrals[0]/number_key", KEY, one_way=True),
            Row(f"{at}/foundation/num/date", "referrals[0]/date", DAY),
            *own,
        ),
        owners=((f"{at}/foundation", "referrals[0]"), (at, owner)),
    )

    def told(leaves: Leaves) -> bool:
        return leaves.get("notification/@type") == word

    def held(appeal: Appeal) -> bool:
        states = (state for question in appeal.questions for state in question.peer_states)
        return any(state.peer == "medo" and state.code == word for state in states)

    return Shape(f"xml:{element}", XML.read, XML.write, table, told, held)


def _source(model: str) -> tuple[Row, ...]:
    return (
        Row("header/source/@uid", f"{model}/ids[system=medo]/value"),
        Row("header/source/organization", f"{model}/full_name"),
    )


_REFUSED = "notification/documentRefused"
_ASSIGNED = "notification/executorAssigned"
_PREPARED = "notification/reportPrepared"
_REPORT = "assignments[0]/reports[0]"

FORMAT = Format("M", "МЭДО 2.6", (
    _notification("Зарегистрирован", "documentAccepted", (
        *_source("registrations[0]/organisation"),
        Row("notification/documentAccepted/num/number", "registrations[0]/number"),
        Row("notification/documentAccepted/num/number", "registrations[0]/number_key", KEY,
            one_way=True),
        Row("notification/documentAccepted/num/date", "registrations[0]/date", DAY),
    ), "registrations[0]"),
    _notification("Отказано в регистрации", "documentRefused", (
        *_source("transfers[0]/to_org"),
        Row("notification/@type", "transfers[0]/accepted", fixed(word=False), one_way=True),
        Row(f"{_REFUSED}/reason", "transfers[0]/reason"),
    ), "transfers[0]"),
    _notification("Назначен исполнитель", "executorAssigned", (
        *_source("assignments[0]/author/organisation"),
        Row(f"{_ASSIGNED}/manager/person", "assignments[0]/author/name"),
        Row(f"{_ASSIGNED}/manager/post", "assignments[0]/author/post"),
        *_officer(f"{_ASSIGNED}/executor", "assignments[0]/executors[0]"),
    ), "assignments[0]"),
    _notification("Доклад подготовлен", "reportPrepared", (
        *_source(f"{_REPORT}/author/organisation"),
        Row(f"{_PREPARED}/signatory[*]/person", "assignments[0]/reports[*]/author/name"),
        Row(f"{_PREPARED}/signatory[*]/post", "assignments[0]/reports[*]/author/post"),
        Row(f"{_PREPARED}/signatory[*]/signed", "assignments[0]/reports[*]/date", DAY),
    ), _REPORT),
    Shape("xml:document", XML.read, XML.write, _DOCUMENT,
          lambda leaves: leaves.get("header/@type") == "Документ"),
))  # fmt: skip
