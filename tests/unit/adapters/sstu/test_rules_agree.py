"""Our rules and the simulated node's were written apart: they must refuse the same documents."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sstu import rules as ours
from simulators.sstu import rules as theirs

GUID = "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91"
days = st.sampled_from([f"2026-03-0{n}" for n in range(1, 5)] + ["2026-02-30", "01.03.2026"])
maybe_guid = st.sampled_from([GUID, GUID.upper(), "17", ""])
words = st.sampled_from([*theirs.STATUS_NAMES, "Done"])
files = st.fixed_dictionaries(
    {}, optional={"name": st.sampled_from(["о.pdf", " "]), "content": st.sampled_from(["QUJD", ""])}
)
transfers = st.fixed_dictionaries(
    {},
    optional={
        "departmentId": maybe_guid,
        "transferDate": days,
        "transferNumber": st.sampled_from(["88", ""]),
    },
)
questions = st.fixed_dictionaries(
    {"code": st.sampled_from(["0005.0005.0056.1147", "0001", ""]), "status": words},
    optional={
        "incomingDate": days,
        "registrationDate": days,
        "responseDate": days,
        "attachment": files,
        "transfer": transfers,
        "actionsTaken": st.booleans(),
    },
)
documents = st.fixed_dictionaries(
    {"questions": st.lists(questions, max_size=2)},
    optional={
        "departmentId": maybe_guid,
        "isDirect": st.booleans(),
        "format": st.sampled_from(["Other", "Electronic", "Mail"]),
        "number": st.sampled_from(["ОГ-1", " "]),
        "createDate": days,
        "name": st.sampled_from(["Берёзкина", ""]),
    },
)


def whole(status):
    """A document that is right for its status, to be spoilt in one place."""
    question = {
        "code": "0005.0005.0056.1147", "status": status, "incomingDate": "2026-03-02",
        "registrationDate": "2026-03-03", "responseDate": "2026-03-04",
    }  # fmt: skip
    if status in {"Explained", "Supported", "NotSupported", "Answered"}:
        question["attachment"] = {"name": "о.pdf", "content": "QUJD"}
    if status == "Supported":
        question["actionsTaken"] = False
    if status == "Transferred":
        question["transfer"] = {
            "departmentId": GUID, "transferDate": "2026-03-04", "transferNumber": "88",
        }  # fmt: skip
    return {
        "departmentId": GUID, "isDirect": False, "format": "Other", "number": "1",
        "createDate": "2026-03-01", "name": "Берёзкина", "questions": [question],
    }  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(documents)
def test_they_refuse_the_same_documents(document):
    assert bool(ours.check(document)) == bool(theirs.refusals(document)), json.dumps(document)


def test_they_agree_on_every_status_and_on_every_field_left_out():
    for status in theirs.STATUS_NAMES:
        good = whole(status)
        assert ours.check(good) == theirs.refusals(good) == []
        for field in good["questions"][0]:
            spoilt = whole(status)
            del spoilt["questions"][0][field]
            assert bool(ours.check(spoilt)) == bool(theirs.refusals(spoilt)), (status, field)
        for field in good:
            spoilt = {k: v for k, v in whole(status).items() if k != field}
            assert ours.check(spoilt), field
            assert theirs.refusals(spoilt), field
