"""Every error of ours is a fault that a generated client reads as a type."""

import pytest
from lxml import etree

from gateway import errors, ns, xml
from gateway.errors import WIRE
from gateway.soap import faults
from gateway.soap.frame import Frame
from gateway.wires import binding, contract
from tests.unit.soap.kit import VERSIONS, Fault

both = pytest.mark.parametrize("version", VERSIONS)
HEADER_CODES = {"version_mismatch", "must_understand", "security"}


def seal(error, version="1.1", encoding=xml.UTF8):
    return faults.seal_fault(error, Frame(version=version, encoding=encoding), "c-1")


@both
@pytest.mark.parametrize("code", sorted(set(WIRE) - HEADER_CODES))
def test_every_code_has_a_fault_that_follows_the_contract(version, code):
    error = errors.codes()[code]("what happened <&>")
    fault = Fault(seal(error, version))
    wire = WIRE[code]
    assert fault.version == version
    assert fault.code == (wire.soap11 if version == "1.1" else wire.soap12)
    assert fault.name == wire.fault
    read = binding.read(contract.FAULTS[fault.name], fault.detail)
    assert (read.code, read.correlation_id) == (code, "c-1")
    if error.who == "peer" or code == "busy":
        assert read.message.startswith("what happened <&>")
    else:
        assert "what happened" not in read.message
    if version == "1.2":
        assert fault.subcode.endswith(f":{code}")
        assert list(fault.reasons) == ["ru", "en"]
        assert all(fault.reasons.values())


@both
def test_a_defect_of_ours_is_never_told(version):
    secret = "password=1234 at /srv/x.py:5"
    for error in (errors.InternalError(secret), errors.ConfigurationError(secret)):
        assert b"1234" not in seal(error, version).body


@both
def test_a_validation_fault_carries_its_violations(version):
    found = errors.Violation("/A/B[2]", "pattern", "why <", "x&y", "[a-z]", 7)
    fault = Fault(seal(errors.ValidationError("no", (found,)), version))
    read = binding.read(contract.ValidationFault, fault.detail)
    assert read.errors == (
        contract.FieldError(
            path="/A/B[2]", line=7, code="pattern", found="x&y", expected="[a-z]", message="why <"
        ),
    )


@both
def test_other_faults_carry_what_the_peer_needs(version):
    conflict = errors.ConflictError(
        "taken", receipt_number="G-1", existing_sha256="ab", existing_revision=2
    )
    read = binding.read(contract.ConflictFault, Fault(seal(conflict, version)).detail)
    assert (read.receipt_number, read.existing_sha256, read.existing_revision) == ("G-1", "ab", 2)
    state = errors.StateError("no", current_state="closed", allowed_events=("Filed", "Reopened"))
    read = binding.read(contract.StateFault, Fault(seal(state, version)).detail)
    assert (read.current_state, read.allowed_events) == ("closed", ("Filed", "Reopened"))
    busy = Fault(seal(errors.BusyError("later", retry_after=7), version))
    assert binding.read(contract.BusyFault, busy.detail).retry_after_seconds == 7


@both
def test_what_to_do_is_told_to_the_peer(version):
    fault = Fault(seal(errors.NotFoundError("no such appeal", todo="check the number"), version))
    assert fault.field("Message") == "no such appeal; check the number"


def test_faults_keep_below_the_default_limit_of_wcf():
    found = tuple(
        errors.Violation(
            f"/{'p' * 300}[{i}]", "enumeration", "m" * 100, "\u044f" * 200, "e" * 900, i
        )
        for i in range(40)
    )
    assert len(seal(errors.ValidationError("no", found)).body) < 65_536


@both
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "windows-1251"])
def test_a_fault_comes_in_the_encoding_of_the_frame(version, encoding):
    sealed = seal(errors.NotFoundError("нет \U0001f3e0"), version, encoding)
    assert Fault(sealed).field("Message") == "нет \U0001f3e0"
    assert sealed.content_type.endswith(f"charset={xml.CHARSET_LABELS[encoding]}")


def test_a_header_name_may_hold_anything():
    error = errors.MustUnderstandError("no", ("{urn:a?b&c}Имя", "NoNamespace"))
    fault = Fault(seal(error, "1.2"))
    first, second = fault.blocks
    assert first.nsmap["h"] == "urn:a?b&c"
    assert (first.get("qname"), second.get("qname")) == ("h:Имя", "NoNamespace")


def test_control_characters_do_not_break_a_fault():
    fault = Fault(seal(errors.NotFoundError("a\x00b\ud800")))
    assert fault.field("Message") == "a\ufffdb\ufffd"


def test_the_detail_is_the_only_child_and_in_the_contracts_namespace():
    root = etree.fromstring(seal(errors.BusyError("x")).body)
    (detail,) = root.iter("detail")
    assert [child.tag for child in detail] == [ns.tag(ns.APPEALS, "BusyFault")]
