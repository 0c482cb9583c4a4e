"""GOST R 34.11-2012 and SHA-2 of every backend, by the published examples."""

from __future__ import annotations

import hashlib

import pytest

from gateway.gost.cli import Cli
from gateway.gost.engine import Engine
from tests.gost_kit import needs_gost

pytestmark = needs_gost

M1 = b"012345678901234567890123456789012345678901234567890123456789012"
M2 = "Се ветри, Стрибожи внуци, веютъ с моря стрелами на храбрыя плъкы Игоревы".encode("cp1251")
# RFC 6986, 10.1 and 10.2.
EXAMPLES = [
    (
        "streebog512",
        M1,
        (
            "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
            "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"
        ),
    ),
    ("streebog256", M1, "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"),
    (
        "streebog512",
        M2,
        (
            "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376"
            "035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28"
        ),
    ),
    ("streebog256", M2, "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50"),
]


@pytest.mark.parametrize("backend", [Engine, Cli])
@pytest.mark.parametrize(("method", "message", "digest"), EXAMPLES)
def test_the_examples_of_rfc_6986(backend, method, message, digest):
    assert backend().digest(method, message).hex() == digest


@pytest.mark.parametrize("backend", [Engine, Cli])
@pytest.mark.parametrize("method", ["sha256", "sha384", "sha512"])
def test_sha_2_is_the_one_of_python(backend, method):
    assert backend().digest(method, b"appeal") == hashlib.new(method, b"appeal").digest()


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 100_000])
def test_both_backends_agree_on_every_length(size):
    data = bytes(range(256)) * (size // 256 + 1)
    assert Engine().digest("streebog256", data[:size]) == Cli().digest("streebog256", data[:size])
