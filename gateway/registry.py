"""Adapters: found by entry point, held against their manifests at start.

An adapter is a package with a `manifest.toml` beside the module its entry point names (group
`gateway.adapters`). The manifest is data a non-programmer can read; the registry refuses to start
when it and the code disagree, so that the tables made from it in the docs are true.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import wraps
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from gateway import secretfile
from gateway.adapter import Answering, Channel, Codec, Directory, Server, Source
from gateway.disclosure import level_of
from gateway.errors import ConfigurationError, GatewayError, UnsupportedError
from gateway.identity import IdentityProvider
from gateway.model.events import EventType
from gateway.subscriptions import Manner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUP: Final = "gateway.adapters"
PROTOCOLS: Final = {
    "codec": Codec,
    "channel": Channel,
    "source": Source,
    "answering": Answering,
    "server": Server,
    "directory": Directory,
    "identity": IdentityProvider,
}


ONLY_TAKES: Final = (
    "система только передаёт нам: ей ничего не отправляют и её не опрашивают"
    " · we only take from this peer: it is neither sent to nor asked"
)
"""Said of a row that nothing is owed to by push and that says no address (`only_takes`)."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Contract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of the adapter that fixes its format, with its digest."""

    name: str
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an adapter is and may do (design §4).

    needs: options without which its channel cannot work. Each says one, as `url`, or what stands in
    for it, as `url | mode=offline`: an option that is set, or that has a value.
    """

    name: str
    title: str
    role: str
    stage: Literal[1, 2, 3]
    kinds: tuple[str, ...]
    media_types: tuple[str, ...]
    idempotent_delivery: bool
    reconcile_by: str
    settle_after: float
    ordering: Literal["appeal", "destination"]
    max_in_flight: int
    rate: float
    timeout: float
    ack_due: float
    allowed_hosts: tuple[str, ...]
    disclosure: str
    disclosure_ground: str
    may_reach_citizen: bool
    personal_data: tuple[str, ...]
    events: tuple[str, ...]
    sends_on: tuple[str, ...]
    conformity: str
    seen_by_real_system: bool
    grade: str
    needs: tuple[str, ...] = ()
    lent: bool = False
    contracts: tuple[Contract, ...] = ()
    options: dict[str, Any] = {}


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """A loaded adapter. make: builds it from options, `base` and `outbound`.

    With `outbound` it raises ConfigurationError when the options lack what the channel needs.
    """

    manifest: Manifest
    make: Callable[..., Any]


def load(names: Iterable[str]) -> dict[str, Adapter]:
    """Load the adapters named in settings; raise ConfigurationError for the first that is wrong."""
    return {name: _load(point) for name, point in _points(names)}


def manners(names: Iterable[str]) -> dict[str, Manner]:
    """Return how the adapters named in settings tell, from their manifests alone."""
    read = {name: read_manifest(_package(point)) for name, point in _points(names)}
    return {
        name: Manner(frozenset(m.sends_on), m.may_reach_citizen, m.ordering)
        for name, m in read.items()
    }


def _points(names: Iterable[str]) -> Iterator[tuple[str, EntryPoint]]:
    known = {point.name: point for point in entry_points(group=GROUP)}
    for name in names:
        if name not in known:
            raise ConfigurationError(
                "no adapter of this name is installed",
                found=name,
                expected=", ".join(sorted(known)),
                where="adapters",
            )
        yield name, known[name]


def _package(point: EntryPoint) -> str:
    return point.module.rpartition(".")[0]


def _load(point: EntryPoint) -> Adapter:
    package = _package(point)
    manifest = read_manifest(package)
    if manifest.name != point.name:
        raise ConfigurationError(
            "the manifest names another adapter",
            found=manifest.name,
            expected=point.name,
            where=f"{package}/manifest.toml",
        )
    made = point.load()
    check(manifest, package, made)

    @wraps(made)
    def make(given: Mapping[str, Any], **more: Any) -> Any:
        if more.get("outbound") is None:
            return made(given, **more)
        if only_takes(manifest, given):
            raise ConfigurationError(ONLY_TAKES, where="options.tell")
        if error := lack(manifest, given):
            raise error
        return made(given, **more)

    return Adapter(manifest=manifest, make=make)


def lack(
    manifest: Manifest, given: Mapping[str, Any], peer: str = "…"
) -> ConfigurationError | None:
    """Return what a channel with these options cannot work without; None when nothing is missing.

    The one rule for whatever builds a channel: an option that is not set, a secret that cannot be
    read, a directory that is not there. given: options over the manifest's. peer: code of the row.
    """
    for need in manifest.needs:
        if not _met(need, given):
            name = _named(need)
            todo = f"`gateway peer option {peer} {name}=…`"
            if "answering" in manifest.kinds and name == "url":
                todo += "; только передаёт нам · it only brings: tell=none"
            return ConfigurationError(
                f"{name}: настройка не задана · the peer's row lacks this option",
                expected=need if need != name else "",
                where=f"options.{name}",
                todo=todo,
            )
    for name in manifest.options:
        if name.endswith("_file") and given.get(name):
            try:
                secretfile.read(given, name)
            except ConfigurationError as error:
                error.todo = f"положите файл · put it there: `gateway peer option {peer} {name}=…`"
                return error
        if name.endswith("directory") and given.get(name) and not _is_there(str(given[name])):
            return ConfigurationError(
                f"{name}: такой папки нет · there is no such directory",
                found=str(given[name]),
                where=f"options.{name}",
                todo=f"создайте её · make it: mkdir, `gateway peer option {peer} {name}=…`",
            )
    return None


def only_takes(manifest: Manifest, given: Mapping[str, Any]) -> bool:
    """Whether a row is for messages that its peer pushes or that come as files, and no more.

    Nothing is owed to it by push (`tell`), and it does not say where the peer could be reached. It
    is neither sent to nor asked.
    """
    unmet = any(not _met(need, given) for need in manifest.needs)
    return unmet and given.get("tell") in ("none", "pull")


def _met(need: str, given: Mapping[str, Any]) -> bool:
    for way in need.split(" | "):
        name, equals, value = way.partition("=")
        found = str(given.get(name) or "")
        if found == value if equals else found:
            return True
    return False


def _named(need: str) -> str:
    return need.partition(" | ")[0]


def _is_there(directory: str) -> bool:
    try:
        return Path(directory).is_dir()
    except (OSError, ValueError):
        return False


def options(adapter: Adapter, given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an adapter's options where no peer's row gives them; raise ConfigurationError.

    given: `adapter_options` of the settings, by adapter.
    """
    name, known = adapter.manifest.name, adapter.manifest.options
    own = given.get(name, {})
    for key, value in own.items():
        if key not in known:
            raise ConfigurationError(
                "нет такой настройки · no such option",
                found=key,
                expected=", ".join(sorted(known)),
                where=f"adapter_options.{name}",
            )
        wanted = (int, float) if isinstance(known[key], int | float) else type(known[key])
        if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(known[key], bool):
            raise ConfigurationError(
                "значение не подходит · the value does not fit",
                found=str(value)[:200],
                expected=type(known[key]).__name__,
                where=f"adapter_options.{name}.{key}",
            )
    return {**known, **own}


