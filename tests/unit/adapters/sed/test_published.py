"""Messages that were made to the operator's schema come in, and go back leaf by leaf."""

import os
from pathlib import Path

import pytest

from adapters.sed.adapter import Sed
from gateway import registry
from gateway.adapter import Wire
from gateway.testing.cases import measure

ROOT = Path(__file__).resolve().parents[4]
SAMPLES = Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared")) / "data/medo/samples-2.6"
OPTIONS = registry.read_manifest("adapters.sed").options


@pytest.mark.skipif(
    not SAMPLES.exists(), reason="no data/medo beside the checkout (GATEWAY_SHARED)"
)
def test_the_published_samples_come_back():
    sed, taken = Sed(OPTIONS), 0
    for sample in sorted(SAMPLES.glob("*.xml")):
        wire = Wire(media_type="application/xml", body=sample.read_bytes(), name=sample.name)
        for item in sed.decode(wire).items:
            taken += 1
            before, after = measure(sed, wire), measure(sed, sed.restore(item))
            assert {path: after.get(path) for path in before} == before, sample.name
            assert set(after) <= set(before), sample.name
    assert taken >= 5
