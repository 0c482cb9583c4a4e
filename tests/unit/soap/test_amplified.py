"""A small question has no huge answer: what a fault repeats of a message is bounded."""

import time
from datetime import UTC, datetime

import pytest

from gateway import limits, ns
from gateway.soap import mex
from tests.unit.soap.kit import BODY, MEDIA, SPACE, VERSIONS, exchange, soap

both = pytest.mark.parametrize("version", VERSIONS)
MOST = 40_000


def judged(version, blocks):
    begun = time.process_time()
    sealed = exchange(version, soap(version, BODY, blocks))
    assert time.process_time() - begun < 1.0
    assert sealed.status == 500
    assert len(sealed.body) < MOST
    return sealed.body


@both
@pytest.mark.parametrize("count", [50, limits.HEADER_BLOCKS + 1, 20_000])
def test_mandatory_headers_that_nobody_knows(version, count):
    space = "urn:" + "x" * (limits.XML_NAMESPACE_BYTES - 10)
    block = f'<h:b xmlns:h="{space}" xmlns:m="{SPACE[version]}" m:mustUnderstand="1"/>'
    judged(version, block * min(count, 4_000))


@both
@pytest.mark.parametrize("said", ["1", "q"])
def test_a_mandatory_header_with_a_long_name(version, said):
    name = "n" * 40_000
    judged(
        version, f'<h:{name} xmlns:h="urn:h" xmlns:m="{SPACE[version]}" m:mustUnderstand="{said}"/>'
    )


@both
@pytest.mark.parametrize("name", ["Action", "MessageID", "To", "RelatesTo"])
@pytest.mark.parametrize("space", [ns.WSA, ns.WSA_2004])
def test_a_long_text_of_addressing(version, name, space):
    text = "&gt;" * 2_000_000
    found = judged(version, f'<a:{name} xmlns:a="{space}">{text}</a:{name}>')
    if name != "RelatesTo":
        assert b"too long" in found


@both
def test_relative_roles_take_no_time(version):
    role = {"1.1": "actor", "1.2": "role"}[version]
    judged(version, f'<h:b xmlns:h="urn:h" xmlns:m="{SPACE[version]}" m:{role}="x" />' * 10_000)


def test_a_question_for_metadata_is_answered_by_the_same_rule():
    block = f'<h:b xmlns:h="urn:h" xmlns:m="{ns.SOAP12}" m:mustUnderstand="1"/>'
    data = soap("1.2", "", block * 500).encode()
    headers = {"content-type": MEDIA["1.2"]}
    assert len(mex.answer(data, headers, datetime.now(UTC), {}, "corr-1").body) < 3_000
