"""Checks wsse:UsernameToken (UsernameToken Profile 1.1, section 3)."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import limits, ns
from gateway.errors import SecurityError
from gateway.soap.security import instants, nodes
from gateway.soap.security.timestamp import CREATED
from gateway.soap.security.write import password_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lxml.etree import _Element

    from gateway.soap.security.proof import Keys, Kind, SecurityContext

USERNAME_TOKEN: Final = ns.tag(ns.WSSE, "UsernameToken")
_USERNAME: Final = ns.tag(ns.WSSE, "Username")
_PASSWORD: Final = ns.tag(ns.WSSE, "Password")
_NONCE: Final = ns.tag(ns.WSSE, "Nonce")
_ONCE: Final = frozenset((_USERNAME, _PASSWORD, _NONCE, CREATED))
_TEXT: Final = f"{ns.WSS_USERNAME}#PasswordText"
_DIGEST: Final = f"{ns.WSS_USERNAME}#PasswordDigest"
_WHERE: Final = f"{nodes.HEADER}/UsernameToken"


class User(NamedTuple):
    """Who a token proves. seen: what must not come again before `until`, empty when it may."""

    peer: str
    kind: Kind
    seen: bytes
    until: datetime


def check(token: _Element, keys: Keys, ctx: SecurityContext) -> User:
    """Return who the token proves; raise SecurityError. The nonce is not remembered here."""
    parts = _parts(token)
    user = nodes.text(parts[_USERNAME])
    kind = parts[_PASSWORD].get("Type", _TEXT)
    nonce, created = b"", ctx.now
    if CREATED in parts:
        created = instants.read(nodes.text(parts[CREATED]), f"{_WHERE}/Created")
        instants.check_created(created, ctx.now, f"{_WHERE}/Created")
        if _NONCE in parts:
            nonce = nodes.binary(parts[_NONCE], limits.SECURITY_CHARS)
    if kind == _DIGEST:
        peer = _digest(parts, user, nonce, keys)
    elif kind == _TEXT:
        peer = _text(parts, user, keys, secure_wire=ctx.secure_wire)
    else:
        raise SecurityError(
            "the type of password is not offered",
            "UnsupportedSecurityToken",
            found=kind,
            expected=f"{_TEXT} or {_DIGEST}",
            where=f"{_WHERE}/Password",
        )
    return User(
        peer,
        "digest" if kind == _DIGEST else "text",
        sha256(b"nonce\0%b\0%b" % (peer.encode(), nonce)).digest() if nonce else b"",
        created + instants.AGE + instants.SKEW,
    )


def _parts(token: _Element) -> Mapping[str, _Element]:
    """Return the children by name: each once, none that we do not know (a Salt, for example)."""
    parts: dict[str, _Element] = {}
    for child in token:
        if child.tag in parts:
            raise SecurityError("the element stands twice", where=nodes.path(child))
        if child.tag not in _ONCE:
            raise SecurityError(
                "a part of the UsernameToken is not offered",
                "UnsupportedSecurityToken",
                found=nodes.local(child.tag),
                expected="Username, Password, Nonce, Created",
                where=_WHERE,
            )
        parts[child.tag] = child
    for name in (_USERNAME, _PASSWORD):
        if name not in parts:
            raise SecurityError(
                f"the UsernameToken has no {nodes.local(name)}",
                "InvalidSecurityToken",
                where=_WHERE,
            )
    return parts


def _text(parts: Mapping[str, _Element], user: str, keys: Keys, *, secure_wire: bool) -> str:
    if not secure_wire:
        raise SecurityError(
            "a password in clear text came over plain HTTP",
            "FailedAuthentication",
            where=f"{_WHERE}/Password",
            todo="use https, or PasswordDigest; whoever could read the password has it now",
        )
    password = parts[_PASSWORD]
    nodes.text(password, limits.SECURITY_PASSWORD_CHARS)
    peer = keys.password(user, password.text or "")
    if peer is None:
        raise _refused()
    return peer


def _digest(parts: Mapping[str, _Element], user: str, nonce: bytes, keys: Keys) -> str:
    """The user name of a digest is the code of the peer."""
    if not nonce or CREATED not in parts:
        raise SecurityError(
            "a PasswordDigest needs Nonce and Created", "InvalidSecurityToken", where=_WHERE
        )
    sent = nodes.text(parts[_PASSWORD]).encode()
    created = nodes.text(parts[CREATED])
    accepted = False
    for secret in keys.secrets(user):
        made = password_digest(nonce, created, secret).encode()
        accepted |= hmac.compare_digest(made, sent)
    if not accepted:
        raise _refused()
    return user


def _refused() -> SecurityError:
    return SecurityError(
        "the user name or the password is not accepted", "FailedAuthentication", where=_WHERE
    )
