"""ЕСИА itself: login by OAuth 2.0 with signed requests, its tokens, its data of a person.

What is believed: the token that came over our own connection in exchange for the code, signed by a
key of ЕСИА that we hold, in force, issued after this login began, to us; the state of both calls;
the scopes. ЕСИА sends no nonce, so an id token is remembered for a day and taken once.
"""

from __future__ import annotations

import hmac
import uuid
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.esia import client, decode, encode, jwt, login
from adapters.esia.keys import KeyFiles
from adapters.esia.verify import check_signature
from gateway.errors import ConfigurationError, TrustError
from gateway.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from adapters.esia.keys import Key
    from adapters.esia.options import Options
    from gateway.identity import Begun
    from gateway.lent import Lent
    from gateway.model.person import ContactPoint
    from gateway.signing import Backend, Signing, SigningKey

NAME: Final = "ЕСИА"
_SID: Final = "urn:esia:sid"
_SUBJECT: Final = "urn:esia:sbj_id"
_REACHED: Final = frozenset({"email", "mobile", "contacts"})
_LIVES: Final = frozenset({"addresses", "contacts"})


class Signed(NamedTuple):
    """One request: what it says, and what proves that it is ours. text: what was signed."""

    asked: encode.Asked
    secret: str
    certificate_hash: str
    text: bytes


