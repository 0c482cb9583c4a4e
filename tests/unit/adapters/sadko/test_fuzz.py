"""Whatever comes in, only errors of the house come out; what was read is stored and goes back."""

import json
from datetime import UTC, datetime

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.regional.sadko.adapter import Sadko
from adapters.regional.sadko.codes import RESULT
from gateway.adapter import Wire
from gateway.errors import GatewayError
from gateway.model.digest import content_sha256
from gateway.model.intake import check_intake
from gateway.testing.leaves import leaves

ADAPTER = Sadko({})
NOW = datetime(2027, 1, 1, tzinfo=UTC)

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False,
        allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
stamps = st.sampled_from(
    ["2026-02-26T00:00:00", "2026-02-26T10:41:07", "2026-02-26", "2026-02-26T21:30:00Z",
        "0001-01-01T00:00:00",
     "9999-12-31T23:59:59", "2026-02-30T00:00:00", ""]
)  # fmt: skip
numbers = st.integers(-9, 99) | st.sampled_from(["06", "a", ""])
files = st.lists(
    st.fixed_dictionaries(
        {},
        optional={"Name": st.text(max_size=9), "Guid": st.text(max_size=9), "Data": st.sampled_from(
            ["QUJD", "", "x"]), "Own": values},
    ),
    max_size=2,
)  # fmt: skip
cards = st.fixed_dictionaries(
    {"Guid": st.text(min_size=1, max_size=9)},
    optional={
        "CitizenName": st.text(max_size=9), "CitizenSurname": values,
        "ReceivedFrom": st.text(max_size=9),
        "LetterNumber": st.text(max_size=9), "ReceiveDate": stamps, "RegistrationDate": stamps,
        "RegistrationNumber": st.text(max_size=9), "ControlOrgSendDate": stamps,
        "CorrespondentId": numbers, "LetterTypeId": numbers, "ConsiderationFormId": numbers,
        "CitizenBenefitId": numbers, "DocSheetNumber": st.integers(-1, 5) | values,
        "Files": files | values,
        "Message": st.text(max_size=30), "CitizenAnswerSendTypeId": values, "Own": values,
    },
)  # fmt: skip
resolutions = st.fixed_dictionaries(
    {},
    optional={
        "Guid": st.text(max_size=9), "Author": st.text(max_size=9),
        "Executor": st.text(max_size=9),
        "CreatedTime": stamps, "ControlDate": stamps, "DecisionId": numbers, "Files": files,
        "Own": values,
        "Themes": st.lists(st.fixed_dictionaries({}, optional={"Code": st.text(max_size=9),
            "Name": st.text(max_size=9) | values, "Own": values}), max_size=2) | values,
    },
)  # fmt: skip
details = st.fixed_dictionaries(
    {},
    optional={"StatusId": numbers, "Status": st.text(max_size=9), "SendTypeId": numbers,
              "Sended": stamps, "TextAnswer": st.text(max_size=9), "Closed": values},
)  # fmt: skip
results = st.fixed_dictionaries(
    {}, optional={"ResultId": numbers, "ResponseDate": stamps, "HeadSign": values}
)
documents = st.fixed_dictionaries(
    {},
    optional={"Card": cards | values, "Letter": cards, "Resolution": resolutions | values,
              "LetterDetail": details | values, RESULT: results | values, "Own": values},
)  # fmt: skip


def read(body):
    try:
        decoded = ADAPTER.decode(Wire(media_type="", body=body))
    except GatewayError:
        return None
    for item in decoded.items:
        msgspec.json.encode(item.appeal)
        try:
            check_intake(item.appeal, NOW)
        except GatewayError:
            continue
        content_sha256(item.appeal)
    return decoded


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes(body):
    read(body)


@settings(deadline=None)
@given(values)
def test_any_json(value):
    read(json.dumps(value).encode())


@settings(max_examples=400, deadline=None)
@given(documents)
@example({"LetterDetail": {}, "Card": {"Guid": "0"}, "Resolution": {"Author": "0"}})
def test_every_document_that_is_taken_comes_back_leaf_by_leaf(value):
    body = json.dumps(value).encode()
    decoded = read(body)
    if decoded is None:
        return
    (item,) = decoded.items
    assert leaves(ADAPTER.restore(item).body, "json") == leaves(body, "json")


def test_deep_nesting_is_refused():
    for depth in (100, 100_000):
        assert read(b'{"Card":{"Guid":"1","x":' + b"[" * depth + b"]" * depth + b"}}") is None
