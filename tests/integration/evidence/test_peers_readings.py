"""What a peer was given of an appeal is in the register of readings."""

from __future__ import annotations

from tests.integration.house import own_house

__all__ = ["own_house"]


def test_a_peer_that_reads_an_appeal_is_recorded_and_one_that_may_not_is_not(own_house):
    house = own_house("readings")
    receipt = house.submit("soap11", "r-1").receipt.number
    assert house.get(f"/appeals/{receipt}").status == 200
    assert house.get(f"/appeals/{receipt}", peer="other").status == 404
    rows = house.rows("SELECT who, what, subject, address, correlation <> '' FROM reading")
    assert rows == [("peer:portal", "GetAppeal", receipt, "127.0.0.1", True)]
