"""G: ГИС ЖКХ, `exportAppealResult` of hcs-appeals: an appeal with its chronicle.

AppealHistory is one list of unlike entries (Answer, Redirected, RolledOver, IsNotRequired,
Assesment, spelt so); each kind has its own home in the model. `fold` sorts entries by kind
and keeps the place of each in the leaf `#`, an extra of the entity it becomes; `unfold` restores
the order.
"""

from __future__ import annotations

import re

from tests.contract.mappings.format import Format, Shape
from tests.contract.mappings.table import Leaves, Row, Table
from tests.contract.mappings.trees import Xml
from tests.contract.mappings.values import DAY, TRUTH, choice, fixed

_DOM = "http://dom.gosuslugi.ru/schema/integration"
_APPLICANT = ("Person", "Org", "PostAddress", "ApartmentNumber", "Email", "PhoneNumber", "HCS")
_REDIRECT = ("Receiver", "Comment", "Attachment", "AnswererGUID")

XML = Xml(
    "exportAppealResult",
    namespaces={
        "": f"{_DOM}/appeals/",
        "base": f"{_DOM}/base/",
        "nsi": f"{_DOM}/nsi-base/",
        "org": f"{_DOM}/organizations-registry-base/",
    },
    qualified=False,
    repeated=frozenset({"AppealHistory", "Attachment", "NeighbourInfo", "SignedAttachments"}),
    order={
        "Appeal": (
            "AppealGUID", "ParentAppealGUID", "ApplicantInfo", "AppealNumber", "AppealCreateDate",
            "AppealTopic", "AnotherTopic", "FIASHouseGuid", "OKTMO", "AppealText", "Attachment",
            "AnswererGUID", "AppealHistory", "AppealStatus", "Redirected", "RedirectedIsNotHCS",
            "RolledOver", "AnswerIsNotRequired", "AppealWithdrawn", "FromMobile",
            "ExecutionEndDate", "NPARequirements", "DateOfAppointment", "Collective",
            "NeighbourInfo",
        ),
        "ApplicantInfo": _APPLICANT,
        "NeighbourInfo": _APPLICANT,
        "Person": ("Surname", "FirstName", "Patronymic"),
        "AppealTopic": ("nsi:Code", "nsi:GUID", "nsi:Name"),
        "OKTMO": ("base:code", "base:name"),
        "Attachment": ("base:Name", "base:Description", "base:Attachment", "base:AttachmentHASH"),
        "AppealHistory": ("Organization", "ChangeDate", "Answer", "Redirected", "RolledOver",
                          "IsNotRequired", "Assesment"),
        "Answer": ("AnswerGUID", "AnswerNumber", "SendAnswerDate", "Answerer", "AnswerText",
                   "Attachment", "AnswerIsSent", "SignedAttachments"),
        "Redirected": _REDIRECT,
        "RolledOver": ("ExecutionDate", "Comment", "Attachment", "AnswererGUID"),
        "Assesment": ("InformationIsReceived", "AnswerIsPartlyReceived", "AnswerIsNotSatisfied",
                      "DeclineComment"),
    },
)  # fmt: skip

_KINDS = ("Answer", "Redirected", "RolledOver", "IsNotRequired", "Assesment")
_ENTRY = re.compile(r"Appeal/AppealHistory\[(\d+)\]/(.*)\Z", re.DOTALL)
_SORTED = re.compile(r"Appeal/History\.(\w*)\[(\d+)\]/(.*)\Z", re.DOTALL)


def fold(leaves: Leaves) -> Leaves:
    """Return the leaves with chronicle entries numbered within their kind."""
    kinds: dict[str, str] = {}
    for path in leaves:
        match = _ENTRY.match(path)
        if match:
            first = match[2].split("/")[0]
            kinds[match[1]] = first if first in _KINDS else kinds.get(match[1], "")
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    folded: Leaves = {}
    for entry, kind in kinds.items():
        places[entry] = counts.get(kind, 0)
        counts[kind] = places[entry] + 1
        folded[f"Appeal/History.{kind}[{places[entry]}]/#"] = entry
    for path, value in leaves.items():
        match = _ENTRY.match(path)
        if match:
            entry = match[1]
            path = f"Appeal/History.{kinds[entry]}[{places[entry]}]/{match[2]}"  # noqa: PLW2901
        folded[path] = value
    return folded


