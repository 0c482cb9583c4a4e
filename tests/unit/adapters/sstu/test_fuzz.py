"""Whatever comes in, only errors of the house come out, and what was read can be stored."""

import io
import json
import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sstu import review_csv
from adapters.sstu.decode import decode
from adapters.sstu.encode import encode
from gateway.adapter import EncodeContext, Wire
from gateway.errors import GatewayError, ValidationError
from gateway.model.digest import content_sha256
from gateway.model.intake import check_intake

ZONE = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 4, 1, tzinfo=UTC)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
days = st.sampled_from(["2026-03-01", "2026-03-02", "2026-02-30", "1.3.2026", ""])
questions = st.fixed_dictionaries(
    {"status": st.sampled_from(["NotReceived", "InWork", "Answered", "Transferred", "Supported"])},
    optional={
        "code": st.sampled_from(["0005.0005.0056.1147", "0001", "x"]),
        "incomingDate": days | values, "registrationDate": days, "responseDate": days,
        "attachment": st.fixed_dictionaries({"name": st.text(), "content": st.text()}) | values,
        "transfer": values, "actionsTaken": values, "isExtend": values, "own": values,
    },
)  # fmt: skip
documents = st.fixed_dictionaries(
    {"number": st.text(min_size=1), "questions": st.lists(questions | values, max_size=3)},
    optional={
        "departmentId": st.just("1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91") | values,
        "isDirect": st.booleans() | values, "format": values, "createDate": days | values,
        "name": st.text() | values, "Address": st.text() | values, "own": values,
    },
)  # fmt: skip


def read(body):
    try:
        return decode(Wire(media_type="", body=body), ZONE)
    except GatewayError:
        return None


def storable(decoded):
    for item in decoded.items if decoded else ():
        msgspec.json.encode(item.expectation or item.appeal)
        if item.appeal:
            check_intake(item.appeal, NOW)
            content_sha256(item.appeal)


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes(body):
    storable(read(body))


@settings(deadline=None)
@given(values | st.lists(values) | st.lists(documents))
def test_any_json(value):
    storable(read(json.dumps(value).encode()))


@settings(max_examples=300, deadline=None)
@given(documents)
def test_documents_with_anything_in_them(value):
    decoded = read(json.dumps(value).encode())
    storable(decoded)
    if decoded:
        (item,) = decoded.items
        files = {file.sha256: file.data for file in item.files}
        try:
            wire = encode(item.appeal, EncodeContext(now=NOW, files=files))
        except ValidationError:
            return
        again = decode(wire, ZONE).items[0]
        assert again == item


@settings(deadline=None)
@given(st.lists(st.lists(st.text(), min_size=24, max_size=26), max_size=4), st.booleans())
def test_any_table(rows, quoted):
    mark = '"' if quoted else ""
    lines = [";".join(review_csv.HEADERS), *(";".join(f"{mark}{c}{mark}" for c in r) for r in rows)]
    storable(read("\r\n".join(lines).encode("utf-8", "surrogatepass")))


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_any_zip_with_bytes_changed(body, place, change):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a.json", body)
        zipped.writestr("б.json", b"{}")
    raw = bytearray(out.getvalue())
    place %= len(raw)
    raw[place : place + len(change)] = change
    storable(read(bytes(raw)))


def test_deep_nesting_is_refused():
    for depth in (100, 100_000):
        assert read(b'{"number":"1","x":' + b"[" * depth + b"]" * depth + b"}") is None
        assert read(b"[" * depth + b"]" * depth) is None or depth == 100


def test_a_file_that_is_called_by_no_name_is_taken_under_another():
    names = []
    for given_name in ("Ответ.pdf", "..", "a\u202egpj.exe"):
        question = {
            "code": "0005.0005.0056.1147", "status": "Answered", "incomingDate": "2026-03-02",
            "registrationDate": "2026-03-03", "responseDate": "2026-03-04",
            "attachment": {"name": given_name, "content": "QUJD"},
        }  # fmt: skip
        decoded = read(
            json.dumps(
                {
                    "departmentId": "1f6b0a52-9d3e-4c7a-8f21-0a5b6c7d8e91", "isDirect": True,
                    "format": "Other", "number": "ОГ-1", "createDate": "2026-03-01",
                    "name": "Берёзкина", "address": "Ульяновск", "questions": [question],
                }
            ).encode()
        )  # fmt: skip
        (item,) = decoded.items
        names.append((item.files[0].name, item.appeal.answers[0].attachments[0].declared_name))
    assert names == [(name, name) for name in ("Ответ.pdf", "file", "a_gpj.exe")]
