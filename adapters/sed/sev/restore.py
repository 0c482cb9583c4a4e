"""An item that came by SEV → the message as it came, with the files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.sed.codes import PEER
from adapters.sed.edc.build import build
from adapters.sed.edc.leaves import local
from adapters.sed.edc.restore import bytes_of
from adapters.sed.sev.decode import AUTHOR, CARD_NAME, MAIN
from adapters.sed.sev.reports import CARD
from adapters.sed.sev.words import (
    DOC_INFO,
    DOCUMENTS,
    FILE,
    NS,
    ORDER,
    SOURCE,
    citizen_out,
    officer_out,
)
from gateway import xml
from gateway.errors import InternalError
from gateway.model.organisation import Officer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.adapter import Inbound
    from gateway.model.appeal import Appeal
    from gateway.model.base import Code, Extra

_HEADER: Final = f"{DOC_INFO}/Header"


def is_item(item: Inbound) -> bool:
    """Say whether an item came by SEV, so that `restore` knows it."""
    if item.report is not None:
        return any(e.peer == PEER and e.path == CARD for e in item.report.extras)
    source = item.appeal.source_system if item.appeal else None
    return source is not None and source.value == SOURCE


def restore(item: Inbound) -> dict[str, bytes]:
    """Return the files of the message folder by name, without its envelope."""
    data = bytes_of(item)
    if item.report is not None:
        card = _value(item.report.extras, CARD)
        files = {name: data[digest] for name, digest in card["files"].items()}
        return {**files, card["file"] or FILE: write(card["leaves"])}
    if item.appeal is None:
        raise InternalError("no item of SEV", where=item.operation)
    appeal = item.appeal
    leaves = {path: value for path, value in _document(appeal) if value}
    for extra in _extras(appeal):
        if extra.value is None:
            leaves.pop(extra.path, None)
        else:
            leaves[extra.path] = str(extra.value)
    return {**_files(appeal, data), _value(appeal.extras, CARD_NAME) or FILE: write(leaves)}


def write(leaves: Mapping[str, str]) -> bytes:
    """Return the document of the leaves in UTF-8."""
    return xml.encode(build(leaves, NS, None, ORDER, qualified=False), xml.UTF8)


def _document(appeal: Appeal) -> Iterator[tuple[str, str]]:
    at = f"{DOCUMENTS}[{_value(appeal.extras, MAIN) or 0}]"
    letter = appeal.referrals[0]
    refs = {ref.kind: ref.value for ref in appeal.refs if ref.peer == PEER}
    yield f"{_HEADER}/@MessageID", refs.get("mid", "")
    yield f"{_HEADER}/@ReturnID", refs.get("returnId", "")
    yield f"{at}/@UID", refs.get("uid", "")
    yield f"{at}/@DocumentID", refs.get("documentId", "")
    sent = appeal.sent_at
    yield f"{_HEADER}/@Time", local(sent, sent.tzinfo) if sent else ""
    sender = letter.executor or Officer()
    yield from officer_out(
        f"{_HEADER}/Sender/Contact",
        Officer(organisation=letter.from_org, name=sender.name, post=sender.post),
    )
    yield f"{at}/RegistrationInfo/Number", letter.number
    yield f"{at}/RegistrationInfo/Date", letter.date.isoformat() if letter.date else ""
    yield f"{at}/Annotation", appeal.subject
    if appeal.under_control is not None:
        yield f"{at}/Control/@State", "UnderControl" if appeal.under_control else "NoControl"
    if appeal.collective is not None:
        yield f"{at}/Collective", "true" if appeal.collective else "false"
    yield from _code(f"{at}/Group", appeal.document_kind)
    yield from _code(f"{at}/Access", appeal.classification)
    for question in appeal.questions:
        for n, topic in enumerate(question.topics):
            named = topic.name_as_given == topic.code.value
            yield f"{at}/Rubric[{n}]/@UID", "" if named else topic.code.value
            yield f"{at}/Rubric[{n}]", topic.name_as_given
    for n, one in enumerate(appeal.applicants):
        yield from citizen_out(f"{at}/Author[{_place(one.extras, n)}]/PrivatePerson", one)
    for n, officer in enumerate(letter.signed_by):
        yield from officer_out(f"{at}/Author[{_place(officer.extras, n)}]/Contact", officer)
    for n, officer in enumerate(appeal.addressees):
        yield from officer_out(f"{at}/Addressee[{n}]/Contact", officer)
    yield from _described(appeal)


def _described(appeal: Appeal) -> Iterator[tuple[str, str]]:
    for file in appeal.attachments:
        place = next((r.value for r in file.refs if r.peer == PEER and r.kind == "place"), "")
        if not place:
            continue
        n, m = place.split("/")
        at = f"{DOCUMENTS}[{n}]/File[{m}]"
        yield f"{at}/Description", file.description
        yield f"{at}/Extension", file.declared_type
        if file.size is not None:
            yield f"{at}/@Size", str(file.size)


def _code(at: str, code: Code | None) -> Iterator[tuple[str, str]]:
    if code is not None:
        yield f"{at}/@UID", code.value if code.label else ""
        yield at, code.label or code.value


def _place(extras: Iterable[Extra], n: int) -> int:
    found = _value(extras, AUTHOR)
    return n if found is None else int(found)


def _files(appeal: Appeal, data: Mapping[str, bytes]) -> dict[str, bytes]:
    out = {}
    for file in appeal.attachments:
        out[file.declared_name] = data[file.sha256]
        out |= {one.declared_name: data[one.sha256] for one in file.signatures if one.sha256}
    return out


def _extras(appeal: Appeal) -> Iterator[Extra]:
    owners: tuple[Any, ...] = (
        appeal, *appeal.applicants, *appeal.addressees, *appeal.attachments,
        *(officer for letter in appeal.referrals for officer in letter.signed_by),
    )  # fmt: skip
    for owner in owners:
        for extra in owner.extras:
            if extra.peer == PEER and not extra.path.startswith("#"):
                yield extra


def _value(extras: Iterable[Extra], path: str) -> Any:
    return next((e.value for e in extras if e.peer == PEER and e.path == path), None)


__all__ = ["is_item", "restore", "write"]
