"""A message of СМЭВ, as the exchange hands it over, → the model; pure.

It comes in the envelope that was verified, or by itself. A payload of the profile is a request or
an answer; without a payload it is a word: a rejection, a status, or what СМЭВ itself says of a
message. What a wire looks like stands in `messages.types`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from adapters.smev import fields, said
from adapters.smev.attached import Files
from adapters.smev.codes import PEER, REFUSAL
from adapters.smev.messages import kept, package, words
from adapters.smev.messages import types as t
from gateway import limits, xml
from gateway.adapter import Decoded, Inbound, Wire
from gateway.errors import TooLargeError, ValidationError, Violation
from gateway.model import events as e
from gateway.model import facts as f
from gateway.model.base import Extra
from gateway.model.fold import check_characters, clean_text
from gateway.wires import canonical, reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    from gateway.wires import contract as c


def decode(wire: Wire) -> Decoded:
    """Return the one thing that a message says; raise InputError naming everything wrong."""
    payload: bytes = wire.body
    packed: tuple[package.Packed, ...] = ()
    if package.is_package(wire.body):
        payload, packed = package.unpack(wire.body)
    for name in (t.MESSAGE_ID, t.ORIGINAL_ID, t.APPEAL):
        value = wire.headers.get(name, "")
        check_characters(value, name)
        if len(value) > limits.ID_CHARS:
            raise TooLargeError("the header is too long", where=name)
    root = xml.parse(payload).root
    if kept.is_envelope(root):
        payload = kept.content(payload)
        root = xml.parse(payload).root
    told = words.read(root)
    if told is not None:
        return Decoded(items=(said.item(told, wire),))
    name = fields.root_of(root)
    if name in _PLAIN:
        return Decoded(items=(_PLAIN[name](root, wire),))
    item = _DOCUMENTS[name](fields.read(root), Files(packed))
    return Decoded(items=(_answering(item, wire) if name in ("Status", "Answer") else
                          _marked(item, wire),))  # fmt: skip


def _submitted(given: c.SubmitAppeal, files: Files) -> Inbound:
    return files.of_appeal(canonical.submission(files.taken_by(given.appeal)))


def _amended(given: c.AmendAppeal, files: Files) -> Inbound:
    appeal = replace(given.appeal, revision=given.revision)
    if given.appeal.external_id != given.external_id:
        message = "the call and its appeal differ"
        place = Violation("/Appeal/ExternalId", "disagrees", message)
        raise ValidationError(message, (place,))
    item = canonical.submission(files.taken_by(appeal), "amend", given.reason or "")
    return files.of_appeal(item)


def _withdrawn(given: c.WithdrawAppeal, files: Files) -> Inbound:
    del files
    return reported.withdrawal(given)


def _status(given: c.SubmitStatus, files: Files) -> Inbound:
    del files
    return reported.report(given.report)


def _answer(given: c.SubmitAnswer, files: Files) -> Inbound:
    return files.of_answer(reported.answer(files.taken_by(given.answer)))


def _marked(item: Inbound, wire: Wire) -> Inbound:
    """Mark an appeal of a test message.

    The number of the message is no part of the appeal: one that its sender sends again under a new
    number (after StaleMessageId) has to be the same appeal, and not a conflict.
    """
    if item.appeal is None or not wire.headers.get(t.TEST):
        return item
    return replace(item, appeal=replace(item.appeal, test_message=True))


def _answering(item: Inbound, wire: Wire) -> Inbound:
    """An answer to a request of ours is about the appeal that the request was about.

    Its key names what we gave as ExternalId, which is our own number of the appeal.
    """
    report = item.report
    assert report is not None
    ours = wire.headers.get(t.APPEAL, "") or report.key.external_id
    if not ours:
        return item
    key = e.AppealKey(receipt_number=ours)
    beside = (Extra(peer=PEER, path="Key/answers", value=report.key.external_id), *(
        Extra(peer=PEER, path=f"Key/{name}", value=value)
        for name, value in (
            ("ReceiptNumber", report.key.receipt_number),
            ("RegistrationNumber", report.key.registration_number),
            ("OrganisationId", report.key.organisation),
        )
        if value
    ))  # fmt: skip
    return replace(item, report=replace(report, key=key, extras=(*report.extras, *beside)))


def _receipt(root: _Element, wire: Wire) -> Inbound:
    """Our request is stored there: their number of it becomes a state of theirs."""
    taker = said.Taker(root)
    number = taker.text("ReceiptNumber", limits.ID_CHARS, required=True)
    at = taker.instant("AcceptedAt")
    digest = taker.text("ContentSha256", limits.ID_CHARS)
    taker.finish()
    assert at is not None
    beside = [("ReceiptNumber", number), ("ContentSha256", digest)]
    return said.report(
        wire,
        event=e.EventType.PEER_STATE_REPORTED,
        occurred=at,
        peer_state=f.PeerStateFacts(peer=PEER, code="Receipt", label=number),
        extras=tuple(Extra(peer=PEER, path=f"Receipt/{k}", value=v) for k, v in beside if v),
    )


def _refusal(root: _Element, wire: Wire) -> Inbound:
    taker = said.Taker(root)
    code = taker.text("Code", limits.ID_CHARS, required=True)
    text = taker.text("Description", limits.TEXT_CHARS)
    on = taker.day("OccurredOn")
    taker.finish()
    assert on is not None
    return said.report(
        wire,
        event=e.EventType.REGISTRATION_REFUSED,
        occurred=on,
        reason=f.ReasonFacts(code=code, system=REFUSAL),
        comment=clean_text(text, "Description"),
    )


_PLAIN: Final[dict[str, Callable[[_Element, Wire], Inbound]]] = {
    "Receipt": _receipt,
    "Refusal": _refusal,
}
_DOCUMENTS: Final[dict[str, Callable[[Any, Files], Inbound]]] = {
    "SubmitAppeal": _submitted,
    "AmendAppeal": _amended,
    "WithdrawAppeal": _withdrawn,
    "SubmitStatus": _status,
    "SubmitAnswer": _answer,
    "Status": _status,
    "Answer": _answer,
}
