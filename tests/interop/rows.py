"""What each client is asked to show, what it cannot, and what waits for the gateway.

The program of a client prints `FEATURE<TAB>ok|fail|cannot<TAB>detail`, one line for each feature.
What it must print stands here, so that a program that prints nothing has failed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FEATURES: Final = {
    "wsdl": "import from `?wsdl` and the `?xsd` it imports",
    "single_wsdl": "import from `?singleWsdl`",
    "mex": "the description by WS-MetadataExchange from `/mex`",
    "mex_tool": "the importer given the address `/mex`",
    "soap11": "SubmitAppeal over SOAP 1.1",
    "soap12": "SubmitAppeal over SOAP 1.2",
    "addressing11": "WS-Addressing 1.0 on SOAP 1.1",
    "addressing": "WS-Addressing 1.0 on SOAP 1.2, RelatesTo checked",
    "ws_http": "WSHttpBinding without security",
    "https": "https with a CA that the client is told to trust, HTTP Basic",
    "basic": "HTTP Basic by the client's own setting",
    "basic_refused": "a wrong key is refused, and the caller is told",
    "challenge": "HTTP Basic sent only after the 401 challenge",
    "repeat": "a repeat gets the same receipt",
    "text": "Cyrillic, quotes and markup characters come back as sent",
    "list": "a list (QuestionIn) both ways",
    "instant": "an instant with its offset",
    "attachment": "AttachFile and GetAttachment, the same bytes",
    "fault_validation": "ValidationFault typed: code and path",
    "fault_conflict": "ConflictFault typed: the stored receipt's number",
    "fault_not_found": "NotFoundFault typed, SOAP 1.2",
    "fault_access": "AccessFault typed",
    "fault_busy": "BusyFault typed: when to come again",
    "must_understand": "a mandatory header nobody knows is refused",
    "default_limit": "a long list stays under the client's default limit of 65,536 bytes",
    "large_answer": "a longer answer when `MaxBytes` asks, once the client's limit is raised",
    "chunked": "a streamed request (chunked)",
    "gzip_request": "a request in gzip",
    "gzip_answer": "an answer in gzip",
    "utf16": "UTF-16 both ways",
    "cp1251": "a program whose strings are windows-1251",
    "mtom_request": "MTOM: a file sent as a part",
    "mtom_answer": "MTOM: a file received as a part",
    "token_text": "UsernameToken with the password in text",
    "token_digest": "UsernameToken with the digest",
    "token_refused": "a wrong digest is refused with FailedAuthentication",
    "client_certificate": "TLS with a client certificate, and no other credential",
    "signature": "X.509 signature over Body and Timestamp",
    "signed_answer": "the gateway's signature over its answer, verified by the client",
}
"""Every feature, in the order of the table."""

PENDING: Final[dict[str, str]] = {}
"""A feature, or a client and a feature, that waits for the gateway: shown, fails nothing."""

NOT_RUN: Final = {
    ".NET (dotnet/wcf)": "no .NET in Debian; what we know of it is read from its source",
    "CoreWCF": "needs .NET",
    "1С:Предприятие": "not free to install; the contract keeps to what 1С reads",
}
"""Clients that matter and that this run does not have."""

NOTES: Final = {
    "mono": (
        "svcutil wants `?singleWsdl`.",
        "It leaves out names of results and faults: tests/interop/mono/Contract.cs adds them.",
        "It looks for no address in a certificate: call https by name.",
        "It does not hold its own limit of 65,536 bytes; .NET does.",
        "It may take the kept connection of another call, on which it showed no certificate.",
    ),
    "jaxws": (
        "Compile package-info.java too, and keep axis-saaj.jar off the classpath.",
        "Nillable fields come as JAXBElement: make them with ObjectFactory.",
    ),
    "php": (
        "The detail of a fault is parsed without its type: a list of one is no list.",
        "The option `encoding` is of the program's strings; UTF-8 goes over the wire.",
        "A UsernameToken is a SoapHeader of XML made by hand.",
    ),
    "node": (
        "Elements go out in the order they are given: keep the order of the schema.",
        "`forceGzip` announces the length of the plain text: pass `Content-Length: undefined`.",
        "A signature names elements by wsu:Id with `signerOptions: { idMode: 'wssecurity' }`.",
    ),
    "gsoap": (
        "The table of namespaces puts SOAP 1.2 first; swap its first two rows for SOAP 1.1.",
        "A signature names its canonicalization with SOAP_XML_CANONICAL only.",
    ),
    "zeep": (
        "It adds WS-Addressing by itself, since the WSDL names actions.",
        "It signs with SHA-1 unless told otherwise, which is refused: pass RSA-SHA256 and SHA-256.",
        "Accept: multipart/related brings files as parts.",
    ),
}
"""What a user of each client has to know, learnt by running it."""

_COMMON: Final = (
    "wsdl", "single_wsdl", "soap11", "soap12", "https", "basic", "basic_refused", "repeat", "text",
    "list", "instant", "attachment", "fault_validation", "fault_conflict", "fault_not_found",
    "fault_access", "fault_busy", "must_understand", "client_certificate",
)  # fmt: skip
_TOKENS: Final = ("token_text", "token_digest", "token_refused")


class Peer(NamedTuple):
    """A client: where its program lies, what it needs, what it shows."""

    name: str
    """Its folder, and the code of the peer that it calls as."""
    title: str
    needs: dict[str, str]
    """A program on PATH, or a pattern of paths → the Debian package that brings it."""
    shows: tuple[str, ...]
    cannot: dict[str, str]
    """Feature → why the client itself cannot do it."""
    slow: int = 0
    """Seconds of compilation, by which the slowest is started first."""
    seeded: bool = False
    """Whether it needs a register that is longer than WCF takes."""

    @property
    def expected(self) -> tuple[str, ...]:
        """The rows its program must print."""
        return tuple(feature for feature in FEATURES if feature in self.shows)


PEERS: Final = (
    Peer(
        "mono",
        "Mono WCF",
        {
            "svcutil": "mono-devel",
            "mcs": "mono-mcs",
            "cert-sync": "ca-certificates-mono",
            "openssl": "openssl",
        }
        | {
            f"/usr/lib/mono/gac/{name}/*": f"libmono-{package}-cil"
            for name, package in (
                ("System.ServiceModel", "system-servicemodel4.0a"),
                ("System.ServiceModel.Web", "system-servicemodel-web4.0"),
                ("System.Runtime.Serialization", "system-runtime-serialization4.0"),
                ("System.IdentityModel", "system-identitymodel4.0"),
            )
        },
        (
            *(name for name in _COMMON if name != "wsdl"), "mex", "mex_tool", "addressing11",
            "addressing", "ws_http", "challenge", "default_limit", "large_answer", "chunked",
            "utf16",
        ),
        {
            "wsdl": "Mono's svcutil writes an empty file from a WSDL with imports",
            "gzip_request": "WCF packs no requests",
            "gzip_answer": "Mono's WCF asks for none",
            "mtom_request": "Mono's MTOM is broken: its Content-Type has no boundary",
            "mtom_answer": "Mono's MTOM is broken: its Content-Type has no boundary",
            "token_text": "Mono has no TransportWithMessageCredential",
            "token_digest": "WCF has no digest",
            "signature": "Mono's message security is not finished",
        },
        slow=5,
        seeded=True,
    ),
    Peer(
        "jaxws",
        "JAX-WS RI",
        {
            "javac": "default-jdk-headless",
            "wsimport": "jaxws",
            "/usr/share/java/jaxws-rt.jar": "libjaxws-java",
            "/usr/share/java/saaj-impl.jar": "libsaaj-ri-java",
        },
        (
            *_COMMON, "addressing", "challenge", "chunked", "gzip_request", "gzip_answer",
            "mtom_request", "mtom_answer",
        ),
        {
            "token_text": "the RI has WS-Security only with Metro's WSIT, which Debian lacks",
            "token_digest": "the RI has WS-Security only with Metro's WSIT, which Debian lacks",
            "signature": "the RI has WS-Security only with Metro's WSIT, which Debian lacks",
        },
        slow=20,
    ),
    Peer(
        "php",
        "PHP SoapClient",
        {"php": "php-cli", "/usr/lib/php/*/soap.so": "php-soap"},
        (*_COMMON, "gzip_request", "gzip_answer", "cp1251", *_TOKENS),
        {
            "addressing": "ext/soap has no WS-Addressing",
            "chunked": "ext/soap sends Content-Length always",
            "utf16": "ext/soap sends UTF-8 always",
            "mtom_request": "ext/soap has no MTOM",
            "mtom_answer": "ext/soap has no MTOM",
            "signature": "ext/soap has no WS-Security",
        },
    ),
    Peer(
        "node",
        "node-soap",
        {"node": "nodejs", "npm": "npm"},
        (
            *_COMMON, "gzip_request", "gzip_answer", "mtom_request", "mtom_answer", *_TOKENS,
            "signature",
        ),
        {
            "addressing": "node-soap has no WS-Addressing",
            "chunked": "node-soap sends Content-Length always",
            "utf16": "node-soap sends UTF-8 always",
            "signed_answer": "node-soap verifies no signatures",
        },
    ),
    Peer(
        "gsoap",
        "gSOAP",
        {
            "wsdl2h": "gsoap",
            "/usr/share/gsoap/plugin/wsseapi.cpp": "libgsoap-dev",
            "g++": "g++",
            "pkg-config": "pkg-config",
            "/usr/include/openssl/ssl.h": "libssl-dev",
            "/usr/include/zlib.h": "zlib1g-dev",
        },
        (
            *_COMMON, "addressing", "chunked", "gzip_request", "gzip_answer", "mtom_request",
            "mtom_answer", *_TOKENS, "signature",
        ),
        {"utf16": "gSOAP sends UTF-8 always"},
        slow=40,
    ),
    Peer(
        "zeep",
        "zeep",
        {},
        (
            *_COMMON, "addressing", "gzip_answer", "mtom_answer", *_TOKENS, "signature",
            "signed_answer",
        ),
        {
            "chunked": "zeep sends the envelope whole",
            "gzip_request": "zeep sends the envelope plain",
            "utf16": "zeep sends UTF-8 always",
            "mtom_request": "zeep sends no MTOM",
        },
    ),
)  # fmt: skip
