"""Puts the house together; the only place that knows everything and reads the clock.

`build` makes the ASGI application of `gateway serve`: `/soap/` goes to the raw SOAP app, because
Litestar's raw route costs a quarter (docs/adr/0005), everything else to Litestar.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from litestar import Litestar, Request, get
from litestar.response import Response

from gateway import __version__, antivirus, contracts, registry
from gateway.access.policy import Gate, is_loopback
from gateway.access.refusals import RefusalLog
from gateway.access.seals import Seals
from gateway.cabinet.mount import Mounted, of_refusal
from gateway.correspondents import Correspondents
from gateway.errors import ConfigurationError, GatewayError, NotFoundError
from gateway.gost import open_signing
from gateway.gost.algorithms import Gost
from gateway.limits import ANSWER_PIECE_BYTES, ANSWERS_BYTES, ANSWERS_BYTES_OF_PEER
from gateway.metrics import Metrics
from gateway.rest import handlers, inbox, pages
from gateway.rest.problems import problem
from gateway.snapshots import StoredSnapshots
from gateway.soap import security
from gateway.soap.security.algorithms import STANDARD
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.pool import Pool
from gateway.store.verdicts import Verdicts
from gateway.syslog import Syslog
from gateway.wires import facades, spool
from gateway.wires.appeals import Appeals
from gateway.wires.channels.pull import PullChanges
from gateway.wires.edge import Edge
from gateway.wires.facades.base import Parts
from gateway.wires.reader import Reader
from gateway.wires.replies import Replies
from gateway.wires.room import ANSWER, Room
from gateway.wires.service import Service
from gateway.wires.soap import SoapApp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.access.policy import Refused
    from gateway.settings import Settings
    from gateway.soap.security import Signer
    from gateway.soap.security.algorithms import Algorithms

log = structlog.get_logger(__name__)


def now() -> datetime:
    """Return the instant, aware, in UTC."""
    return datetime.now(UTC)


def verdicts_of(settings: Settings, pool: Pool) -> Verdicts:
    """Return what lets only clean files out; raise ConfigurationError."""
    fresh = timedelta(days=settings.antivirus_days)
    return Verdicts(pool, antivirus.scanner(settings.antivirus), fresh, now)


def in_pieces(send: Any) -> Any:
    """Return a `send` that gives a long body piece by piece, as its reader makes room for it."""

    async def give(message: Any) -> None:
        body = message.get("body", b"")
        if len(body) <= ANSWER_PIECE_BYTES:
            await send(message)
            return
        for start in range(0, len(body), ANSWER_PIECE_BYTES):
            piece = body[start : start + ANSWER_PIECE_BYTES]
            last = start + ANSWER_PIECE_BYTES >= len(body)
            more = message.get("more_body", False) or not last
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    return give


def signer_of(settings: Settings) -> Signer | None:
    """Return what signs our answers, None without a key; raise ConfigurationError."""
    if not settings.sign_key:
        return None
    try:
        certificate, key = (
            Path(name).read_bytes() for name in (settings.sign_cert, settings.sign_key)
        )
    except OSError as error:
        raise ConfigurationError(
            "ключ или сертификат подписи не читается · the key or certificate cannot be read",
            found=str(error.filename or "sign_cert is empty"),
            where="sign_key, sign_cert",
        ) from error
    return security.load(certificate, key)


def algorithms_of(settings: Settings) -> Algorithms:
    """Return what the signatures of peers are checked with: GOST too where a backend is.

    Where signing is set up and does not work, that is said at the start.
    """
    try:
        return Gost(open_signing(settings).backend)
    except ConfigurationError:
        if settings.signing_keys:
            raise
        return STANDARD


class Serve:
    """The ASGI application of one `gateway serve` process, with what it must start and stop."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.metrics = Metrics({"data": settings.data_dir, "blobs": settings.blobs})
        self._syslog = Syslog(settings.syslog, count=self.metrics.told_syslog)
        self._refusals = RefusalLog(url, now, self.metrics.refused, self._tell_refusal)
        self._pool = Pool(url, size=8)
        self._committer = Committer(
            url, queue_items=settings.queue_items, observe=self.metrics.committed
        )
        blobs = BlobDirectory(settings.blobs)
        spool.ALLOWANCE.of_day = settings.parts_of_day_bytes
        verdicts = verdicts_of(settings, self._pool)
        snapshots = StoredSnapshots(self._pool, blobs, lambda _code: {}, now)
        self.gate = Gate(
            url,
            trusted_wire=settings.trusted_wire,
            refused=self._refusals.record,
            seals=Seals(settings.seal_key, settings.seal_key_old),
            certificate_header=settings.proxy_client_certificate,
        )
        service = Service(
            self._committer,
            blobs,
            Reader(
                self._pool,
                blobs,
                PullChanges(self._pool, snapshots, now),
                verdicts,
                settings.address_regions,
            ),
            contract_sha256=contracts.contract_sha256(),
        )
        self._answers = Room(ANSWERS_BYTES, ANSWERS_BYTES_OF_PEER)
        self._edge = edge = Edge(
            self.gate,
            service,
            now,
            replies=Replies(self._pool),
            signer=signer_of(settings),
            algorithms=algorithms_of(settings),
            metrics=self.metrics,
        )
        served = facades.endpoints(settings.facades, Parts(service, self._pool))
        self._soap = SoapApp(edge, settings, self.metrics, [Appeals(service), *served])
        self._cabinet = Mounted(
            settings, url, edge, now=now, syslog=self._syslog, refused=self._refusals.record
        )
        adapters = registry.load(settings.adapters)
        self._faces = _faces(settings, adapters, edge)
        self._rest = _litestar(self, edge, Correspondents(self._pool, adapters))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a call; what its answer holds in memory is counted until it was read."""
        with self._answers.body("") as held:
            ANSWER.set(held)
            await self._switch(scope, receive, in_pieces(send))

    async def _switch(self, scope: Any, receive: Any, send: Any) -> None:
        """Switch by path."""
        if scope["type"] == "http" and scope["path"].startswith("/soap/"):
            await self._soap(scope, receive, send)
        elif scope["type"] == "http" and self._cabinet.face.owns(scope["path"]):
            await self._cabinet.face(scope, receive, send)
        elif scope["type"] == "http" and (face := self._face(scope["path"])) is not None:
            await face(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(handlers.PREFIX):
            # A number with a slash in it stays one step of the path: 12%2FОГ.
            raw = scope["raw_path"].decode("ascii")
            await self._rest(scope | {"path": raw}, receive, send)
        else:
            await self._rest(scope, receive, send)

    def _face(self, path: str) -> Any:
        """Return the application of the adapter that speaks for a path, None when there is none."""
        return next((app for prefix, app in self._faces if path.startswith(prefix)), None)

    def start(self) -> None:
        """Start the threads of this process."""
        self._pool.open()
        self._cabinet.start()
        self._syslog.start()
        self._refusals.start()
        self._committer.start()

    def stop(self) -> None:
        """Write what waits, then stop."""
        self._committer.stop()
        self._refusals.stop()
        self._cabinet.stop()
        self._syslog.stop()
        self.gate.close()
        self._edge.close()
        self._pool.close()

    def _tell_refusal(self, refused: Refused, at: datetime) -> None:
        event = of_refusal(refused, at)
        if event is not None:
            self._syslog.tell(event)

    def seen(self) -> bytes:
        """Return what Prometheus sees: this process, and the queues while the store is there."""
        try:
            with self._pool.connection() as connection:
                return self.metrics.render(connection)
        except (GatewayError, psycopg.Error):
            return self.metrics.render()

    def ready(self) -> tuple[bool, str]:
        """Whether a submission would be taken now."""
        if self._committer.depth >= self.settings.queue_items:
            return False, "the queue of submissions is full"
        try:
            with self._pool.connection() as connection:
                connection.execute("SELECT 1")
        except (GatewayError, psycopg.Error) as error:
            return False, type(error).__name__
        return True, "ready"


def _faces(
    settings: Settings, adapters: Mapping[str, registry.Adapter], edge: Edge
) -> list[tuple[str, Any]]:
    """Return the adapters that speak a protocol of their own, by the prefix of their addresses."""
    made = [
        adapter.make(registry.options(adapter, settings.adapter_options))
        for adapter in adapters.values()
        if "server" in adapter.manifest.kinds
    ]
    return [(face.prefix, face.application(edge)) for face in made]


def _litestar(serve: Serve, edge: Edge, known: Correspondents) -> Litestar:
    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @get("/readyz", sync_to_thread=True)
    def readyz() -> Response[dict[str, str]]:
        good, detail = serve.ready()
        return Response({"status": detail}, status_code=200 if good else 503)

    @get("/metrics", sync_to_thread=True, media_type="text/plain")
    def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        client = request.scope["client"]
        here = is_loopback(client[0] if client else "")
        if not (here or serve.settings.metrics_beyond_loopback):
            return problem(NotFoundError("metrics are for this machine only"), "", status=403)
        return Response(serve.seen(), media_type="text/plain; version=0.0.4")

    return Litestar(
        route_handlers=[
            healthz,
            readyz,
            metrics,
            *pages.handlers(serve.ready),
            *handlers.handlers(edge, serve.metrics),
            *inbox.handlers(edge, serve.metrics, known),
        ],
        exception_handlers={
            Exception: lambda request, error: handlers.framework_error(
                request, error, serve.metrics
            )
        },
        openapi_config=None,
        on_startup=[serve.start],
        on_shutdown=[serve.stop],
        request_max_body_size=None,
        logging_config=None,
        debug=False,
    )
