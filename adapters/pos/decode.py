"""What the platform sends → the model: an item or an event in JSON, many of them, an e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.pos.codes import EVENT, ITEM, KINDS
from adapters.pos.fields import Fields, parse
from adapters.pos.item import decode_item
from adapters.pos.mail import decode_mail, looks_like_mail
from adapters.pos.report import decode_event
from gateway import limits
from gateway.adapter import Decoded, Inbound, Rejected, Wire
from gateway.errors import GatewayError, MalformedError, TooLargeError, violations_of
from gateway.jsonfields import called

if TYPE_CHECKING:
    from datetime import tzinfo

    from adapters.pos.codes import Tables

NDJSON: Final = "ndjson"


def decode(wire: Wire, tables: Tables, zone: tzinfo, mail_regime: str = "message") -> Decoded:
    """Return everything in the message; one bad line never costs the others.

    zone: of calendar days. mail_regime: of an e-mail whose subject does not say. Raises
    MalformedError, TooLargeError or ValidationError when nothing can be read.
    """
    body = wire.body
    if looks_like_mail(wire):
        return Decoded(items=(decode_mail(body, tables, zone, mail_regime),))
    if NDJSON in wire.media_type or wire.name.endswith(NDJSON):
        return _lines(body, tables, zone)
    if len(body) > limits.REST_BODY_BYTES:
        raise TooLargeError(
            "the item is too large",
            found=f"{len(body)} bytes",
            expected=f"at most {limits.REST_BODY_BYTES} bytes",
        )
    return Decoded(items=(decode_one(body, tables, zone),))


def decode_one(body: bytes, tables: Tables, zone: tzinfo, *, raw: bytes = b"") -> Inbound:
    """Return one item or event; raise ValidationError naming everything that is wrong."""
    fields = Fields(parse(body), "", [])
    named = called(fields.obj.get("eventId" if fields.obj.get("kind") == EVENT else "id"))
    try:
        return _one(fields, tables, zone, raw)
    except GatewayError as error:
        error.about = named
        raise


def _one(fields: Fields, tables: Tables, zone: tzinfo, raw: bytes) -> Inbound:
    kind = fields.obj.get("kind", ITEM)
    if kind == EVENT:
        del fields.obj["kind"]
        return decode_event(fields, tables, zone, raw)
    if kind not in KINDS:
        fields.fault("kind", "enumeration", "no such kind", kind, ", ".join(KINDS))
        kind = ITEM
    elif kind != ITEM:
        del fields.obj["kind"]
    return decode_item(fields, kind, tables, zone, raw)


def _lines(body: bytes, tables: Tables, zone: tzinfo) -> Decoded:
    """Return the items of NDJSON; `where` of one that cannot be read is the number of its line."""
    if len(body) > limits.ZIP_MEMBER_BYTES:
        most = f"at most {limits.ZIP_MEMBER_BYTES} bytes"
        raise TooLargeError("too many items", found=f"{len(body)} bytes", expected=most)
    if body.count(b"\n") > limits.LIST_ROWS:
        raise TooLargeError("too many items", expected=f"at most {limits.LIST_ROWS} lines")
    items: list[Inbound] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        text = line.strip(b" \t\r")
        if not text:
            continue
        try:
            if len(text) > limits.REST_BODY_BYTES:
                raise TooLargeError("the item is too large", found=f"{len(text)} bytes")
            items.append(decode_one(text, tables, zone, raw=text))
        except GatewayError as error:
            rejected.append(Rejected(where=str(number), violations=violations_of(error), raw=text))
    if not (items or rejected):
        raise MalformedError("no item in the message", expected="one JSON object a line")
    return Decoded(items=tuple(items), rejected=tuple(rejected))
