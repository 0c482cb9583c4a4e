"""A stand of СМЭВ inside the test, with two made-up systems and a clock that the test moves."""

from __future__ import annotations

import atexit
import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from simulators.peer import Journal
from simulators.smev.account import Account, Limits
from simulators.smev.caller import Caller, Refused
from simulators.smev.desk import Desk
from simulators.smev.house import House, Replies
from simulators.smev.keys import OWN, Ring, Workshop, opened
from simulators.smev.names import Kind
from simulators.smev.registry import Registry, Service, System, certificate
from simulators.smev.schemas import Schemas
from simulators.smev.storage import Storage
from simulators.smev.troubles import Planned, Troubles

ASK = Kind("urn:probe", "Ask")
TELL = Kind("urn:probe", "Tell")
OTHER = Kind("urn:probe", "Other")
ASKED = '<p:Ask xmlns:p="urn:probe" n="1"><p:Text>А > Б, &lt;срок&gt;</p:Text></p:Ask>'
TOLD = '<p:Tell xmlns:p="urn:probe">готово</p:Tell>'

NAMES = ("ALPHA", "BETA", "GAMMA")


@lru_cache(1)
def ring() -> Ring:
    place = Path(mkdtemp(prefix="smev-keys-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    shop = Workshop(place)
    files = {name: shop.issue(name.lower(), name) for name in (OWN, *NAMES, "STRANGER", "OTHER")}
    return opened(files, shop.authority.cert)


@dataclass
class Probe:
    """A desk, its journal, and what moves its clocks."""

    place: Path
    version: str = "1.3"
    replies: Replies = field(default_factory=Replies)
    limits: Limits = field(default_factory=lambda: Limits(redeliver=60.0))
    shift: timedelta = timedelta()
    seconds: float = 0.0
    statuses: bool = False

    def __post_init__(self):
        self.registry = Registry()
        for name in NAMES:
            key = ring().signing.keys.current(name, datetime.now(UTC))
            system = System(mnemonic=name, title=f"Система {name}")
            self.registry.add_system(system, key.certificate.der)
        self.service = Service(kind=ASK, providers=["BETA"], answers=[TELL])
        self.registry.add_service(self.service)
        self.journal_path = self.place / "journal.jsonl"
        self.troubles = Troubles()
        self.account = Account(
            Journal(str(self.journal_path)), self.limits, clock=lambda: self.seconds
        )
        self.storage = Storage(self.place / "files", ("up", "load"))
        self.schemas = Schemas()
        house = House(
            self.account, self.registry, ring(), self.schemas, self.storage, self.troubles,
            lambda: datetime.now(UTC) + self.shift, b"secret", self.replies, self.statuses,
        )  # fmt: skip
        self.house = house
        self.desk = Desk(house)
        self.stored = True
        self.last = None

    def caller(self, name: str, version: str = "") -> Caller:
        now = datetime.now(UTC)
        return Caller(
            self.house.ring.signer(name, now), self.sender(version), version or self.version
        )

    def sender(self, version: str = ""):
        def send(headers, body):
            lower = {name.lower(): value for name, value in headers.items()}
            self.last = served = self.desk.serve(version or self.version, lower, body)
            if served.keep and self.stored:
                served.keep()
            return served.reply.media_type, served.reply.body

        return send

    def trouble(self, kind: str, **more) -> None:
        self.troubles.plan(Planned(kind=kind, **more))

    def facts(self, *names: str) -> list[dict]:
        lines = [json.loads(line) for line in self.journal_path.read_text("utf-8").splitlines()]
        return [line for line in lines if not names or line["what"] in names]


def refused(call, *arguments, **more):
    """Call and return the fault by which it was refused."""
    with pytest.raises(Refused) as error:
        call(*arguments, **more)
    return error.value.detail


__all__ = ["ASK", "ASKED", "OTHER", "TELL", "TOLD", "Probe", "certificate", "refused", "ring"]
