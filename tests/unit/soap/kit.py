"""Raw envelopes and what a peer sees of the answers."""

from datetime import UTC, datetime

from lxml import etree

from gateway import contracts, ns
from gateway.errors import GatewayError
from gateway.soap import envelope, faults, frame
from gateway.soap.envelope import Context, Reply
from gateway.wires.service import appeals_service

CONTEXT = Context(now=datetime(2026, 11, 20, 12, tzinfo=UTC), service=appeals_service())
ACTION = f"{ns.APPEALS}/GetAppeal"
BODY = f'<GetAppeal xmlns="{ns.APPEALS}"><Key><ExternalId>проба</ExternalId></Key></GetAppeal>'
RECEIPT = f'<Тело xmlns="{ns.APPEALS}">ответ</Тело>'.encode()
MEDIA = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
SPACE = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
VERSIONS = ("1.1", "1.2")


def soap(version, body=BODY, header="", prefix="e"):
    head = f"<{prefix}:Header>{header}</{prefix}:Header>" if header else ""
    return (
        f'<{prefix}:Envelope xmlns:{prefix}="{SPACE[version]}">{head}'
        f"<{prefix}:Body>{body}</{prefix}:Body></{prefix}:Envelope>"
    )


def open_(version, text, *, media=None, **headers):
    data = text.encode() if isinstance(text, str) else text
    sent = {"content-type": media or MEDIA[version], **headers}
    return envelope.open(data, sent, {}, CONTEXT)


def exchange(version, text, *, media=None, **headers):
    """Return the answer that a peer gets: a seal of RECEIPT, or the fault."""
    data = text.encode() if isinstance(text, str) else text
    sent = {"content-type": media or MEDIA[version], **headers}
    try:
        call = envelope.open(data, sent, {}, CONTEXT)
    except GatewayError as error:
        return faults.seal_fault(error, frame.of_request(data, sent), "corr-1")
    return envelope.seal(Reply(body=RECEIPT), call)


def clark(element):
    """Return the Clark name that stands as a QName in an element."""
    prefix, _, local = element.text.partition(":")
    return ns.tag(element.nsmap[prefix], local)


class Fault:
    """A fault as a client library would read it."""

    def __init__(self, sealed):
        assert sealed.status == 500
        self.root = etree.fromstring(sealed.body)
        space = etree.QName(self.root).namespace
        self.version = {ns.SOAP11: "1.1", ns.SOAP12: "1.2"}[space]
        self.content_type = sealed.content_type
        self.fault = self.root.find(f"{{{space}}}Body/{{{space}}}Fault")
        self.blocks = self.root.findall(f"{{{space}}}Header/*")
        s = {"s": space, "a": ns.APPEALS}
        if self.version == "1.1":
            self.code = self.fault.findtext("faultcode").split(":")[1]
            self.reasons = {"en": self.fault.findtext("faultstring")}
            detail = self.fault.find("detail")
            self.subcode = None
            self.names = [clark(self.fault.find("faultcode"))]
            if detail is None:
                detail = self.root.find(f"{{{space}}}Header/{{*}}FaultDetail")
        else:
            self.code = self.fault.findtext("s:Code/s:Value", namespaces=s).split(":")[1]
            self.subcode = self.fault.findtext("s:Code/s:Subcode/s:Value", namespaces=s)
            self.names = [clark(e) for e in self.fault.iterfind("s:Code/s:Subcode//s:Value", s)]
            (text,) = self.fault.findall("s:Reason/s:Text", s)
            assert text.get(ns.tag(ns.XML, "lang")) == "ru"
            self.reasons = dict(zip(("ru", "en"), text.text.split(" · ", 1), strict=True))
            detail = self.fault.find("s:Detail", s)
        self.detail = None if detail is None else detail[0]
        if self.detail is not None:
            contracts.appeals().validate(self.detail)

    @property
    def name(self):
        return etree.QName(self.detail).localname

    def field(self, path):
        steps = "/".join(f"{{{ns.APPEALS}}}{step}" for step in path.split("/"))
        return self.detail.findtext(steps)
