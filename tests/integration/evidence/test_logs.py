"""People who write to a served gateway are in no line of its log, whatever goes wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from simulators.seed import forms
from simulators.seed.appeals import Source
from tests.integration.house import own_house

__all__ = ["own_house"]


def test_no_person_is_in_the_log_of_a_gateway_that_refuses_and_fails(own_house):
    house = own_house("masked", GATEWAY_LOG_LEVEL="debug")
    source = Source(17, date(2026, 11, 21))
    appeals = [source.appeal("portal") for _ in range(12)]
    for n, appeal in enumerate(appeals):
        whole = forms.as_json(appeal)
        assert house.call(
            "POST", "/api/v1/appeals", whole, Content_Type="application/json"
        ).status in {200, 201, 202}
        for broken in (
            whole[: len(whole) // 2],
            whole.replace(b"externalId", b"externalIdd"),
            whole.replace(b'"text"', b'"t\\u0000xt"'),
            whole.replace(b":", b";", 3),
            whole.decode().encode("utf-16"),
            forms.envelope(appeal)[:-30],
            forms.envelope(appeal).replace(b"Text>", b"Txet>"),
        ):
            house.call("POST", "/api/v1/appeals", broken, Content_Type="application/json")
            house.call("POST", "/soap/appeals.svc", broken, Content_Type="text/xml")
        author = appeal.author
        house.get(f"/appeals/{n}?code=s3cr3t-c0de-{n}&id_token=eyJhbGciOiJ9.eyJzdWIi.c2ln{n}")
        house.call("GET", "/api/v1/appeals", X_Phone=author.phone, Cookie=f"session=s3cr3t{n}")
    house.log.flush()
    told = Path(house.log.name).read_text("utf-8")
    assert told
    for appeal in appeals:
        author = appeal.author
        for known in (author.full_name, author.phone, author.email, author.postal):
            assert not known or known not in told
        assert all(q.text[:40] not in told for q in appeal.questions)
    assert "s3cr3t" not in told
