"""Whatever bytes come, the answer is a refusal, and the process goes on as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.errors import TrustError
from gateway.gost import certificates, cms_rules
from gateway.gost import der as asn1
from gateway.gost.engine import Engine
from gateway.gost.libcrypto import load
from gateway.signing import SigningKey
from tests.gost_kit import NOW, needs_gost, opened, pki

pytestmark = needs_gost

QUIETLY = settings(deadline=None, suppress_health_check=list(HealthCheck))
DATA = b"content"


def our_key(backend):
    handle, _ = backend.load_key(pki().ours.key.read_bytes(), b"")
    return SigningKey(name="ours", certificate=backend.certificate(pki().ours.der), handle=handle)


@st.composite
def spoiled(draw, *samples):
    """A true value with some bytes changed, cut out, doubled or cut off; or just bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    value = bytearray(draw(st.sampled_from(samples))())
    for _ in range(draw(st.integers(1, 4))):
        if not value:
            break
        place = draw(st.integers(0, len(value) - 1))
        how = draw(st.sampled_from(["flip", "cut", "double", "end", "huge", "insert"]))
        if how == "flip":
            value[place] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del value[place : place + draw(st.integers(1, 40))]
        elif how == "double":
            value[place:place] = value[place : place + draw(st.integers(1, 40))]
        elif how == "end":
            del value[place:]
        elif how == "huge":
            value[place : place + 5] = b"\x84\xff\xff\xff\xff"
        else:
            value[place:place] = draw(st.binary(min_size=1, max_size=8))
    return bytes(value)


def a_certificate():
    return pki().ours.der


def a_wide_one():
    return pki().wide.der


def a_cms():
    return Engine().cms_sign(our_key(Engine()), DATA, NOW)


def a_cms_of_openssl():
    holder = pki().ours
    return pki().openssl(
        "cms", "-sign", "-binary", "-signer", holder.cert, "-inkey", holder.key, "-stream",
        "-nodetach", "-md", "md_gost12_256", "-outform", "DER", given=DATA,
    )  # fmt: skip


def a_key():
    return Engine().certificate(pki().ours.der).public_key


@given(der=spoiled(a_certificate, a_wide_one, a_cms))
@QUIETLY
def test_certificates(der):
    backend, told = Engine(), set()
    for call in (
        lambda: backend.certificate(der),
        lambda: backend.verify(der, DATA, bytes(64)),
        lambda: opened_once().trust.check(der, NOW, [der, pki().ours.der]),
        lambda: opened_once().trust.check(pki().stranger.der, NOW, [der]),
    ):
        try:
            call()
        except TrustError as error:
            told.add(error.reason.partition("_")[0])
    assert told <= {"certificate", "algorithm"}
    assert load().said() == ""


_OPENED = []


def opened_once():
    if not _OPENED:
        _OPENED.append(opened())
    return _OPENED[0]


@given(cms=spoiled(a_cms, a_cms_of_openssl, a_certificate))
@QUIETLY
def test_cms(cms):
    try:
        told = Engine().cms_verify(cms, DATA)
    except TrustError:
        pass
    else:
        # Without CAdES nothing binds the certificate but its key: that is what trust is asked of.
        assert told.certificate.der == pki().ours.der or not told.cades
    assert load().said() == ""


@given(key=spoiled(a_key), signature=st.binary(min_size=64, max_size=64))
@QUIETLY
def test_bare_keys_and_signatures(key, signature):
    with suppress(TrustError):
        assert not Engine().verify_key(key, DATA, signature)
    assert load().said() == ""


@given(signature=st.binary(max_size=300))
@QUIETLY
def test_signatures_of_any_length(signature):
    for holder in (pki().ours, pki().wide, pki().rsa, pki().ec):
        assert not Engine().verify(holder.der, DATA, signature)


