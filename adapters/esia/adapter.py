"""ЕСИА as the house knows it: an identity provider, with one of two providers behind it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from adapters.esia.client import Calls
from adapters.esia.oidc import Oidc
from adapters.esia.options import Options
from adapters.esia.portal import Portal
from gateway import secretfile
from gateway.errors import ConfigurationError, UnsupportedError
from gateway.options_read import words
from gateway.outbound import Outbound
from gateway.pinning import parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.identity import Begun, Identity
    from gateway.lent import Lent

TIMEOUT: Final = 15.0
"""Seconds for one call; a login makes at most five."""


class Esia:
    """One provider that people log in by. Thread-safe; blocks.

    outbound: None makes one by the options, which reaches the provider's own host alone. lent:
    memory for tokens that were used, signing for ЕСИА.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        base: str = "",
        outbound: Outbound | None = None,
        lent: Lent | None = None,
    ) -> None:
        self.options = Options.of({**options, "url": base} if base else options)
        if lent is not None:
            self.options.require()
        self._given = dict(options)
        self._outbound = outbound
        self._lent = lent
        self._lock = Lock()
        self._made: Portal | Oidc | None = None

    def begin(self, now: datetime, *, redirect_uri: str, official: bool) -> Begun:
        """Begin a login; raise ConfigurationError, DeliveryError."""
        return self.provider.begin(now, redirect_uri=redirect_uri, official=official)

    def finish(
        self,
        begun_secret: Mapping[str, str],
        state: str,
        query: Mapping[str, str],
        now: datetime,
        *,
        redirect_uri: str,
        official: bool,
    ) -> Identity:
        """Return who logged in; raise TrustError, DeliveryError, ConfigurationError."""
        return self.provider.finish(
            begun_secret, state, query, now, redirect_uri=redirect_uri, official=official
        )

    def logout_url(self, identity_session: str, back: str) -> str:
        """Return where to send the browser to end the provider's session too."""
        return self.provider.logout_url(identity_session, back)

    def renew(self, refresh_token: str, now: datetime, *, redirect_uri: str) -> dict[str, str]:
        """Return new tokens of ЕСИА; the gateway itself never asks for offline access."""
        if not isinstance(self.provider, Portal):
            raise UnsupportedError("only tokens of ЕСИА are renewed", found=self.options.provider)
        return self.provider.renew(refresh_token, now, redirect_uri=redirect_uri)

    def close(self) -> None:
        """Close the connections to the provider, of a client that was given too."""
        with self._lock:
            if self._outbound is not None:
                self._outbound.close()

    @property
    def provider(self) -> Portal | Oidc:
        """The provider behind; made when first needed, because its keys are read then."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> Portal | Oidc:
        own = self.options
        name = "url" if own.provider == "esia" else "issuer"
        place = getattr(own, name)
        if parse_target(place).scheme != "https" and not _loopback(place):
            raise ConfigurationError(
                "поставщик без TLS · a provider without TLS is not believed",
                where=f"options.{name}",
                found=place,
                expected="https://…",
            )
        outbound = self._outbound = self._outbound or _outbound(own, self._given)
        if own.provider == "esia":
            return Portal(own, Calls(outbound, "ЕСИА"), self._lent)
        secret = b""
        if own.client_auth.startswith("client_secret"):
            secret = secretfile.read(self._given, "client_secret_file")
        return Oidc(own, Calls(outbound, "OIDC"), self._lent, secret.decode("utf-8", "replace"))


def _outbound(own: Options, given: Mapping[str, Any]) -> Outbound:
    """Return a client that reaches the provider's own host, and those that are named beside."""
    place = parse_target(own.url if own.provider == "esia" else own.issuer)
    return Outbound(
        allowed_hosts=(place.authority, *words(given, "hosts")),
        allow_private=words(given, "allow_private"),
        ca_bundle=str(given.get("ca_bundle", "")),
        proxy=str(given.get("proxy", "")),
        timeout=TIMEOUT,
        max_response_bytes=2 * 1024 * 1024,
    )


def _loopback(url: str) -> bool:
    return parse_target(url).host in {"127.0.0.1", "::1", "localhost"}
