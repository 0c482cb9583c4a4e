"""From the rows of peers to what dispatch sends to: a codec, a channel and a policy each.

`adapter` of the row chooses: `webhook`, `soap`, `file` are channels of this house, any other word
is an adapter of the registry. Peers are read anew at most every two seconds; a channel is built
again only when its row changed, so connections stay open. A row that cannot be spoken to is tried
again each time, since a file that it names may come; why it cannot is logged when it changes.
"""

from __future__ import annotations

import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog

from gateway import gost, options
from gateway.dispatch.ports import Destination, Policy
from gateway.errors import ConfigurationError, GatewayError
from gateway.lent import Lent
from gateway.options import LOCAL
from gateway.outbound import Outbound
from gateway.polling import Asked
from gateway.retry import Backoff, BreakerRule, Rate, window
from gateway.store import peers, replies
from gateway.store.memory import StoredMemory
from gateway.wires.channels import credentials, fileout, webhook
from gateway.wires.channels.replies import ReplyChannel, ReplyCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.model.peer import Peer
    from gateway.options import Option
    from gateway.registry import Adapter
    from gateway.settings import Settings
    from gateway.store.pool import Pool

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 2.0


class Destinations:
    """The destinations of this process; called by dispatch before each round, and by polling.

    Thread-safe, so that whoever sends to a peer and whoever asks it share its channel.
    """

    def __init__(
        self,
        pool: Pool,
        adapters: Mapping[str, Adapter],
        settings: Settings,
        now: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._builder = Builder(adapters, settings, now, pool)
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._rows: dict[str, Peer] = {}
        self._built: dict[str, tuple[Peer, Destination]] = {}
        self._refused: dict[str, str] = {}

    def __call__(self) -> dict[str, Destination]:
        """Return every peer that is sent to, by code; one that cannot be built is logged."""
        return {code: asked.destination for code, asked in self.asked().items()}

    def asked(self) -> dict[str, Asked]:
        """Return the same, each with its row."""
        with self._lock:
            return self._fresh()

    def _fresh(self) -> dict[str, Asked]:
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            with self._pool.connection() as connection:
                self._rows = peers.read_all(connection)
            self._read_at = time.monotonic()
            for code, row in self._rows.items():
                self._renew(code, row)
        return {
            code: Asked(row, built)
            for code, (row, built) in self._built.items()
            if self._rows.get(row.code) == row and row.enabled
        }

    def close(self) -> None:
        """Close the idle connections of every channel; for a process that goes on without them."""
        self._builder.close()

    def options(self, code: str) -> Mapping[str, Any]:
        """Return a peer's options with its adapter's defaults, for encoding."""
        row = self._rows.get(code)
        return self._builder.options(row) if row else {}

    def _renew(self, code: str, row: Peer) -> None:
        self._renew_answers(replies.destination(code), row)
        known = self._built.get(code)
        if row.adapter in LOCAL or (known and known[0] == row):
            return
        self._build(code, row, self._builder.build)

    def _renew_answers(self, code: str, row: Peer) -> None:
        if not row.callback_hosts:
            self._built.pop(code, None)
        elif self._built.get(code, (None,))[0] != row:
            self._build(code, row, self._builder.replies)

    def _build(self, code: str, row: Peer, build: Callable[[Peer], Destination]) -> None:
        """Build one destination; what is wrong with a row harms nobody else's."""
        try:
            self._built[code] = (row, build(row))
            self._refused.pop(code, None)
        except (GatewayError, TypeError, ValueError) as error:
            self._built.pop(code, None)
            if self._refused.get(code) != str(error):
                self._refused[code] = str(error)
                log.warning("destinations.refused", peer=code, reason=str(error))


class Builder:
    """Makes the destination of a peer's row: by dispatch to send, by commands to say why not."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        settings: Settings,
        now: Callable[[], datetime],
        pool: Pool | None = None,
    ) -> None:
        self._pool = pool
        self._signing = cache(lambda: gost.open_signing(settings))
        self._adapters = adapters
        self._settings = settings
        self._now = now
        self._clients: list[Outbound] = []

    def close(self) -> None:
        """Close the idle connections of every channel that was built."""
        for client in self._clients:
            client.close()

    def options(self, row: Peer) -> dict[str, Any]:
        """Return a peer's options with its adapter's defaults."""
        return {**self._manifest_options(row), **row.options}

    def build(self, row: Peer) -> Destination:
        """Return the destination; raise ConfigurationError that names what is wrong with the row.

        Nothing is connected to. A name of an option that nobody reads is no hindrance.
        """
        for error in options.wrong(row, self._manifest_options(row), names=False):
            raise error
        before = len(self._clients)
        try:
            return self._build(row)
        except ConfigurationError:
            del self._clients[before:]
            raise
        except (GatewayError, TypeError, ValueError) as error:
            del self._clients[before:]
            raise ConfigurationError(
                f"the channel cannot be made: {error}", where=f"peer {row.code}"
            ) from error

    def replies(self, row: Peer) -> Destination:
        """Return where a peer's answers go that it wants at an address of its own."""
        timeout = float(row.options.get("timeout", 30.0))
        channel = ReplyChannel(self._outbound(row, timeout), peer=row.code)
        policy = _house_policy(row, timeout=timeout, idempotent=True, can_ask=False)
        return Destination(replies.destination(row.code), ReplyCodec(), channel, policy)

    def hindrance(self, row: Peer) -> ConfigurationError | None:
        """Return what keeps a peer from being sent to, or from being told at all; None: nothing."""
        if row.adapter in LOCAL:
            return next(options.wrong(row, {}, names=False), None)
        try:
            self.build(row)
        except ConfigurationError as error:
            return error
        return None

    def known(self, row: Peer) -> dict[str, Option]:
        """Return what the options of a row may be, by name, those of its adapter's manifest too."""
        return options.known(row.adapter, self._manifest_options(row))

    def wrong(self, row: Peer) -> list[ConfigurationError]:
        """Return what is wrong with the options of a row, unknown names and an adapter's words too.

        What is missing is not wrong: a row may be made first and filled in later.
        """
        found = list(options.wrong(row, self._manifest_options(row)))
        if not found and row.adapter in self._adapters:
            try:
                self._adapters[row.adapter].make(self.options(row))
            except ConfigurationError as error:
                found.append(error)
        return found

    def require_adapter(self, row: Peer) -> None:
        """Raise ConfigurationError unless the row's word is a channel or a loaded adapter."""
        if row.adapter not in (*LOCAL, *options.CHANNELS, *self._adapters):
            raise ConfigurationError(
                "нет такого адаптера или он не включён · no such adapter, or not switched on",
                found=row.adapter,
                expected=", ".join(("pull", *options.CHANNELS, *self._settings.adapters)),
                where=f"peer {row.code}",
                todo="`adapters` of the settings names those that are switched on",
            )

    def _manifest_options(self, row: Peer) -> Mapping[str, Any]:
        adapter = self._adapters.get(row.adapter)
        return adapter.manifest.options if adapter else {}

    def _build(self, row: Peer) -> Destination:
        self.require_adapter(row)
        if row.adapter == "webhook":
            return self._webhook(row)
        if row.adapter == "file":
            return self._file(row)
        if row.adapter == "soap":
            return self._soap(row)
        adapter = self._adapters[row.adapter]
        m = adapter.manifest
        timeout = float(row.options.get("timeout", m.timeout))
        given = self.options(row)
        more: dict[str, Any] = {}
        if m.lent:
            memory = StoredMemory(self._pool, row.code, self._now)
            more["lent"] = Lent(memory, self._signing, self._now)
        made = adapter.make(
            given, base=str(given.get("url", "")), outbound=self._outbound(row, timeout), **more
        )
        policy = Policy(
            timeout=timeout,
            max_in_flight=int(row.options.get("max_in_flight", m.max_in_flight)),
            idempotent=m.idempotent_delivery,
            can_ask=m.stage == 3,
            settle_after=float(row.options.get("settle_after", m.settle_after)),
            ack_within=float(row.options.get("ack_due", m.ack_due)),
            rate=_rate(float(row.options.get("rate", m.rate))),
            disclosure=row.disclosure if row.disclosure_ground else m.disclosure,
            disclosure_ground=row.disclosure_ground or m.disclosure_ground,
            test=row.test,
            **_common(row),
        )
        return Destination(row.code, made, made, policy)

    def _webhook(self, row: Peer) -> Destination:
        timeout = float(row.options.get("timeout", 15.0))
        url = credentials.required(row, "url")
        channel = webhook.WebhookChannel(
            self._outbound(row, timeout),
            webhook.Addresses(deliver=url, ask=str(row.options.get("ask_url", ""))),
            peer=row.code,
            secret=credentials.secret(row, "secret_file", least=16),
            now=self._now,
            waits=bool(row.options.get("waits", False)),
        )
        policy = _house_policy(
            row,
            timeout=timeout,
            idempotent=bool(row.options.get("idempotent", True)),
            can_ask=bool(row.options.get("ask_url")),
        )
        return Destination(row.code, webhook.WebhookCodec(self._source), channel, policy)

    def _file(self, row: Peer) -> Destination:
        """A directory that the partner empties: one file an event, in the web hook's own form."""
        channel = fileout.FileChannel(Path(credentials.required(row, "directory")), peer=row.code)
        policy = _house_policy(row, timeout=10.0, idempotent=True, can_ask=True)
        return Destination(row.code, webhook.WebhookCodec(self._source), channel, policy)

    def _soap(self, row: Peer) -> Destination:
        """A partner that hosts our own contract: SubmitStatus, from the stored WSDL."""
        timeout = float(row.options.get("timeout", 30.0))
        outbound, address = self._outbound(row, timeout), credentials.required(row, "url")
        from gateway.wires.channels import soapback  # zeep is slow to load, and few peers need it

        identity = credentials.identity(row, self._now, trusted_wire=self._settings.trusted_wire)
        client = soapback.client(
            address,
            outbound,
            row.code,
            version="1.2" if row.options.get("soap12") else "1.1",
            addressing=bool(row.options.get("addressing", False)),
            identity=identity,
            voucher=credentials.voucher(row, self._now),
        )
        channel = soapback.CallbackChannel(client, outbound, address=address, peer=row.code)
        policy = _house_policy(row, timeout=timeout, idempotent=True, can_ask=False)
        return Destination(row.code, soapback.CallbackCodec(client), channel, policy)

    @property
    def _source(self) -> str:
        return self._settings.public_url or "urn:gov:appeals:gateway"

    def _outbound(self, row: Peer, timeout: float) -> Outbound:
        """A client that may reach this peer's own hosts and nothing else (design §2.15)."""
        named = urlsplit(str(row.options.get("url", ""))).netloc.rpartition("@")[2]
        hosts = [*row.callback_hosts, named] if named else list(row.callback_hosts)
        client = Outbound(
            allowed_hosts=hosts,
            allow_private=tuple(row.options.get("allow_private", ())),
            ca_bundle=str(row.options.get("ca_bundle", "")),
            proxy=str(row.options.get("proxy", "")),
            proxy_login=credentials.proxy_login(row),
            client_cert=credentials.client_certificate(row),
            timeout=timeout,
            max_idle=int(row.options.get("max_in_flight", 8)),
        )
        self._clients.append(client)
        return client


def _house_policy(row: Peer, *, timeout: float, idempotent: bool, can_ask: bool) -> Policy:
    """The policy of a channel of this house: no manifest, so the row says everything."""
    return Policy(
        timeout=timeout,
        max_in_flight=int(row.options.get("max_in_flight", 8)),
        idempotent=idempotent,
        can_ask=can_ask,
        settle_after=float(row.options.get("settle_after", 30.0)),
        rate=_rate(float(row.options.get("rate", 0.0))),
        disclosure=row.disclosure,
        disclosure_ground=row.disclosure_ground,
        test=row.test,
        **_common(row),
    )


def _rate(per_second: float) -> Rate:
    return Rate(per_second=per_second) if per_second > 0 else Rate()


def _common(row: Peer) -> dict[str, Any]:
    """Bounds that any peer's row may set: patience, the pause after a failure, the breaker."""
    given = row.options
    bounds: dict[str, Any] = {
        name: kind(given[name])
        for name, kind in (("max_attempts", int), ("give_up_after", float))
        if name in given
    }
    for bound, rule in (("backoff", Backoff()), ("breaker", BreakerRule())):
        told = {
            name: type(getattr(rule, name))(given[f"{bound}_{name}"])
            for name in rule.__struct_fields__
            if f"{bound}_{name}" in given
        }
        bounds[bound] = msgspec.structs.replace(rule, **told)
    bounds["maintenance"] = tuple(window(str(text)) for text in given.get("maintenance", ()))
    bounds["text_is_redacted"] = bool(given.get("text_is_redacted", False))
    return bounds
