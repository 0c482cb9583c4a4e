"""A provider that speaks plain OpenID Connect over the same people: a stand of a certified one."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from simulators import peer as base
from simulators.esia import rules
from simulators.esia.portal import answered, asked, sent_on
from simulators.esia.rules import Refused, Sent
from simulators.esia.store import Grant

if TYPE_CHECKING:
    from simulators.esia.crypt import OpenSsl
    from simulators.esia.portal import Portal
    from simulators.esia.store import System

PATH: Final = "/oidc"


class Plain:
    """The addresses under `/oidc`; logins, codes and tokens are those of the portal's store."""

    def __init__(self, portal: Portal, openssl: OpenSsl) -> None:
        self._portal = portal
        self._openssl = openssl
        self.name = ""

    def routes(self) -> list[tuple[str, str, base.Handler]]:
        """Return the routes; longer ones win."""
        return [
            ("GET", f"{PATH}/.well-known/openid-configuration", self.describe),
            ("GET", f"{PATH}/jwks", self.jwks),
            ("GET", f"{PATH}/authorize", self.begin),
            ("POST", f"{PATH}/token", self.token),
            ("GET", f"{PATH}/userinfo", self.userinfo),
            ("GET", f"{PATH}/logout", self.logout),
        ]

    def describe(self, _: base.Request) -> base.Answer:
        """Give the discovery document; failures are planned for `discovery`."""
        places = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "userinfo_endpoint": "userinfo",
            "end_session_endpoint": "logout",
            "jwks_uri": "jwks",
        }
        told: dict[str, Any] = {name: f"{self.name}/{path}" for name, path in places.items()}
        told |= {"issuer": self.name, "response_types_supported": ["code"]}
        return answered(200, told, "discovery")

    def jwks(self, _: base.Request) -> base.Answer:
        """Give the keys; failures are planned for `jwks`."""
        return answered(200, self._portal.issuer.ring.jwks(), "jwks")

    def begin(self, request: base.Request) -> base.Answer:
        """Check a request for a login, then show the page."""
        sent = asked(request)
        try:
            system = self._portal.store.system(sent)
        except Refused as refused:
            return answered(400, {"error": refused.error}, "login", (str(refused),))
        wrong = [
            name
            for name, good in (
                ("response_type", sent.get("response_type") == "code"),
                ("scope", "openid" in sent.get("scope").split()),
                ("state", bool(sent.get("state"))),
                ("nonce", bool(sent.get("nonce"))),
                ("code_challenge", bool(sent.get("code_challenge"))),
                ("code_challenge_method", sent.get("code_challenge_method") == "S256"),
            )
            if not good
        ]
        if wrong or sent.repeated:
            why = f"invalid_request: {', '.join([*wrong, *sent.repeated])}"
            fields = {"error": "invalid_request", "state": sent.get("state")}
            return sent_on(sent.get("redirect_uri"), fields, "login", (why,))
        grant = Grant(system=system, generation="oidc", sent=sent.values, at=base.clock())
        return self._portal.offer(request, grant)

    def token(self, request: base.Request) -> base.Answer:
        """Exchange a code; failures are planned for `token`."""
        sent, now = asked(request), base.clock()
        try:
            sent = self._shown(request, sent)
            if sent.get("grant_type") != "authorization_code":
                raise Refused("007009", "grant_type")
            grant = self._portal.store.exchange(sent, now)
            rules.check_verifier(grant.sent.get("code_challenge", ""), sent.get("code_verifier"))
        except Refused as refused:
            return answered(400, {"error": refused.error}, "token", (str(refused),))
        made = self._portal.issuer.oidc(grant, now, self.name)
        self._portal.store.keep(made["access_token"], "", grant, now)
        return answered(200, made, "token")

    def _shown(self, request: base.Request, sent: Sent) -> Sent:
        """Return the form with the client that proved itself; raise Refused(007053)."""
        name, secret = sent.get("client_id"), sent.get("client_secret")
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            try:
                name, _, secret = base64.b64decode(pair, validate=True).decode().partition(":")
            except (binascii.Error, ValueError) as error:
                raise Refused("007053", "Basic") from error
            name, secret = unquote(name), unquote(secret)
        assertion = sent.get("client_assertion")
        if assertion:
            name = str(_claims(assertion).get("sub", ""))
        sent = Sent({**sent.values, "client_id": name}, sent.repeated)
        system = self._portal.store.system(sent)
        good = self._asserted(system, assertion) if assertion else _same(system.secret, secret)
        if not good:
            raise Refused("007053", "the client did not prove itself")
        return sent

    def _asserted(self, system: System, assertion: str) -> bool:
        claims = _claims(assertion)
        signed, _, tail = assertion.rpartition(".")
        now = base.clock().timestamp()
        return (
            claims.get("iss") == claims.get("sub") == system.client_id
            and claims.get("aud") == f"{self.name}/token"
            and isinstance(claims.get("exp"), int)
            and now < claims["exp"] < now + 600
            and self._openssl.fits(system.certificate, signed.encode(), _bytes(tail))
        )

    def userinfo(self, request: base.Request) -> base.Answer:
        """Give the claims that a token may see; failures are planned for `data`."""
        grant = self._portal.store.bearer(request.headers.get("authorization", ""), base.clock())
        if grant is None or grant.person is None or grant.generation != "oidc":
            return answered(401, {"error": "invalid_token"}, "data", ("no such token",))
        human, scopes = grant.person, set(grant.scopes)
        told: dict[str, Any] = {"sub": human.oid}
        if "profile" in scopes:
            day, month, year = human.row["birthDate"].split(".")
            told |= {
                "name": human.name,
                "family_name": human.row["lastName"],
                "given_name": human.row["firstName"],
                "middle_name": human.row["middleName"],
                "birthdate": f"{year}-{month}-{day}",
                "level": "confirmed" if human.row["trusted"] else "standard",
            }
        if "email" in scopes:
            told |= {"email": human.contacts[0]["value"], "email_verified": True}
        if "organizations" in scopes:
            told["organizations"] = [
                {"oid": r["oid"], "name": r["fullName"], "ogrn": r["ogrn"], "chief": r["chief"]}
                for r in human.roles
            ]
        return answered(200, told, "data")

    def logout(self, request: base.Request) -> base.Answer:
        """End the session and send the browser back to a registered place."""
        sent = asked(request)
        back = sent.get("post_logout_redirect_uri")
        try:
            probe = Sent({"client_id": sent.get("client_id"), "redirect_uri": back})
            self._portal.store.system(probe)
        except Refused as refused:
            return answered(400, {"error": refused.error}, "logout", (str(refused),))
        return sent_on(back, {}, "logout", ())


def _same(secret: str, shown: str) -> bool:
    return bool(secret) and hmac.compare_digest(secret.encode(), shown.encode())


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return b""


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    try:
        found = json.loads(_bytes(parts[1])) if len(parts) == 3 else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}
