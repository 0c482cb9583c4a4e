"""Whose word is taken about the address and scheme of a call that was passed on.

A header says anything, so it counts only from a proxy that the operator named by address. Each
proxy appends the address it was called from: the list is read from its end, over proxies we trust,
to the first address that we do not. One family of headers is read, the one that the proxies write:
the other kind passes through them as the caller sent it.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Headers = Iterable[tuple[bytes, bytes]]

Family = Literal["x-forwarded", "forwarded"]

UNKNOWN: Final = "unknown"
"""Stands for an address that nobody we trust has told (RFC 7239, 6.2); it is no loopback."""
SAYS_FORWARDED: Final = frozenset(
    (b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-real-ip")
)
"""Headers of a call that was passed on, or pretends to have been."""

_IPV4_PORT: Final = re.compile(r"([0-9.]+):[0-9]{1,5}")
_IPV6_PORT: Final = re.compile(r"\[([^\]]+)\](?::[0-9]{1,5})?")
_PAIR: Final = re.compile(r'\s*([A-Za-z]+)=(?:"([^"\\]*)"|([^\s";,]*))\s*')
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Origin(NamedTuple):
    """Where a call came from: its address as text, `http` or `https`."""

    address: str
    scheme: str


class Proxies:
    """The proxies that are believed. Without any, nothing that a header says is.

    trusted: addresses and networks as text. family: `x-forwarded` for X-Forwarded-For and
    X-Forwarded-Proto, `forwarded` for Forwarded (RFC 7239). Raises ConfigurationError.
    """

    def __init__(self, trusted: Sequence[str] = (), family: Family = "x-forwarded") -> None:
        self.networks = tuple(_network(text) for text in trusted)
        self._standard = family == "forwarded"
        self._for = b"forwarded" if self._standard else b"x-forwarded-for"

    def trusts(self, address: str) -> bool:
        """Whether the word of this address is taken."""
        found = parse(address) if self.networks else None
        return found is not None and any(found in network for network in self.networks)

    def origin(self, peer: Origin, headers: Headers) -> Origin:
        """Return where a call came from that a trusted proxy passed on.

        peer: the proxy itself. A proxy that does not say for whom it passes on gives UNKNOWN, one
        that does not say how it was called gives `http`; one that says nothing speaks for itself.
        A loopback address is UNKNOWN too: what this machine alone may do is for direct calls.
        """
        told, schemes, passed = self._read(headers)
        if not passed:
            return peer
        scheme = "https" if schemes and schemes[-1].lower() == "https" else "http"
        while told:
            found = parse(told.pop())
            if found is None or found.is_loopback:
                break
            if not told or not any(found in network for network in self.networks):
                return Origin(str(found), scheme)
        return Origin(UNKNOWN, scheme)

    def _read(self, headers: Headers) -> tuple[list[str], list[str], bool]:
        """Return addresses and schemes as appended, and whether the call was passed on at all."""
        told: list[str] = []
        schemes: list[str] = []
        passed = False
        for name, value in headers:
            passed = passed or name in SAYS_FORWARDED
            if name == self._for:
                text = value.decode("latin-1")
                if self._standard:
                    _standard(text, told, schemes)
                else:
                    told += text.split(",")
            elif name == b"x-forwarded-proto" and not self._standard:
                schemes += [part.strip() for part in value.decode("latin-1").split(",")]
        return told, schemes, passed


def pretends(headers: Headers) -> bool:
    """Whether a call says that it was passed on, be it true or not."""
    return not SAYS_FORWARDED.isdisjoint(dict(headers))


@lru_cache(4096)
def parse(text: str) -> _Address | None:
    """Read an address, with or without a port; an IPv4 one mapped into IPv6 becomes itself."""
    text = text.strip()
    with_port = _IPV6_PORT.fullmatch(text) or _IPV4_PORT.fullmatch(text)
    if with_port:
        text = with_port[1]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _standard(text: str, told: list[str], schemes: list[str]) -> None:
    """Read the elements of one Forwarded header; each is what one proxy appended.

    What cannot be read stands for an address that is not known, so that nothing before it counts.
    """
    for element in _split(text):
        pairs = {}
        for part in element.split(";"):
            pair = _PAIR.fullmatch(part)
            if pair is None:
                pairs = {"for": UNKNOWN}
                break
            pairs[pair[1].lower()] = pair[2] if pair[2] is not None else pair[3]
        told.append(pairs.get("for", UNKNOWN))
        schemes.append(pairs.get("proto", ""))


def _split(text: str) -> list[str]:
    """Split at commas outside of quotes; an unclosed quote swallows the rest, and is unreadable."""
    return re.findall(r'(?:"[^"\\]*"|"[^"]*$|[^",])+', text) or [""]


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"not an address or a network of a proxy: {error}",
            found=text,
            expected="10.1.0.5 or 10.1.0.0/24",
            where="trusted_proxies",
        ) from error
