"""Writes the page docs/reference/w3c-soap12.md from what was run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.w3c import assertions
from tests.w3c.assertions import PART1, PART2, Assertion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.w3c.run import Outcome

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "w3c-soap12.md"
_HEAD: Final = """\
# SOAP 1.2: the W3C test collection

Made by `python -m tests.w3c --write` from what was run; a test fails when it is not what runs.

The SOAP Version 1.2 [Specification Assertions and Test Collection][collection] (W3C, second
edition, 2007), test by test and assertion by assertion. The messages are ours, written from the
collection's descriptions; what is expected is the collection's. They are sent over HTTP to a
test-only service (`tests/w3c/node.py`) that carries out the collection's header blocks and
procedures behind the engine (`gateway/soap/`) and the server of the gateway's own services. Tests
named G are ours, for what the collection leaves untested.

What the gateway does not offer, and the collection tests:

- **SOAP encoding and RPC in it** (Part 2, 2 to 4). The contracts are document/literal. A message in
  an encoding gets `env:DataEncodingUnknown`, as Part 1, 5.4.6 has it.
- **Relaying** (Part 1, 2.7). The gateway is an ultimate receiver: of tests with a Node B, Node C's
  part is run.
- **Operations by GET** (Part 2, 6.3). GET serves descriptions.

`test:`, `sb:`, `h:` and `u:` are the collection's namespaces, `env:` is that of SOAP 1.2, `gw:`
that of the gateway.

[collection]: https://www.w3.org/TR/2007/REC-soap12-testcollection-20070427/
"""


def write(outcomes: Sequence[Outcome]) -> None:
    """Write the page."""
    PAGE.write_text(page(outcomes), encoding="utf-8")


def page(outcomes: Sequence[Outcome]) -> str:
    """Return the page."""
    named = {outcome.case.id: outcome for outcome in outcomes}
    faults = sum(outcome.faults for outcome in outcomes)
    broken = [problem for outcome in outcomes for problem in outcome.broken]
    parts = [
        _HEAD,
        _sums(outcomes, faults),
        "## Tests\n",
        _table(
            ("Test", "Sent", "Expected", "Got", "Verdict"),
            (_line(outcome) for outcome in outcomes),
        ),
    ]
    for title, found in (("Part 1: messaging", PART1), ("Part 2: adjuncts", PART2)):
        rows = (_assertion(each, named, faults, len(broken)) for each in found)
        parts += [
            f"## Assertions of {title}\n",
            _table(
                ("Assertion", "Section", "It asks", "Tests", "Expected", "Got", "Verdict"), rows
            ),
        ]
    return "\n".join(parts)


def shown_by(assertion: Assertion, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the tests that show an assertion; those of a group are found by what they send."""
    return [outcome for outcome in outcomes if _shows(assertion, outcome)]


def _shows(assertion: Assertion, outcome: Outcome) -> bool:
    case = outcome.case
    if case.id in assertion.tests:
        return True
    groups = [group for group in _GROUPS if group in assertion.tests]
    if case.differs != "not offered":
        groups = [group for group in groups if group not in (assertions.ENCODED, assertions.RPC)]
    texts = [request.data for request in case.requests]
    return any(_GROUPS[group](text) for group in groups for text in texts)


_GROUPS: Final = {
    assertions.ALL: bool,
    assertions.HEADERS: lambda data: b":Header" in data,
    assertions.BODIES: lambda data: b"<e:Body ></e:Body>" not in data,
    assertions.ROLES: lambda data: b"e:role=" in data,
    assertions.MANDATORY: lambda data: b":mustUnderstand=" in data,
    assertions.ENCODED: lambda data: assertions.ENCODED_MARK in data,
    assertions.RPC: lambda data: assertions.ENCODED_MARK in data,
    assertions.STYLED: lambda data: b"e:encodingStyle=" in data,
}


def _sums(outcomes: Sequence[Outcome], faults: int) -> str:
    collection = [each for each in outcomes if not each.case.id.startswith("G")]
    count = Counter(each.verdict for each in collection)
    said = ", ".join(_counted(count))
    deviations = "\n".join(
        f"- {each.case.id}: {each.case.why}"
        for each in outcomes
        if each.case.differs == "deviation"
    )
    return (
        f"{len(collection)} tests of the collection: {said}. {len(outcomes) - len(collection)} of "
        f"ours. {len(PART1) + len(PART2)} assertions.\n{faults} faults of SOAP 1.2 came back, "
        f"each read by the grammar of Part 1, 5.4.\n\nDeviations:\n\n{deviations}\n"
    )


def _counted(count: Counter[str]) -> list[str]:
    """Return how many there are of each verdict."""
    return [
        f"{number} {verdict}{'s' if verdict == 'deviation' and number > 1 else ''}"
        for verdict, number in sorted(count.items())
    ]


def _line(outcome: Outcome) -> tuple[str, ...]:
    case = outcome.case
    pairs = list(zip(case.expected, outcome.got, strict=True))
    expected = _each(one.text(one) for one, _ in pairs)
    got = _each(two.text(one if not case.ours else _both(case.ours, one)) for one, two in pairs)
    verdict = outcome.verdict
    verdict += "".join(f": {text}" for text in (case.why, case.note) if text)
    return (case.id, case.sends, expected, got, verdict)


def _both(ours: object, expected: object) -> object:
    """Return whichever of the two speaks of the status."""
    return ours if getattr(ours, "status", None) is not None else expected


def _each(texts: Iterable[str]) -> str:
    found = list(texts)
    return found[0] if len(set(found)) == 1 else " · ".join(found)


def _assertion(
    assertion: Assertion, named: dict[str, Outcome], faults: int, broken: int
) -> tuple[str, ...]:
    found = shown_by(assertion, named.values())
    cells = (assertion.id, assertion.section, assertion.asks)
    if assertion.why:
        return (*cells, "", "", "", assertion.why)
    tests = ", ".join(assertion.tests)
    verdicts = {outcome.case.id: _verdict(assertion, outcome) for outcome in found}
    count = Counter(verdicts.values())
    got = _counted(count)
    expected = [f"what {len(found)} tests say"] if found else []
    if len(found) == 1:
        _, _, only, came, _ = _line(found[0])
        expected, got = [only], [came]
    if assertions.FAULTS in assertion.tests:
        expected.append(f"{faults} faults well-formed")
        got.append(f"{faults - broken} faults well-formed")
    return (*cells, tests, "; ".join(expected), "; ".join(got), _overall(verdicts))


def _verdict(assertion: Assertion, outcome: Outcome) -> str:
    """Return the verdict of a test for an assertion: those of Part 1 do not speak of HTTP."""
    if assertion in PART1 and outcome.verdict == "deviation" and outcome.message_met:
        return "as expected"
    return outcome.verdict


def _overall(verdicts: dict[str, str]) -> str:
    """Return the verdict on an assertion: of its tests, the least good of what is offered."""
    for least in ("UNEXPLAINED", "deviation"):
        found = [test for test, verdict in verdicts.items() if verdict == least]
        if found:
            return f"{least}: {', '.join(found)}"
    offered = [verdict for verdict in verdicts.values() if verdict != "not offered"]
    if verdicts and not offered:
        return "not offered: see the tests"
    return "as expected" if len(offered) == len(verdicts) else "as expected, where offered"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
