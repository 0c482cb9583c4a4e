"""What `gateway doctor` looks at in the peers: what proves them, whom they name, can they be told.

Nothing is connected to: destinations are built as dispatch builds them, and names are looked up.
See `gateway.doctor`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg

from gateway import readiness, registry, routing
from gateway.access import certificates
from gateway.access.needs import REQUIRE, missing
from gateway.access.seals import REMEDY, Seals
from gateway.destinations import Builder
from gateway.doctor import Check, Finding, fail, ok, warn
from gateway.errors import ConfigurationError, GatewayError, MalformedError, PeerUnavailable
from gateway.options import LOCAL, callback_host
from gateway.pinning import Resolver, parse_target
from gateway.store import organisations, peers, sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.model.peer import Peer
    from gateway.registry import Adapter
    from gateway.settings import Settings
    from gateway.store.peers import Held

EXPIRES_SOON: Final = timedelta(days=30)
"""An authority takes days to issue a certificate, and its owner weeks to ask for it."""

LOOK_UP_SECONDS: Final = 5.0
"""For the names of all peers together; what is not looked up by then is left out."""


def checks(settings: Settings, url: str, now: datetime) -> dict[str, Check]:
    """Return the checks by name; for a database with its schema, not for a scratch one."""
    return {
        "proofs": partial(check_proofs, settings, url, now),
        "destinations": partial(check_destinations, settings, url, now),
        "sources": partial(check_sources, url),
        "answers": partial(check_answers, settings, url, now),
        "inboxes": partial(check_senders, settings, url),
        "routing": partial(check_rules, settings, url),
    }


def check_destinations(settings: Settings, url: str, now: datetime) -> Iterator[Finding]:
    """Build what dispatch would send to, and read every option of every peer."""
    with _connected(url) as db:
        every = peers.read_all(db)
    adapters = _adapters(settings)
    builder = Builder(adapters, settings, lambda: now)
    built, takes = 0, []
    for row in every.values():
        if not row.enabled:
            continue
        hindrance: GatewayError | None = None
        if readiness.only_takes(adapters, row):
            takes.append(row.code)
        else:
            hindrance = readiness.hindrance(builder, adapters, row)
            built += hindrance is None and row.adapter not in LOCAL
        if hindrance is not None:
            yield fail("destinations", _said(row, hindrance), hindrance.todo)
        for error in builder.wrong(row):
            if hindrance is None or error.message != hindrance.message:
                yield warn("destinations", _said(row, error), error.todo)
    builder.close()
    if takes:
        told = ", ".join(takes)
        yield ok("destinations", f"только передают нам · we only take from: {told}")
    yield ok("destinations", f"готовы к отправке · ready to be sent to: {built}")


def check_sources(url: str) -> Iterator[Finding]:
    """Look for peers that are asked for what they have, and failed at the last asking."""
    with _connected(url) as db:
        rows = [row for row in sources.standing(db) if row.enabled]
    for row in rows:
        if row.failures:
            yield warn(
                "sources",
                f"{row.peer}: опрос не удаётся, раз подряд · asking fails, in a row:"
                f" {row.failures}: {row.error}",
                f"gateway sources list; gateway peer option {row.peer}",
            )
    failing = sum(row.failures > 0 for row in rows)
    yield ok("sources", f"опрашиваются · are asked: {len(rows) - failing}")


def check_answers(settings: Settings, url: str, now: datetime) -> Iterator[Finding]:
    """Look whether answers that a peer wants at its own hosts could go there (peers.md)."""
    with _connected(url) as db:
        every = [row for row in peers.read_all(db).values() if row.enabled and row.callback_hosts]
    if not every:
        return
    builder, deadline, good = Builder({}, settings, lambda: now), monotonic() + LOOK_UP_SECONDS, 0
    for row in every:
        try:
            builder.replies(row)
        except (GatewayError, TypeError, ValueError) as error:
            why = _said(row, error) if isinstance(error, ConfigurationError) else str(error)
            yield fail("answers", why, f"gateway peer option {row.code}")
            continue
        found = list(_unreached(row, deadline))
        good += not found
        yield from found
    builder.close()
    yield ok("answers", f"ответы по ReplyTo уйдут · answers by ReplyTo can go out: {good}")


def _unreached(row: Peer, deadline: float) -> Iterator[Finding]:
    """Look for hosts of one peer that are, or resolve to, addresses that it does not allow."""
    resolver, behind = Resolver(row.options.get("allow_private", ())), row.options.get("proxy")
    for named in row.callback_hosts:
        try:
            host = parse_target(f"http://{_bracketed(callback_host(named))}/").host
            if behind or deadline <= monotonic():
                resolver.refuse_literal(host)
            else:
                resolver.addresses(host, deadline)
        except PeerUnavailable:
            yield warn(
                "answers",
                f"{row.code}: у узла нет адреса · no address is known for the host: {named}",
                f"DNS; gateway peer hosts {row.code} --remove {named} --commit",
            )
        except ConfigurationError as error:
            if error.where == "callback_hosts":
                said, todo = (
                    error.message,
                    f"gateway peer hosts {row.code} --remove {named} --commit",
                )
            else:
                said = (
                    "внутренний адрес, ответы туда не уйдут"
                    f" · an inner address, no answer will go there ({error.found})"
                )
                allowed = [*row.options.get("allow_private", ()), *str(error.found).split(", ")]
                listed = msgspec.json.encode(allowed).decode()
                todo = f"gateway peer option {row.code} 'allow_private={listed}'"
            yield warn("answers", f"{row.code}: {named}: {said}", todo)


def _bracketed(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and "]" not in host else host


def check_proofs(settings: Settings, url: str, now: datetime) -> Iterator[Finding]:
    """Look for peers that cannot prove what they must, and for certificates that end."""
    with _connected(url) as db:
        every = {code: p for code, p in peers.read_all(db).items() if p.enabled}
        held, answers, sealed = peers.held(db), peers.answers(db), peers.sealed(db)
    for code, row in every.items():
        if row.require != "key":  # of a key it is told among the peers
            for line in missing(settings, row.require, held.get(code, ()), now):
                todo = _todo(code, row.require, line)
                yield warn("proofs", f"{code}, {row.require}: {line}", todo)
        yield from _ends(code, held.get(code, ()), now)
        yield from _named(row, now)
    yield from _secrets(settings, [s for s in sealed if s[0] in every])
    yield from _answers(settings, [code for code in every if answers[code] == "signature"])
    yield from _ours(settings, now)
    if settings.tls_client_ca and not settings.tls_cert:
        yield warn("proofs", "tls_client_ca без · without tls_cert", "tls_cert, tls_key")
    if settings.proxy_client_certificate and not settings.trusted_proxies:
        yield warn(
            "proofs",
            "proxy_client_certificate без · without trusted_proxies:"
            " заголовок не читается · the header is not read",
            "docs/howto/proxy.md",
        )
    kinds = sorted({row.require for row in every.values()})
    yield ok("proofs", f"системы доказывают себя · peers prove themselves by: {', '.join(kinds)}")


_TODO: Final = {
    "key": "gateway peer key {code}",
    "digest": "gateway peer secret {code}",
    "certificate": "gateway peer certificate {code} FILE.pem",
}
_SETTINGS: Final = {
    "tls_client_ca": (
        "задайте tls_client_ca (с tls_cert, tls_key), за прокси proxy_client_certificate"
        " · set tls_client_ca (with tls_cert, tls_key), behind a proxy proxy_client_certificate"
    ),
    "seal_key": REMEDY,
}
"""Settings that a line may name as missing, and what to do about each."""


def _todo(code: str, require: str, line: str) -> str:
    """Say what to do about one line of what is missing: a setting, or a credential."""
    setting = next((todo for name, todo in _SETTINGS.items() if name in line), None)
    wanted = _TODO.get(REQUIRE.get(require, ""), "gateway peer require {code} key")
    return setting or wanted.format(code=code)


def _ends(code: str, held: Sequence[Held], now: datetime) -> Iterator[Finding]:
    """Look for certificates that have ended or soon will, with none to take their place."""
    live = [(h.not_after, h.id) for h in held if h.not_after and h.disabled_at is None]
    if not live:
        return
    ends, id_ = max(live)
    if ends > now + EXPIRES_SOON:
        return
    yield warn(
        "proofs",
        f"{code}: последний сертификат · the last certificate {id_}: {_ending(ends, now)}",
        _TODO["certificate"].format(code=code),
    )


def _named(row: Peer, now: datetime) -> Iterator[Finding]:
    """Look for certificates in the files of a row that have ended or soon will.

    Of several for the peer's answers the last to end counts. What cannot be read is told elsewhere.
    """
    for name in ("sign_cert", "client_cert", "answer_cert"):
        try:
            found = certificates.several(Path(str(row.options[name])).read_bytes())
        except (KeyError, OSError, ValueError, MalformedError):
            continue
        last = found[0] if name != "answer_cert" else max(found, key=lambda c: c.not_after)
        ends = datetime.fromtimestamp(last.not_after, UTC)
        if ends <= now + EXPIRES_SOON:
            todo = f"gateway peer option {row.code} {name}=…"
            yield warn("proofs", f"{row.code}, {name}: {_ending(ends, now)}: {last.subject}", todo)


def _ending(ends: datetime, now: datetime) -> str:
    return f"{'истёк · has ended' if ends <= now else 'истекает · ends'} {ends:%d.%m.%Y}"


def _secrets(settings: Settings, sealed: list[tuple[str, str, bytes]]) -> Iterator[Finding]:
    """Open every secret, as the processes will."""
    seals = Seals(settings.seal_key, settings.seal_key_old)
    if sealed and not seals.ready:
        yield fail(
            "proofs", "нет seal_key: секреты не открыть · no seal_key for the secrets", REMEDY
        )
        return
    for peer, id_, closed in sealed:
        if seals.open(closed, peer, id_) is None:
            yield fail(
                "proofs",
                f"{peer}: секрет не открывается · its secret does not open: {id_}",
                f"seal_key_old | gateway peer secret {peer}",
            )


def _answers(settings: Settings, codes: list[str]) -> Iterator[Finding]:
    """Look at what signs answers to the peers that ask for it."""
    if codes and not (settings.sign_key and settings.sign_cert):
        yield fail(
            "proofs",
            f"ответы нечем подписывать · nothing to sign answers with: {', '.join(codes)}",
            "sign_key, sign_cert",
        )


def _ours(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Read the certificates of the house itself, and tell of one that ends."""
    for name in ("tls_cert", "tls_client_ca", "sign_cert"):
        path: str = getattr(settings, name)
        if not path:
            continue
        try:
            found = certificates.first(Path(path))
        except GatewayError as error:
            yield fail("proofs", f"{name}: {error.message}: {path}", name)
            continue
        if found.not_after < (now + EXPIRES_SOON).timestamp():
            ends = datetime.fromtimestamp(found.not_after, UTC)
            yield warn("proofs", f"{name}: {_ending(ends, now)}: {found.subject}", name)


