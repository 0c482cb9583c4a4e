"""Talks to a local node (АРМ ЕС ОГ, КП ССТУ): two addresses, no credential of their own.

`POST {base}/Import` takes one appeal, `GET {base}/analytics/ver.0.2/requests/{GUID}` lists what was
reported. A 2xx is the only "yes" known; the body of an answer is free text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.outbound import Outbound, Response, check

if TYPE_CHECKING:
    from gateway.adapter import Wire

BASE: Final = "/IPCP/HandlingReportPlugin/Api"
"""Where a node usually keeps its interface, below its address."""
NAME: Final = "ССТУ"


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
        return check(answer, NAME)

    def listing(self, department: str) -> bytes:
        """The list of one body, as it stands; raise PeerUnavailable or PeerRefused."""
        answer = self._outbound.request(
            "GET",
            f"{self._base}/analytics/ver.0.2/requests/{department}",
            headers={"Accept": "application/json"},
        )
        return check(answer, NAME, safe=True).body
