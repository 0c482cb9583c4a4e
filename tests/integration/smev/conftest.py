"""A stand of СМЭВ in a process of its own, and systems of ours that speak with it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from adapters.smev.adapter import Smev
from gateway import gost
from gateway.adapter import Landed, Verdict
from gateway.lent import Lent
from gateway.outbound import Outbound
from gateway.settings import KeyFile, Settings
from gateway.testing.memory import FakeMemory
from simulators.process import running
from tests.integration.house import make_house

__all__ = ["make_house"]


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Keys of the stand, made once: СМЭВ's own, the other body's, and ours."""
    return tmp_path_factory.mktemp("smev-keys")


@pytest.fixture
def stand(tmp_path, keys):
    with running(
        "smev", "--journal", str(tmp_path / "journal.jsonl"), "--keys", str(keys),
        "--issue", "GATEWAY",
    ) as simulator:  # fmt: skip
        yield simulator


class Clock:
    """The true time, moved by hand."""

    def __init__(self):
        self.ahead = timedelta()
        self._ticks = itertools.count()

    def __call__(self):
        return datetime.now(UTC) + self.ahead + timedelta(microseconds=next(self._ticks))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def connect(clock):
    """Return a maker of adapters: connect(stand, memory=…, signer=…, way=…, option=…)."""
    made = []

    def to(stand, *, memory=None, signer=None, timeout=20.0, way=Outbound, **options):
        issued = signer or stand.facts["issued"]["GATEWAY"]
        settings = Settings(
            signing_keys=(KeyFile(name="smev", cert=issued["cert"], key=issued["key"]),),
            trusted_authorities=(stand.facts["authority"],),
            revocation_required=False,
        )
        signing = gost.open_signing(settings)
        lent = Lent(memory or FakeMemory(clock), lambda: signing, clock)
        out = way(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=timeout)
        made.append(out)
        version = options.setdefault("version", "1.3")
        options.setdefault("key", "smev")
        url = stand.facts["endpoints"][version]
        return Smev(options, base=url, outbound=out, lent=lent)

    yield to
    for out in made:
        out.close()


@pytest.fixture
def stored(clock):
    """Return a maker of verdicts: as if each message of a batch had been stored, or refused."""

    def verdicts(batch, error=None, operation="submit"):
        return tuple(
            Verdict(
                token=one.token,
                items=(Landed(operation=operation, receipt_number="26-1", error=error),),
                now=clock(),
                correlation="c",
            )
            for one in batch.messages
        )

    return verdicts