def check_senders(settings: Settings, url: str) -> Iterator[Finding]:
    """Look for inboxes whose files nobody will take, because of their peer."""
    with _connected(url) as db:
        every = peers.read_all(db)
    for inbox in settings.inboxes:
        peer = every.get(inbox.peer)
        if peer is None:
            yield fail(
                "inboxes",
                f"{inbox.path}: нет такой системы, файлы не берутся"
                f" · no such peer, its files are not taken: {inbox.peer}",
                f"gateway peer list; gateway peer add {inbox.peer}",
            )
        elif not peer.enabled:
            yield warn(
                "inboxes",
                f"{inbox.path}: система отключена, файлы ждут"
                f" · the peer is disabled, its files wait: {inbox.peer}",
                f"gateway peer enable {inbox.peer} --commit",
            )


def check_rules(settings: Settings, url: str) -> Iterator[Finding]:
    """Hold the rules of routing against peers and bodies; without bodies only against peers."""
    if not settings.routing_file:
        return
    path = Path(settings.routing_file)
    try:
        routing.read_rules(path)
    except GatewayError:
        return  # told already, where no database is needed
    with _connected(url) as db:
        every, bodies = peers.read_all(db), organisations.read_all(db)
    routing.read_rules(path, peers=every, organisations=bodies or None)
    yield ok(
        "routing", "системы и органы в правилах есть · peers and bodies of the rules are there"
    )


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        url, autocommit=True, cursor_factory=psycopg.RawCursor, connect_timeout=5
    )


def _said(row: Peer, error: GatewayError) -> str:
    found = f", найдено · found: {error.found}" if error.found else ""
    expected = f", ожидалось · expected: {error.expected}" if error.expected else ""
    place = "" if error.where.startswith("peer ") else f"{error.where}: "
    return f"{row.code}: {place}{error.message}{found}{expected}"


def _adapters(settings: Settings) -> dict[str, Adapter]:
    """Return the adapters that can be loaded; of the others the check of adapters tells."""
    found: dict[str, Adapter] = {}
    for name in settings.adapters:
        try:
            found |= registry.load((name,))
        except GatewayError:
            continue
    return found
