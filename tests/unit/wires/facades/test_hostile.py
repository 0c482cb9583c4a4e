"""Whatever comes, a façade answers with a result or with a fault of its contract."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import ns
from gateway.wires.facades import dispatcher, requests
from tests.unit.wires.facades import test_dispatcher, test_requests
from tests.unit.wires.facades.kit import Answer, Gateway, exchange, parts, soap

CASES = {
    "requests": (requests, Gateway, soap(test_requests.final(inner=test_requests.LETTER))),
    "dispatcher": (
        dispatcher,
        test_dispatcher.Held,
        soap(test_dispatcher.submission(client="a-1")),
    ),
}
PIECES = st.sampled_from(
    [b"", b"<", b">", b"&#0;", b"\0", b"\xff", b"]]>", b"-1", b"9" * 400, b"2026-13-45", b"====",
     b"<a/>", b"<!DOCTYPE a>", b' xsi:nil="true"', b"\xd0", "٣".encode()],
)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=150)
@given(st.integers(0, 10_000), st.integers(0, 40), PIECES | st.binary(max_size=12))
def test_a_mutated_message_gets_an_answer(name, at, length, piece):
    module, gateway, message = CASES[name]
    at %= len(message)
    mutated = message[:at] + piece + message[at + length :]

    answer = Answer(exchange(module.endpoint(parts(gateway())), mutated))

    assert answer.status == (500 if answer.fault else 200)
    if answer.fault and answer.bare:  # SOAP 1.1, 4.4: it is not about the body
        assert answer.code in ("VersionMismatch", "MustUnderstand")
    elif answer.fault:
        assert answer.tag == ns.tag(module.NAMESPACE, "ServiceFault")
        assert answer.text("Code") != "internal"
        module.FACADE.contract.validate(answer.element)
