"""The addresses of ЕСИА: login, token, data of a person, logout, published keys."""

from __future__ import annotations

import json
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from simulators import peer as base
from simulators.esia import rules
from simulators.esia.rules import Refused, Sent
from simulators.esia.store import Grant

if TYPE_CHECKING:
    from simulators.esia.crypt import OpenSsl
    from simulators.esia.issue import Issuer
    from simulators.esia.store import Store, System

JSON: Final = "application/json; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
CHOICE: Final = "simulated_person"
"""A parameter, or the header X-Simulated-Person, that logs in without the page."""
_LEVELS: Final = {True: "подтверждённая", False: "не подтверждённая"}


def asked(request: base.Request) -> Sent:
    """Return the parameters of a query or a form, undecoded by anybody before."""
    raw = urlsplit(request.target).query if request.method == "GET" else request.body.decode()
    pairs = parse_qsl(raw, keep_blank_values=True)
    counted = Counter(name for name, _ in pairs)
    return Sent(dict(pairs), tuple(name for name, times in counted.items() if times > 1))


def answered(status: int, value: Any, key: str, why: tuple[str, ...] = ()) -> base.Answer:
    """Return JSON."""
    return base.Answer(status, json.dumps(value, ensure_ascii=False).encode(), JSON, key, why=why)


def sent_on(address: str, fields: dict[str, str], key: str, why: tuple[str, ...]) -> base.Answer:
    """Return a redirect."""
    mark = "&" if "?" in address else "?"
    place = f"{address}{mark}{urlencode(fields, quote_via=quote)}"
    return base.Answer(302, b"", key=key, headers=(("Location", place),), why=why)


