"""A page about an error that shows our request keeps nothing by which we are known."""

import base64

import pytest

from gateway.echo import hidden
from gateway.http1 import Response

BASIC = base64.b64encode(b"gateway:k9-very-secret").decode()


def answer(body):
    return Response(status=500, headers={}, body=body)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Authorization": "Bearer tok-0123456789"}, b"Authorization: Bearer tok-0123456789"),
        ({"Authorization": "Bearer tok-0123456789"}, b"bad token tok-0123456789"),
        ({"Authorization": f"Basic {BASIC}"}, f"you sent {BASIC}".encode()),
        ({"Authorization": f"Basic {BASIC}"}, b"user gateway, password k9-very-secret"),
        ({"X-Api-Key": "tok-0123456789"}, b"{'X-Api-Key': 'tok-0123456789'}"),
    ],
)
def test_a_credential_of_ours_does_not_stand_in_what_is_kept(headers, said):
    body = hidden(answer(b"<pre>" + said + b"</pre>"), headers).body
    assert b"***" in body
    assert body.startswith(b"<pre>")
    for secret in (b"tok-0123456789", b"k9-very-secret", BASIC.encode()):
        assert secret not in body


def test_an_answer_that_repeats_nothing_is_the_same():
    told = answer(b'{"reference": "application/json"}')
    headers = {"Content-Type": "application/json", "Authorization": "Bearer tok-0123456789"}
    assert hidden(told, headers) is told
