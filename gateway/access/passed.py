"""The certificate of a caller: of its TLS connection, or handed on by a proxy that is trusted.

A header says anything. It counts on a connection of a trusted proxy (`gateway.connection` says
which are), once and whole; from anybody else it makes the call one without a certificate, whatever
its connection showed: whoever sends it pretends. What a proxy shows of itself is not its caller's.
"""

from __future__ import annotations

import base64
import re
import ssl
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from gateway.errors import ConfigurationError

PROXY: Final = "gateway.proxy"
"""Extension of the scope on a connection of a trusted proxy: `{"passed": whether for another}`."""
HEADER_BYTES: Final = 32_768
_NAME: Final = re.compile(r"[A-Za-z0-9-]*")
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_END: Final = b"-----END CERTIFICATE-----"


def header_name(text: str) -> str:
    """Return the name of a header in small letters; raise ConfigurationError for what is none."""
    if not _NAME.fullmatch(text):
        raise ConfigurationError(
            "заголовка с таким именем не бывает · no header has such a name",
            where="proxy_client_certificate",
            found=text,
            expected="X-SSL-Client-Cert",
        )
    return text.lower()


def tls_extension(tls: ssl.SSLObject | None) -> dict[object, object] | None:
    """Return the ASGI extension `tls` of a connection, None over plain HTTP.

    Its chain holds the caller's own certificate, checked by the handshake; `client_cert_der` is
    ours, to have its bytes without reading PEM at every call.
    """
    if tls is None:
        return None
    certificate = tls.getpeercert(binary_form=True)
    return {
        "server_cert": None,
        "client_cert_chain": [ssl.DER_cert_to_PEM_cert(certificate)] if certificate else [],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}.get(tls.version() or ""),
        "cipher_suite": None,
        "client_cert_der": certificate,
    }


def shown(scope: Any, header: str) -> bytes:
    """Return the certificate of a call as DER; empty when none came that counts.

    header: the name under which proxies hand it on, in small letters; empty: they do not.
    """
    extensions = scope.get("extensions")
    if not header and extensions is None:
        return b""
    extensions = extensions or {}
    proxy = extensions.get(PROXY)
    if header:
        name = header.encode("latin-1")
        told = [value for key, value in scope["headers"] if key == name]
        if told:
            return read(told[0]) if proxy is not None and len(told) == 1 else b""
    if proxy is not None and proxy["passed"]:
        return b""
    return (extensions.get("tls") or {}).get("client_cert_der") or b""


def read(value: bytes) -> bytes:
    """Read a certificate from a header, as DER; empty when it cannot be read.

    Known by their looks: `:base64:` of RFC 9440; PEM with percent signs (nginx's
    `$ssl_client_escaped_cert`) or with its line ends made into blanks (Apache); and bare base64,
    the first of a list (Traefik, HAProxy).
    """
    text = value.strip()
    if len(text) > HEADER_BYTES:
        return b""
    if b"%" in text:
        text = unquote_to_bytes(text)
    if len(text) > 1 and text[:1] == text[-1:] == b":":
        text = text[1:-1]
    elif _BEGIN in text:
        text = text.partition(_BEGIN)[2].partition(_END)[0]
    else:
        text = text.partition(b",")[0]
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError:
        return b""