class Portal:
    """ЕСИА over a store. issuer: how its tokens name it; set once the port is known."""

    def __init__(self, store: Store, issuer: Issuer, openssl: OpenSsl) -> None:
        self.store = store
        self.issuer = issuer
        self._openssl = openssl
        self.name = ""
        self.wrong_state = 0

    def routes(self) -> list[tuple[str, str, base.Handler]]:
        """Return the routes; longer ones win."""
        return [
            ("GET", "/aas/oauth2/v2/ac", lambda request: self.begin(request, "v2")),
            ("GET", "/aas/oauth2/ac", lambda request: self.begin(request, "v1")),
            ("POST", "/login", self.choose),
            ("POST", "/aas/oauth2/v3/te", lambda request: self.token(request, "v2")),
            ("POST", "/aas/oauth2/te", lambda request: self.token(request, "v1")),
            ("GET", "/rs/prns/", self.data),
            ("GET", "/idp/ext/Logout", self.logout),
            ("GET", "/public/esia.zip", self.keys),
        ]

    def begin(self, request: base.Request, generation: str) -> base.Answer:
        """Check a request for a login, then show the page; failures are planned for `login`."""
        sent, now = asked(request), base.clock()
        try:
            system = self.store.system(sent)
        except Refused as refused:
            return _page(400, f"<p>{escape(str(refused))}</p>", (str(refused),))
        try:
            rules.check_asked(sent, system, generation, now, token=False)
            rules.check_secret(self._openssl, sent, system, generation, "", renewed=False)
        except Refused as refused:
            return self._no(sent, refused)
        grant = Grant(system=system, generation=generation, sent=sent.values, at=now)
        return self.offer(request, grant)

    def offer(self, request: base.Request, grant: Grant) -> base.Answer:
        """Show who may log in, or log in who was named."""
        named = grant.sent.get(CHOICE) or request.headers.get("x-simulated-person", "")
        if named:
            return self._allowed(grant, named)
        rows = "".join(
            f'<p><label><input type="radio" name="oid" value="{human.oid}" required> '
            f"{escape(human.name)} – {_LEVELS[human.row['trusted']]} "
            f"{escape(', '.join(role['shortName'] for role in human.roles))}</label></p>"
            for human in self.store.people.values()
        )
        key = self.store.ask(grant)
        return _page(
            200,
            f"<p>{escape(grant.system.client_id)} просит: {escape(grant.sent.get('scope', ''))}</p>"
            f'<form method="post" action="/login"><input type="hidden" name="login" value="{key}">'
            f'{rows}<button name="go" value="yes">Войти · Log in</button> '
            '<button name="go" value="no" formnovalidate>Отказаться · Decline</button></form>',
        )

    def choose(self, request: base.Request) -> base.Answer:
        """Take what the person chose on the page."""
        sent = asked(request)
        grant = self.store.chosen(sent.get("login"))
        if grant is None:
            return _page(400, "<p>Этот вход уже окончен · This login is over</p>", ("login",))
        return self._allowed(grant, sent.get("oid") if sent.get("go") == "yes" else "")

    def _allowed(self, grant: Grant, oid: str) -> base.Answer:
        sent = Sent(grant.sent)
        if oid not in self.store.people:
            return self._no(sent, Refused("007004", "the person declined"))
        code = self.store.allow(grant, oid, base.clock())
        fields = {"code": code, "state": sent.get("state")}
        return sent_on(sent.get("redirect_uri"), fields, "login", ())

    def _no(self, sent: Sent, refused: Refused) -> base.Answer:
        fields = {
            "error": refused.error,
            "error_description": str(refused),
            "state": sent.get("state"),
        }
        return sent_on(sent.get("redirect_uri"), fields, "login", (str(refused),))

    def token(self, request: base.Request, generation: str) -> base.Answer:
        """Exchange a code, or renew; failures are planned for `token`."""
        sent, now = asked(request), base.clock()
        try:
            system = self.store.system(sent)
            grant = self._granted(sent, system, generation)
        except Refused as refused:
            said = {"error": refused.error, "error_description": str(refused)}
            return answered(400, {**said, "state": sent.get("state")}, "token", (str(refused),))
        made = self.issuer.esia(grant, now, self.name)
        self.store.keep(made["access_token"], made.get("refresh_token", ""), grant, now)
        state = sent.get("state")
        if self.wrong_state:
            self.wrong_state -= 1
            state = "00000000-0000-4000-8000-000000000000"
        return answered(200, {**made, "state": state}, "token")

    def _granted(self, sent: Sent, system: System, generation: str) -> Grant:
        now, way = base.clock(), sent.get("grant_type")
        rules.check_asked(sent, system, generation, now, token=True)
        if way not in {"authorization_code", "refresh_token"}:
            raise Refused("007009", f"grant_type {way}")
        renewed = way == "refresh_token"
        last = "" if renewed else sent.get("code")
        rules.check_secret(self._openssl, sent, system, generation, last, renewed=renewed)
        if renewed:
            return self.store.renewed(sent.get("refresh_token"), system.client_id)
        grant = self.store.exchange(sent, now)
        if grant.generation != generation:
            raise Refused("007011", "the code is of another generation")
        rules.check_verifier(grant.sent.get("code_challenge", ""), sent.get("code_verifier"))
        return grant

    def data(self, request: base.Request) -> base.Answer:
        """Give what a token may see; failures are planned for `data`."""
        parts = urlsplit(request.target)
        oid, _, what = parts.path.removeprefix("/rs/prns/").partition("/")
        grant = self.store.bearer(request.headers.get("authorization", ""), base.clock())
        if grant is None or grant.person is None or grant.person.oid != oid:
            return answered(401, {"code": "ESIA-005011"}, "data", ("no such token for this oid",))
        human, scopes = grant.person, set(grant.scopes)
        reached = {"email": "EML", "mobile": "MBT"}
        types = {kind for name, kind in reached.items() if {name, "contacts"} & scopes}
        match what:
            case "":
                row = dict(human.row)
                for name in {"snils", "gender"} - scopes:
                    row.pop(name, None)
                if "birthdate" not in scopes:
                    row.pop("birthDate")
                return answered(200, row, "data")
            case "ctts":
                rows = [row for row in human.contacts if row["type"] in types]
            case "addrs":
                rows = human.addresses if {"addresses", "contacts"} & scopes else []
            case "roles" | "orgs" if "usr_org" in scopes:
                rows = human.roles
            case _:
                return answered(403, {"code": "ESIA-005012"}, "data", (f"no right to {what}",))
        embedded = what in {"roles", "orgs"} or "embed=(elements)" in request.path
        links = [f"{self.name}rs/prns/{oid}/{what}/{n}" for n in range(len(rows))]
        return answered(200, {"size": len(rows), "elements": rows if embedded else links}, "data")

    def logout(self, request: base.Request) -> base.Answer:
        """End the session and send the browser back to a registered place."""
        sent = asked(request)
        probe = Sent({"client_id": sent.get("client_id"), "redirect_uri": sent.get("redirect_url")})
        try:
            system = self.store.system(probe)
        except Refused as refused:
            return _page(400, f"<p>{escape(str(refused))}</p>", (str(refused),))
        self.store.ended.append(system.client_id)
        return sent_on(sent.get("redirect_url"), {}, "logout", ())

    def keys(self, _: base.Request) -> base.Answer:
        """Give the archive of keys; failures are planned for `keys`."""
        return base.Answer(200, self.issuer.ring.packed(), "application/zip", "keys")


def _page(status: int, body: str, why: tuple[str, ...] = ()) -> base.Answer:
    html = (
        '<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>ЕСИА: имитатор</title>'
        "</head><body><h1>ЕСИА: имитатор · a simulator</h1>"
        f"<p>Все люди выдуманы · All people are made up</p>{body}</body></html>"
    )
    policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    headers = (("Content-Security-Policy", policy), ("Cache-Control", "no-store"))
    return base.Answer(status, html.encode(), HTML, "login", headers=headers, why=why)