@given(data=st.binary(max_size=60))
@example(b"\x30\x00")
@example(b"\x30\x02\x30\x00")
@QUIETLY
def test_der_is_read_or_refused(data):
    for read in (asn1.value, asn1.public_key, asn1.algorithm):
        with suppress(ValueError):
            read(data)
    with pytest.raises(TrustError):
        Engine().verify_key(data, DATA, bytes(64))


def test_a_certificate_of_an_unknown_version_is_refused():
    versions = bytes.fromhex("a003020102"), bytes.fromhex("a003020107")
    forged = a_certificate().replace(*versions, 1)
    assert forged != a_certificate()
    with pytest.raises(TrustError):
        Engine().certificate(forged)


def test_what_is_too_large_is_not_parsed():
    for call in (
        lambda: Engine().certificate(b"\x30" + b"\x00" * certificates.CERTIFICATE_BYTES),
        lambda: Engine().verify_key(b"\x30" + b"\x00" * certificates.KEY_BYTES, DATA, bytes(64)),
        lambda: Engine().cms_verify(b"\x30" * (cms_rules.CMS_BYTES + 1), DATA),
        lambda: Engine().cms_verify(b"\x30\x80" * 1_000_000, DATA),
    ):
        with pytest.raises(TrustError):
            call()


@pytest.mark.parametrize("parameters", ["06072a850302022302", "0500", "", "06022a03", "0403010203"])
def test_unknown_parameters_of_a_key_are_refused(parameters):
    """A curve that the point is not on, NULL, nothing, a set nobody knows, and no OID at all."""
    key = Engine().certificate(pki().ours.der).public_key
    outer = asn1.inside(key, asn1.value(key))
    named = asn1.inside(key, outer[0])
    oid = key[outer[0].start : named[0].end]
    rest = key[outer[0].end :]
    held = bytes.fromhex(parameters)
    if held[:1] == b"\x06":
        held = b"\x30" + bytes([len(held)]) + held
    algorithm = b"\x30" + bytes([len(oid + held)]) + oid + held
    forged = b"\x30" + bytes([len(algorithm + rest)]) + algorithm + rest
    with pytest.raises(TrustError) as refused:
        Engine().verify_key(forged, DATA, bytes(64))
    assert refused.value.reason == "certificate_unreadable"


def resident():
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_does_not_grow():
    """Six hundred of everything would be megabytes if any of it stayed."""
    backend, key = Engine(), our_key(Engine())
    signature = backend.sign(key, DATA)
    cms = backend.cms_sign(key, DATA, NOW)
    anchors = [pki().root.der, pki().intermediate.der]

    def round_of(count):
        for number in range(count):
            data = number.to_bytes(4)
            backend.sign(key, data)
            backend.verify(pki().ours.der, DATA, signature)
            backend.cms_verify(backend.cms_sign(key, data, NOW), data)
            backend.chain(pki().ours.der, [pki().peer.der], anchors, NOW, partial=False)
            with pytest.raises(TrustError):
                backend.cms_verify(cms[:-1] + bytes([number % 255]), data)
            with pytest.raises(TrustError):
                backend.cms_verify(cms[: 20 + number % 100], data)
            backend.load_key(pki().ours.key.read_bytes(), b"")

    round_of(150)
    before = resident()
    round_of(600)
    assert resident() - before < 4 * 1024 * 1024


def test_a_thread_leaves_no_error_for_the_next_call():
    said = []

    def work():
        with pytest.raises(TrustError):
            Engine().cms_verify(b"junk", DATA)
        said.append(load().said())

    for _ in range(4):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert said == [""] * 4


_SSL = """
import ssl
def offered():
    context = ssl.create_default_context()
    return [each["name"] for each in context.get_ciphers()], context.options, context.verify_flags
before = offered()
from gateway.gost.libcrypto import load
load()
assert offered() == before
import hashlib
assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
"""


def test_tls_of_python_stays_as_it_was():
    done = subprocess.run([sys.executable, "-c", _SSL], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
