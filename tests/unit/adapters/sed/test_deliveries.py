"""What goes to the partner: it appears once, and his receipt settles it."""

import os
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from adapters.sed.folder import pack
from gateway.errors import (
    PeerDoubtful,
    PeerUnavailable,
)
from tests.unit.adapters.sed import exchange
from tests.unit.adapters.sed.exchange import CASES, out_wire, told


@pytest.fixture
def make(tmp_path):
    return partial(exchange.make, tmp_path)


def receipt(tmp_path, uid, *, accepted, name="receipt"):
    body = (CASES / "m26-receipt" / "wire.xml").read_bytes().decode("cp1251")
    body = body.replace("33333333-3333-4333-8333-333333333320", uid)
    body = body.replace("<xdms:accepted>false", f"<xdms:accepted>{accepted}")
    folder = tmp_path / "in" / name
    folder.mkdir(parents=True)
    (folder / "document.xml").write_bytes(body.encode("cp1251"))


def test_a_delivery_appears_whole_once_and_waits_for_its_receipt(tmp_path, make):
    sed, wire = make(), out_wire()
    first = sed.deliver(wire, "k1")
    again = sed.deliver(wire, "k1")
    assert (first, first.final) == (again, False)
    assert len(told(tmp_path)) == 1
    assert sed.settle(wire, "k1") == first

    receipt(tmp_path, first.reference, accepted="true")
    assert sed.receive("").messages == ()
    assert sed.settle(wire, "k1").final
    assert (tmp_path / "done" / "receipt").is_dir()


def test_a_delivery_that_was_taken_away_appears_again_when_a_person_sends_it_again(tmp_path, make):
    sed, wire = make(), out_wire()
    name = sed.deliver(wire, "k1").reference
    (tmp_path / "out" / name).rename(tmp_path / "taken")
    assert not sed.settle(wire, "k1").final
    sed.deliver(wire, "k1")
    assert len(told(tmp_path)) == 1


def test_a_delivery_that_was_accepted_never_appears_again(tmp_path, make):
    sed, wire = make(), out_wire()
    name = sed.deliver(wire, "k1").reference
    (tmp_path / "out" / name).rename(tmp_path / "taken")
    receipt(tmp_path, name, accepted="1")
    sed.receive("")
    assert sed.deliver(wire, "k1").final
    assert told(tmp_path) == []


def test_a_delivery_that_was_refused_waits_for_a_new_receipt_when_it_is_sent_again(tmp_path, make):
    sed, wire = make(), out_wire()
    name = sed.deliver(wire, "k1").reference
    (tmp_path / "out" / name).rename(tmp_path / "taken")
    receipt(tmp_path, name, accepted="false")
    sed.receive("")
    assert sed.settle(wire, "k1").refused
    sed.deliver(wire, "k1")
    assert len(told(tmp_path)) == 1
    waiting = sed.settle(wire, "k1")
    assert (waiting.final, waiting.refused) == (False, "")


def test_a_receipt_that_refuses_ends_the_delivery_with_its_words(tmp_path, make):
    sed, wire = make(), out_wire()
    name = sed.deliver(wire, "k1").reference
    receipt(tmp_path, name, accepted="false")
    sed.receive("")
    assert "answer.pdf" in sed.settle(wire, "k1").refused


def test_a_second_receipt_does_not_take_back_the_first(tmp_path, make):
    sed, wire = make(), out_wire()
    name = sed.deliver(wire, "k1").reference
    receipt(tmp_path, name, accepted="1", name="r1")
    sed.receive("")
    receipt(tmp_path, name, accepted="false", name="r2")
    sed.receive("")
    assert sed.settle(wire, "k1").final


def test_without_a_receipt_for_too_long_it_is_a_doubt(tmp_path, make):
    sed, wire = make(), out_wire()
    name = sed.deliver(wire, "k1").reference
    old = datetime.now(UTC).timestamp() - timedelta(hours=80).total_seconds()
    os.utime(tmp_path / "state" / "sent" / name[:2] / name, (old, old))
    with pytest.raises(PeerDoubtful):
        sed.settle(wire, "k1")
    assert make(ack="write").settle(wire, "k1").final


def test_what_never_appeared_is_not_there(tmp_path, make):
    sed = make()
    sed._exchange._spool().make()
    assert sed.settle(out_wire(), "k1") is None


def test_what_was_written_and_not_noted_is_there(tmp_path, make):
    sed, wire = make(), out_wire()
    name = sed.deliver(wire, "k1").reference
    (tmp_path / "state" / "sent" / name[:2] / name).unlink()
    assert sed.settle(wire, "k1").reference == name
    assert sed.deliver(wire, "k1").reference == name
    assert len(told(tmp_path)) == 1


def test_a_directory_that_is_no_directory_is_unavailable(tmp_path, make):
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(PeerUnavailable):
        make().deliver(out_wire(), "k1")


def test_a_container_gets_its_envelope_when_it_goes(tmp_path, make):
    sed = make(profile="2.7")
    files = {p.name: p.read_bytes() for p in (CASES / "e27-out-answer" / "wire_out").iterdir()}
    name = sed.deliver(pack("x", files), "k1").reference
    listed = (tmp_path / "out" / name / "envelope.ini").read_bytes().decode("cp1251")
    assert "document.edc.zip" in listed


def test_a_message_of_sev_appears_under_its_own_id_and_waits_for_no_receipt(tmp_path, make):
    sed = make(profile="sev")
    case = CASES / "sev-out-registration" / "wire_out"
    wire = pack("x", {p.name: p.read_bytes() for p in case.iterdir()})
    told = sed.deliver(wire, "k1")
    assert told.final
    assert told.reference in (case / "document.xml").read_bytes().decode("cp1251", "replace")
    assert sed.settle(wire, "k1") == told
