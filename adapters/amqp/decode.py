"""From a message of the queue to the canonical model; pure.

The document is the JSON that REST takes for the same operation; a CloudEvents envelope may stand
around it (structured mode) or beside it in the headers (binary mode). The envelope is transport, as
headers of HTTP are: its `type` chooses the operation, its `id` and `time` are no content, so that
the same appeal published anew under another id is a repeat and no conflict.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.amqp.codes import BINDING, CLOUDEVENT, JSON, OPERATIONS, TYPE, operation_of
from gateway import limits
from gateway.adapter import Decoded, Wire
from gateway.errors import (
    GatewayError,
    MalformedError,
    TooLargeError,
    UnknownOperationError,
    UnsupportedError,
    ValidationError,
    Violation,
)
from gateway.jsontext import check_values
from gateway.rest.decode import Call, body_type, request
from gateway.rest.explain import SUSPECT
from gateway.wires import canonical, places, reported
from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.adapter import Inbound

_HEADERS: Final = {"content-type": JSON}


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What of a CloudEvent in structured mode is read; extension attributes are passed over."""

    specversion: str = ""
    type: str = ""
    id: str = ""
    source: str = ""
    datacontenttype: str = ""
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str = ""


_DOCUMENTS: Final[dict[str, Callable[[bytes], Any]]] = {
    name: msgspec.json.Decoder(body_type(route)).decode for name, route in OPERATIONS.items()
}
_envelope: Final = msgspec.json.Decoder(Envelope).decode


def decode(wire: Wire) -> Decoded:
    """Return what a message says: one item. Raises InputError."""
    if len(wire.body) > limits.REST_BODY_BYTES:
        raise TooLargeError(
            "the message is too large",
            found=str(len(wire.body)),
            expected=f"at most {limits.REST_BODY_BYTES} bytes",
        )
    if not wire.body:
        raise MalformedError("the message has no body", expected=JSON)
    coding = wire.headers.get("amqp-content-encoding", "").lower()
    if coding not in ("", "identity", "utf-8", "utf8"):
        raise UnsupportedError("packed messages are not read here", found=coding, expected="utf-8")
    word, body, below = _opened(wire)
    name = operation_of(word)
    if name not in OPERATIONS:
        raise UnknownOperationError(
            "no operation of this name", found=word, expected=", ".join(OPERATIONS), where="type"
        )
    try:
        return Decoded(items=(_ITEMS[name](_document(name, body)),))
    except GatewayError as error:
        raise _placed(error, below) from error.__cause__


def _document(name: str, body: bytes) -> Any:
    """Return the document of an operation; what is wrong with it REST's own reader explains."""
    check_values(body)
    if not SUSPECT.search(body):
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _DOCUMENTS[name](body)
    route = OPERATIONS[name]
    operation = request(route, Call(body, _HEADERS, {}, ""))
    return getattr(operation, route.wrap) if route.wrap else operation


def _opened(wire: Wire) -> tuple[str, bytes, str]:
    """Return the type, the document, and where in the body the document stands."""
    media = wire.media_type.partition(";")[0].strip().lower()
    if media == CLOUDEVENT or b'"specversion"' in wire.body:
        envelope = _read(wire.body)
        if envelope is not None and (envelope.specversion or media == CLOUDEVENT):
            return _structured(envelope)
    elif media not in ("", JSON, "application/octet-stream") and not media.endswith("+json"):
        raise UnsupportedError(
            "this media type is not read here", found=media[:200], expected=f"{JSON}, {CLOUDEVENT}"
        )
    return _type(wire.headers), wire.body, ""


def _read(body: bytes) -> Envelope | None:
    """Return the envelope; None for what is no JSON object of its shape: it is said later why."""
    check_values(body)
    try:
        return _envelope(body.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.ValidationError as error:
        message = "the envelope is no CloudEvent"
        raise ValidationError(message, (Violation(*_place(str(error))),)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError("the body is not JSON in UTF-8", found=str(error)) from error
    except RecursionError as error:
        raise TooLargeError(
            "the body is nested too deeply", expected=f"at most {limits.JSON_DEPTH} levels"
        ) from error


def _place(said: str) -> tuple[str, str, str]:
    """Return place, code and words of a finding of msgspec: `Expected …, got … - at `$.data``."""
    words, _, at = said.rpartition(" - at `$")
    return (
        (at.rstrip("`").replace(".", "/") or "/", "type", words) if words else ("/", "type", said)
    )


def _structured(envelope: Envelope) -> tuple[str, bytes, str]:
    wrong = [
        Violation(f"/{name}", "required", "the attribute is missing")
        for name in ("id", "source", "type")
        if not getattr(envelope, name)
    ]
    if envelope.specversion.partition(".")[0] != "1":
        message = "a version of CloudEvents that is not spoken here"
        wrong.append(Violation("/specversion", "enumeration", message, envelope.specversion, "1.0"))
    data = bytes(envelope.data)
    if not data and not envelope.data_base64:
        wrong.append(Violation("/data", "required", "the event carries no data"))
    if wrong:
        raise ValidationError("the envelope is no CloudEvent", tuple(wrong))
    if data:
        return envelope.type, data, "/data"
    try:
        return envelope.type, b64decode(envelope.data_base64, validate=True), "/data_base64"
    except (binascii.Error, ValueError) as error:
        message = "not base64"
        raise ValidationError(message, (Violation("/data_base64", "base64", message),)) from error


def _type(headers: Mapping[str, str]) -> str:
    """Return the type by a CloudEvents header, else by the message's property `type`."""
    told = (headers.get(f"{prefix}type") for prefix in BINDING)
    return next(filter(None, told), None) or headers.get(TYPE, "")


def _placed(error: GatewayError, below: str) -> GatewayError:
    """Return the error with its places as JSON Pointers into the body that came."""
    places.as_pointers(error)
    if below and isinstance(error, ValidationError):
        error.violations = tuple(
            v._replace(path=f"{below}{v.path if v.path != '/' else ''}") for v in error.violations
        )
        error.where = error.violations[0].path if error.violations else below
    return error


def _amend(given: c.AmendAppeal) -> Inbound:
    wrong = []
    if given.appeal.external_id != given.external_id:
        wrong.append(("appeal/externalId", given.appeal.external_id, given.external_id))
    if given.appeal.revision not in (1, given.revision):
        wrong.append(("appeal/revision", str(given.appeal.revision), str(given.revision)))
    if wrong:
        message = "the call and its appeal differ"
        raise ValidationError(
            message,
            tuple(
                Violation(f"/{at}", "disagrees", message, ours, told) for at, ours, told in wrong
            ),
        )
    appeal = msgspec.structs.replace(given.appeal, revision=given.revision)
    return canonical.submission(appeal, "amend", given.reason or "")


_ITEMS: Final[dict[str, Callable[[Any], Inbound]]] = {
    "SubmitAppeal": canonical.submission,
    "AmendAppeal": _amend,
    "WithdrawAppeal": reported.withdrawal,
    "SubmitStatus": reported.report,
    "SubmitAnswer": reported.answer,
    "AttachFile": canonical.attachment,
}
