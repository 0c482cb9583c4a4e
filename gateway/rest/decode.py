"""From an HTTP request to an operation of the contract: JSON or XML, path, query, Idempotency-Key.

A place that is wrong is named in the spelling of its part: a JSON Pointer in a JSON body, a path
with a line in an XML body, `?name` in the query, `{name}` in the path, the name of a header.
A member that stands twice in one JSON object counts as it stands last.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from gateway import limits
from gateway.errors import (
    MalformedError,
    TooLargeError,
    UnsupportedError,
    ValidationError,
    Violation,
)
from gateway.jsontext import check_values
from gateway.model.fold import FORBIDDEN
from gateway.rest import explain, values
from gateway.rest.routes import KEY_NAMES
from gateway.wires import contract as c
from gateway.wires.words import Id
from gateway.wires.xmlbody import charset, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.rest.routes import Route

JSON: Final = "application/json"
XML: Final = ("application/xml", "text/xml")
KEY_HEADER: Final = "Idempotency-Key"
KEY_NAME: Final = "idempotency-key"
BESIDE_CHARS: Final = 2_500
"""A key of 200 characters, each of four bytes with a percent sign before it."""
_QUALITY: Final = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)")


class Call(NamedTuple):
    """What HTTP carried. headers: lower-case names. path: values as they stand, percent-encoded."""

    body: bytes
    headers: Mapping[str, str]
    path: Mapping[str, str]
    query: str


def request(route: Route, call: Call) -> c.Request:
    """Return the operation that a call asks for; raise InputError naming what is wrong."""
    given = _parameters(route, call)
    if route.method not in ("POST", "PUT"):
        return _asked(route, given)
    key = _key(call.headers)
    media_type = _media_type(call.headers)
    if not call.body:
        raise MalformedError("the body is empty", expected=f"{JSON} or {XML[0]}")
    if media_type in XML:
        operation = read_document(route.operation, call.body, call.headers.get("content-type", ""))
        _agree_in_xml(route, operation, key, given)
        return operation
    return _from_json(route, call.body, key, given)


def beside(call: Call) -> dict[str, str]:
    """Return what a call says outside its body and its replay needs, as it stood, by name.

    The key of repetition and the parameters of the path; what is too long for one is left out. The
    query holds free text about people, which is not kept apart from a body.
    """
    told = {**call.path, KEY_NAME: call.headers.get(KEY_NAME, "")}
    return {name: value for name, value in told.items() if 0 < len(value) <= BESIDE_CHARS}


def media_of(headers: Mapping[str, str]) -> str:
    """Return `json` or `xml`: what Accept prefers, and without a preference what the body is."""
    chosen, best = "", 0.0
    for part in headers.get("accept", "").split(","):
        name = part.partition(";")[0].strip().lower()
        quality = _QUALITY.search(part)
        weight = float(quality[1]) if quality else 1.0
        form = "xml" if name in XML else "json" if name == JSON or name.endswith("+json") else ""
        if form and weight > best:
            chosen, best = form, weight
    return chosen or ("xml" if is_xml(headers) else "json")


def is_xml(headers: Mapping[str, str]) -> bool:
    """Say whether the body of a call is XML, by its own word."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in XML


def _media_type(headers: Mapping[str, str]) -> str:
    """Return the media type of the body, JSON when there is none; raise UnsupportedError."""
    content_type = headers.get("content-type", "") or JSON
    name = content_type.partition(";")[0].strip().lower()
    if name in XML:
        return name
    if name != JSON and not name.endswith("+json"):
        raise UnsupportedError(
            "this media type is not read here", found=name[:200], expected=f"{JSON} or {XML[0]}"
        )
    if charset(content_type).lower() not in ("", "utf-8", "utf8", "us-ascii"):
        raise UnsupportedError(
            "JSON is UTF-8 (RFC 8259)", found=charset(content_type), expected="utf-8"
        )
    return JSON


