"""The bench of dispatch refuses a run in which a lane lost its order or repeated itself."""

from __future__ import annotations

import pytest

from bench.dispatch import check_order
from bench.figures import Void

OWED = {"a1": ("a", 1), "a2": ("a", 2), "b1": ("b", 1)}


def test_lanes_may_mix_as_long_as_each_keeps_its_order():
    check_order(["a1", "b1", "a2"], OWED)


def test_a_lane_out_of_order_is_void():
    with pytest.raises(Void, match="came after"):
        check_order(["a2", "a1", "b1"], OWED)


def test_a_delivery_that_came_twice_is_void():
    with pytest.raises(Void, match="twice"):
        check_order(["a1", "a1"], OWED)
