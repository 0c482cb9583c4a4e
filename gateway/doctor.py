"""What could keep this installation from working, and what to do about it.

Each check returns findings; a check that itself fails is a finding too. Nothing is changed: the
blob directory gets a token that is taken away again. What needs the database is in
`gateway.doctor_database`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import psycopg
from lxml import etree

from gateway import antivirus, contracts, deadlines, limits, ns, registry, routing
from gateway.access.policy import is_loopback
from gateway.access.proxies import Proxies
from gateway.embedded import account as accounts
from gateway.embedded.layout import Layout
from gateway.errors import BusyError, GatewayError
from gateway.wires import facades
from import_export import profile as profiles
from import_export.inbox import NAMES

if TYPE_CHECKING:
    from gateway.settings import Settings

Level = Literal["ok", "warn", "fail"]

DISK_WARN: Final = 5 * 1024 * limits.MB
DISK_FAIL: Final = 512 * limits.MB
"""Free bytes under which the disk is a finding: PostgreSQL stops on a full one."""


EICAR: Final = b"".join(
    (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}", b"$EICAR-STANDARD-ANTIVIRUS-", b"TEST-FILE!$H+H*")
)
"""In pieces, so that no antivirus takes this file for an infected one."""
WIDEST_PROXIES: Final = {4: 16, 6: 48}
"""Length of the prefix, by version of IP, under which a network is too wide to be proxies."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at. what, todo: Russian and English beside each other, todo empty for ok."""

    check: str
    level: Level
    what: str
    todo: str = ""


Check = Callable[[], Iterable[Finding]]


def examine(checks: Mapping[str, Check]) -> Iterator[Finding]:
    """Run checks one after another; what a check raises is its finding."""
    for name, check in checks.items():
        try:
            yield from check()
        except GatewayError as error:
            where = f" ({error.where})" if error.where else ""
            found = f": {error.found}" if error.found else ""
            yield fail(name, f"{error.message}{found}{where}", error.todo)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            yield fail(
                name,
                "в базе нет таблицы или столбца · the database lacks a table or a column",
                "gateway db upgrade",
            )
        except Exception as error:  # noqa: BLE001 - a broken check must not hide the others
            yield fail(
                name,
                f"проверка не удалась · the check failed: {type(error).__name__}: {error}"[:500],
            )


def without_database(settings: Settings) -> dict[str, Check]:
    """Return the checks that need no database."""
    return {
        "settings": partial(check_settings, settings),
        "proxies": partial(check_proxies, settings),
        "contracts": check_contracts,
        "adapters": partial(check_adapters, settings),
        "facades": partial(check_facades, settings),
        "zones": partial(check_zones, settings),
        "routing": partial(check_routing, settings),
        "terms": partial(check_terms, settings),
        "blobs": partial(check_blobs, settings.blobs),
        "disk": partial(check_disk, settings),
        "account": partial(check_account, settings),
        "inboxes": partial(check_inboxes, settings),
        "antivirus": partial(check_antivirus, settings),
    }


def check_antivirus(settings: Settings) -> Iterable[Finding]:
    """Ask the antivirus about the test file that every one of them knows, and about a clean one."""
    asked = antivirus.scanner(settings.antivirus)
    if asked is None:
        yield ok("antivirus", "не назначен · none is named")
        return
    try:
        infected = asked.scan([EICAR], len(EICAR)).infected
        clean = not asked.scan([b"appeal"], len(b"appeal")).infected
    except BusyError as error:
        why = getattr(error.__cause__, "strerror", None) or error.where or error.message
        yield fail(
            "antivirus",
            "антивирус не отвечает, файлы не выдаются и не уходят"
            f" · it does not answer, no file is served or sent: {settings.antivirus}: {why}",
            "запустите его; проверьте адрес в antivirus и право шлюза писать в его сокет"
            " · start it; check its address in antivirus, and that the gateway may write to its"
            " socket",
        )
        return
    if not infected:
        yield fail(
            "antivirus",
            "антивирус не узнаёт проверочный файл EICAR · it does not know the EICAR test file",
            "обновите его базы · update its signatures",
        )
    elif not clean:
        yield fail("antivirus", "чистый файл назван заражённым · a clean file is called infected")
    else:
        yield ok("antivirus", "отвечает и знает EICAR · answers and knows EICAR")


def ok(check: str, what: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check=check, level="ok", what=what)


def warn(check: str, what: str, todo: str) -> Finding:
    """Return a finding that should be looked at."""
    return Finding(check=check, level="warn", what=what, todo=todo)


