"""What the contract's structs hold goes to XML and comes back, and nothing else gets through."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import limits, ns, xml
from gateway.errors import GatewayError, InternalError, ValidationError
from gateway.wires import binding, contract

ROOT = Path(__file__).parents[3]
SCHEMA = etree.XMLSchema(etree.parse(ROOT / "xsd/appeals/appeals-v1.xsd"))
MOSCOW = timezone(timedelta(hours=3))
NOW = datetime(2026, 11, 20, 9, 15, 30, 250000, tzinfo=MOSCOW)

FULL = contract.SubmitAppeal(
    appeal=contract.AppealIn(
        external_id="А26-01-00012345-СО1",
        revision=2,
        regime="fz59",
        type="complaint",
        form="electronic",
        delivery_method="epgu",
        received_at=NOW,
        direct=False,
        subject="Кровля <протекает> & течёт",
        text="первая строка\r\nвторая\tи «кавычки» ]]> \U0001f3e0",
        collective=True,
        concerned_count=12,
        repeat_kind="repeat",
        urgency="срочно",
        test_message=True,
        applicants=(
            contract.Applicant(
                role="representative",
                person=contract.Person(family_name="Примеров", birth_date=date(1970, 1, 31)),
                organisation=contract.ApplicantOrganisation(name="ООО «Образец»", inn="0000000000"),
                identification=contract.Identification(method="esia", level="confirmed"),
                postal_address=contract.Address(raw="г. Воронеж", latitude=51.66, longitude=39.2),
            ),
            contract.Applicant(anonymous=True),
        ),
        problem_address=contract.Address(oktmo="20701000", house="5"),
        referral=contract.Referral(
            from_organisation="Орган", number="01-1", date=date(2026, 11, 1)
        ),
        registrations=(contract.Registration(number="Р-1", date=date(2026, 11, 2)),),
        questions=(
            contract.QuestionIn(
                external_id="q1",
                topics=(
                    contract.Topic(code="0005.0005.0055.1122"),
                    contract.Topic(system="pos", code="17", version="3"),
                ),
            ),
        ),
        attachments=(contract.AttachmentIn(file_name="акт.pdf", content=bytes(range(256))),),
        links=(contract.Link(kind="repeat_of", number="12/ОГ"),),
        reply_to=contract.ReplyTo(channel="email", address="a@example.org"),
        extra=(contract.Extra(name="поле", value=""),),
    )
)


def parse(data):
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False))


def wrap(inner, name="SubmitAppeal"):
    return parse(f'<{name} xmlns="{ns.APPEALS}" xmlns:i="{ns.XSI}">{inner}</{name}>'.encode())


def appeal(inner):
    return wrap(f"<Appeal><ExternalId>a</ExternalId>{inner}</Appeal>")


def test_a_full_appeal_survives_the_round_trip_and_is_valid():
    element = parse(binding.write(FULL))
    SCHEMA.assertValid(element)
    assert binding.read(contract.SubmitAppeal, element) == FULL


def test_an_answer_with_every_kind_of_value_is_valid():
    item = contract.StatusItem(
        key=contract.AppealKey(external_id="a"),
        found=True,
        state="in_work",
        questions=(
            contract.QuestionState(
                question_id="q",
                ordinal=1,
                state="in_work",
                extended=False,
                overdue=True,
                on_control=False,
                due_date=date(2026, 12, 20),
            ),
        ),
        updated_at=NOW,
    )
    answer = contract.GetStatusResponse(items=(item, item))
    element = parse(binding.write(answer))
    SCHEMA.assertValid(element)
    assert binding.read(contract.GetStatusResponse, element) == answer


def test_an_empty_list_that_must_be_there_is_written():
    assert b"<Items></Items>" in binding.write(contract.GetStatusResponse(items=()))


def test_the_element_may_be_named_otherwise():
    assert binding.write(contract.Ping(), "Проба").decode().startswith("<Проба xmlns=")


def test_what_equals_its_default_is_not_written():
    written = binding.write(contract.SubmitAppeal(appeal=contract.AppealIn(external_id="a")))
    assert written == (
        b'<SubmitAppeal xmlns="urn:gov:appeals:v1"><Appeal><ExternalId>a</ExternalId>'
        b"</Appeal></SubmitAppeal>"
    )


def test_an_optional_text_that_comes_empty_is_absent():
    call = binding.read(contract.SubmitAppeal, appeal("<Subject/><Text></Text>"))
    assert call.appeal.subject is None
    assert call.appeal.text is None


def test_an_optional_value_that_comes_nil_is_absent():
    """WCF writes every parameter that is null as nil."""
    nil = "".join(
        f'<{name} i:nil="true"/>'
        for name in ("RegisteredFrom", "ChangedFrom", "State", "TopicPrefix", "Cursor", "Max")
    )
    element = wrap(nil, "FindAppeals")
    SCHEMA.assertValid(element)
    assert binding.read(contract.FindAppeals, element) == contract.FindAppeals()
    element = appeal('<Revision i:nil="1"/><Regime i:nil="true"/><Direct i:nil="true"/>')
    SCHEMA.assertValid(element)
    assert binding.read(contract.SubmitAppeal, element).appeal == contract.AppealIn(external_id="a")


def test_an_instant_keeps_its_offset_and_utc_is_z():
    ping = contract.PingResponse(
        server_time=datetime(2026, 1, 1, tzinfo=UTC),
        version="1",
        peer_code="",
        contract_sha256="0",
    )
    assert b"<ServerTime>2026-01-01T00:00:00Z</ServerTime>" in binding.write(ping)
    call = binding.read(
        contract.SubmitAppeal, appeal("<ReceivedAt> 2026-11-20T09:15:30.2500001+03:00</ReceivedAt>")
    )
    assert call.appeal.received_at == NOW
    assert call.appeal.received_at.utcoffset() == timedelta(hours=3)


def test_an_offset_of_local_mean_time_is_written_as_utc():
    odd = datetime(
        1900, 1, 1, 2, 30, 17, tzinfo=timezone(timedelta(hours=2, minutes=30, seconds=17))
    )
    answer = contract.PingResponse(server_time=odd, version="", peer_code="", contract_sha256="")
    assert b">1900-01-01T00:00:00Z<" in binding.write(answer)


def test_an_instant_without_offset_never_leaves():
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the case
    answer = contract.PingResponse(server_time=naive, version="", peer_code="", contract_sha256="")
    with pytest.raises(InternalError):
        binding.write(answer)


def test_a_day_drops_the_offset_that_java_adds():
    element = wrap("<RegisteredFrom>2026-11-20+03:00</RegisteredFrom>", "FindAppeals")
    assert binding.read(contract.FindAppeals, element).registered_from == date(2026, 11, 20)


def test_characters_that_xml_cannot_hold_leave_as_replacement():
    answer = contract.PingResponse(
        server_time=NOW, version="a\x00b\x0bc\ud800d\uffff", peer_code="\r", contract_sha256="]]>"
    )
    back = binding.read(contract.PingResponse, parse(binding.write(answer)))
    assert back.version == "a\ufffdb\ufffdc\ufffdd\ufffd"
    assert back.peer_code == "\r"
    assert back.contract_sha256 == "]]>"


@pytest.mark.parametrize(
    ("inner", "code", "path"),
    [
        ("<ReceivedAt>2026-11-20T24:00:00Z</ReceivedAt>", "value", "ReceivedAt"),
        ("<ReceivedAt>2026-11-20T10:00:00</ReceivedAt>", "value", "ReceivedAt"),
        ("<ConcernedCount>x</ConcernedCount>", "value", "ConcernedCount"),
        ("<Links><Link i:nil='true'/></Links>", "nil", "Links/Link"),
        ("<Links><Link/></Links>", "required", "Links/Link"),
        ("<Surprise/>", "unexpected", "Surprise"),
        ("<Links>" + "<Link/>" * (limits.LINKS_PER_APPEAL + 1) + "</Links>", "max_items", "Links"),
    ],
)
def test_what_python_cannot_hold_is_a_violation_with_its_place(inner, code, path):
    with pytest.raises(ValidationError) as caught:
        binding.read(contract.SubmitAppeal, appeal(inner))
    (violation,) = caught.value.violations
    assert violation.code == code
    assert violation.path == f"/SubmitAppeal/Appeal/{path}"
    assert violation.line == 1


def test_a_day_past_the_year_9999_and_a_number_that_is_not_finite_are_refused():
    for inner in ("<RegisteredFrom>12026-01-01</RegisteredFrom>", "<Max>1e9</Max>"):
        with pytest.raises(ValidationError):
            binding.read(contract.FindAppeals, wrap(inner, "FindAppeals"))
    for bad in ("INF", "NaN"):
        address = f"<ProblemAddress><Latitude>{bad}</Latitude></ProblemAddress>"
        with pytest.raises(ValidationError):
            binding.read(contract.SubmitAppeal, appeal(address))


def test_an_item_of_a_plain_list_may_not_be_nil():
    inner = "<Answer><MessageKey>m</MessageKey><QuestionIds><QuestionId i:nil='1'/></QuestionIds>"
    with pytest.raises(ValidationError) as caught:
        binding.read(contract.SubmitAnswer, wrap(inner + "</Answer>", "SubmitAnswer"))
    assert caught.value.violations[0].path == "/SubmitAnswer/Answer/QuestionIds/QuestionId"


NAMES = st.sampled_from(
    ["Appeal", "ExternalId", "Questions", "QuestionIn", "Topics", "Topic", "Code", "Text", "Nope"]
)
TREES = st.recursive(
    st.tuples(NAMES, st.text(alphabet="a1 -TZ:é", max_size=12)),
    lambda children: st.tuples(NAMES, st.lists(children, max_size=4)),
    max_leaves=12,
)


def build(tree):
    name, inside = tree
    element = etree.Element(ns.tag(ns.APPEALS, name))
    if isinstance(inside, str):
        element.text = inside
    else:
        element.extend([build(child) for child in inside])
    return element


@given(TREES)
def test_a_tree_that_nobody_validated_raises_only_errors_of_ours(tree):
    for cls in (contract.SubmitAppeal, contract.AppealIn, contract.FindAppeals):
        with suppress(GatewayError):
            binding.read(cls, build(tree))


@given(st.text(max_size=200))
def test_any_text_that_xml_can_hold_survives(text):
    extra = contract.Extra(name="n", value=text)
    back = binding.read(contract.Extra, parse(binding.write(extra)))
    assert back.value == xml._SPECIAL.sub(
        lambda found: found[0] if found[0] in "&<>\r" else "\ufffd", text
    )
