"""Calls RequestExecutionService: makes the envelopes, sends them, reads what `SendResult` says."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from lxml import etree

from adapters.regional.asdou.codes import (
    FINAL,
    IMPORT_ID,
    ONLY_FINAL,
    OPERATIONS,
    REPORT,
    SPACE,
    SUFFIXES,
)
from gateway import contracts, ns, xml
from gateway.adapter import Receipt, Wire
from gateway.errors import (
    GatewayError,
    MalformedError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
)
from gateway.outbound import Outbound
from gateway.soap.client import SoapClient

if TYPE_CHECKING:
    from adapters.regional.asdou.codes import SendResult
    from adapters.regional.asdou.encode import Call

NAME: Final = "АС ДОУ"
SERVICE: Final = "RequestExecutionService"
PORT: Final = "Basic"
_SAID_CHARS: Final = 1_000
"""Of what the service says of a report, in errors and logs."""
_WSDL: Final = "request-execution-v0.wsdl"


class _Within:
    """An `Outbound` whose requests all end by one instant: a delivery of two has one `timeout`."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._until = monotonic() + outbound.timeout

    def request(self, method: str, url: str, **more: Any) -> Any:
        """Send once, in what is left of the time."""
        left = self._until - monotonic()
        if left <= 0:
            raise PeerUnavailable(f"{NAME} took too long: nothing more was sent")
        return self._outbound.request(method, url, **{**more, "timeout": left})


class Service:
    """The service at one address. outbound None: envelopes are made, and none can be sent."""

    def __init__(self, address: str, outbound: Outbound | None, results: SendResult) -> None:
        self._address = address
        self._given = outbound
        self._results = results

    @cached_property
    def _outbound(self) -> Outbound:
        return self._given or Outbound(allowed_hosts=())

    @cached_property
    def _maker(self) -> SoapClient:
        return self._client(self._outbound)

    def message(self, call: Call, key: str) -> Wire:
        """Return the envelope of a call; raise ValidationError when it does not fit the WSDL."""
        return self._maker.message(call.operation, key, **{call.name: call.values})

    def send(self, wire: Wire) -> Receipt:
        """Send what an envelope tells: before a final report, the report that it has within it.

        A report that was refused keeps the final one back; one that is there already is as good as
        accepted, so both may be sent again after a doubt.
        """
        client = self._client(cast("Outbound", _Within(self._outbound)))
        before = report_of(wire)
        if before is not None:
            self._sent(client, before)
        return self._sent(client, wire)

    def described(self) -> int:
        """Return the status with which the address answers for its description."""
        return self._outbound.request("GET", f"{self._address}?wsdl").status

    def _client(self, outbound: Outbound) -> SoapClient:
        return SoapClient(
            contracts.folder("wsdl", "asdou") / _WSDL,
            service=SERVICE,
            port=PORT,
            address=self._address or "http://localhost/",
            outbound=outbound,
            peer=NAME,
        )

    def _sent(self, client: SoapClient, wire: Wire) -> Receipt:
        receipt = client.send(wire)
        code, message = _result(receipt.body)
        results, found = self._results, f"{code} {message}".strip()
        if code in results.later:
            raise PeerUnavailable(f"{NAME} asks to come later", found=found)
        if code not in results.accepted | results.repeated:
            raise PeerRefused(
                f"{NAME} did not take the report",
                found=found,
                todo="исправьте и отправьте снова · mend what it names and replay the delivery",
            )
        return Receipt(
            final=True, status=receipt.status, reference=import_id(wire), body=receipt.body
        )


def report_of(wire: Wire) -> Wire | None:
    """Return the report that goes before a final report: the same without its result."""
    root = deepcopy(xml.parse(wire.body).root)
    call = root.find(f"{{{ns.SOAP11}}}Body/{_tag(OPERATIONS[FINAL])}")
    final = call.find(_tag(FINAL)) if call is not None else None
    if call is None or final is None:
        return None
    call.tag, final.tag = _tag(OPERATIONS[REPORT]), _tag(REPORT)
    for name in ONLY_FINAL:
        for element in final.findall(_tag(name)):
            final.remove(element)
    key = final.find(_tag(IMPORT_ID))
    if key is not None and key.text:
        key.text = key.text.removesuffix(SUFFIXES[FINAL]) + SUFFIXES[REPORT]
    action = f'"{SPACE}/{OPERATIONS[REPORT]}"'
    return Wire(
        media_type=wire.media_type,
        body=etree.tostring(root, xml_declaration=True, encoding="utf-8"),
        headers={**wire.headers, "soapaction": action},
    )


def import_id(wire: Wire) -> str:
    """Return the key of the report in an envelope, empty when it has none."""
    found = xml.parse(wire.body).root.find(f".//{_tag(IMPORT_ID)}")
    return (found.text or "") if found is not None else ""


def _result(body: bytes) -> tuple[str, str]:
    """Return code and message of `SendResult`, whatever its namespace; raise PeerDoubtful."""
    try:
        root = xml.parse(body).root
    except GatewayError as error:
        raise PeerDoubtful(f"{NAME} answered unreadably", found=error.found) from error
    told: dict[str, str] = {}
    for element in root.iter():
        if isinstance(element.tag, str):
            told.setdefault(etree.QName(element).localname, (element.text or "").strip())
    if not told.get("code"):
        raise PeerDoubtful(f"{NAME} answered without a code") from MalformedError("no SendResult")
    return told["code"][:_SAID_CHARS], told.get("message", "")[:_SAID_CHARS]


def _tag(name: str) -> str:
    return f"{{{SPACE}}}{name}"
