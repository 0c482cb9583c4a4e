"""Planned failures: a mix keeps its shares, and gives way to what is planned for a key."""

from collections import Counter

import pytest

from simulators.faults import Fault, Faults, Mix


def test_a_mix_keeps_its_shares_in_every_hundred_calls():
    faults = Faults(seed=3)
    faults.mix(Mix(shares={"error": 5, "reset": 7}, seconds=0.4))
    for _ in range(3):
        taken = Counter(f.kind if (f := faults.take("any")) else None for _ in range(100))
        assert taken == {"error": 5, "reset": 7, None: 88}


def test_the_same_seed_gives_the_same_failures():
    def drawn():
        faults = Faults(seed=11)
        faults.mix(Mix(shares={"error": 20, "drip": 20}))
        return [f.kind if (f := faults.take("")) else None for _ in range(250)]

    assert drawn() == drawn()


def test_what_is_planned_for_a_key_comes_before_the_mix_and_clear_ends_both():
    faults = Faults()
    faults.mix(Mix(shares={"error": 100}))
    faults.plan(Fault(kind="refuse", key="ОГ-1"))
    assert faults.take("ОГ-1").kind == "refuse"
    assert faults.take("ОГ-1").kind == "error"
    faults.clear()
    assert faults.take("ОГ-1") is None


def test_more_than_all_calls_cannot_fail():
    with pytest.raises(ValueError, match="hundred"):
        Faults().mix(Mix(shares={"error": 60, "reset": 60}))
