"""What both providers do alike: a login begins, comes back, is answered once."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from adapters.esia import client, jwt
from adapters.esia.options import LOGIN_MINUTES
from gateway.errors import TrustError
from gateway.identity import Begun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.lent import Lent

CODE_CHARS: Final = 8_192
_REMEMBERED: Final = timedelta(days=1)
_KIND: Final = "id_token"


def verifier() -> str:
    """Return a PKCE verifier or a nonce: 43 characters, 256 bits (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(32)


def begun(url: str, state: str, now: datetime, secret: Mapping[str, str]) -> Begun:
    """Return a login that was begun; the secret says when."""
    return Begun(
        url=url,
        state=state,
        secret={**secret, "began": now.isoformat()},
        expires_at=now + timedelta(minutes=LOGIN_MINUTES),
    )


def returned(
    secret: Mapping[str, str], state: str, query: Mapping[str, str], now: datetime, name: str
) -> tuple[str, datetime]:
    """Return the code of a return, and when the login began.

    The state is compared before anything else is read, so nobody's word about an error is taken
    but the provider's. Raise TrustError(state_mismatch, identity_refused), PeerRefused,
    PeerUnavailable.
    """
    said = query.get("state", "").encode("utf-8", "backslashreplace")
    if not state or not hmac.compare_digest(said, state.encode()):
        raise TrustError("вход начат не здесь · the login did not begin here", "state_mismatch")
    try:
        began = datetime.fromisoformat(secret.get("began", ""))
        late = not timedelta(minutes=-1) <= now - began <= timedelta(minutes=LOGIN_MINUTES)
    except (ValueError, TypeError) as error:
        raise TrustError(
            "вход начат не здесь · the login did not begin here", "state_mismatch"
        ) from error
    if late:
        raise TrustError(
            "вход длился слишком долго · the login took too long", "state_mismatch",
            todo="войдите ещё раз · log in again",
        )  # fmt: skip
    if query.get("error"):
        raise client.refusal(name, query)
    code = query.get("code", "")
    if not code or len(code) > CODE_CHARS or not (code.isascii() and code.isprintable()):
        raise TrustError("кода нет в ответе · the return has no code", "identity_refused")
    return code, began


def once(lent: Lent | None, token: jwt.Token, now: datetime) -> None:
    """Raise TrustError(replayed) when this token was the proof of a login before."""
    if lent is None:
        return
    known = lent.memory.add(_KIND, token.digest, {"at": now.isoformat()})
    if known is not None:
        jwt.refuse("этим токеном уже входили · the token was used before", "replayed")
    lent.memory.forget(_KIND, now - _REMEMBERED)


def tokens(answer: Mapping[str, Any], name: str) -> str:
    """Return a token of an answer; raise TrustError(token_wrong) when it is not there."""
    found = answer.get(name)
    if not isinstance(found, str) or not found:
        jwt.refuse("в ответе нет токена · the answer has no token", where=name)
    return found
