"""Golden cases of every adapter: what comes in, what goes out, what is refused, nothing lost."""

import pytest

from gateway import registry
from gateway.testing.cases import Case, walk
from tests.conformance.kit import CASES, cases, codecs, found

LEAST = 12


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_is_what_it_pins(case: Case):
    adapter = registry.load([case.adapter])[case.adapter]

    walked = walk(case, adapter.make, adapter.manifest.options)

    assert not walked.wrong, "\n".join(walked.wrong)


@pytest.mark.parametrize("name", codecs())
def test_an_adapter_has_enough_cases_and_mistakes_among_them(name):
    there = found(CASES, name)
    mistakes = [
        case
        for case in there
        if any((case.folder / f"{n}.json").exists() for n in ("error", "encode_error", "rejected"))
    ]

    assert len(there) >= LEAST
    assert len(mistakes) >= 3
