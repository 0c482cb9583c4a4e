"""Report or final report of АС ДОУ → an appeal that holds the assignment with its report.

The service is spoken to, and never speaks to us: what is read here are documents of an archive, or
our own. `parentId` names the assignment, `importId` the report; both are kept letter by letter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Final

from adapters.regional.asdou.codes import (
    FINAL,
    IMPORT_ID,
    OPERATIONS,
    PEER,
    REPORT,
    RESULT_SYSTEM,
    SOURCE,
    Tables,
)
from adapters.regional.asdou.nodes import Node, parse
from adapters.regional.media import media_type
from gateway import limits
from gateway.adapter import Decoded, File, Inbound, Wire
from gateway.errors import GatewayError, MalformedError, ValidationError, Violation, violations_of
from gateway.jsonfields import escape
from gateway.model.answer import Answer, Outcome
from gateway.model.appeal import Appeal
from gateway.model.assignment import Assignment, Report, ReportKind
from gateway.model.attachment import Attachment, AttachmentRole
from gateway.model.base import Code, ExternalRef, Extra, day
from gateway.model.filenames import cleaned
from gateway.model.fold import clean_text, number_key
from gateway.model.organisation import Officer, Organisation, OrganisationId
from gateway.model.question import Question, Topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model.base import Day

_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}
_NAME_CHARS: Final = 2_000


def decode(wire: Wire, classifier: str, tables: Tables) -> Decoded:
    """Return the one report that a document holds; classifier: system of its codes.

    Raises MalformedError, TooLargeError, or ValidationError that names every place.
    """
    document = parse(wire.body)
    if document.name not in OPERATIONS:
        raise MalformedError("not a document of АС ДОУ", found=document.name[:200])
    take = _Taker()
    node = document.node if isinstance(document.node, dict) else {}
    shape = (document.space, document.envelope)
    extras: tuple[Extra, ...] = ()
    if any(shape):
        extras = (Extra(peer=PEER, path="", value=list(shape)),)
    if document.name == REPORT:
        item = _report(node, take, extras)
    else:
        item = _final(node, take, extras, classifier, tables)
    if take.wrong:
        raise ValidationError("the document breaks the contract", tuple(take.wrong))
    return Decoded(items=(item,))


def _report(node: Node, take: _Taker, shape: tuple[Extra, ...]) -> Inbound:
    path = f"/{REPORT}"
    assignment, import_id = _assignment(node, take, path, ReportKind.INTERIM)
    appeal = Appeal(
        source_system=SOURCE, questions=(Question(),), assignments=(assignment,), extras=shape
    )
    return Inbound(
        operation="submit", external_id=import_id, appeal=appeal, files=tuple(take.files)
    )


def _final(
    node: Node, take: _Taker, shape: tuple[Extra, ...], classifier: str, tables: Tables
) -> Inbound:
    path = f"/{FINAL}"
    codes, unread = _topics(node, take, classifier)
    review = take.child(node, "reviewResult", path)
    first, answers = _reviewed(review, take, f"{path}/reviewResult", codes, tables)
    others = (Question(ordinal=n, topics=(topic,)) for n, topic in enumerate(codes[1:], 2))
    assignment, import_id = _assignment(node, take, path, ReportKind.FINAL, unread)
    appeal = Appeal(
        source_system=SOURCE,
        questions=(first, *others),
        answers=answers,
        assignments=(assignment,),
        extras=shape,
    )
    return Inbound(
        operation="submit", external_id=import_id, appeal=appeal, files=tuple(take.files)
    )


def _assignment(
    node: Node, take: _Taker, path: str, kind: ReportKind, unread: tuple[Extra, ...] = ()
) -> tuple[Assignment, str]:
    import_id = take.text(node, "importId", path, limits.ID_CHARS, required=True)
    parent_id = take.text(node, "parentId", path, limits.ID_CHARS, required=True)
    files, beside = _files(node, take, path)
    author = take.child(node, "author", path)
    named = f"{path}/author"
    officer = Officer(
        family=take.text(author, "lastName", named),
        given=take.text(author, "firstName", named),
        patronymic=take.text(author, "middleName", named),
    )
    report = Report(
        kind=kind,
        text=take.text(node, "text", path, limits.TEXT_CHARS),
        date=take.day(node, "date", path, required=True),
        author=officer if officer != Officer() else None,
        attachments=files,
        refs=_refs(import_id),
        extras=(
            *unread,
            *beside,
            *take.rest(author, named, "/author"),
            *take.rest(node, path),
        ),
    )
    assignment = Assignment(
        refs=_refs(parent_id),
        responsible=True if kind is ReportKind.FINAL else None,
        reports=(report,),
    )
    return assignment, import_id


def _topics(node: Node, take: _Taker, classifier: str) -> tuple[list[Topic], tuple[Extra, ...]]:
    listed = take.child(node, "clCodeList", f"/{FINAL}")
    path = f"/{FINAL}/clCodeList"
    codes = listed.get("clCode", [])
    found = []
    if len(codes) > limits.QUESTIONS_PER_APPEAL:
        take.fault(path, "count", "too many codes", len(codes), str(limits.QUESTIONS_PER_APPEAL))
    elif codes and all(isinstance(code, str) and code for code in codes):
        del listed["clCode"]
        for code in codes:
            value = take.clean(code, f"{path}/clCode", limits.ID_CHARS)
            found.append(Topic(code=Code(system=classifier, value=value)))
    return found, take.rest(listed, path, "/clCodeList")


def _reviewed(
    review: Node, take: _Taker, path: str, codes: list[Topic], tables: Tables
) -> tuple[Question, tuple[Answer, ...]]:
    word = take.text(review, "type", path, limits.ID_CHARS, required=True)
    flag = review.get("measuresTaken", [])
    taken = _FLAGS.get(flag[0]) if len(flag) == 1 and isinstance(flag[0], str) else None
    if taken is not None and flag[0] in ("true", "false"):
        del review["measuresTaken"]
    responded = take.day(review, "replyDate", path)
    told = "resultDocument" in review
    document = take.child(review, "resultDocument", path)
    answers = (_answer(document, take, f"{path}/resultDocument"),) if told else ()
    question = Question(
        topics=tuple(codes[:1]),
        response_date=responded,
        outcome=Outcome(
            result=tables.result(word),
            actions_taken=taken,
            peer_result=Code(system=RESULT_SYSTEM, value=word),
            extras=take.rest(review, path),
        ),
    )
    return question, answers


def _answer(document: Node, take: _Taker, path: str) -> Answer:
    name = take.text(document, "orgName", path)
    guid = take.text(document, "orgSSTUId", path, limits.ID_CHARS)
    number = take.text(document, "regNumber", path, limits.ID_CHARS)
    ids = (OrganisationId(system="sstu", value=guid),) if guid else ()
    files, beside = _files(document, take, path)
    ref = ExternalRef(peer=PEER, kind="regNumber", value=number, value_key=number_key(number))
    return Answer(
        number=number,
        date=take.day(document, "regDate", path),
        organisation=Organisation(full_name=name, ids=ids) if name or guid else None,
        attachments=files,
        refs=(ref,) if number else (),
        extras=(*beside, *take.rest(document, path)),
    )


def _files(node: Node, take: _Taker, path: str) -> tuple[tuple[Attachment, ...], tuple[Extra, ...]]:
    """The files, and what stands beside them."""
    place = f"{path}/attachments"
    listed = take.child(node, "attachments", path)
    entries = listed.pop("attachment", [])
    beside = take.rest(listed, place, "/attachments")
    if len(entries) > limits.ATTACHMENTS_PER_APPEAL:
        most = str(limits.ATTACHMENTS_PER_APPEAL)
        take.fault(place, "count", "too many files", len(entries), most)
        return (), ()
    files = (
        _file(entry, take, f"{place}/attachment[{order}]", order)
        for order, entry in enumerate(entries, 1)
    )
    return tuple(files), beside


def _file(entry: Any, take: _Taker, path: str, order: int) -> Attachment:
    node = entry if isinstance(entry, dict) else {}
    data = take.content(node, path)
    told = take.text(node, "name", path, limits.ID_CHARS, required=True)
    name = cleaned(told)
    if name != told:
        node["name"] = [told]
    found = media_type(data, name)
    digest = hashlib.sha256(data).hexdigest()
    take.files.append(File(sha256=digest, media_type=found, name=name, data=data))
    return Attachment(
        sha256=digest,
        size=len(data),
        media_type=found,
        declared_name=name,
        role=AttachmentRole.ANSWER,
        order=order,
        extras=take.rest(node, path),
    )


def _refs(value: str) -> tuple[ExternalRef, ...]:
    return (ExternalRef(peer=PEER, kind=IMPORT_ID, value=value),) if value else ()


class _Taker:
    """Takes elements out of a node; what nobody took stays in it. wrong: faults by place."""

    __slots__ = ("files", "wrong")

    def __init__(self) -> None:
        self.wrong: list[Violation] = []
        self.files: list[File] = []

    def fault(
        self, path: str, code: str, message: str, found: object = "", expected: str = ""
    ) -> None:
        self.wrong.append(Violation(path, code, message, str(found)[:200], expected))

    def text(
        self, node: Node, name: str, path: str, limit: int = _NAME_CHARS, *, required: bool = False
    ) -> str:
        """A text; an empty one stays where it is."""
        found = node.get(name)
        value = found[0] if found and len(found) == 1 and isinstance(found[0], str) else ""
        if value:
            del node[name]
            kept = self.clean(value, f"{path}/{name}", limit)
            if kept is not value and kept:
                node[name] = [value]
            return kept
        if found and len(found) > 1:
            self.fault(f"{path}/{name}", "count", "stands more than once", len(found), "1")
        elif required:
            self.fault(f"{path}/{name}", "required", "must not be empty")
        return ""

    def day(self, node: Node, name: str, path: str, *, required: bool = False) -> Day | None:
        """A calendar date."""
        if not required and not any(node.get(name, ())):
            return None
        value = self.text(node, name, path, limits.ID_CHARS, required=required)
        if not value:
            return None
        try:
            return day(value, f"{path}/{name}")
        except ValidationError as error:
            self.wrong.extend(error.violations)
            return None

    def child(self, node: Node, name: str, path: str) -> Node:
        """An element that has others; one that is empty or stands alone as a text stays there."""
        found = node.get(name)
        if not found:
            return {}
        if len(found) > 1:
            self.fault(f"{path}/{name}", "count", "stands more than once", len(found), "1")
            return {}
        value = found[0]
        if not isinstance(value, dict):
            return {}
        del node[name]
        return value

    def content(self, node: Node, path: str) -> bytes:
        """Bytes in base64; line breaks are taken and not kept."""
        found = node.pop("content", [])
        if len(found) != 1 or not isinstance(found[0], str) or not found[0]:
            self.fault(f"{path}/content", "required", "the file is empty", expected="base64")
            return b""
        try:
            return base64.b64decode("".join(found[0].split()), validate=True)
        except (binascii.Error, ValueError) as error:
            self.fault(f"{path}/content", "base64", "not base64", error, "base64")
            return b""

    def rest(self, node: Node, path: str, below: str = "") -> tuple[Extra, ...]:
        """Take what is left, by its place below the entity."""
        if not node:
            return ()
        if len(node) > limits.EXTRAS_PER_ENTITY:
            self.fault(path, "count", "too many unknown elements", len(node))
            return ()
        return tuple(
            Extra(peer=PEER, path=f"{below}/{escape(name)}", value=value)
            for name, value in node.items()
            if self._storable(value, f"{path}/{name}")
        )

    def clean(self, value: str, path: str, limit: int = limits.TEXT_CHARS) -> str:
        """Return a text in form C, empty when no text may hold it."""
        try:
            return clean_text(value, path, limit)
        except GatewayError as error:
            self.wrong.extend(violations_of(error))
        return ""

    def _storable(self, value: Any, path: str) -> bool:
        if isinstance(value, str):
            return not value or bool(self.clean(value, path))
        inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
        return all(self._storable(item, path) for item in inner)
