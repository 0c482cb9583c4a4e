"""The register of addresses as a directory: looked up, refreshed from its deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from adapters.fias import options
from adapters.fias.catalogue import RestCatalogue
from gateway.adapter import Health
from gateway.addresses.found import Question
from gateway.errors import ConfigurationError, MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adapters.fias.catalogue import Catalogue
    from gateway.addresses.found import Resolved
    from gateway.outbound import Outbound


class Fias:
    """The register of one installation. Thread-safe, as its `Outbound` is.

    base: address of the catalogue over the option `url`. outbound: a client instead of one made by
    the options. find: answers questions from what is loaded (`gateway.addresses`); without it
    nothing is looked up.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        *,
        base: str = "",
        outbound: Outbound | None = None,
        find: Callable[[Question], Resolved] | None = None,
    ) -> None:
        read = options.read(given)
        if base:
            read = msgspec.structs.replace(
                read, **{"url" if read.kind == "rest" else "soap_url": base}
            )
        self.options = read
        self._client = outbound
        self._find = find
        self._made: Catalogue | None = None

    @property
    def outbound(self) -> Outbound:
        """The client that reaches the catalogue and the hosts of files."""
        if self._client is None:
            self._client = self.options.outbound()
        return self._client

    def close(self) -> None:
        """Close the idle connections."""
        if self._client is not None:
            self._client.close()

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of deliveries; ConfigurationError when none is named."""
        if self._made is None:
            if not self.options.address:
                name = "url" if self.options.kind == "rest" else "soap_url"
                raise ConfigurationError(
                    "адрес каталога не задан · no address of the catalogue",
                    where=f"[adapter_options.fias] {name}",
                    todo="задайте его или загружайте файлы сами · set it, or load files by hand",
                )
            outbound = self.outbound
            if self.options.kind == "rest":
                self._made = RestCatalogue(outbound, self.options.address)
            else:
                from adapters.fias.soap import SoapCatalogue

                self._made = SoapCatalogue(
                    outbound, self.options.address, soap12=self.options.soap12
                )
        return self._made

    def lookup(self, query: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
        """Return the places that a text may mean, best first.

        query: `text`, and `region` with codes (`36 77`) that are likelier. Raises
        ConfigurationError when what is loaded was not lent.
        """
        if self._find is None:
            raise ConfigurationError(
                "реестр не открыт · the loaded register was not lent", todo="gateway fias resolve"
            )
        found = self._find(
            Question(text=query.get("text", ""), regions=tuple(query.get("region", "").split()))
        )
        best = (found.best,) if found.best else ()
        return tuple(msgspec.to_builtins(place) for place in (*best, *found.candidates))

    def refresh(self, since: str) -> Iterator[Mapping[str, Any]]:
        """Return the releases after a VersionId, oldest first; raise DeliveryError."""
        if since and not (since.isascii() and since.isdigit()):
            raise MalformedError("не VersionId · no VersionId", found=since, expected="20260908")
        for delivery in self.catalogue.every():
            if delivery.version_id > int(since or 0):
                yield msgspec.to_builtins(delivery)

    def probe(self) -> Health:
        """Ask for the newest release."""

        def ask() -> str:
            return f"{self.catalogue.last().version_id}"

        return Health.of(
            ask, "Проверьте адрес каталога и выход в сеть · Check the address and the way out"
        )
