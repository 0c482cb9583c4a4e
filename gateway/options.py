"""What a peer's row may say in `options`: every name, the form of its value, and who reads it.

docs/howto/peers.md says what each is for; an adapter's own options stand in its manifest.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import msgspec

from gateway import retry
from gateway.errors import ConfigurationError, GatewayError
from gateway.model.events import EventType
from gateway.pinning import Resolver, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.model.peer import Peer

LOCAL: Final = ("", "pull")
"""Words of `adapter` that nothing is sent to: the peer only calls us."""
CHANNELS: Final = ("webhook", "soap", "file")
"""Words of `adapter` that are channels of this house; any other is an adapter of the registry."""

Group = Literal["any", "sent", "http", "webhook", "soap", "file"]
GROUPS: Final[dict[str, tuple[Group, ...]]] = {
    "": ("any",),
    "pull": ("any",),
    "webhook": ("any", "sent", "http", "webhook"),
    "soap": ("any", "sent", "http", "soap"),
    "file": ("any", "sent", "file"),
}
"""Word of `adapter` → groups of options that it reads.

What a call outward needs is of every peer: answers go out to a peer that is sent nothing else.
"""
_ADAPTER: Final[tuple[Group, ...]] = ("any", "sent", "http")

_LOGIN: Final = re.compile(r"//[^/\s]*@")
"""Of an address that should have none: what is refused is shown, and its password is not."""
_PORT: Final = re.compile(r":([0-9]{1,5})\Z")
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*"
)
_LAST_PORT: Final = 65_535

_Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
_NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Words = Annotated[str, msgspec.Meta(min_length=1)]
_Region = Annotated[str, msgspec.Meta(pattern="^[0-9]{2}$")]


class Option(NamedTuple):
    """One option. kind: type of its value. judge: what raises when a value of that type is wrong.

    expected: an example or a list, readable in both languages.
    """

    group: Group
    kind: Any
    expected: str
    judge: Callable[[Any], object] | None = None


def _windows(texts: list[str]) -> None:
    for text in texts:
        retry.window(text)


def _address_to_ask(url: str) -> None:
    parse_target(url)
    if "{key}" not in url:
        raise ConfigurationError("it lacks {key}")


_EVENTS: Final = Option("any", list[EventType], '["Answered", "Registered"] (lifecycle.md)')
_SECONDS: Final = "секунды · seconds > 0"
_YES: Final = "true | false"

OPTIONS: Final[dict[str, Option]] = {
    "tell": Option("any", Literal["pull", "push", "none"], "pull | push | none"),
    "events": _EVENTS,
    "tell_last": Option("any", bool, _YES),
    "ordering": Option("any", Literal["appeal", "destination"], "appeal | destination"),
    "may_reach_citizen": Option("any", bool, _YES),
    "keep_days": Option(
        "any", Annotated[float, msgspec.Meta(ge=0, le=36_500)], "дни · days, 0 … 36500"
    ),
    "grant": _EVENTS,
    "same_letters": Option("any", _Words | list[_Words], 'имя группы · a group, or ["a", "b"]'),
    "text_is_redacted": Option("any", bool, _YES),
    "regions": Option("any", list[_Region], '["36", "31"] (ГАР)'),
    "url": Option("http", str, "https://host/path", parse_target),
    "allow_private": Option("any", list[str], '["10.1.0.0/16"]', Resolver),
    "ca_bundle": Option("any", _Words, "/path/ca.pem"),
    "proxy": Option("any", _Words, "http://host:port", parse_target),
    "proxy_password_file": Option("any", _Words, "/path/login: user:password"),
    "client_cert": Option("any", _Words, "/path/client.pem"),
    "client_key": Option("any", _Words, "/path/client.key"),
    "client_key_password_file": Option("any", _Words, "/path/password"),
    "timeout": Option("any", _Positive, _SECONDS),
    "max_in_flight": Option("sent", _Count, "целое · a whole number ≥ 1"),
    "rate": Option("sent", _NotNegative, "в секунду · a second, 0: без предела · no bound"),
    "settle_after": Option("sent", _NotNegative, "секунды · seconds ≥ 0"),
    "max_attempts": Option("sent", _Count, "целое · a whole number ≥ 1"),
    "give_up_after": Option("sent", _NotNegative, "секунды · seconds ≥ 0"),
    "backoff_base": Option("sent", _Positive, _SECONDS),
    "backoff_cap": Option("sent", _Positive, _SECONDS),
    "poll_every": Option("sent", _Positive, _SECONDS),
    "ack_due": Option("sent", _Positive, _SECONDS),
    "breaker_threshold": Option("sent", _Count, "целое · a whole number ≥ 1"),
    "breaker_cool": Option("sent", _Positive, _SECONDS),
    "breaker_cap": Option("sent", _Positive, _SECONDS),
    "maintenance": Option("sent", list[str], '["sun 02:00-04:00 Europe/Moscow"]', _windows),
    "secret_file": Option("webhook", _Words, "/path/secret, ≥ 16 B"),
    "ask_url": Option("webhook", str, "https://host/path/{key}", _address_to_ask),
    "idempotent": Option("webhook", bool, _YES),
    "waits": Option("webhook", bool, _YES),
    "soap12": Option("soap", bool, _YES),
    "addressing": Option("soap", bool, _YES),
    "login": Option("soap", Literal["basic", "text", "digest"], "basic | text | digest"),
    "user": Option("soap", _Words, "имя у системы · the name that the peer gave us"),
    "password_file": Option("soap", _Words, "/path/password"),
    "sign_cert": Option("soap", _Words, "/path/sign.pem"),
    "sign_key": Option("soap", _Words, "/path/sign.key"),
    "sign_key_password_file": Option("soap", _Words, "/path/password"),
    "answer_cert": Option("soap", _Words, "/path/peer.pem"),
    "wsse": Option("any", Literal["wss", "smev2"], "wss | smev2"),
    "directory": Option("file", _Words, "/path/directory"),
}
"""Name → option, for every peer but for what its adapter's manifest adds."""