def fail(check: str, what: str, todo: str = "") -> Finding:
    """Return a finding that keeps the gateway from working."""
    return Finding(check=check, level="fail", what=what, todo=todo)


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Look at settings that do harm in a real installation."""
    beyond = not is_loopback(settings.host) and settings.host != "localhost"
    if beyond and settings.trusted_wire:
        yield warn(
            "settings",
            f"trusted_wire: ключи идут открыто на {settings.host} · keys go in the clear",
            "уберите, если перед шлюзом нет TLS · remove it unless TLS stands before the gateway",
        )
    if beyond and not settings.public_url:
        yield warn(
            "settings",
            "public_url пуст: адрес в WSDL берётся из Host · the WSDL's address comes from Host",
            "задайте public_url · set public_url",
        )
    if not settings.pg_durable and not settings.database_url:
        yield warn(
            "settings",
            "pg_durable = false: сбой машины потеряет данные · a crash loses data",
            "только для тестов · for tests only",
        )
    if settings.pg_allow_nobody and not settings.database_url and os.geteuid() == 0:
        yield warn(
            "settings",
            "база работает от nobody · the database runs as nobody",
            "задайте GATEWAY_PG_USER · set GATEWAY_PG_USER",
        )
    yield ok("settings", f"прочитаны · read; {settings.host}:{settings.port}")


def check_proxies(settings: Settings) -> Iterator[Finding]:
    """Look at whose word about a caller is taken, and whether somebody's is missing."""
    found = Proxies(settings.trusted_proxies, settings.proxy_headers)
    for network in found.networks:
        if network.prefixlen < WIDEST_PROXIES[network.version]:
            yield warn(
                "proxies",
                f"{network}: оттуда любой назовётся кем угодно · anybody there may pretend",
                "назовите сами прокси в trusted_proxies · name the proxies themselves",
            )
    outside = settings.public_url.startswith("https:") and not settings.tls_cert
    if outside and not found.networks and not settings.trusted_wire:
        yield warn(
            "proxies",
            "public_url по https, но ни TLS, ни доверенного прокси нет"
            " · public_url is https, yet there is neither TLS here nor a trusted proxy",
            "задайте trusted_proxies или tls_cert · set trusted_proxies or tls_cert",
        )
        return
    named = ", ".join(map(str, found.networks))
    yield ok(
        "proxies",
        f"{settings.proxy_headers} от · from {named}"
        if named
        else "заголовкам прокси не верим · no header of a proxy is believed",
    )


def check_contracts() -> Iterator[Finding]:
    """Compile the contract and tell its digest, which peers compare."""
    contract = contracts.appeals()
    contract.single_wsdl("http://localhost")
    contract.validate(etree.Element(ns.tag(ns.APPEALS, "Ping")))
    yield ok("contracts", f"urn:gov:appeals:v1, SHA-256 {contract.sha256}")


def check_adapters(settings: Settings) -> Iterator[Finding]:
    """Hold the manifest of each adapter against its code."""
    for name in settings.adapters:
        try:
            found = registry.load((name,))[name].manifest
        except GatewayError as error:
            yield fail("adapters", f"{name}: {error.message} {error.found}", error.todo)
        else:
            yield ok("adapters", f"{name}: {found.title}, стадия · stage {found.stage}")


def check_facades(settings: Settings) -> Iterator[Finding]:
    """Make each façade as `gateway serve` does; one that cannot be made keeps it from starting."""
    if not settings.facades:
        yield ok("facades", "не назначены · none is named")
        return
    from gateway.wires.facades.base import unconnected

    parts = unconnected(settings.blobs)
    for name in settings.facades:
        try:
            facades.endpoints((name,), parts)
        except GatewayError as error:
            yield fail("facades", f"{error.message}: {error.found} ({error.where})", error.todo)
        else:
            yield ok("facades", f"/soap/{name}.svc")


def check_zones(settings: Settings) -> Iterator[Finding]:
    """Look for the data of time zones: days and years are counted in the body's own."""
    if settings.zone not in available_timezones():
        yield fail("zones", f"нет пояса · no zone {settings.zone}", "pip install tzdata")
        return
    offset = datetime(2026, 1, 15, tzinfo=ZoneInfo("Europe/Moscow")).utcoffset()
    if offset is None or offset.total_seconds() != 3 * 3600:
        yield fail("zones", f"Москва · Moscow: {offset}", "обновите tzdata · update tzdata")
        return
    yield ok("zones", f"{settings.zone}, поясов · zones: {len(available_timezones())}")


def check_routing(settings: Settings) -> Iterator[Finding]:
    """Read the rules of routing."""
    if not settings.routing_file:
        yield warn(
            "routing",
            "правил нет: обращения не направляются · no rules: nothing is routed",
            "задайте routing_file · set routing_file",
        )
        return
    rules = routing.read_rules(Path(settings.routing_file))
    yield ok("routing", f"правил · rules: {len(rules)}")


