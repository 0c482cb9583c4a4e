"""Calls of a façade through the engine, without HTTP and without a database."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

from lxml import etree

from gateway import ns
from gateway.access.policy import Caller
from gateway.errors import GatewayError
from gateway.soap import envelope, faults, frame
from gateway.wires import contract as c
from gateway.wires import service
from gateway.wires.appeals import InvalidError
from gateway.wires.facades.base import Parts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPACE = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
MEDIA = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}


class Gateway:
    """Stands where `Service` does: remembers what it was asked, and answers by type.

    answers: what is to happen at an operation, an error to raise or a function of the request.
    """

    def __init__(self, **answers):
        self.asked = []
        self.answers = answers
        self.kept = []

    async def keep(self, context, error, operation):
        self.kept.append((operation, error.code))

    async def call(self, request, context):
        self.asked.append(request)
        name = type(request).__name__
        answer = self.answers.get(name)
        if isinstance(answer, GatewayError):
            raise answer
        if answer is not None:
            return answer(request, context)
        if name == "AttachFile":
            return c.AttachFileResponse(attachment_id="a" * 64, sha256="a" * 64)
        return getattr(c, f"{name}Response")(receipt=receipt())


def receipt(number="TK12V09W5EK", **more):
    return c.Receipt(receipt_number=number, accepted_at=NOW, content_sha256="0" * 64, **more)


def parts(gateway, pool=None):
    return Parts(gateway, pool)


def context(peer="sed", now=NOW, **more):
    return service.Context(
        caller=Caller(peer=peer), wire="soap11", correlation="corr-1", now=now, body=b"",
        media_type="text/xml", **more,
    )  # fmt: skip


def soap(body, version="1.1"):
    space = SPACE[version]
    return f'<s:Envelope xmlns:s="{space}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def exchange(endpoint, message, *, content_type=MEDIA["1.1"], within=None):
    """Return what goes back over the wire, as `gateway.wires.soap` does it, and the context."""
    headers = {"content-type": content_type}
    within = within or context()
    opening = envelope.Context(now=within.now, service=endpoint.service)
    try:
        try:
            call = envelope.open(message, headers, {}, opening)
            request = endpoint.read(call)
        except InvalidError:
            endpoint.explain(SimpleNamespace(body=body_of(message), nodes=len(message)))
            raise
        reply = asyncio.run(endpoint.answer(request, call, within))
        return envelope.seal(reply, call)
    except GatewayError as error:
        found = frame.of_request(message, headers)
        return faults.seal_fault(error, found, "corr-1", endpoint.fault(error, "corr-1"))


def body_of(message):
    return etree.fromstring(message).find(".//{*}Body")[0]


class Answer:
    """The body element of an answer, or the detail of its fault."""

    def __init__(self, sealed):
        self.status = sealed.status
        body = etree.fromstring(sealed.body).find("{*}Body")[0]
        self.fault = etree.QName(body).localname == "Fault"
        if self.fault:
            self.code = (body.findtext("faultcode") or body.findtext("{*}Code/{*}Value"))[2:]
            found = body.find("detail")
            found = body.find("{*}Detail") if found is None else found
            self.bare = found is None
            body = body if found is None else found[0]
        self.element = body
        self.tag = body.tag

    def text(self, path):
        steps = "/".join(f"{{*}}{step}" for step in path.split("/"))
        return self.element.findtext(steps)

    def texts(self, path):
        return [found.text for found in self.element.iterfind(f".//{{*}}{path}")]