def callback_host(text: str) -> str:
    """Return `host` or `host:port` as answers' addresses are held against it.

    Lower case, a name of other letters in its ASCII form; an IPv6 address has brackets only before
    a port. Raises ConfigurationError for anything else: a URL, a wildcard, a port that is none.
    """
    given = text.strip()
    found = _PORT.search(given) if "]" in given or given.count(":") == 1 else None
    port = int(found[1]) if found else 0
    host = given[: found.start()] if found else given
    bracketed = host.startswith("[") and host.endswith("]")
    plain = host[1:-1] if bracketed else host
    try:
        ascii_name = parse_target(f"http://[{plain}]/" if ":" in plain else f"http://{plain}/").host
    except GatewayError:
        ascii_name = ""
    whole = (
        ascii_name
        and bracketed <= (":" in plain)
        and not set("/?#@\\%") & set(given)
        and (not found or 0 < port <= _LAST_PORT)
    )
    if not whole or not (_address(ascii_name) or _is_name(ascii_name)):
        raise ConfigurationError(
            "это не имя узла · this is no host",
            found=text,
            expected="host | host:port",
            where="callback_hosts",
            todo="без https:// и пути · without https:// and path",
        )
    if not port:
        return ascii_name
    return f"[{ascii_name}]:{port}" if ":" in ascii_name else f"{ascii_name}:{port}"


def _address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    """Whether it is a name of DNS; one that ends in a number is a mistaken address."""
    return _NAME.fullmatch(host) is not None and not host.rpartition(".")[2].isdigit()


def known(adapter: str, manifest_options: Mapping[str, Any]) -> dict[str, Option]:
    """Return what a peer of this adapter may say.

    An adapter's own options are those of its manifest: the default says the type, its code judges
    the rest.
    """
    groups = GROUPS.get(adapter, _ADAPTER)
    found = {name: option for name, option in OPTIONS.items() if option.group in groups}
    for name, default in manifest_options.items():
        kind, expected = _of_default(default)
        found[name] = Option("sent", kind, expected)
    return found


def given(text: str, option: Option | None) -> Any:
    """Return the value that a person typed for an option; None: of a name that nobody knows.

    JSON is taken as such, anything else as text. Where the option wants text, a number or a yes
    that stands there without quotes is the text that it looks like: `version=1.3`.
    """
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    bare = isinstance(found, bool | int | float)
    if option is None or not bare or _fits(found, option.kind) or not _fits(text, option.kind):
        return found
    return text


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def wrong(
    peer: Peer, manifest_options: Mapping[str, Any], *, names: bool = True
) -> Iterator[ConfigurationError]:
    """Yield what is wrong with a peer's options, each by its name, with found and expected.

    names: unknown names are wrong too. Without them a number may be text, as rows of before have.
    """
    allowed = known(peer.adapter, manifest_options)
    for name, value in peer.options.items():
        option = allowed.get(name)
        if option is not None:
            error = _judged(name, value, option, peer.code, strict=names)
        else:
            error = _stray(name, peer, tuple(allowed)) if names else None
        if error is not None:
            yield error
    if peer.adapter in LOCAL and peer.options.get("tell") == "push":
        yield ConfigurationError(
            "tell: отправлять нечем, у системы нет адаптера · there is no adapter to send by",
            found="push",
            expected="pull | none",
            where=f"peer {peer.code}",
            todo="`gateway peer add … --adapter webhook`",
        )


def _judged(
    name: str, value: Any, option: Option, code: str, *, strict: bool
) -> ConfigurationError | None:
    """Return what is wrong with one value; None when it fits."""
    try:
        read = msgspec.convert(value, option.kind, strict=strict or option.kind is bool)
        if option.judge is not None:
            option.judge(read)
    except (msgspec.ValidationError, GatewayError) as error:
        why = error.message if isinstance(error, GatewayError) else str(error)
        return ConfigurationError(
            f"{name}: значение не подходит · the value does not fit ({why})",
            found=_LOGIN.sub("//***@", msgspec.json.encode(value).decode()),
            expected=option.expected,
            where=f"peer {code}",
            todo=f"`gateway peer option {code} {name}=…`",
        )
    return None


def _stray(name: str, peer: Peer, names: tuple[str, ...]) -> ConfigurationError:
    """Return the error for a name that this peer does not read."""
    close = get_close_matches(name, names, 1)
    if name in OPTIONS:
        said = f"{name}: такой настройки у «{peer.adapter or 'pull'}» нет · it has no such option"
    else:
        said = f"{name}: нет такой настройки · no such option"
    return ConfigurationError(
        said,
        found=name,
        expected=", ".join(sorted(names)),
        where=f"peer {peer.code}",
        todo=f"может быть · perhaps: {close[0]}" if close else "docs/howto/peers.md",
    )


def _of_default(default: Any) -> tuple[Any, str]:
    """Return type and example of an option by its default in a manifest."""
    if isinstance(default, bool):
        return bool, _YES
    if isinstance(default, int | float):
        return float, "число · a number"
    if isinstance(default, list):
        return list[str], '["…", "…"]'
    return str, "текст · text"
