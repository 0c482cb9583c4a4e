"""Both simulated desks, and a served gateway that they call back."""

import pytest

from adapters.edds.adapter import Edds
from gateway import registry
from gateway.outbound import Outbound
from simulators.process import running
from tests.integration.house import make_house, own_house

__all__ = ["make_house", "own_house"]

MANIFEST = registry.read_manifest("adapters.edds")


@pytest.fixture
def desks(tmp_path):
    with running("edds", "--journal", str(tmp_path / "journal.jsonl")) as simulator:
        yield simulator


@pytest.fixture
def connect(desks):
    """The adapter's channel to one vendor: `rest` or `soap`."""
    made = []

    def to(vendor, *, timeout=10.0, **options):
        out = Outbound(allowed_hosts=["127.0.0.1"], allow_private=["127.0.0.1"], timeout=timeout)
        made.append(out)
        given = {**MANIFEST.options, **desks.facts["options" if vendor == "rest" else "soap"]}
        given |= options
        return Edds(given, base=given["url"], outbound=out)

    yield to
    for out in made:
        out.close()
