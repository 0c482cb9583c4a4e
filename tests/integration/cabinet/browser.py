"""A browser without scripts: cookies, forms, redirects; and a house with its cabinet."""

from __future__ import annotations

import asyncio
import contextlib
import re
import warnings
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import psycopg

from gateway import settings as house_settings
from gateway.access.passwords import Parameters, Passwords
from gateway.app import Serve
from gateway.cabinet.mount import Mounted
from gateway.model.peer import Peer
from gateway.store import accounts, arrays, peers, schema
from gateway.testing.identity import FakeIdentity
from tests.integration.house import eventually

BASE = "http://localhost"
CHEAP = Parameters(memory=64, passes=1, lanes=1)
KEY = "11" * 32
PASSWORD = "верный конь и скрепка"


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str:
        return next((value for given, value in self.headers if given == name), "")

    @property
    def where(self) -> str:
        return self.header("location")

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, self.text
        return unescape(found[1])

    @property
    def token(self) -> str:
        return self.hidden("token")


class House:
    """A house in this process, on a real database; its clock goes when it is told to."""

    def __init__(self, url: str, root, **told: Any) -> None:
        self.url = url
        self.ahead = timedelta()
        with self.db() as db:
            db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            db.execute("INSERT INTO alembic_version VALUES ($1)", (schema.head(),))
            peers.add(db, Peer(code="cabinet", name="Кабинет"), self.now())
        environ = {"GATEWAY_DATABASE_URL": url, "GATEWAY_DATA_DIR": str(root)}
        environ |= {"GATEWAY_SEAL_KEY": KEY, "GATEWAY_TOTP_ROLES": "administrator"} | told
        self.settings = house_settings.load(environ)
        self.provider = FakeIdentity()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the framework, about a route that is not ours
            self.serve = Serve(self.settings, url)
        self.serve._cabinet.stop()
        self.serve._cabinet = Mounted(
            self.settings,
            url,
            self.serve._edge,
            now=self.now,
            syslog=self.serve._syslog,
            refused=self.serve._refusals.record,
            providers={"esia": self.provider},
        )
        self.logins = self.serve._cabinet.face._logins
        self.logins.hashing = Passwords(CHEAP)
        self.serve.start()

    def stop(self) -> None:
        self.serve.stop()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    @contextlib.contextmanager
    def db(self):
        with psycopg.connect(
            self.url, autocommit=True, cursor_factory=psycopg.RawCursor
        ) as connection:
            arrays.register(connection)
            yield connection

    def rows(self, statement, *values):
        with self.db() as db:
            return db.execute(statement, values).fetchall()

    def account(self, login="ivan", roles=("executor",), password=PASSWORD, **more):
        phc = self.logins.hashing.hash(password) if password else ""
        with self.db() as db:
            return accounts.add(db, login, self.now(), roles=roles, password=phc, **more)

    def refused(self, count=1):
        """Reasons of refusals, once so many were written."""
        return eventually(
            lambda: (
                (found := self.rows("SELECT reason FROM refusal ORDER BY id"))
                and len(found) >= count
                and [reason for (reason,) in found]
            )
        )

    def events(self):
        return [kind for (kind,) in self.rows("SELECT kind FROM access_event ORDER BY at, id")]


class Browser:
    """One browser. secure: it comes by TLS."""

    def __init__(self, house: House, address="127.0.0.1", secure=False) -> None:
        self.house, self.address, self.secure = house, address, secure
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        where = urlsplit(path)
        told = {"host": "localhost", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.cookies:
            told["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        scope = {
            "type": "http", "method": method, "path": where.path,
            "raw_path": where.path.encode(), "query_string": where.query.encode(),
            "scheme": "https" if self.secure else "http", "client": (self.address, 1),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in told.items()],
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        asyncio.run(self.house.serve(scope, receive, send))
        lines = [(k.decode(), v.decode("latin-1")) for k, v in sent[0]["headers"]]
        answer = Answer(sent[0]["status"], lines, b"".join(m.get("body", b"") for m in sent[1:]))
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(value)
        return answer

    @property
    def base(self) -> str:
        return "https://localhost" if self.secure else BASE

    def _keep(self, line: str) -> None:
        name, _, value = line.partition(";")[0].partition("=")
        if value:
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, headers=None, **fields: str) -> Answer:
        media = {"content_type": "application/x-www-form-urlencoded", "origin": self.base}
        return self.ask("POST", path, urlencode(fields).encode(), **media | (headers or {}))

    def login(self, login="ivan", password=PASSWORD) -> Answer:
        token = self.get("/login").token
        return self.post("/login/local", login=login, password=password, token=token)

    def begin(self, query="") -> str:
        """Begin at the provider; return the state it will bring back."""
        answer = self.get(f"/login/esia{query}")
        assert answer.status == 303, answer
        return re.search(r"state=([0-9a-f]+)", answer.where)[1]

    def by_provider(self, code: str, query="") -> Answer:
        return self.get(f"/login/esia/return?state={self.begin(query)}&code={code}")

    def citizen(self, subject: str, **told: Any) -> Browser:
        self.house.provider.people[subject] = {"subject": subject, **told}
        answer = self.by_provider(subject)
        assert answer.status == 303
        return self

    def appeal(self, text="Во дворе нет света.", **fields: str) -> Answer:
        page = self.get("/my/new")
        return self.post(
            "/my/appeals", token=page.token, key=page.hidden("key"), text=text, **fields
        )