def check_terms(settings: Settings) -> Iterator[Finding]:
    """Read the terms of law and the production calendar."""
    terms = deadlines.read_terms(*([Path(settings.terms_file)] if settings.terms_file else []))
    calendar = deadlines.read_calendar()
    years = ", ".join(map(str, sorted(calendar.confirmed))) or "-"
    yield ok("terms", f"сроков · terms: {len(terms)}; календарь · calendar: {years}")


def check_blobs(directory: Path) -> Iterator[Finding]:
    """Write a token into the blob directory, make it durable, read it back, take it away."""
    if not directory.exists():
        trouble = unwritable(directory)
        if trouble:
            yield fail(
                "blobs",
                f"{directory}: нельзя создать · cannot be made: {trouble}",
                "blob_dir | data_dir",
            )
        else:
            yield ok("blobs", f"{directory}: появится при первом запуске · made by the first start")
        return
    token, text = directory / f".doctor.{secrets.token_hex(6)}", secrets.token_bytes(64)
    try:
        with token.open("xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        linked = token.with_suffix(".link")
        os.link(token, linked)
        linked.unlink()
        if token.read_bytes() != text:
            yield fail(
                "blobs", f"прочитано не то, что записано · read back other bytes: {directory}"
            )
            return
    except OSError as error:
        yield fail(
            "blobs",
            f"{directory}: {error.strerror}",
            "нужны права на запись и жёсткие ссылки · must be writable and know hard links",
        )
        return
    finally:
        token.unlink(missing_ok=True)
    yield ok("blobs", f"{directory}: запись, fsync, чтение · write, fsync, read")


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Look at the room left where data lies."""
    for place in dict.fromkeys((settings.data_dir, settings.blobs)):
        free = shutil.disk_usage(_existing(place)).free
        what = f"{place}: свободно · free {free // limits.MB:,} МБ".replace(",", " ")
        if free < DISK_FAIL:
            yield fail("disk", what, "освободите место · make room")
        elif free < DISK_WARN:
            yield warn("disk", what, "скоро кончится · little is left")
        else:
            yield ok("disk", what)


def check_account(settings: Settings) -> Iterator[Finding]:
    """Look whether the embedded database could start: PostgreSQL does not run as root."""
    if settings.database_url:
        return
    layout = Layout(settings.data_dir)
    account = accounts.resolve(
        settings.pg_user or None, allow_nobody=settings.pg_allow_nobody, pgdata=layout.pgdata
    )
    accounts.require_enter(account, _existing(layout.root))
    yield ok("account", f"база работает от · the database runs as {account.name}")


def check_inboxes(settings: Settings) -> Iterator[Finding]:
    """Look at directories, profiles and formats of the inboxes; their peers are in the database."""
    paths = [inbox.path.absolute() for inbox in settings.inboxes]
    for inbox, path in zip(settings.inboxes, paths, strict=True):
        trouble = _inbox_trouble(path)
        if trouble:
            yield fail("inboxes", trouble, "[[inboxes]] path; владелец и права · owner and mode")
        elif paths.count(path) > 1:
            yield fail("inboxes", f"{path}: указан дважды · named twice", "[[inboxes]] path")
        try:
            if inbox.profile:
                profiles.load(inbox.profile)
            if inbox.codec:
                registry.codec_of(inbox.codec, settings.adapters, settings.adapter_options)
        except GatewayError as error:
            yield fail(
                "inboxes",
                f"{path}: {error.message}: {error.found or error.where}",
                f"[[inboxes]] profile | codec: {error.expected or error.todo}",
            )
        else:
            if not trouble:
                kind = inbox.profile or inbox.codec or "XML"
                yield ok("inboxes", f"{path}: {inbox.peer}, {kind}")


def _inbox_trouble(path: Path) -> str:
    """Say why files could not be taken from an inbox; empty when they could."""
    for place in (path, *(path / name for name in NAMES)):
        trouble = unwritable(place)
        if trouble:
            return f"{place}: нельзя создать или писать · cannot be made or written: {trouble}"
    return ""


def unwritable(directory: Path) -> str:
    """Say why nothing can be made in a directory that is there or will be; empty when it can.

    Asked of the system itself, with a directory that is taken away again: root may write anywhere
    by the modes, and still not into /proc or a share that is read-only.
    """
    try:
        Path(tempfile.mkdtemp(prefix=".doctor.", dir=_existing(directory))).rmdir()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _existing(place: Path) -> Path:
    """Return the path itself, or the nearest one above it that is there."""
    return next(p for p in (place, *place.absolute().parents) if p.exists())