def unfold(leaves: Leaves) -> Leaves:
    """Return the leaves with the chronicle in the order it had; new entries come last."""
    entries = {path[:-2]: value for path, value in leaves.items() if path.endswith("/#")}
    unfolded: Leaves = {}
    for path, value in leaves.items():
        match = _SORTED.match(path)
        if not match:
            unfolded[path] = value
        elif match[3] != "#":
            entry = path[: match.start(3) - 1]
            number = entries.setdefault(entry, str(len(entries)))
            unfolded[f"Appeal/AppealHistory[{number}]/{match[3]}"] = value
    return unfolded


def _applicant(wire: str, role: str, index: str) -> tuple[Row, ...]:
    model = f"applicants[{index}role={role}]"
    postal = f"{model}/addresses[role=applicant_postal]"
    return (
        Row(f"{wire}/Person/Surname", f"{model}/person/family"),
        Row(f"{wire}/Person/FirstName", f"{model}/person/given"),
        Row(f"{wire}/Person/Patronymic", f"{model}/person/patronymic"),
        Row(f"{wire}/Org/org:orgRootEntityGUID",
            f"{model}/organisation/ids[system=gisgkh.root]/value"),
        Row(f"{wire}/PostAddress", f"{postal}/raw"),
        Row(f"{wire}/ApartmentNumber", f"{postal}/apartment"),
        Row(f"{wire}/Email", f"{model}/contacts[kind=email]/value"),
        Row(f"{wire}/PhoneNumber", f"{model}/contacts[kind=phone]/value"),
    )  # fmt: skip


def _files(wire: str, model: str) -> tuple[Row, ...]:
    return (
        Row(f"{wire}/Attachment[*]/base:Name", f"{model}[*]/declared_name"),
        Row(f"{wire}/Attachment[*]/base:Description", f"{model}[*]/description"),
        Row(f"{wire}/Attachment[*]/base:Attachment/base:AttachmentGUID",
            f"{model}[*]/refs[peer=gisgkh,kind=AttachmentGUID]/value"),
    )  # fmt: skip


_PLACE = "addresses[role=problem]"
_STATE = "questions[0]/peer_states[peer=gisgkh]"
_ANSWER = "Appeal/History.Answer[*]"
_REDIRECTED = "Appeal/History.Redirected[*]"
_ROLLED = "Appeal/History.RolledOver[*]"
_ASSESMENT = "Appeal/History.Assesment[*]"
_NEEDLESS = "Appeal/History.IsNotRequired[0]"


def _assesment(name: str, kind: str) -> tuple[Row, ...]:
    wire = f"{_ASSESMENT}/Assesment/{name}"
    return (
        Row(wire, "feedback[*]/peer_kind{system=gisgkh.Assesment}/value", choice({"true": name})),
        Row(wire, "feedback[*]/kind", choice({"true": kind}), one_way=True),
    )