def _key(headers: Mapping[str, str]) -> str:
    """Return the Idempotency-Key, with or without quotes, UTF-8 or Latin-1; empty without one."""
    key = headers.get(KEY_NAME, "").strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    with suppress(UnicodeError):
        key = key.encode("latin-1").decode()
    wrong = values.wrong(Id, key, KEY_HEADER) if key else None
    if wrong or FORBIDDEN.search(key):
        wrong = wrong or Violation(KEY_HEADER, "character", "a character that no key may hold")
        raise ValidationError("the Idempotency-Key cannot be taken", (wrong,))
    return key


def _parameters(route: Route, call: Call) -> dict[str, tuple[str, str]]:
    """Return field → (value, where it stood), of path and query."""
    given: dict[str, tuple[str, str]] = {}
    for name, text in call.path.items():
        try:
            given[name] = (unquote(text, errors="strict"), "{" + name + "}")
        except UnicodeDecodeError as error:
            message = "not UTF-8 behind the percent signs"
            raise ValidationError(
                message, (Violation("{" + name + "}", "encoding", message, text[:200]),)
            ) from error
    try:
        pairs = parse_qsl(call.query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise MalformedError("the query cannot be read", where="query") from error
    for name, text in pairs:
        path = f"?{name[:100]}"
        if name not in route.query:
            message, known = "no such parameter", ", ".join(route.query) or "no parameter"
            raise ValidationError(
                message, (Violation(path, "unexpected", message, text[:200], known),)
            )
        if name in given:
            message = "the parameter is given twice"
            raise ValidationError(message, (Violation(path, "repeated", message, text[:200]),))
        if text:
            given[name] = (text, path)
    for text, path in given.values():
        if FORBIDDEN.search(text):
            message = "a character that no text may hold"
            raise ValidationError(message, (Violation(path, "character", message),))
    return given


def _asked(route: Route, given: Mapping[str, tuple[str, str]]) -> c.Request:
    """Return an operation that path and query say alone."""
    fields: dict[str, Any] = {name: text for name, (text, _) in given.items()}
    kinds = _kinds(route.operation)
    if route.key:
        fields[route.key] = {name: fields.pop(name) for name in KEY_NAMES if name in fields}
        kinds |= _kinds(c.AppealKey)
    nothing = tuple(
        Violation(path, "type", "this is no value; leave the parameter out", text)
        for name, (text, path) in given.items()
        if _is_nothing(kinds[name], text)
    )
    if nothing:
        raise ValidationError("a parameter does not fit", nothing)
    missing = tuple(
        Violation(f"?{name}", "required", "the parameter is missing")
        for name in route.query
        if name not in fields and _is_required(route.operation, name)
    )
    if missing:
        raise ValidationError("a parameter is missing", missing)
    try:
        return msgspec.convert(fields, route.operation, strict=False)
    except msgspec.ValidationError as error:
        found = [values.wrong(kinds[n], v, path, strict=False) for n, (v, path) in given.items()]
        wrong = tuple(map(_hinted, filter(None, found)))
        wrong = wrong or (Violation("", "contract", str(error)),)
        raise ValidationError("a parameter does not fit", wrong) from error


def _is_required(kind: type[msgspec.Struct], name: str) -> bool:
    fields = msgspec.structs.fields(kind)
    return any(field.encode_name == name and field.required for field in fields)


def _is_nothing(kind: Any, text: str) -> bool:
    """Whether msgspec takes the word `null` for no value at all."""
    with suppress(msgspec.ValidationError):
        return text.lower() == "null" and msgspec.convert(text, kind, strict=False) is None
    return False


def _hinted(violation: Violation) -> Violation:
    """A plus sign in a query is a space: an offset needs %2B."""
    if violation.code == "date_time" and " " in violation.found:
        return violation._replace(message=f"{violation.message}; write + as %2B in a query")
    return violation


def _kinds(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def body_type(route: Route) -> type[msgspec.Struct]:
    """Return the type that the JSON body of a route has."""
    if not route.wrap:
        return route.operation
    kind: type[msgspec.Struct] = _kinds(route.operation)[route.wrap]
    return kind


def key_name(route: Route) -> str:
    """Return the field of the JSON body that Idempotency-Key stands in for; empty without one."""
    names = _kinds(body_type(route))
    return next((name for name in ("messageKey", "externalId") if name in names), "")


def place_in_xml(route: Route, *, inner: bool = True) -> str:
    """Return where the document of a route stands in XML; inner: that of the wrapped one."""
    wrap = f"/{route.wrap[0].upper()}{route.wrap[1:]}" if route.wrap and inner else ""
    return f"/{route.operation.__name__}{wrap}"


def _agree_in_xml(
    route: Route, operation: c.Request, key: str, given: Mapping[str, tuple[str, str]]
) -> None:
    """Compare header and parameters with the document, which its schema has made complete."""
    inner = getattr(operation, route.wrap) if route.wrap else operation
    name = key_name(route)
    told = [(inner, name, key, KEY_HEADER)] if key and name else []
    told += [
        (operation, name, _taken(route, name, place), place[1]) for name, place in given.items()
    ]
    for owner, field, value, where in told:
        own = msgspec.structs.asdict(owner)[_attributes(type(owner))[field]]
        if own != value:
            place = place_in_xml(route, inner=owner is inner)
            raise _differ(f"{place}/{field[0].upper()}{field[1:]}", where, own, value)


def _attributes(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {field.encode_name: field.name for field in msgspec.structs.fields(kind)}


def _differ(path: str, where: str, own: object, value: object) -> ValidationError:
    message = f"{where} and the document differ"
    return ValidationError(message, (Violation(path, "disagrees", message, str(own), str(value)),))


def _from_json(
    route: Route, body: bytes, key: str, given: Mapping[str, tuple[str, str]]
) -> c.Request:
    kind = body_type(route)
    check_values(body)
    if explain.SUSPECT.search(body):
        explain.check_characters(explain.plain(body))
    try:
        if key or given:
            raw = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
            if isinstance(raw, dict):
                _agree(raw, route, key, given)
            document = msgspec.convert(raw, kind)
        else:
            document = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=kind)
    except msgspec.ValidationError as error:
        raise _refusal(kind, body, str(error), route, key, given) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        explain.check_characters(explain.plain(body))
        raise MalformedError("the body is not JSON in UTF-8", found=str(error)) from error
    except RecursionError as error:
        raise TooLargeError(
            "the body is nested too deeply", expected=f"at most {limits.JSON_DEPTH} levels"
        ) from error
    if not route.wrap:
        return document  # type: ignore[return-value]
    fields = _attributes(route.operation)
    rest = {fields[name]: _taken(route, name, given[name]) for name in given}
    rest[fields[route.wrap]] = document
    for field in msgspec.structs.fields(route.operation):
        if field.required and field.name not in rest:
            message = "a parameter is missing"
            raise ValidationError(message, (Violation(field.encode_name, "required", message),))
    return route.operation(**rest)


def _taken(route: Route, name: str, place: tuple[str, str]) -> Any:
    """Return the value of a path or query parameter; raise ValidationError naming it."""
    kind = _kinds(route.operation)[name]
    wrong = values.wrong(kind, place[0], place[1], strict=False)
    if wrong:
        raise ValidationError("a parameter does not fit", (wrong,))
    return msgspec.convert(place[0], kind, strict=False)


def _refusal(
    kind: type[msgspec.Struct],
    body: bytes,
    first: str,
    route: Route,
    key: str,
    given: Mapping[str, tuple[str, str]],
) -> ValidationError:
    raw = explain.plain(body)
    explain.check_characters(raw)
    if isinstance(raw, dict):
        _agree(raw, route, key, given)
    return explain.refusal(kind, raw, first)


def _agree(
    document: dict[str, Any], route: Route, key: str, given: Mapping[str, tuple[str, str]]
) -> None:
    """Let header and path stand in for what the document leaves out; what both say must agree."""
    name = key_name(route)
    told = [(name, key, KEY_HEADER)] if key and name else []
    told += [
        (field, _taken(route, field, given[field]), given[field][1])
        for field in ("externalId", "revision")
        if field in given
    ]
    for field, value, where in told:
        own = document.setdefault(field, value)
        if own != value:
            raise _differ(explain.step(field), where, own, value)
