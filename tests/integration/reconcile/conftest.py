"""An installation that reports to a simulated ССТУ node: real database, triage, dispatch, node."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import psycopg
import pytest
from typer.testing import CliRunner

from gateway import ingest, policies, registry, settings
from gateway.adapter import File, Inbound
from gateway.commands import reconcile as command
from gateway.destinations import Destinations
from gateway.dispatch import Dispatcher
from gateway.model.answer import AnswerKind
from gateway.model.appeal import Appeal
from gateway.model.base import Code
from gateway.model.events import AppealKey, EventType, PeerAnswer, PeerReport
from gateway.model.facts import DeclineFacts, ExtensionFacts, OutcomeFacts, TransferFacts
from gateway.model.peer import Peer
from gateway.model.person import Applicant, Person
from gateway.model.question import Question, Topic
from gateway.model.registration import ReferralIn
from gateway.snapshots import StoredSnapshots
from gateway.store import arrays, peers, schema
from gateway.store.blobs import BlobDirectory
from gateway.store.committer import Committer
from gateway.store.organisations import Record, write
from gateway.store.pool import Pool
from gateway.triage import Triage
from simulators.process import running

BODY = "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91"
OTHER_BODY = "2a7c1b63-0e4f-4d8b-9a32-1b6c7d8e9f02"
CODE = "0005.0005.0056.1147"
APPLICANT = Applicant(person=Person(family="Берёзкина", given="Анна"))
ROUTES = """
[[rule]]
id = "all"
executor = "gzhi"
destinations = ["sstu"]
reason = "всё"
"""


class Stand:
    """One installation, with the command as an engineer runs it."""

    def __init__(self, url: str, node: Any, environ: dict[str, str]) -> None:
        self.url, self.node, self.environ = url, node, environ
        self.settings = settings.load(environ)
        self.blobs = BlobDirectory(self.settings.blobs)
        self.committer = Committer(url)
        self.committer.start()
        self.pool = Pool(url)
        self.pool.open()
        self.connection = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
        arrays.register(self.connection)
        self.ahead = dt.timedelta()
        self.destinations = Destinations(
            self.pool, registry.load(["sstu"]), self.settings, self.now
        )
        self.number = 0
        self.appeals: dict[str, Appeal] = {}

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def today(self) -> dt.date:
        """The calendar day in the zone of the installation."""
        return self.now().astimezone(ZoneInfo(self.settings.zone)).date()

    def close(self) -> None:
        self.committer.stop()
        self.destinations.close()
        self.pool.close()
        self.connection.close()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, values).fetchall()

    def peer(self, code: str, **fields: Any) -> None:
        peers.add(self.connection, Peer(code=code, name=code, **fields), self.now())

    def option(self, **options: Any) -> None:
        peers.set_options(self.connection, "sstu", options)

    def submit(self, *, wire: str = "rest", letter: str = "", codes=(CODE,), **fields: Any) -> str:
        """Accept an appeal; return its external id."""
        self.number += 1
        received = self.now() - dt.timedelta(days=3)
        if letter:
            referral = ReferralIn(
                number=letter, date=received.date(), received_date=received.date()
            )
            fields |= {"referrals": (referral,), "direct": False}
        topics = [Topic(code=Code(system="sstu", value=code)) for code in codes]
        given = {
            "received_at": received,
            "text": "Во дворе не горит фонарь.",
            "applicants": (APPLICANT,),
            "questions": tuple(
                Question(ordinal=n, text="Фонарь", topics=(topic,))
                for n, topic in enumerate(topics, 1)
            ),
        } | fields
        name = f"p-{self.number}"
        self.appeals[name] = Appeal(**given)
        self.take(Inbound(operation="submit", external_id=name, appeal=self.appeals[name]), wire)
        return name

    def amend(self, external_id: str, **fields: Any) -> None:
        """Accept the second revision of an appeal."""
        appeal = msgspec.structs.replace(self.appeals[external_id], revision=2, **fields)
        self.take(Inbound(operation="amend", external_id=external_id, revision=2, appeal=appeal))

    def report(self, external_id: str, event: EventType, *files: File, **facts: Any) -> None:
        """Take what the portal says has happened to its appeal."""
        self.number += 1
        report = PeerReport(
            message_key=f"m-{self.number}",
            key=AppealKey(external_id=external_id),
            event=event,
            occurred_on=self.today(),
            **facts,
        )
        operation = "answer" if event is EventType.ANSWERED else "status"
        self.take(
            Inbound(operation=operation, message_key=report.message_key, report=report, files=files)
        )

    def answer(self, external_id: str, result: str = "explained") -> None:
        data = f"%PDF-1.4 made up {external_id}".encode()
        digest = hashlib.sha256(data).hexdigest()
        self.report(
            external_id,
            EventType.ANSWERED,
            File(sha256=digest, media_type="application/pdf", name="Ответ.pdf", data=data),
            answer=PeerAnswer(
                kind=AnswerKind.FINAL.value,
                number="ИСХ-1",
                date=self.today(),
                outcome=OutcomeFacts(result=result),
                attachments=(digest,),
                text="Фонарь исправлен.",
            ),
        )

    def transfer(self, external_id: str) -> None:
        self.report(
            external_id,
            EventType.TRANSFERRED,
            transfer=TransferFacts(
                organisation="other", number="ИСХ-2", date=self.today(), ground="8.3"
            ),
        )

    def decline(self, external_id: str) -> None:
        self.report(
            external_id,
            EventType.DECLINED,
            decline=DeclineFacts(article="11", part="5"),
            decline_text="Переписка прекращена.",
        )

    def extend(self, external_id: str) -> None:
        self.report(
            external_id,
            EventType.EXTENDED,
            extension=ExtensionFacts(
                ground="12.2",
                new_due=self.today() + dt.timedelta(days=50),
                applicant_notified_on=self.today(),
            ),
        )

    def take(self, inbound: Inbound, wire: str = "rest", *, peer: str = "portal") -> None:
        arrival = ingest.Arrival(
            peer=peer, wire=wire, correlation="test", now=self.now(), body=b"{}"
        )
        self.committer.submit_sync(ingest.entry(arrival, inbound, self.blobs))

    def triage(self) -> None:
        worker = Triage(self.url, policies.rules(self.settings), self.now)
        try:
            while worker.run_once().items:
                pass
        finally:
            worker.close()
        assert self.rows("SELECT error FROM work") == []

    def dispatch(self) -> None:
        snapshots = StoredSnapshots(self.pool, self.blobs, self.destinations.options, self.now)
        worker = Dispatcher(
            self.url, self.destinations, snapshots, owner="test", now=self.now, poll_seconds=0.05
        )
        try:
            while worker.run_once():
                pass
        finally:
            worker.close()

    def deliver(self) -> None:
        """Let everything accepted reach the node, as workers would."""
        self.triage()
        self.dispatch()

    def receipt(self, external_id: str) -> str:
        [(number,)] = self.rows(
            "SELECT receipt_number FROM appeal WHERE external_id = $1", external_id
        )
        return number

    def number_of(self, external_id: str) -> str:
        """The number under which the node knows an appeal that we registered."""
        [(number,)] = self.rows(
            "SELECT r.number FROM registration r JOIN appeal a ON a.id = r.appeal_id "
            "WHERE a.external_id = $1",
            external_id,
        )
        return number

    def held(self) -> dict[str, list[str]]:
        return {item["number"]: item["statuses"] for item in self.node.holds()}

    def reconcile(self, *arguments: str, peer: str = "sstu") -> Outcome:
        result = CliRunner().invoke(command.app, [peer, "--json", *arguments], env=self.environ)
        if result.exit_code not in {0, 1}:
            return Outcome(result.exit_code, {}, result.output)
        return Outcome(result.exit_code, json.loads(result.stdout), result.output)

    def say(self, *arguments: str, code: int = 1) -> str:
        """Run the command as a person does; return what it prints."""
        result = CliRunner().invoke(command.app, list(arguments), env=self.environ)
        assert result.exit_code == code, result.output
        return result.stdout


class Outcome:
    """What a run of the command said."""

    def __init__(self, code: int, said: dict[str, Any], text: str) -> None:
        self.code, self.said, self.text = code, said, text

    @property
    def found(self) -> list[tuple[str, str, str]]:
        """(class, number, cause) of every finding, sorted."""
        return sorted((f["class"], f["key"], f["cause"]) for f in self.said["findings"])

    @property
    def explained(self) -> dict[str, int]:
        return {name: count for name, count in self.said["explained"].items() if count}


@pytest.fixture
def node(request, tmp_path):
    """A node; a test may parametrise it with more arguments."""
    more = getattr(request, "param", ())
    with running("sstu", "--journal", str(tmp_path / "journal.jsonl"), *more) as simulator:
        yield simulator


@pytest.fixture
def stand(pg_url, node, tmp_path, monkeypatch):
    with psycopg.connect(pg_url, autocommit=True) as db:
        db.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        db.execute("INSERT INTO alembic_version VALUES (%s)", (schema.head(),))
    monkeypatch.chdir(tmp_path)
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES, "utf-8")
    made = Stand(
        pg_url,
        node,
        {
            "GATEWAY_DATABASE_URL": pg_url,
            "GATEWAY_DATA_DIR": str(tmp_path / "var"),
            "GATEWAY_ORGANISATION": "gzhi",
            "GATEWAY_REGISTER_CHANNELS": "rest",
            "GATEWAY_ROUTING_FILE": str(routes),
            "COLUMNS": "240",
        },
    )
    write(
        made.connection,
        [
            Record(id="gzhi", full_name="Инспекция", ids={"sstu": (BODY,)}),
            Record(id="other", full_name="Другой орган", ids={"sstu": (OTHER_BODY,)}),
        ],
    )
    made.peer("portal", adapter="pull")
    made.peer(
        "sstu",
        adapter="sstu",
        options={
            "url": node.facts["api"],
            "department_id": BODY,
            "allow_private": ["127.0.0.1"],
            "tell_last": True,
            "rate": 0,
            "settle_after": 0,
            "timeout": 2,
            "backoff_base": 0.01,
            "backoff_cap": 0.01,
        },
    )
    yield made
    made.close()
