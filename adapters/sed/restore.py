"""An item back into the message it came in: the inverse of decode, leaf by leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.sed import tree
from adapters.sed.attached import CARD_NAME, ENVELOPE, FILES, OF_A_FOLDER
from adapters.sed.codes import GROUPS, IDS, NS, PEER, RECEIPT, is_uid
from adapters.sed.folder import CARD, as_wire, pack
from adapters.sed.implied import element_of, implied
from adapters.sed.reader import local
from gateway.errors import UnsupportedError
from gateway.model.base import Extra

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from adapters.sed.codes import Reasons
    from gateway.adapter import Inbound, RemoteState, Wire
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment
    from gateway.model.base import ExternalRef
    from gateway.model.events import PeerReport
    from gateway.model.organisation import Officer

_GROUP_WORDS: Final = {group: word for word, group in GROUPS.items()}
_CODES: Final = (
    ("document/kind", "document_kind"), ("document/classification", "classification"),
    ("document/urgency", "urgency"), ("document/specialMark", "special_mark"),
)  # fmt: skip
Values = dict[str, str]


def restore(item: Inbound, zone: dt.tzinfo, reasons: Reasons) -> Wire:
    """Return the message of an item; raise UnsupportedError for what came from elsewhere."""
    values: Values
    owner: Any
    if item.appeal is not None:
        values, owner = dict(_document(item.appeal, zone)), item.appeal
    elif item.report is not None:
        values, owner = {}, item.report
    elif item.expectation is not None:
        return _receipt(item.expectation)
    else:
        raise UnsupportedError("this item did not come from a message of МЭДО")
    extras = {extra.path: extra.value for extra in _extras(owner)}
    marks = {path: value for path, value in extras.items() if path.startswith("#")}
    if item.report is not None:
        values = _report(item.report, extras, zone, reasons)
    for path, value in extras.items():
        if value is None:
            values.pop(path, None)
        elif path not in marks:
            values[path] = str(value)
    body = tree.write(
        values,
        root=str(marks.get("#root", tree.ROOT)),
        namespace=str(marks.get("#namespace", NS)),
        plain="#plain" in marks,
    )
    if not OF_A_FOLDER & marks.keys():
        return as_wire("restored", body)
    return pack("restored", {str(marks.get(CARD_NAME, CARD)): body, **_files(item, marks)})


def _files(item: Inbound, marks: dict[str, Any]) -> dict[str, bytes]:
    data = {file.sha256: file.data for file in item.files if isinstance(file.data, bytes)}
    told = marks.get(FILES) or {}
    found = {name: data[digest] for name, digest in told.items() if digest in data}
    envelope = marks.get(ENVELOPE) or {}
    return found | {name: text.encode("cp1251") for name, text in envelope.items()}


def _receipt(line: RemoteState) -> Wire:
    if not line.raw:
        raise UnsupportedError("this receipt does not hold its bytes", found=RECEIPT)
    return as_wire("restored", line.raw)


def _extras(node: Any) -> Iterator[Extra]:
    if isinstance(node, Extra):
        if node.peer == PEER:
            yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _extras(item)
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from _extras(getattr(node, name))


def _document(appeal: Appeal, zone: dt.tzinfo) -> Iterator[tuple[str, str]]:
    """Yield places and values of what the model holds of a document."""
    refs = {ref.kind: ref.value for ref in appeal.refs if ref.peer == PEER}
    out: dict[str, Any] = {
        "header/@uid": refs.get("mid"),
        "document/@uid": refs.get("uid"),
        "document/@id": refs.get("id"),
        "header/@created": local(appeal.sent_at, zone) if appeal.sent_at else None,
        "document/pages": appeal.sheet_count,
        "document/enclosuresPages": appeal.enclosure_pages,
        "document/annotation": appeal.subject,
    }
    for place, name in _CODES:
        code = getattr(appeal, name)
        out[place] = code.value if code else None
    for letter in appeal.referrals[:1]:
        body = letter.from_org
        out["header/source/@uid"] = body.id_in(IDS) if body else None
        out["header/source/organization"] = body.full_name if body else None
        out["document/num/number"], out["document/num/date"] = letter.number, letter.date
        for n, officer in enumerate(letter.signed_by):
            at = _at("document/signatories/signatory", n)
            out |= _officer(officer, at) | {f"{at}/signed": officer.signed_on}
        if letter.executor:
            out |= _officer(letter.executor, "document/executor")
            out["document/executor/contactInfo"] = letter.executor.phone
    for n, officer in enumerate(appeal.addressees):
        out |= _officer(officer, _at("document/addressees/addressee", n))
    out |= _people(appeal) | _ties(appeal) | _clauses(appeal)
    for n, file in enumerate(_listed(appeal)):
        out |= _file(file, _at("files/file", n), zone)
    for place, value in out.items():
        if value is not None and value != "":
            yield place, str(value)


def _at(place: str, n: int) -> str:
    return f"{place}[{n}]" if n else place


def _officer(officer: Officer, at: str) -> dict[str, Any]:
    body = officer.organisation
    return {
        f"{at}/organization": body.full_name if body else None,
        f"{at}/person": officer.name,
        f"{at}/post": officer.post,
    }


def _people(appeal: Appeal) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for n, one in enumerate(appeal.applicants):
        at = _at("document/correspondents/correspondent", n)
        out[f"{at}/person"] = one.person.full_name_as_given if one.person else None
        out[f"{at}/organization"] = one.organisation.full_name if one.organisation else None
        out[f"{at}/contactInfo"] = one.addresses[0].raw if one.addresses else None
    return out


def _ties(appeal: Appeal) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for n, link in enumerate(appeal.links):
        at = _at("document/links/link", n)
        out[f"{at}/linkType"] = link.peer_kind.value if link.peer_kind else None
        body = link.organisation
        out[f"{at}/reference/organization"] = body.full_name if body else None
        out[f"{at}/reference/num/number"] = link.number
        out[f"{at}/reference/num/date"] = link.date
    return out


def _clauses(appeal: Appeal) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for n, clause in enumerate(appeal.assignments):
        at = _at("document/clauses/clause", n)
        out[f"{at}/designation"] = _ref(clause.refs, "designation")
        out[f"{at}/text"], out[f"{at}/deadline"] = clause.text, clause.due
        for officer in clause.executors[:1]:
            out |= _officer(officer, f"{at}/principal")
        for m, officer in enumerate(clause.co_executors):
            out |= _officer(officer, _at(f"{at}/parcipants/parcipant", m))
    return out


def _listed(appeal: Appeal) -> list[Attachment]:
    """The files that the card names; what only lay in the folder is marked."""
    return [
        file
        for file in appeal.attachments
        if not any(extra.path == "#unlisted" for extra in file.extras)
    ]


def _file(file: Attachment, at: str, zone: dt.tzinfo) -> dict[str, Any]:
    out: dict[str, Any] = {
        f"{at}/@localName": file.declared_name,
        f"{at}/@localId": _ref(file.refs, "localId"),
        f"{at}/@type": file.declared_type,
        f"{at}/group": _GROUP_WORDS.get(file.group) if file.group else None,
        f"{at}/description": file.description,
        f"{at}/pages": file.pages,
    }
    for n, signature in enumerate(file.signatures):
        below = _at(f"{at}/signedData", n)
        out[f"{below}/@localName"] = signature.declared_name
        out[f"{below}/signerInfo/signer/person"] = signature.signer
        out[f"{below}/signerInfo/digestTime"] = local(signature.at, zone) if signature.at else None
    return out


def _ref(refs: tuple[ExternalRef, ...], kind: str) -> str | None:
    return next((ref.value for ref in refs if ref.kind == kind and ref.peer == PEER), None)


def _report(
    report: PeerReport, extras: dict[str, Any], zone: dt.tzinfo, reasons: Reasons
) -> Values:
    """What a report's facts hold: of a notification, or of a document that answers one of ours."""
    if any(place.startswith("document/") for place in extras):
        return dict(_answer_document(report))
    return implied(report, element_of(report, extras), zone, reasons)


def _answer_document(report: PeerReport) -> Iterator[tuple[str, str]]:
    answer = report.answer
    assert answer is not None
    if is_uid(report.message_key):
        yield "header/@uid", report.message_key
    for place, value in (
        ("document/num/number", answer.number),
        ("document/num/date", answer.date.isoformat() if answer.date else ""),
        ("document/annotation", answer.text),
        ("document/signatories/signatory/person", answer.signed_by),
    ):
        if value:
            yield place, value
