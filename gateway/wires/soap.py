"""The SOAP wire: a plain ASGI application, the services under `/soap/` and their descriptions.

What becomes of one call is in `gateway.wires.call`.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from gateway.errors import GatewayError, NotFoundError
from gateway.limits import MEX_REQUEST_BYTES
from gateway.soap import faults, frame, mex
from gateway.wires.call import Exchange
from gateway.wires.edge import Gone, address_of, correlation_of, headers_of
from gateway.wires.receiving import Incoming
from gateway.wires.sending import send_bytes, send_sealed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.metrics import Metrics
    from gateway.settings import Settings
    from gateway.wires.edge import Edge
    from gateway.wires.endpoint import Endpoint

_PATH: Final = re.compile(r"/soap/([a-z0-9-]+)\.svc(/mex)?")
_HOST: Final = re.compile(r"(.*?)(?::([0-9]{1,5}))?")
"""A name and its port: `localhost:1@other.example` would name another server."""
_PORTS: Final = 65_535


class SoapApp:
    """ASGI application of `/soap/`: the services and their descriptions."""

    def __init__(
        self, edge: Edge, settings: Settings, metrics: Metrics, endpoints: Sequence[Endpoint]
    ) -> None:
        self._edge = edge
        self._settings = settings
        self._metrics = metrics
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        headers = headers_of(scope)
        found = _PATH.fullmatch(scope["path"].lower())
        endpoint = self._endpoints.get(found[1]) if found else None
        about = bool(found and found[2])
        if endpoint is None:
            self._metrics.call("soap", "?", "not_found")
            names = ", ".join(f"/soap/{name}.svc" for name in self._endpoints)
            text = f"no such service; there is {names}".encode()
            await send_bytes(send, HTTPStatus.NOT_FOUND, "text/plain", text)
        elif scope["method"] == "POST" and about:
            await self._exchange_metadata(endpoint, scope, headers, receive, send)
        elif scope["method"] == "POST":
            most = self._settings.package_bytes
            exchange = Exchange(self._edge, endpoint, scope, headers, receive, most)
            await exchange.run(send, self._metrics)
        elif scope["method"] in ("GET", "HEAD") and not about:
            await self._describe(endpoint, scope, headers, send)
        else:
            # Mono's svcutil takes what GET gives it here for the whole description, and asks
            # by a message only where there is none.
            allow = "POST" if about else "GET, HEAD, POST"
            text = f"{allow} only".encode()
            await send_bytes(
                send, HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", text, {"allow": allow}
            )

    async def _describe(
        self, endpoint: Endpoint, scope: Any, headers: Mapping[str, str], send: Any
    ) -> None:
        """Serve `?wsdl`, `?singleWsdl` and `?xsd=name`; names of parameters in any case."""
        query = {
            name.lower(): values[0]
            for name, values in parse_qs(
                scope["query_string"].decode("latin-1"), keep_blank_values=True
            ).items()
        }
        try:
            described = endpoint.describe(query, self._base(scope, headers))
        except GatewayError as error:
            text = str(error).encode()
            await send_bytes(send, HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", text)
            return
        sealed = frame.Sealed(
            status=HTTPStatus.OK, content_type=described.content_type, body=described.body
        )
        await send_sealed(send, sealed, {}, headers.get("accept-encoding", ""))

    async def _exchange_metadata(
        self,
        endpoint: Endpoint,
        scope: Any,
        headers: Mapping[str, str],
        receive: Any,
        send: Any,
    ) -> None:
        """Answer a question for the description that comes as a SOAP message, from anybody."""
        correlation, root = correlation_of(headers), b""
        with self._edge.room.strangers.body(address_of(scope)) as held:
            try:
                sections = endpoint.sections(self._base(scope, headers))
                root = await Incoming(receive, headers, held, MEX_REQUEST_BYTES).root()
            except Gone:
                return
            except GatewayError as error:
                found = frame.of_request(root, headers)
                sealed = faults.seal_fault(error, found, correlation)
            else:
                sealed = await self._edge.parsing.run(
                    len(root), mex.answer, root, headers, self._edge.now(), sections, correlation
                )
        self._metrics.call("soap", "mex", "" if sealed.status == HTTPStatus.OK else "refused")
        extra = {"correlation-id": correlation}
        await send_sealed(send, sealed, extra, headers.get("accept-encoding", ""))

    def _base(self, scope: Any, headers: Mapping[str, str]) -> str:
        """The address that peers use: configured, or the Host they asked when it is allowed."""
        if self._settings.public_url:
            return self._settings.public_url
        host = headers.get("host", "")
        known = _HOST.fullmatch(host)
        if (
            known is None
            or known[1] not in self._settings.allowed_hosts
            or int(known[2] or 0) > _PORTS
        ):
            raise NotFoundError(
                "this Host is not one of ours",
                found=host[:200],
                todo="set public_url or allowed_hosts",
            )
        return f"{scope.get('scheme', 'http')}://{host}"
