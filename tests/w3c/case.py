"""A test of the collection: what is sent to the node, what must come back, and where we differ.

Messages are put together here from the collection's descriptions; their content is made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from gateway import ns

if TYPE_CHECKING:
    from collections.abc import Mapping

TESTS: Final = "http://example.org/ts-tests"
BUILDERS: Final = "http://soapinterop.org/"
ECHO: Final = "http://soapinterop.org/echoheader/"
STRANGE: Final = "http://unknown.example.org/unknown/"
IPV6: Final = "http://[FEDC:BA98:7654:3210:FEDC:BA98:7654:3210]/ts-tests"
RPC: Final = "http://www.w3.org/2003/05/soap-rpc"
ENCODING: Final = "http://www.w3.org/2003/05/soap-encoding"
NO_CLAIM: Final = f"{ns.SOAP12}/encoding/none"
PREFIXES: Final = {
    ns.SOAP12: "env",
    ns.SOAP11: "env11",
    TESTS: "test",
    BUILDERS: "sb",
    ECHO: "h",
    STRANGE: "u",
    IPV6: "ipv6",
    RPC: "rpc",
    ENCODING: "enc",
    ns.APPEALS: "gw",
}
"""How the page writes namespaces."""
ROLES: Final = {
    "next": f"{ns.SOAP12}/role/next",
    "none": f"{ns.SOAP12}/role/none",
    "ultimateReceiver": f"{ns.SOAP12}/role/ultimateReceiver",
    "B": f"{TESTS}/B",
    "C": f"{TESTS}/C",
    "other": "http://example.org/some/other/role",
}
MEDIA: Final = "application/soap+xml"
EMPTY: Final = "empty Body"
GATEWAY: Final = "/soap/appeals.svc"
"""The gateway's own wire and service."""
_SPACES: Final = {"t": TESTS, "sb": BUILDERS, "h": ECHO, "u": STRANGE}
_DECLARED: Final = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in (
        *_SPACES.items(),
        ("enc", ENCODING),
        ("xsi", ns.XSI),
        ("xsd", ns.XSD),
    )
)

Differs = Literal["", "deviation", "not offered"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request; path: of the node, `/C` or `/B`, or of the gateway."""

    data: bytes
    media: str = f"{MEDIA}; charset=utf-8"
    method: str = "POST"
    path: str = "/C"
    headers: Mapping[str, str] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, or what must; None stands for what the test does not speak of.

    status: of HTTP. media: type and charset. version: of the envelope, "" when there is none.
    fault: the code, "" for a result. subcode: of a fault. blocks: of the Header, each its name and
    text; a pattern that ends in … may have more after it. body: name and text of its child.
    """

    status: int | None = None
    media: str | None = None
    version: str | None = "1.2"
    fault: str | None = ""
    subcode: str | None = None
    blocks: tuple[str, ...] | None = ()
    body: str | None = EMPTY

    def matches(self, got: Answer) -> bool:
        """Whether an answer that came is as this one says."""
        for name in ("status", "media", "version", "fault", "subcode", "body"):
            expected = getattr(self, name)
            if expected is not None and expected != getattr(got, name):
                return False
        if self.blocks is None:
            return True
        return len(self.blocks) == len(got.blocks or ()) and all(
            found.startswith(block[:-1]) if block.endswith("…") else found == block
            for block, found in zip(self.blocks, got.blocks or (), strict=True)
        )

    def text(self, like: Answer) -> str:
        """Say it in one line, as far as `like` speaks of it."""
        said = []
        if like.status is not None:
            said.append(str(self.status))
        if like.media is not None:
            said.append(self.media or "no media type")
        if self.version == "1.1":
            said.append("SOAP 1.1")
        if self.fault:
            said.append(self.fault + (f" / {self.subcode}" if like.subcode else ""))
        if self.blocks:
            said.append(f"Header: {', '.join(self.blocks)}")
        if not self.fault and self.body is not None and self.version:
            said.append(self.body if self.body == EMPTY else f"Body: {self.body}")
        return "; ".join(said)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A test of the collection, or one of ours (G…) where it has none.

    sends: one line for the page. requests, expected: one answer for each request. note: what part
    of the test is not run here. differs, why: how and why the answer is another than expected;
    ours: what is answered instead, to each request.
    """

    id: str
    sends: str
    requests: tuple[Request, ...]
    expected: tuple[Answer, ...]
    note: str = ""
    differs: Differs = ""
    why: str = ""
    ours: Answer | None = None


def block(
    name: str, text: str = "one", *, role: str = "", must: str | None = None, more: str = ""
) -> str:
    """Return a header block or body child; a name without prefix is of the collection's."""
    tag = name if ":" in name else f"t:{name}"
    said = [f'e:role="{ROLES.get(role, role)}"'] if role else []
    if must is not None:
        said.append(f'e:mustUnderstand="{must}"')
    said.append(more)
    return f"<{' '.join([tag, *filter(None, said)])}>{text}</{tag}>"


def encoded(name: str, inside: str, style: str = ENCODING) -> str:
    """Return a body child in the scope of an encoding."""
    return block(name, inside, more=f'e:encodingStyle="{style}"')


def soap(
    header: str = "",
    body: str = "",
    *,
    space: str = ns.SOAP12,
    root: str = "",
    head: str = "",
    inner: str = "",
    prologue: str = "",
) -> str:
    """Return an envelope; root, head, inner: attributes of Envelope, Header and Body."""
    inside = f"<e:Header {head}>{header}</e:Header>" if header or head else ""
    return (
        f'{prologue}<e:Envelope xmlns:e="{space}" {_DECLARED} {root}>{inside}'
        f"<e:Body {inner}>{body}</e:Body></e:Envelope>"
    )


def case(id_: str, sends: str, text: str | bytes, expected: Answer, **other: object) -> Case:
    """Return a test of one request: the envelope, posted to Node C."""
    data = text.encode() if isinstance(text, str) else text
    return Case(id=id_, sends=sends, requests=(Request(data=data),), expected=(expected,), **other)


def result(*blocks: str, body: str = EMPTY, **other: object) -> Answer:
    """Return a result with these header blocks."""
    return Answer(blocks=blocks, body=body, **other)


def fault(code: str, *blocks: str, **other: object) -> Answer:
    """Return a fault with these header blocks; the text is ours to choose."""
    return Answer(fault=f"env:{code}", blocks=blocks, body=None, **other)


UNKNOWN: Final = fault("MustUnderstand", "env:NotUnderstood test:Unknown")
SENDER: Final = fault("Sender")
EMPTY_ANSWER: Final = result()
EVERY_FAULT_500: Final = (
    "every fault is sent with 500: WCF reads a fault from no other status (docs/howto/wcf.md)"
)
ENCODED: Final = "rpc/encoded: SOAP encoding is not known here, and the fault says so"
RELAYED: Final = "Node C's part, with what Node B forwards: the gateway is an ultimate receiver"
