"""The judge of the fuzz run sees what is no answer of ours; a case is made from its index alone."""

from __future__ import annotations

import pytest

from gateway import ns
from tests.fuzz import run
from tests.fuzz.judge import Answer, WrongError, judge

FAULT = (
    f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
    f'<faultstring>no</faultstring><detail><%s xmlns="{ns.APPEALS}"><Code>%s</Code>'
    "<Message>no</Message><CorrelationId>c</CorrelationId>%s</%s></detail></s:Fault></s:Body>"
    "</s:Envelope>"
)


def fault(code, name="AccessFault", inner=""):
    return (FAULT % (name, code, inner, name)).encode()


def judged(status, body, method="POST", **headers):
    answer = Answer(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
        whole=True,
    )
    return judge(answer, method=method, cut=False)


def test_what_is_in_order_is_named_by_its_code():
    assert judged(500, fault("access")) == "500 access"
    assert judged(401, fault("access"), www_authenticate="Basic") == "401 access"
    assert judged(404, b"no such service", content_type="text/plain") == "404"
    assert judged(202, b"") == "202"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (500, b"Internal Server Error"),
        (500, fault("internal")),
        (500, fault("none-such")),
        (500, fault("access", inner="<Surprise/>")),
        (500, fault("access")[:-3]),
        (400, fault("access")),
        (401, fault("access")),
        (200, f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><x/></s:Body></s:Envelope>'.encode()),
        (200, f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body/></s:Envelope>'.encode()),
        (200, b"<x/>"),
    ],
)
def test_what_is_no_answer_of_ours_is_seen(status, body):
    with pytest.raises(WrongError):
        judged(status, body, content_type="text/xml")


def test_an_answer_that_ends_early_is_seen():
    with pytest.raises(WrongError, match="not finished"):
        judge(Answer(status=200), method="POST", cut=False)
    assert judge(Answer(), method="POST", cut=True) == "gone"


def test_a_case_is_the_same_every_time_and_another_for_every_index():
    assert run.made(1, 7) == run.made(1, 7)
    assert len({run.made(1, index).body for index in range(20)}) == 20
