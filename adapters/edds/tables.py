"""Reads a template of cards: `tables/<name>.toml`, or a file that the row names; checked once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from adapters.edds.codes import NAMES, PLACE, REPLY_NAMES
from adapters.edds.places import Place, place
from adapters.edds.template import FORMS, Body, Line, line
from gateway.errors import ConfigurationError
from gateway.model.events import EventType

if TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED: Final = ("card-rest", "card-soap")
_CALLBACK_EVENTS: Final = (
    EventType.TAKEN_TO_WORK, EventType.ANSWER_PREPARED, EventType.PEER_STATE_REPORTED,
)  # fmt: skip
"""What the manifest lets a dispatcher say."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what stands in the file."""


class _Answer(_Table, frozen=True, kw_only=True):
    number: str = ""
    accepted_at: str = ""
    error: str = ""
    fault: str = ""


class _Request(_Table, frozen=True, kw_only=True):
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"]
    path: str
    headers: dict[str, str] = {}
    body: str = ""
    waits: bool = False
    answer: _Answer = _Answer()


class _Callback(_Table, frozen=True, kw_only=True):
    receipt_number: str
    state: str
    at: str
    message_key: str = ""
    comment: str = ""
    reply: str = ""
    refusal: str = ""
    reply_status: int = 200
    refusal_status: int = 0
    states: dict[str, str] = {}


class _File(_Table, frozen=True, kw_only=True):
    profile: str
    form: Literal["json", "xml"]
    media_type: str
    card: _Request
    required: tuple[str, ...] = ()
    namespaces: dict[str, str] = {}
    urgency: dict[str, str] = {}
    amend: _Request | None = None
    cancel: _Request | None = None
    ask: _Request | None = None
    probe: _Request | None = None
    callback: _Callback | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Where an answer says what. fault: of a SOAP fault's code, which tells "no" from a doubt."""

    number: Place | None
    accepted_at: Place | None
    error: Place | None
    fault: Place | None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call to the dispatcher. body: None sends nothing. waits: a call-back acknowledges."""

    method: str
    path: Line
    headers: Mapping[str, Line]
    body: Body | None
    waits: bool
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class Callback:
    """What the dispatcher posts to us, and how it is answered. states: its word → our event."""

    places: Mapping[str, Place]
    states: Mapping[str, EventType]
    reply: Body | None
    refusal: Body | None
    reply_status: int
    refusal_status: int


@dataclass(frozen=True, kw_only=True)
class Template:
    """A vendor's cards. calls: by section, `card` always. required: fields a card needs."""

    profile: str
    form: Literal["json", "xml"]
    media_type: str
    required: tuple[str, ...]
    urgency: Mapping[str, str]
    calls: Mapping[str, Call]
    callback: Callback | None


def of(options: Mapping[str, Any]) -> Template:
    """Return the template of a peer's row; raise ConfigurationError naming what is wrong in it."""
    path = str(options.get("tables") or "")
    name = str(options.get("template") or SHIPPED[0])
    if path:
        try:
            return _compiled(Path(path).read_text("utf-8"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"файл шаблона не читается · the template cannot be read: {error}",
                where="options.tables",
            ) from error
    if name not in SHIPPED:
        raise ConfigurationError(
            "нет такого шаблона · no such template",
            found=name,
            expected=", ".join(SHIPPED),
            where="options.template",
            todo="an own template is a file that options.tables names",
        )
    return _shipped(name)


@cache
def _shipped(name: str) -> Template:
    place_ = files("adapters.edds").joinpath(f"tables/{name}.toml")
    return _compiled(place_.read_text("utf-8"), f"tables/{name}.toml")


def _compiled(text: str, where: str) -> Template:
    try:
        told = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"шаблон не подходит · the template does not fit: {error}",
            where=where,
            todo="compare it with adapters/edds/tables/card-rest.toml",
        ) from error
    stray = sorted(set(told.required) - NAMES - {PLACE})
    if stray:
        raise ConfigurationError(
            "нет такого поля · no such field of a card",
            found=", ".join(stray),
            expected=", ".join(sorted({*NAMES, PLACE})),
            where=f"{where} required",
        )
    calls = {
        name: _call(told, name, request, where)
        for name in ("card", "amend", "cancel", "ask", "probe")
        if (request := getattr(told, name)) is not None
    }
    return Template(
        profile=told.profile,
        form=told.form,
        media_type=told.media_type,
        required=told.required,
        urgency=told.urgency,
        calls=calls,
        callback=_callback(told, where) if told.callback else None,
    )


def _call(told: _File, name: str, request: _Request, where: str) -> Call:
    at = f"{where} [{name}]"
    text = told.card.body if request.body == "card" else request.body
    if not request.path.startswith("/"):
        raise ConfigurationError(
            "путь начинается с / · a path begins with /", found=request.path, where=at
        )
    given = msgspec.structs.asdict(request.answer)
    return Call(
        method=request.method,
        path=line(request.path, NAMES, f"{at} path"),
        headers={
            header: line(value, NAMES, f"{at} headers.{header}")
            for header, value in request.headers.items()
        },
        body=FORMS[told.form](text, NAMES, f"{at} body") if text else None,
        waits=request.waits,
        answer=Answer(**{
            key: place(value, told.form, told.namespaces, f"{at} answer.{key}") if value else None
            for key, value in given.items()
        }),
    )  # fmt: skip


def _callback(told: _File, where: str) -> Callback:
    given, at = told.callback, f"{where} [callback]"
    assert given
    wrong = sorted(word for word in given.states.values() if word not in _CALLBACK_EVENTS)
    if wrong:
        raise ConfigurationError(
            "о таком событии диспетчер не сообщает · a dispatcher does not report this",
            found=", ".join(wrong),
            expected=", ".join(_CALLBACK_EVENTS),
            where=f"{at}.states",
        )
    make = FORMS[told.form]
    return Callback(
        places={
            name: place(value, told.form, told.namespaces, f"{at} {name}")
            for name in ("receipt_number", "state", "at", "message_key", "comment")
            if (value := getattr(given, name))
        },
        states={word: EventType(event) for word, event in given.states.items()},
        reply=make(given.reply, REPLY_NAMES, f"{at} reply") if given.reply else None,
        refusal=make(given.refusal, REPLY_NAMES, f"{at} refusal") if given.refusal else None,
        reply_status=given.reply_status,
        refusal_status=given.refusal_status,
    )
