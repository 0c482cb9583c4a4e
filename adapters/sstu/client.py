"""Talks to a local node (АРМ ЕС ОГ, КП ССТУ): two addresses, no credential of their own.

`POST {base}/Import` takes one appeal, `GET {base}/analytics/ver.0.2/requests/{GUID}` lists what was
reported. A 2xx is the only "yes" known; the body of an answer is free text. A page of HTML may be
the word of a proxy that lets nothing through: that is a doubt, which the list settles.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.errors import PeerDoubtful
from gateway.outbound import Answered, Outbound, Response, check

if TYPE_CHECKING:
    from collections.abc import Generator

    from gateway.adapter import Wire

BASE: Final = "/IPCP/HandlingReportPlugin/Api"
"""Where a node usually keeps its interface, below its address."""
NAME: Final = "ССТУ"
_PAGE: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE
).match


class Node:
    """One node. base: absolute address of the interface, `http://node/IPCP/…/Api`."""

    def __init__(self, outbound: Outbound, base: str) -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")

    def put(self, wire: Wire) -> Response:
        """Send one document.

        Raises PeerRefused with the node's text, PeerUnavailable when nothing was stored,
        PeerDoubtful when it may have been.
        """
        answer = self._outbound.request(
            "POST",
            f"{self._base}/Import",
            headers={"Content-Type": "application/json", "Accept": "*/*"},
            body=wire.body,
        )
        if _PAGE(check(answer, NAME).body):
            raise PeerDoubtful(
                f"{NAME} answered with a page, as what stands before a node does",
                found=f"HTTP {answer.status}",
                where=self._base,
            ) from Answered(answer)
        return answer

    def listing(
        self, department: str, most: int, *, seconds: float | None = None
    ) -> Generator[bytes]:
        """Yield the list of one body in pieces, as it stands.

        The address gives the whole list or nothing: no parameter is known that asks for a part.
        most: bytes. seconds: for all of it, the peer's `timeout` when None. Raises PeerUnavailable
        or PeerRefused, PeerDoubtful for a list that is larger.
        """
        size = 0
        for piece in self._outbound.stream(
            f"{self._base}/analytics/ver.0.2/requests/{department}",
            NAME,
            headers={"Accept": "application/json"},
            timeout=seconds,
        ):
            size += len(piece)
            if size > most:
                raise PeerDoubtful(
                    "the node's list of this body is larger than the peer's row allows",
                    where=department,
                    found=f"more than {most} bytes",
                    expected="options.list_bytes",
                    todo="raise list_bytes with `gateway peer option`, and list_seconds with it;"
                    " until then doubts are settled by hand: `gateway deliveries`",
                )
            yield piece