TABLE = Table(
    peer="gisgkh",
    always={"source_system": {"system": "gateway.source", "value": "gisgkh"}},
    rows=(
        Row("Appeal/AppealGUID", "refs[peer=gisgkh,kind=AppealGUID]/value"),
        Row("Appeal/ParentAppealGUID", "refs[peer=gisgkh,kind=parentId]/value"),
        Row("Appeal/AppealNumber", "refs[peer=gisgkh,kind=AppealNumber]/value"),
        *_applicant("Appeal/ApplicantInfo", "author", ""),
        Row("Appeal/AppealCreateDate", "questions[0]/incoming_date", DAY),
        Row("Appeal/AppealTopic/nsi:Code", "questions[0]/topics[0]/code{system=nsi.220}/value"),
        Row("Appeal/AppealTopic/nsi:Name", "questions[0]/topics[0]/name_as_given"),
        Row("Appeal/AnotherTopic", "questions[0]/name_as_given"),
        Row("Appeal/FIASHouseGuid", f"{_PLACE}/fias_guid"),
        Row("Appeal/OKTMO/base:code", f"{_PLACE}/oktmo"),
        Row("Appeal/OKTMO/base:name", f"{_PLACE}/municipality"),
        Row("Appeal/AppealText", "text"),
        Row("Appeal/AppealText", "questions[0]/text", one_way=True),
        *_files("Appeal", "attachments"),
        Row("Appeal/AnswererGUID",
            "assignments[0]/refs[peer=gisgkh,kind=AnswererGUID]/value"),
        Row("Appeal/AppealStatus", f"{_STATE}/code"),
        Row("Appeal/FromMobile", "delivery_method{system=gateway.delivery}/value",
            choice({"true": "mobile_app"})),
        Row("Appeal/ExecutionEndDate", "deadlines[rule=gisgkh.execution]/due_legal", DAY),
        Row("Appeal/NPARequirements", "deadlines[rule=gisgkh.execution]/article"),
        Row("Appeal/DateOfAppointment", "deadlines[rule=gisgkh.execution]/start", DAY),
        Row("Appeal/Collective", "collective", TRUTH),
        *_applicant("Appeal/NeighbourInfo[*]", "coauthor", "*,"),
        Row(f"{_ANSWER}/Answer/AnswerGUID", "answers[*]/refs[peer=gisgkh,kind=AnswerGUID]/value"),
        Row(f"{_ANSWER}/Answer/AnswerNumber", "answers[*]/number"),
        Row(f"{_ANSWER}/Answer/SendAnswerDate", "answers[*]/date", DAY),
        Row(f"{_ANSWER}/Answer/AnswerText", "answers[*]/text"),
        Row(f"{_ANSWER}/Organization/org:orgRootEntityGUID",
            "answers[*]/organisation/ids[system=gisgkh.root]/value"),
        *_files(f"{_ANSWER}/Answer", "answers[*]/attachments"),
        Row(f"{_REDIRECTED}/ChangeDate", "transfers[*]/date", DAY),
        Row(f"{_REDIRECTED}/Redirected/Receiver/org:orgRootEntityGUID",
            "transfers[*]/to_org/ids[system=gisgkh.root]/value"),
        Row(f"{_ROLLED}/ChangeDate", "extensions[*]/decided_on", DAY),
        Row(f"{_ROLLED}/RolledOver/ExecutionDate", "extensions[*]/new_due", DAY),
        Row(f"{_ROLLED}/RolledOver/Comment", "extensions[*]/ground"),
        Row(f"{_NEEDLESS}/ChangeDate", "questions[0]/outcome/on", DAY),
        Row(f"{_NEEDLESS}/IsNotRequired/Cause", "questions[0]/outcome/comment"),
        Row(f"{_NEEDLESS}/IsNotRequired/Cause", "questions[0]/outcome/result",
            fixed("left_without_answer"), one_way=True),
        *_assesment("InformationIsReceived", "confirmation"),
        *_assesment("AnswerIsPartlyReceived", "rework"),
        *_assesment("AnswerIsNotSatisfied", "rework"),
        Row(f"{_ASSESMENT}/Assesment/DeclineComment", "feedback[*]/text"),
    ),
    owners=(
        ("Appeal/Attachment[*]", "attachments[*]"),
        ("Appeal/NeighbourInfo[*]", "applicants[*,role=coauthor]"),
        ("Appeal/ApplicantInfo", "applicants[role=author]"),
        ("Appeal/AppealTopic", "questions[0]"),
        (f"{_ANSWER}/Answer/Attachment[*]", "answers[*]/attachments[*]"),
        (_ANSWER, "answers[*]"),
        (_REDIRECTED, "transfers[*]"),
        (_ROLLED, "extensions[*]"),
        (_ASSESMENT, "feedback[*]"),
        (_NEEDLESS, "questions[0]/outcome"),
    ),
)  # fmt: skip

FORMAT = Format("G", "ГИС ЖКХ", (
    Shape("xml", XML.read, XML.write, TABLE, fold=fold, unfold=unfold),
))  # fmt: skip
