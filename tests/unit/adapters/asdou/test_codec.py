"""Whatever comes in, only errors of the house come out; what was read is stored and goes back."""

from datetime import UTC, datetime
from xml.sax.saxutils import escape

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.regional.asdou.adapter import Asdou
from adapters.regional.asdou.codes import tables
from gateway import registry
from gateway.adapter import Channel, Codec, Wire
from gateway.errors import ConfigurationError, GatewayError, TooLargeError
from gateway.model.answer import Result
from gateway.model.digest import content_sha256
from gateway.model.intake import check_intake
from gateway.testing.leaves import leaves

ADAPTER = Asdou({})
NOW = datetime(2027, 1, 1, tzinfo=UTC)
NAMES = (
    "attachments", "attachment", "name", "content", "author", "firstName", "lastName", "clCodeList",
    "clCode", "date", "importId", "infos", "info", "parentId", "reviewResult", "type", "regNumber",
    "measuresTaken", "replyDate", "resultDocument", "orgName", "regDate", "text", "own",
)  # fmt: skip
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=9
)
words = st.sampled_from(["2026-03-24", "true", "1", "QUJD", "", "SUPPORTED", " ", "_И"]) | texts
trees = st.recursive(
    words,
    lambda inner: st.lists(st.tuples(st.sampled_from(NAMES), inner), max_size=5),
    max_leaves=25,
)


def xml(name, node, attributes=""):
    if isinstance(node, str):
        return f"<{name}{attributes}>{escape(node)}</{name}>"
    return f"<{name}{attributes}>{''.join(xml(*child) for child in node)}</{name}>"


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


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["Report", "FinalReport"]),
    st.lists(st.tuples(st.sampled_from(NAMES), trees), max_size=6),
    st.sampled_from(["", ' xmlns="urn:asdou-profile:v0"', ' xmlns="urn:asdou-profile:v0" own="1"']),
)
def test_every_report_that_is_taken_comes_back_leaf_by_leaf(name, children, attributes):
    known = [("importId", "1"), ("parentId", "2"), ("date", "2026-03-24")]
    if name == "FinalReport" and "reviewResult" not in dict(children):
        known.append(("reviewResult", [("type", "SUPPORTED")]))
    taken = {one for one, _ in known}
    rest = [child for child in children if child[0] not in taken]
    body = xml(name, known + rest, attributes).encode()
    decoded = read(body)
    if decoded is None:
        return
    (item,) = decoded.items
    assert leaves(ADAPTER.restore(item).body, "xml") == leaves(body, "xml")


def test_deep_nesting_is_refused():
    for depth in (200, 100_000):
        assert read(b"<Report>" + b"<a>" * depth + b"</a>" * depth + b"</Report>") is None


def test_the_manifest_and_the_code_agree():
    loaded = registry.load(["asdou"])["asdou"]
    made = loaded.make(loaded.manifest.options)
    assert isinstance(made, Codec)
    assert isinstance(made, Channel)


def test_every_result_of_ours_has_a_type_there():
    assert set(tables().results) == set(Result)


@pytest.mark.parametrize("table", [{"responsible": "yes"}, {"tables": "/nowhere.toml"}])
def test_an_option_that_cannot_work_is_named(table):
    with pytest.raises(ConfigurationError) as caught:
        Asdou(table)
    assert caught.value.where.startswith("options.")


def test_without_an_address_files_still_work_and_sending_is_refused():
    with pytest.raises(ConfigurationError):
        ADAPTER.deliver(None, "")
    assert not ADAPTER.probe().ok


@pytest.mark.parametrize("kind", ["<p:b{n}/>", '<b p:c{n}="1"/>'])
def test_names_that_are_long_by_their_namespace_are_counted(kind):
    within = "".join(kind.format(n=n) for n in range(3_000))
    body = f'<Report><x xmlns:p="u:{"n" * 1_900}">{within}</x></Report>'.encode()
    with pytest.raises(TooLargeError, match="names of the elements"):
        ADAPTER.decode(Wire(media_type="text/xml", body=body))
