"""DownloadService: its envelopes of SOAP 1.1 and 1.2, read and written."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

from lxml import etree

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
BARE: Final = "http://fias.nalog.ru/WebServices/Public/DownloadService.asmx"
SLASH: Final = f"{BARE}/"
ALL: Final = "GetAllDownloadFileInfo"
LAST: Final = "GetLastDownloadFileInfo"
WSDL: Final = (
    b'<?xml version="1.0" encoding="utf-8"?><wsdl:definitions name="DownloadService" '
    b'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"/>'
)


class Call(NamedTuple):
    """A call that was read. space: the namespace of the operation, soap: that of the envelope."""

    operation: str
    space: str
    soap: str


def read(body: bytes) -> Call:
    """Return which operation is called; raise ValueError."""
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    name = etree.QName(root)
    inner = root.find(f"{{{name.namespace}}}Body/*")
    if name.localname != "Envelope" or name.namespace not in {SOAP11, SOAP12} or inner is None:
        raise ValueError("это не конверт SOAP · no envelope of SOAP")
    called = etree.QName(inner)
    return Call(called.localname, called.namespace or "", name.namespace)


def reply(call: Call, releases: list[dict[str, Any]]) -> bytes:
    """Return the answer to a call; releases: newest first."""
    if call.operation == LAST:
        inside = "".join(map(_field, releases[0].items())) if releases else ""
    else:
        inside = "".join(
            f"<DownloadFileInfo>{''.join(map(_field, one.items()))}</DownloadFileInfo>"
            for one in releases
        )
    name = call.operation
    return _envelope(
        call.soap,
        f'<{name}Response xmlns="{call.space}"><{name}Result>{inside}</{name}Result>'
        f"</{name}Response>",
    )


def fault(soap: str, reason: str) -> bytes:
    """Return a refusal."""
    text = escape(reason)
    if soap == SOAP12:
        return _envelope(
            soap,
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>"
            f'<s:Reason><s:Text xml:lang="en">{text}</s:Text></s:Reason></s:Fault>',
        )
    return _envelope(
        SOAP11,
        f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{text}</faultstring></s:Fault>",
    )


def _envelope(soap: str, inner: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{soap}"><s:Body>{inner}</s:Body></s:Envelope>'
    ).encode()


def _field(item: tuple[str, Any]) -> str:
    return f"<{item[0]}>{escape(str(item[1]))}</{item[0]}>"
