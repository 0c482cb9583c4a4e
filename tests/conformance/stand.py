"""A simulated peer with the channel to it, and a message that it takes."""

import contextlib
import datetime as dt
import shutil
from itertools import count
from uuid import UUID

import msgspec
import pytest

from gateway import gost, registry
from gateway.adapter import EncodeContext, Landed, Verdict
from gateway.errors import GatewayError
from gateway.lent import Lent
from gateway.model import facts as f
from gateway.model.events import Actor, Event, EventType
from gateway.model.registration import Registration
from gateway.settings import KeyFile, Settings
from gateway.testing import peers
from gateway.testing.cases import NOW, appeal_of, context_of, event_of, found
from gateway.testing.memory import FakeMemory
from simulators.process import running
from tests import gost_kit
from tests.conformance.kit import CASES

DAY = dt.date(2026, 3, 30)
STARTED = {"smev": ("--issue", "GATEWAY", "--redeliver", "2")}
"""Of simulators that have to be told whom to know."""
TRIED = (
    (EventType.REGISTERED, f.RegistrationFacts(number="ОГ-17/26", number_key="ОГ-17/26", date=DAY)),
    (EventType.TAKEN_TO_WORK, f.NoFacts()),
    (
        EventType.ANSWERED,
        f.AnswerFacts(
            kind="final", number="17-о", date=DAY,
            outcome=f.OutcomeFacts(result="explained"),
        ),
    ),
)  # fmt: skip
"""What an adapter that also brings appeals is tried with: the first it has a word for."""


class Stand:
    """One running simulator. made: the channel to it, patient for half a second."""

    def __init__(self, name, simulator) -> None:
        self.adapter = registry.load([name])[name]
        self.name, self.simulator = name, simulator
        self.options = simulator.facts["options"]
        self._open = []
        self._lent = lent(simulator.facts) if self.adapter.manifest.lent else None
        self.made = self.channel(peers.TIMEOUT)
        self.patient = self.channel(5.0)
        self._numbers = count(1)

    def channel(self, timeout, **options):
        """Return one more channel; it is closed with the stand."""
        given = {**self.options, **options}
        made, outbound = peers.channel(self.adapter, given, timeout, self._lent)
        self._open.append(outbound)
        return made

    def close(self) -> None:
        for outbound in self._open:
            outbound.close()

    @property
    def kinds(self):
        return self.adapter.manifest.kinds

    @property
    def stage(self):
        return self.adapter.manifest.stage

    def key(self) -> str:
        """A key of a delivery that was never used."""
        return str(UUID(int=next(self._numbers) + (7 << 76) + (1 << 127)))

    def wire(self, key):
        """Return a message that the peer takes, about something of its own where it wants that."""
        if "source" in self.kinds:
            return self._about(self._brought(), key)
        for case in found(CASES, self.name):
            if case.goes_out and not (case.folder / "encode_error.json").exists():
                wire = self._of_case(case, key)
                if wire is not None:
                    return wire
        raise AssertionError(f"{self.name} has no case that goes out and may go to this peer")

    def _of_case(self, case, key):
        """Return what a case sends, under numbers that the peer has not seen; None if it cannot."""
        appeal = self._renumbered(appeal_of(case))
        if self.name == "asdou":
            ours = [ref for ref in appeal.refs if ref.kind == "importId"]
            if not ours:
                return None
            appeal = msgspec.structs.replace(appeal, refs=tuple(map(self._assigned, ours)))
        given = {**self.adapter.manifest.options, **(case.read("options.json") or {})}
        context = msgspec.structs.replace(context_of(case, {**given, **self.options}), key=key)
        return self.patient.encode(appeal, event_of(case), context)

    def _renumbered(self, appeal):
        number = f"ОГ-{next(self._numbers)}/26"
        named = {"number": number, "number_key": number}
        return msgspec.structs.replace(
            appeal,
            receipt_number=number,
            registrations=tuple(
                msgspec.structs.replace(one, **named) for one in appeal.registrations
            ),
            referrals=tuple(msgspec.structs.replace(one, **named) for one in appeal.referrals),
        )

    def _assigned(self, ref):
        """Let the peer give out an assignment; its report is what it then takes."""
        key = f"РЗ-{next(self._numbers)}"
        self.simulator.control(assignment={"importId": key, "responsible": True})
        return msgspec.structs.replace(ref, value=key)

    def _brought(self):
        """Return an appeal that the peer gave us a moment ago."""
        self.simulator.control(emit=1, seed=next(self._numbers))
        cursor, found_ = "", None
        while True:
            batch = self.patient.receive(cursor)
            for taken in batch.messages:
                items = self.patient.decode(taken.wire).items
                found_ = next((item.appeal for item in items if item.appeal), found_)
            self.patient.acknowledge(tuple(accepted(taken.token) for taken in batch.messages))
            cursor = batch.cursor
            if not batch.more:
                assert found_ is not None
                return found_

    def _about(self, appeal, key):
        registered = Registration(number="ОГ-17/26", number_key="ОГ-17/26", date=DAY, is_ours=True)
        appeal = msgspec.structs.replace(
            appeal, registrations=(*appeal.registrations, registered), receipt_number="2026-00017"
        )
        tried = []
        for kind, facts in TRIED:
            event = Event(
                appeal_id=UUID(int=1), seq=2, type=kind, occurred_at=NOW, recorded_at=NOW,
                actor=Actor(kind="system"), payload=facts,
            )  # fmt: skip
            given = {**self.adapter.manifest.options, **self.options}
            context = EncodeContext(now=NOW, key=key, options=given)
            try:
                return self.patient.encode(appeal, event, context)
            except GatewayError as error:
                tried.append(f"{kind}: {error}")
        raise AssertionError("; ".join(tried))


def lent(facts) -> Lent:
    """Return what the house lends: a memory, and the key that the stand issued for us."""
    issued = facts["issued"]["GATEWAY"]
    key = KeyFile(name=facts["options"]["key"], cert=issued["cert"], key=issued["key"])
    settings = Settings(
        signing_keys=(key,), trusted_authorities=(facts["authority"],), revocation_required=False
    )
    signing = gost.open_signing(settings)
    ticks = count()

    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(microseconds=next(ticks))

    return Lent(FakeMemory(now), lambda: signing, now)


def accepted(token) -> Verdict:
    """Return the verdict of a message that was stored."""
    item = Landed(operation="submit", key=token, receipt_number="2026-00017", accepted_at=NOW)
    return Verdict(token=token, items=(item,), now=NOW, correlation="c-1")


@contextlib.contextmanager
def stand(name):
    """Run a simulator with the channel to it; skip where it needs a program that is not here."""
    if name == "amqp" and shutil.which("rabbitmq-server") is None:
        pytest.skip("rabbitmq-server is not installed")
    if name == "smev" and not gost_kit.has_gost():
        pytest.skip("libengine-gost-openssl is not installed")
    with running(name, *STARTED.get(name, ())) as simulator:
        made = Stand(name, simulator)
        try:
            yield made
        finally:
            made.close()