def codec_of(
    name: str,
    switched_on: Iterable[str],
    given: Mapping[str, Mapping[str, Any]] = _NOTHING,
    own: Mapping[str, Any] = _NOTHING,
) -> Codec:
    """Return the codec of an adapter; raise ConfigurationError or UnsupportedError.

    given: `adapter_options` of the settings. own: options of a peer's row, which go over them.
    """
    adapter = load((name,))[name]
    if "codec" not in adapter.manifest.kinds:
        raise UnsupportedError("this adapter reads nothing", found=name)
    if name not in switched_on:
        raise ConfigurationError("this adapter is not switched on", found=name, where="adapters")
    made: Codec = adapter.make({**options(adapter, given), **own})
    return made


def read_manifest(package: str) -> Manifest:
    """Return the manifest of an adapter's package."""
    where = f"{package}/manifest.toml"
    try:
        text = files(import_module(package)).joinpath("manifest.toml").read_text("utf-8")
        return msgspec.convert(tomllib.loads(text), Manifest)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"the manifest cannot be read: {error}", where=where, todo="see docs/howto/adapter.md"
        ) from error


def check(manifest: Manifest, package: str, made: Callable[..., Any]) -> None:
    """Hold a manifest against its code and its contracts; raise ConfigurationError."""
    where = f"{package}/manifest.toml"
    for kind in manifest.kinds:
        protocol = PROTOCOLS.get(kind)
        missing = [
            name
            for name in (getattr(protocol, "__protocol_attrs__", None) or _members(protocol))
            if getattr(made, name, None) is None
        ]
        if protocol is None or missing:
            raise ConfigurationError(
                f"the code does not offer the kind {kind}", found=", ".join(missing), where=where
            )
    known = {"url", *manifest.options}
    for need in manifest.needs:
        if stray := {way.partition("=")[0] for way in need.split(" | ")} - known:
            raise ConfigurationError("no such option", found=", ".join(stray), where=where)
    for names in (manifest.events, manifest.sends_on):
        unknown = sorted(set(names) - {event.value for event in EventType})
        if unknown:
            raise ConfigurationError("no such events", found=", ".join(unknown), where=where)
    try:
        level_of(manifest.disclosure, manifest.disclosure_ground)
    except GatewayError as error:
        raise ConfigurationError(error.message, where=where) from error
    for contract in manifest.contracts:
        digest = sha256(
            files(import_module(package)).joinpath(contract.name).read_bytes()
        ).hexdigest()
        if digest != contract.sha256:
            raise ConfigurationError(
                "a contract is another file than the manifest says",
                found=digest,
                expected=contract.sha256,
                where=f"{package}/{contract.name}",
            )


def _members(protocol: Any) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")] if protocol else []
