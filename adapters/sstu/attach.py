"""The one file that a question's answer is reported with, whatever number of files it has."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from adapters.sstu.fields import put_back
from adapters.sstu.merge import Scan, kind_of, merge
from gateway.errors import ValidationError, Violation
from gateway.model.answer import AnswerKind
from gateway.model.attachment import Attachment, AttachmentGroup, AttachmentRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.sstu.bounds import Limits
    from gateway.adapter import EncodeContext
    from gateway.model.answer import Answer
    from gateway.model.appeal import Appeal
    from gateway.model.question import Question

_LAST: Final = 1_000_000


def answers(answer: Answer, question: Question) -> bool:
    """Whether a letter ends the consideration of a question."""
    return answer.kind == AnswerKind.FINAL and (
        not answer.questions or question.ordinal in answer.questions
    )


def attachment(
    appeal: Appeal,
    question: Question,
    ctx: EncodeContext,
    bounds: Limits,
    wrong: list[Violation],
) -> dict[str, Any] | None:
    """The file in base64; None when the answer has none, or when `wrong` says why there is none."""
    files = _chosen(
        [
            file
            for answer in appeal.answers
            if answers(answer, question)
            for file in answer.attachments
        ]
    )
    if not files:
        return None
    path = f"/questions/{appeal.questions.index(question)}/attachment"
    before = len(wrong)
    scans = [_read(file, ctx, path, wrong) for file in files]
    if len(wrong) > before:
        return None
    if len(scans) == 1:
        out = _fitting(files[0].declared_name, scans[0].data, path, bounds, wrong)
        if out:
            put_back(out, files[0].extras)
        return out
    return _merged(scans, path, bounds, wrong)


def _chosen(files: Sequence[Attachment]) -> list[Attachment]:
    """The files to report, in their order: the text of the document where the peer marked it.

    Enclosures beside a marked text are not the answer. The same file under two letters is one.
    """
    once = list({file.sha256 or id(file): file for file in files}.values())
    for choice in (
        [f for f in once if f.group == AttachmentGroup.TEXT],
        [f for f in once if f.role == AttachmentRole.ANSWER and f.group is None],
    ):
        if choice:
            return sorted(choice, key=_place)
    return sorted(once, key=_place)


def _place(file: Attachment) -> int:
    return _LAST if file.order is None else file.order


def _read(file: Attachment, ctx: EncodeContext, path: str, wrong: list[Violation]) -> Scan:
    data = ctx.files.get(file.sha256)
    if data is None:
        wrong.append(Violation(path, "file", "the bytes of the file are not here", file.sha256))
    return Scan(file.declared_name, data or b"")


def _merged(
    scans: Sequence[Scan], path: str, bounds: Limits, wrong: list[Violation]
) -> dict[str, Any] | None:
    """All of them as one PDF, under the first one's name."""
    if not bounds.merge:
        message = "the format takes one file: mark the main one, merging is switched off"
        names = ", ".join(scan.name for scan in scans)
        found = f"{len(scans)}: {names}"[:200]
        wrong.append(Violation(path, "attachment_count", message, found, "1"))
        return None
    try:
        data = merge(scans, bounds.merged)
    except ValidationError as error:
        wrong += [fault._replace(path=path) for fault in error.violations]
        return None
    stem, dot, ending = scans[0].name.rpartition(".")
    name = stem if dot and kind_of(scans[0].data) and len(ending) <= len("tiff") else scans[0].name
    return _fitting(f"{name}.pdf", data, path, bounds, wrong)


def _fitting(
    name: str, data: bytes, path: str, bounds: Limits, wrong: list[Violation]
) -> dict[str, Any] | None:
    """The attachment, unless its base64 would be too long: that is known before it is made."""
    if 4 * ((len(data) + 2) // 3) >= bounds.attachment:
        message = "the file is too large in base64"
        most = f"less than {bounds.attachment} characters"
        wrong.append(Violation(f"{path}/content", "size", message, f"{len(data)} bytes", most))
        return None
    return {"name": name, "content": base64.b64encode(data).decode("ascii")}
