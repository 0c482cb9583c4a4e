"""Writes a decoded report back in the form it came in: bare, or in its envelope."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from lxml import etree

from adapters.regional.asdou.codes import FINAL, IMPORT_ID, OPERATIONS, PEER, REPORT, RESULT_SYSTEM
from adapters.regional.asdou.nodes import put, write
from gateway.adapter import Inbound, Wire
from gateway.errors import UnsupportedError
from gateway.model.assignment import ReportKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.regional.asdou.nodes import Node
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment
    from gateway.model.base import ExternalRef


def restore(item: Inbound) -> Wire:
    """Return the document that an item was decoded from; raise UnsupportedError for another."""
    appeal = item.appeal
    if appeal is None or not (appeal.assignments and appeal.assignments[0].reports):
        raise UnsupportedError("nothing of АС ДОУ", found=item.operation)
    files = {file.sha256: file.data for file in item.files if isinstance(file.data, bytes)}
    report = appeal.assignments[0].reports[0]
    name = FINAL if report.kind is ReportKind.FINAL else REPORT
    node = _report(appeal, files)
    if name == FINAL:
        _review(node, appeal, files)
    put(node, report.extras)
    space, envelope = next(
        (extra.value for extra in appeal.extras if extra.peer == PEER and not extra.path), ("", "")
    )
    root = write(name, node, space)
    if envelope:
        outer = etree.Element(f"{{{envelope}}}Envelope", nsmap={"s": envelope})
        body = etree.SubElement(outer, f"{{{envelope}}}Body")
        etree.SubElement(body, f"{{{space}}}{OPERATIONS[name]}").append(root)
        root = outer
    body_bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return Wire(media_type="text/xml", body=body_bytes, name="report.xml")


def _report(appeal: Appeal, files: Mapping[str, bytes]) -> Node:
    assignment = appeal.assignments[0]
    report = assignment.reports[0]
    author = report.author
    person = {
        "lastName": author.family if author else "",
        "firstName": author.given if author else "",
        "middleName": author.patronymic if author else "",
    }
    return _told(
        {
            "attachments": _files(report.attachments, files),
            "author": _told(person),
            "date": report.date.isoformat() if report.date else "",
            "importId": _ref(report.refs),
            "parentId": _ref(assignment.refs),
            "text": report.text,
        }
    )


def _review(node: Node, appeal: Appeal, files: Mapping[str, bytes]) -> None:
    codes = [t.code.value for q in appeal.questions for t in q.topics]
    if codes:
        node["clCodeList"] = [{"clCode": codes}]
    first = appeal.questions[0]
    outcome = first.outcome
    assert outcome is not None
    word = outcome.peer_result
    taken = outcome.actions_taken
    review = _told(
        {
            "type": word.value if word and word.system == RESULT_SYSTEM else "",
            "measuresTaken": "" if taken is None else str(taken).lower(),
            "replyDate": first.response_date.isoformat() if first.response_date else "",
        }
    )
    for answer in appeal.answers:
        body = answer.organisation
        document = _told(
            {
                "attachments": _files(answer.attachments, files),
                "orgName": body.full_name if body else "",
                "orgSSTUId": body.id_in("sstu") if body else "",
                "regDate": answer.date.isoformat() if answer.date else "",
                "regNumber": answer.number,
            }
        )
        put(document, answer.extras)
        review["resultDocument"] = [document]
    put(review, outcome.extras)
    node["reviewResult"] = [review]


def _files(attachments: Iterable[Attachment], files: Mapping[str, bytes]) -> Node | str:
    entries = []
    for file in attachments:
        content = base64.b64encode(files.get(file.sha256, b"")).decode()
        entry: Node = {"name": [file.declared_name], "content": [content]}
        put(entry, file.extras)
        entries.append(entry)
    return {"attachment": entries} if entries else ""


def _ref(refs: Iterable[ExternalRef]) -> str:
    return next((r.value for r in refs if r.peer == PEER and r.kind == IMPORT_ID), "")


def _told(values: Mapping[str, Any]) -> Node:
    return {name: [value] for name, value in values.items() if value}
