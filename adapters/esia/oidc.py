"""Any provider that speaks OpenID Connect Core 1.0: discovery, the code flow with PKCE and nonce.

For new systems this is the way that is left: a certified solution stands between the gateway and
ЕСИА, and tells us of the person by OIDC.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from adapters.esia import client, codes, decode, encode, jwt, login
from adapters.esia.keys import Key, KeyFiles, of_jwks
from adapters.esia.verify import check_signature, no_backend
from gateway.errors import ConfigurationError, DeliveryError, PeerRefused, TrustError
from gateway.identity import Identity
from gateway.pinning import parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.esia.options import Options
    from gateway.identity import Begun
    from gateway.lent import Lent
    from gateway.signing import Backend

NAME: Final = "OIDC"
KNOWN_FOR: Final = timedelta(hours=1)
"""How long a discovery document and a JWKS are kept."""
AGAIN_AFTER: Final = timedelta(minutes=1)
"""How soon they are fetched again for a token that none of the keys made."""
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 60


class Provider(NamedTuple):
    """What the provider says of itself, and when it was asked."""

    authorization: str
    token: str
    userinfo: str
    end_session: str
    keys: tuple[Key, ...]
    at: datetime


class Oidc:
    """One provider, over calls of its own. secret: of the client, or empty. Thread-safe."""

    def __init__(
        self, options: Options, calls: client.Calls, lent: Lent | None, secret: str
    ) -> None:
        self._options = options
        self._calls = calls
        self._lent = lent
        self._secret = secret
        self._files = KeyFiles(options.keys) if options.keys else None
        self._lock = Lock()
        self._known: Provider | None = None

    def begin(self, now: datetime, *, redirect_uri: str, official: bool) -> Begun:
        """Begin a login."""
        state, verifier, nonce = login.verifier(), login.verifier(), login.verifier()
        fields = {
            "response_type": "code",
            "client_id": self._options.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scope(official=official),
            "state": state,
            "nonce": nonce,
            "code_challenge": encode.challenge(verifier),
            "code_challenge_method": "S256",
        }
        place = self._provider(now).authorization
        url = f"{place}{'&' if '?' in place else '?'}{client.query(fields)}"
        return login.begun(url, state, now, {"verifier": verifier, "nonce": nonce})

    def finish(
        self,
        begun_secret: Mapping[str, str],
        state: str,
        query: Mapping[str, str],
        now: datetime,
        *,
        redirect_uri: str,
        official: bool,
    ) -> Identity:
        """Return who logged in."""
        code, began = login.returned(begun_secret, state, query, now, NAME)
        if query.get("iss", self._options.issuer) != self._options.issuer:
            jwt.refuse("ответ другого поставщика · another issuer answered", "token_not_ours")
        proof = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": begun_secret.get("verifier", ""),
        }
        provider = self._provider(now)
        headers, shown = self._shown(provider, now)
        answer = self._calls.form(provider.token, {**proof, **shown}, headers)
        token = self._checked(login.tokens(answer, "id_token"), now, began)
        access = login.tokens(answer, "access_token")
        _check_nonce(token, begun_secret.get("nonce", ""))
        _check_bound(token, access)
        self._check_scope(answer.get("scope"), official=official)
        login.once(self._lent, token, now)
        return self._identity(token, access, now)

    def logout_url(self, identity_session: str, back: str) -> str:  # noqa: ARG002 - by its cookie
        """Return where the provider's session ends; the way back when it offers no such place."""
        if self._known is None and self._lent is not None:
            with suppress(DeliveryError):  # a provider that is away keeps nobody from leaving us
                self._provider(self._lent.now())
        place = self._known.end_session if self._known else ""
        if not place:
            return back
        fields = {"client_id": self._options.client_id, "post_logout_redirect_uri": back}
        return f"{place}{'&' if '?' in place else '?'}{client.query(fields)}"

    def keys(self, now: datetime) -> int:
        """Return how many keys the provider shows; raise DeliveryError when it is away."""
        return len(self._provider(now, anew=True).keys)

    def _scope(self, *, official: bool) -> str:
        asked = self._options.scopes(official=official).split()
        return " ".join(dict.fromkeys(("openid", *asked)))

    def _check_scope(self, granted: Any, *, official: bool) -> None:
        """Raise TrustError(scope_wrong) for less than was asked; silence means all of it."""
        if granted is None:
            return
        given = granted.split() if isinstance(granted, str) else []
        if missing := [s for s in self._scope(official=official).split() if s not in given]:
            raise TrustError(
                "поставщик дал не всё, что запрошено · less was granted than asked for",
                "scope_wrong",
                found=", ".join(missing),
                where="scope",
            )

    def _checked(self, text: str, now: datetime, began: datetime) -> jwt.Token:
        own = self._options
        token = jwt.parse(text, own.algorithms)
        try:
            self._check_signature(token, self._provider(now), now)
        except TrustError:
            fresh = self._provider(now, anew=True)
            self._check_signature(token, fresh, now)
        jwt.check_issuer(token.claims, own.issuer)
        jwt.check_audience(token.claims, own.client_id)
        jwt.check_times(token.claims, now, own.skew, began)
        return token

    def _check_signature(self, token: jwt.Token, provider: Provider, now: datetime) -> None:
        more = self._files.current() if self._files else ()
        check_signature(
            token,
            (*provider.keys, *more),
            self._backend,
            now,
            expired_keys=self._options.expired_keys,
        )

    def _identity(self, token: jwt.Token, access: str, now: datetime) -> Identity:
        own, provider = self._options, self._provider(now)
        subject = jwt.word(token.claims, "sub", 255)
        if not subject:
            jwt.refuse("в токене нет человека · the token names nobody", where="sub")
        told = self._calls.get(provider.userinfo, access) if provider.userinfo else {}
        if told and told.get("sub") != token.claims["sub"]:
            jwt.refuse("данные другого человека · the data are another person's", where="sub")
        claims = {**token.claims, **told}
        session = jwt.word(token.claims, "sid")
        return Identity(
            provider="esia",
            subject=f"{own.issuer}|{subject}",  # unique only within its issuer
            level=decode.oidc_level(claims, own.level_claim, own.least_level),
            person=decode.oidc_person(claims),
            contacts=decode.oidc_contacts(claims),
            memberships=decode.oidc_memberships(claims, own.organisations_claim),
            session=session,
            evidence=f"jti={jwt.word(token.claims, 'jti')} sha256={token.digest}",
            at=now,
        )

    def _provider(self, now: datetime, *, anew: bool = False) -> Provider:
        """Return what the provider says of itself; anew: unless it was just asked."""
        with self._lock:
            known = self._known
            limit = AGAIN_AFTER if anew else KNOWN_FOR
            if known is None or not timedelta(0) <= now - known.at < limit:
                known = self._known = self._discovered(now)
        return known

    def _discovered(self, now: datetime) -> Provider:
        """Fetch the discovery document and the keys (OpenID Connect Discovery 1.0, 4.3)."""
        issuer = self._options.issuer
        told = self._calls.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != issuer:
            raise PeerRefused(
                f"{NAME}: the document is of another issuer",
                found=str(told.get("issuer"))[:100],
                expected=issuer,
                where="options.issuer",
            )

        def place(name: str, *, required: bool = True) -> str:
            found = told.get(name)
            if not found and not required:
                return ""
            if not isinstance(found, str) or _scheme(found) not in {"https", _scheme(issuer)}:
                raise PeerRefused(f"{NAME}: the document has no {name} that can be used")
            return found

        jwks = self._calls.get(place("jwks_uri"))
        return Provider(
            place("authorization_endpoint"),
            place("token_endpoint"),
            place("userinfo_endpoint", required=False),
            place("end_session_endpoint", required=False),
            of_jwks(jwks),
            now,
        )

    def _shown(self, provider: Provider, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and fields that prove the client (OpenID Connect Core, 9)."""
        own = self._options
        named = {"client_id": own.client_id}
        if own.client_auth == "client_secret_basic":
            pair = f"{quote(own.client_id, safe='')}:{quote(self._secret, safe='')}"
            shown = base64.b64encode(pair.encode()).decode("ascii")
            return {"Authorization": f"Basic {shown}"}, {}
        if own.client_auth == "private_key_jwt":
            assertion = self._assertion(provider.token, now)
            return {}, {
                **named,
                "client_assertion_type": _ASSERTION,
                "client_assertion": assertion,
            }
        secret = {"client_secret": self._secret} if own.client_auth == "client_secret_post" else {}
        return {}, named | secret

    def _assertion(self, audience: str, now: datetime) -> str:
        """Return a token of ours that proves the client (RFC 7523, 3)."""
        if self._lent is None:
            raise ConfigurationError(
                "нечем подписать · nothing to sign with", where="adapters.esia"
            )
        signing, own = self._lent.signing(), self._options
        key = signing.keys.current(own.sign_with, now)
        names = {kind: name for name, kind in codes.KIND_OF.items()}
        if key.certificate.kind not in names:
            raise ConfigurationError(
                "этим ключом не подписать · this kind of key is not used here",
                where="options.sign_with",
                found=key.certificate.kind,
                expected=", ".join(names),
            )
        issued = int(now.timestamp())
        parts = (
            {"alg": names[key.certificate.kind], "typ": "JWT"},
            {
                "iss": own.client_id,
                "sub": own.client_id,
                "aud": audience,
                "jti": str(uuid.uuid4()),
                "iat": issued,
                "exp": issued + _ASSERTION_SECONDS,
            },
        )
        signed = ".".join(encode.base64url(msgspec.json.encode(part)) for part in parts)
        return f"{signed}.{encode.base64url(signing.backend.sign(key, signed.encode()))}"

    def _backend(self) -> Backend:
        return self._lent.signing().backend if self._lent else no_backend()


def _scheme(url: str) -> str:
    try:
        return parse_target(url).scheme
    except ConfigurationError:
        return ""


def _check_nonce(token: jwt.Token, nonce: str) -> None:
    said = jwt.word(token.claims, "nonce")
    if not nonce or not hmac.compare_digest(said.encode(), nonce.encode()):
        jwt.refuse("токен от другого входа · the token is of another login", "replayed", "nonce")


def _check_bound(token: jwt.Token, access: str) -> None:
    """Raise TrustError when `at_hash` is of another access token (OpenID Connect Core, 3.1.3.6)."""
    said = token.claims.get("at_hash")
    if said is None or token.algorithm != codes.RSA:
        return
    half = hashlib.sha256(access.encode("utf-8", "replace")).digest()[:16]
    if said != encode.base64url(half):
        jwt.refuse("токены от разных входов · the tokens do not belong together", where="at_hash")