class Portal:
    """One ЕСИА, over calls of its own. Thread-safe."""

    def __init__(self, options: Options, calls: client.Calls, lent: Lent | None) -> None:
        self._options = options
        self._calls = calls
        self._lent = lent
        self._keys = KeyFiles(options.keys)

    def begin(self, now: datetime, *, redirect_uri: str, official: bool) -> Begun:
        """Begin a login."""
        own = self._options
        state = str(uuid.uuid4())
        verifier = login.verifier() if own.pkce and own.generation == "v2" else ""
        request = self.sign(now, state, redirect_uri, official=official)
        fields = encode.begin_fields(
            request.asked, own.generation, request.secret, request.certificate_hash, verifier
        )
        path = encode.PATHS[own.generation][0]
        url = f"{own.url}{path}?{client.query(fields)}"
        return login.begun(url, state, now, {"verifier": verifier})

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
        proof = {"grant_type": "authorization_code", "code": code}
        if begun_secret.get("verifier"):
            proof["code_verifier"] = begun_secret["verifier"]
        request = self.sign(now, str(uuid.uuid4()), redirect_uri, official=official, last=code)
        answer = self._token(request, proof)
        access = self._access(answer, now, began, request.asked.scope)
        proven = self._identified(answer, access, now, began, request.asked.scope)
        return self._identity(login.tokens(answer, "access_token"), proven, now, official=official)

    def renew(
        self, refresh_token: str, now: datetime, *, redirect_uri: str, official: bool = False
    ) -> dict[str, str]:
        """Return new tokens for one that was given with offline access (`renewal`)."""
        own = self._options
        asked = self._asked(now, str(uuid.uuid4()), redirect_uri, official=official)
        text = encode.signed_to_renew(asked, own.generation, own.renewal, refresh_token)
        proof = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = self._token(self._signed(asked, text, now), proof)
        self._access(answer, now, None, asked.scope)
        names = ("access_token", "refresh_token")
        return {name: str(answer[name]) for name in names if isinstance(answer.get(name), str)}

    def logout_url(self, identity_session: str, back: str) -> str:  # noqa: ARG002 - by its cookie
        """Return where the session of ЕСИА ends; it knows the session by its own cookie."""
        fields = {"client_id": self._options.client_id, "redirect_url": back}
        return f"{self._options.url}/idp/ext/Logout?{client.query(fields)}"

    def sign(
        self, now: datetime, state: str, redirect_uri: str, *, official: bool, last: str = ""
    ) -> Signed:
        """Return a signed request; raise ConfigurationError for a key that cannot sign it."""
        asked = self._asked(now, state, redirect_uri, official=official)
        return self._signed(asked, encode.signed(asked, self._options.generation, last), now)

    def key(self, now: datetime) -> SigningKey:
        """Return our key; raise ConfigurationError for none, or one that ЕСИА does not take."""
        found = self._signing().keys.current(self._options.sign_with, now)
        if self._options.generation == "v2" and found.certificate.kind != "gost2012_256":
            raise ConfigurationError(
                "ЕСИА принимает ключ ГОСТ Р 34.10-2012 с 256 бит · ЕСИА wants another kind of key",
                where="options.sign_with",
                found=found.certificate.kind,
                expected="gost2012_256",
            )
        return found

    def published(self) -> tuple[Key, ...]:
        """Return the keys of ЕСИА as the files are now; raise ConfigurationError for none."""
        return self._keys.current()

    def _asked(
        self, now: datetime, state: str, redirect_uri: str, *, official: bool
    ) -> encode.Asked:
        own = self._options
        return encode.Asked(
            client_id=own.client_id,
            scope=own.scopes(official=official),
            timestamp=encode.timestamp(now, own.zone),
            state=state,
            redirect_uri=redirect_uri,
            scope_org=own.scope_org if official and own.generation == "v2" else "",
        )

    def _signed(self, asked: encode.Asked, text: bytes, now: datetime) -> Signed:
        backend, key = self._backend(), self.key(now)
        if self._options.generation == "v1":
            signature = backend.cms_sign(key, text, now, cades=False)
        else:
            signature = backend.sign(key, text)
        return Signed(
            asked,
            encode.base64url(signature, padded=self._options.padded),
            backend.digest("streebog256", key.certificate.der).hex().upper(),
            text,
        )

    def _token(self, request: Signed, proof: dict[str, str]) -> dict[str, Any]:
        own = self._options
        answer = self._calls.form(
            own.url + encode.PATHS[own.generation][1],
            encode.token_fields(
                request.asked, own.generation, request.secret, request.certificate_hash, proof
            ),
        )
        said = answer.get("state")
        if not isinstance(said, str) or not hmac.compare_digest(
            said.encode("utf-8", "replace"), request.asked.state.encode()
        ):
            raise TrustError("ответ на другой запрос · the answer is another's", "state_mismatch")
        return answer

    def _access(
        self, answer: dict[str, Any], now: datetime, began: datetime | None, scope: str
    ) -> jwt.Token:
        """Return the access token, checked: it has no audience, so it names us as client_id."""
        token = self._checked(login.tokens(answer, "access_token"), "access", now, began)
        if token.claims.get("client_id") != self._options.client_id:
            jwt.refuse("токен выдан не нам · the token is for somebody else", "token_not_ours")
        oid = jwt.word(token.claims, _SUBJECT, 40)
        if not oid.isdecimal():
            jwt.refuse("в токене нет человека · the token names nobody", where=_SUBJECT)
        check_scope(token.claims.get("scope"), scope, oid)
        return token

    def _identified(
        self,
        answer: dict[str, Any],
        access: jwt.Token,
        now: datetime,
        began: datetime,
        scope: str,
    ) -> jwt.Token:
        """Return the token that proves who it is; both tokens are of one person and session."""
        proven = access
        if "openid" in scope.split():
            proven = self._checked(login.tokens(answer, "id_token"), "id", now, began)
            jwt.check_audience(proven.claims, self._options.client_id)
            same = (
                jwt.word(proven.claims, "sub") == jwt.word(access.claims, _SUBJECT)
                and jwt.word(proven.claims, _SID) == jwt.word(access.claims, _SID)
            )  # fmt: skip
            if not same:
                jwt.refuse("токены разных людей · the tokens are of different logins")
        login.once(self._lent, proven, now)
        return proven

    def _checked(self, text: str, kind: str, now: datetime, began: datetime | None) -> jwt.Token:
        own = self._options
        token = jwt.parse(text, own.algorithms)
        check_signature(
            token, self._keys.current(), self._backend, now, expired_keys=own.expired_keys
        )
        if token.header.get("sbt") != kind:
            jwt.refuse("токен другого назначения · a token of another kind", where="sbt")
        jwt.check_issuer(token.claims, own.issuer)
        jwt.check_times(token.claims, now, own.skew, began)
        return token

    def _identity(
        self, bearer: str, proven: jwt.Token, now: datetime, *, official: bool
    ) -> Identity:
        own = self._options
        oid = jwt.word(proven.claims, _SUBJECT) or jwt.word(proven.claims, "sub")
        place = f"{own.url}/rs/prns/{oid}"
        row = self._calls.get(place, bearer)
        teams = self._calls.get(f"{place}/{own.organisations}", bearer) if official else {}
        session = jwt.word(proven.claims, _SID)
        return Identity(
            provider="esia",
            subject=oid,
            level=decode.level(row, proven.claims),
            person=decode.person(row, oid),
            contacts=self._contacts(place, bearer, set(own.scopes(official=official).split())),
            memberships=decode.memberships(teams),
            session=session,
            evidence=f"sid={session} sha256={proven.digest}",
            at=now,
        )

    def _contacts(self, place: str, bearer: str, scopes: set[str]) -> tuple[ContactPoint, ...]:
        found: tuple[ContactPoint, ...] = ()
        whole = "?embed=(elements)"
        if scopes & _REACHED:
            found += decode.contacts(self._calls.get(f"{place}/ctts{whole}", bearer))
        if scopes & _LIVES:
            found += decode.postal(self._calls.get(f"{place}/addrs{whole}", bearer))
        return found

    def _signing(self) -> Signing:
        if self._lent is None:
            raise ConfigurationError(
                "нечем подписать · nothing to sign with", where="adapters.esia"
            )
        return self._lent.signing()

    def _backend(self) -> Backend:
        return self._signing().backend


def check_scope(granted: Any, asked: str, oid: str) -> None:
    """Raise TrustError(scope_wrong) unless everything asked for was granted, and for this person.

    granted: `fullname?oid=1000… email?oid=1000…`; what concerns an organisation names it as
    `org_oid` and is not compared, because which one it is depends on the person's choice. That
    `openid` was granted is shown by the id token, whether or not this list names it.
    """
    names = {"openid"}
    for each in granted.split() if isinstance(granted, str) else ():
        name, _, about = each.partition("?")
        owner = dict(part.partition("=")[::2] for part in about.split("&")).get("oid", oid)
        if owner != oid:
            jwt.refuse("права на другого человека · a scope is another person's", "scope_wrong")
        names.add(name.rpartition("/")[2])
    if missing := [name for name in asked.split() if name not in names]:
        raise TrustError(
            "ЕСИА дала не всё, что запрошено · less was granted than asked for",
            "scope_wrong",
            found=", ".join(missing),
            where="scope",
            todo="проверьте scope и official_scope по заявке на подключение",
        )
