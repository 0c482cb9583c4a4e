"""The whole way of addresses: a region is drawn, loaded, and asked as people write."""

import pytest

from gateway.addresses.found import Question
from gateway.store import addresses, arrays
from simulators.gar import delivery, questions, region
from tests.integration.fias import kit

HOUSES, ASKED, SEED = 6_000, 1_000, 41
"""Small enough for every run; `make bench-fias` asks the same of a million houses."""


@pytest.fixture
def asked(pg_url, tmp_path):
    drawn = region.plan("36", HOUSES, SEED)
    delivery.full(drawn, tmp_path / "gar")
    with kit.connected(pg_url) as db:
        arrays.register(db)
        kit.take(db, tmp_path / "gar")
        labelled = questions.ask(drawn, ASKED, SEED, hard=True)
        texts = [Question(text=each.text) for each in labelled]
        yield list(zip(labelled, addresses.resolve(db, addresses.Kept(), texts), strict=True))


def test_what_determines_a_house_finds_it_and_nothing_finds_another(asked):
    """A wrong house costs more than a doubt: of a thousand questions at most one finds another."""
    sure = [(label, answer) for label, answer in asked if label.determined and label.level == 10]
    exact = [a for label, a in sure if a.outcome == "exact" and a.best.house_guid == label.guid]
    wrong = [
        label.text
        for label, a in asked
        if a.outcome == "exact" and label.guid not in {a.best.guid, a.best.house_guid}
    ]
    assert len(sure) > ASKED / 2
    assert len(exact) >= 0.99 * len(sure)
    assert len(wrong) <= ASKED / 1000, wrong


def test_what_determines_nothing_is_answered_with_what_is_known(asked):
    absent = [a for label, a in asked if label.expect == "street_only"]
    nowhere = [a for label, a in asked if "nonsense" in label.noise]
    assert absent
    assert all(answer.outcome != "exact" for answer in absent)
    assert nowhere
    assert {answer.outcome for answer in nowhere} == {"not_found"}
