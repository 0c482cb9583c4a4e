"""What is done with is kept for a time, and nothing that somebody still waits for goes."""

import os
import time
from math import inf

import pytest

from adapters.sed import prune
from adapters.sed.folder import pack
from adapters.sed.prune import Pruner
from gateway.errors import ConfigurationError, ValidationError
from tests.unit.adapters.sed.exchange import CASES, drop, make, verdict

DAY = 86_400.0
MESSAGE = "fa9914e5-81cd-55cc-b780-aa5b85c3db8b"


def later(days):
    return lambda: time.time() + days * DAY


def pruned(sed, *, days=91.0, kept=90.0, waits=True, since=inf):
    """Prune as if it were some days later; return how many entries went."""
    spool = sed._exchange._spool()
    spool.make()
    return Pruner(kept, waits=waits, now=later(days)).step(spool, since)


def sent(root, sed):
    """Deliver a message, which the partner takes away."""
    case = CASES / "m26-out-registered" / "wire_out"
    wire = pack(MESSAGE, {p.name: p.read_bytes() for p in case.iterdir()})
    receipt = sed.deliver(wire, "k1")
    (root / "out" / receipt.reference).rename(root / "taken")
    return wire, receipt.reference


def answered(root, sed, uid):
    body = (CASES / "m26-receipt" / "wire.xml").read_bytes().decode("cp1251")
    body = body.replace("33333333-3333-4333-8333-333333333320", uid)
    body = body.replace("<xdms:accepted>false", "<xdms:accepted>true")
    folder = root / "in" / "receipt"
    folder.mkdir(parents=True)
    (folder / "document.xml").write_bytes(body.encode("cp1251"))
    sed.receive("")


def ledger(root, name):
    return [p.name for p in (root / "state" / name).glob("*/*")]


def test_what_was_taken_and_what_was_refused_goes_when_it_is_old(tmp_path):
    sed = make(tmp_path)
    for name in ("m1", "m2"):
        drop(tmp_path, name, "m26-document")
    sed.receive("")
    sed.acknowledge((verdict("m1"), verdict("m2", ValidationError("no"))))

    assert pruned(sed, days=89.0) == 0
    assert (tmp_path / "done" / "m1").is_dir()
    assert pruned(sed) == 3
    assert list((tmp_path / "done").iterdir()) == []
    assert list((tmp_path / "error").iterdir()) == []


def test_zero_days_keep_everything(tmp_path):
    sed = make(tmp_path)
    drop(tmp_path, "m1", "m26-document")
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    assert pruned(sed, days=9_000.0, kept=0.0) == 0
    assert (tmp_path / "done" / "m1").is_dir()


def test_a_message_that_the_partner_made_long_ago_is_as_young_as_its_coming(tmp_path):
    folder = drop(tmp_path, "m1", "m26-document")
    os.utime(folder, (1.0, 1.0))
    sed = make(tmp_path)
    sed.receive("")
    sed.acknowledge((verdict("m1"),))
    assert pruned(sed, days=1.0) == 0
    assert (tmp_path / "done" / "m1").is_dir()


def test_what_waits_in_the_box_is_never_touched(tmp_path):
    drop(tmp_path, "m1", "m26-document")
    sed = make(tmp_path)
    assert pruned(sed, days=9_000.0) == 0
    assert [t.token for t in sed.receive("").messages] == ["m1"]


def test_a_delivery_without_its_receipt_is_remembered_for_ever(tmp_path):
    sed = make(tmp_path)
    wire, name = sent(tmp_path, sed)
    assert pruned(sed, days=9_000.0) == 0
    assert ledger(tmp_path, "sent") == [name]
    assert sed.settle(wire, "k1") is not None


def test_a_receipt_that_nobody_asked_for_yet_stays(tmp_path):
    sed = make(tmp_path)
    wire, name = sent(tmp_path, sed)
    answered(tmp_path, sed, name)
    pruned(sed)
    assert ledger(tmp_path, "receipts") == [name]
    assert sed.settle(wire, "k1").final


def test_a_settled_delivery_goes_with_its_receipt(tmp_path):
    sed = make(tmp_path)
    wire, name = sent(tmp_path, sed)
    answered(tmp_path, sed, name)
    sed.settle(wire, "k1")
    pruned(sed, days=89.0)
    assert ledger(tmp_path, "sent") == ledger(tmp_path, "receipts") == [name]
    pruned(sed)
    assert [ledger(tmp_path, one) for one in ("sent", "receipts", "settled")] == [[], [], []]


def test_what_still_lies_before_the_partner_is_remembered(tmp_path):
    sed = make(tmp_path, ack="write")
    _, name = sent(tmp_path, sed)
    (tmp_path / "taken").rename(tmp_path / "out" / name)
    assert pruned(sed, waits=False) == 0
    (tmp_path / "out" / name).rename(tmp_path / "taken")
    assert pruned(sed, waits=False) == 1


def test_a_mark_of_a_reply_outlives_the_message_that_waits_for_its_move(tmp_path):
    drop(tmp_path, "m1", "m26-document")
    sed = make(tmp_path)
    spool = sed._exchange._spool()
    spool.make()
    sed._exchange._answer(spool, spool.read("m1"), verdict("m1"))
    waits_since = spool.waiting()[1]

    assert pruned(sed, since=waits_since) == 0
    assert len(ledger(tmp_path, "told")) == 1
    assert pruned(sed, since=inf) == 1


def test_a_call_removes_so_many_and_the_next_goes_on(tmp_path):
    sed = make(tmp_path)
    spool = sed._exchange._spool()
    for number in range(prune.REMOVED + 20):
        (tmp_path / "done" / f"m{number}").mkdir(parents=True)
    pruner = Pruner(90.0, waits=True, now=later(91.0))
    assert pruner.step(spool, inf) == prune.REMOVED
    assert pruner.step(spool, inf) == 20
    assert list((tmp_path / "done").iterdir()) == []


def test_after_a_walk_it_rests(tmp_path):
    sed = make(tmp_path)
    spool = sed._exchange._spool()
    (tmp_path / "done").mkdir(parents=True)
    clock = [time.time() + 91 * DAY]
    pruner = Pruner(90.0, waits=True, now=lambda: clock[0])
    assert pruner.step(spool, inf) == 0
    (tmp_path / "done" / "m1").mkdir()
    assert pruner.step(spool, inf) == 0
    clock[0] += 3_601.0
    assert pruner.step(spool, inf) == 1


def test_links_are_removed_and_not_followed(tmp_path):
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "kept").write_bytes(b"")
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "link").symlink_to(aside)
    assert pruned(make(tmp_path)) == 1
    assert (aside / "kept").exists()


def test_receive_prunes(tmp_path):
    (tmp_path / "done" / "m1").mkdir(parents=True)
    sed = make(tmp_path, prune_days=1e-9)
    sed.receive("")
    assert list((tmp_path / "done").iterdir()) == []


def test_days_are_a_number():
    with pytest.raises(ConfigurationError):
        make("/nowhere", prune_days=-1)
