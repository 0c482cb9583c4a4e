"""What an answer must be: a well-formed fault or result, or a refusal that HTTP has a name for."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Final

import msgspec
from lxml import etree

from gateway import contracts, ns, xml
from gateway.errors import WIRE

if TYPE_CHECKING:
    from lxml.etree import _Element

SPACES: Final = (ns.SOAP11, ns.SOAP12)
PLAIN: Final = {404: "no such service or description", 405: "a method that is not offered"}
"""Answered in plain text by design: the path or the method is wrong, so no wire is known."""
LIMIT: Final = 10**6
"""A bound of the nodes of our own answers, for the schema."""


class Answer(msgspec.Struct, kw_only=True):
    """What the application sent. status: 0 when it sent nothing, because the client had gone."""

    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    whole: bool = False


class WrongError(Exception):
    """The answer is none that we may give."""


def judge(answer: Answer, *, method: str, cut: bool) -> str:
    """Return what kind of answer it is, for the table; raise WrongError."""
    if cut and not answer.status:
        return "gone"
    if not answer.whole:
        raise WrongError("the answer was not finished")
    _require_length(answer)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if method != "POST":
        return _described(answer, method, kind)
    if answer.status in PLAIN and kind == "text/plain":
        if not answer.body:
            raise WrongError(f"a bare {answer.status}")
        return str(answer.status)
    if answer.status == 202 and not answer.body:
        return "202"
    return _envelope(answer)


def _require_length(answer: Answer) -> None:
    length = answer.headers.get("content-length")
    if length is not None and int(length) != len(answer.body):
        raise WrongError(f"Content-Length {length}, but {len(answer.body)} bytes")


def _described(answer: Answer, method: str, kind: str) -> str:
    if answer.status == 200 and kind == "text/xml":
        if method != "HEAD":
            _parsed(answer.body)
        return "description"
    if answer.status in PLAIN and (answer.body or method == "HEAD"):
        return str(answer.status)
    raise WrongError(f"{method} was answered with {answer.status} {kind}")


def _parsed(body: bytes) -> _Element:
    try:
        return etree.fromstring(body, etree.XMLParser(**xml.OPTIONS))
    except etree.XMLSyntaxError as error:
        raise WrongError(f"the answer is not well-formed: {error}") from error


def _root_of(answer: Answer) -> bytes:
    """Return the envelope: unpacked, and taken out of a package."""
    body = answer.body
    if answer.headers.get("content-encoding", "") == "gzip":
        body = gzip.decompress(body)
    media = answer.headers.get("content-type", "")
    if media.startswith("multipart/related"):
        body = body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0].partition(b"\r\n--")[0]
    return body


def _envelope(answer: Answer) -> str:
    root = _parsed(_root_of(answer))
    space, local = etree.QName(root).namespace or "", etree.QName(root).localname
    if space not in SPACES or local != "Envelope":
        raise WrongError(f"{answer.status} with {root.tag}")
    body = root.find(f"{{{space}}}Body")
    if body is None or len(body) != 1:
        raise WrongError(f"{answer.status} without exactly one element in the body")
    fault = body.find(f"{{{space}}}Fault")
    if fault is None:
        return _result(answer, body[0])
    if answer.status == 401 and "www-authenticate" not in answer.headers:
        raise WrongError("401 without a challenge")
    if answer.status not in (500, 401):
        raise WrongError(f"a fault with status {answer.status}")
    return f"{answer.status} {_fault(fault, space)}"


def _result(answer: Answer, element: _Element) -> str:
    if answer.status != 200:
        raise WrongError(f"a result with status {answer.status}")
    if not contracts.appeals().valid(element, LIMIT):
        raise WrongError(f"the result is not of the contract: {element.tag}")
    return "result"


def _fault(fault: _Element, space: str) -> str:
    """Return the code that a fault names."""
    if space == ns.SOAP11:
        code, detail = fault.findtext("faultcode"), fault.find("detail")
        reason = fault.findtext("faultstring")
    else:
        s = {"s": space}
        code = fault.findtext("s:Code/s:Value", namespaces=s)
        detail = fault.find("s:Detail", s)
        reason = fault.findtext("s:Reason/s:Text", namespaces=s)
    if not code or not reason:
        raise WrongError("a fault without code or reason")
    ours: Any = None
    if detail is not None:
        ours = next((e for e in detail if etree.QName(e).namespace == ns.APPEALS), None)
    if ours is None:
        return code.rpartition(":")[2]
    named = ours.findtext(f"{{{ns.APPEALS}}}Code")
    if named == "internal" or named not in WIRE:
        raise WrongError(f"the detail names the code {named}")
    if not contracts.appeals().valid(ours, LIMIT):
        raise WrongError(f"the detail is not of the contract: {ours.tag}")
    return str(named)
