"""The contract as it is served and as it judges messages."""

import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from gateway import contracts, limits, ns
from gateway.errors import ConfigurationError, NotFoundError, ValidationError

ROOT = Path(__file__).parents[2]
CONTRACT = contracts.appeals()
BASE = "https://gateway.example.org"
ADDRESS = f"{BASE}/soap/appeals.svc"
SAMPLE = etree.parse(ROOT / "tests/data/submit_appeal_2k.xml").getroot()[0][0]


def appeal(inner, external_id="<ExternalId>a</ExternalId>"):
    text = (
        f'<SubmitAppeal xmlns="{ns.APPEALS}" xmlns:i="{ns.XSI}"><Appeal>{external_id}{inner}'
        "</Appeal></SubmitAppeal>"
    )
    return etree.fromstring(text)


def test_all_four_ports_are_at_the_one_address():
    for text in (CONTRACT.wsdl(BASE), CONTRACT.single_wsdl(f"{BASE}/")):
        assert re.findall(rb':address location="([^"]*)"', text) == [ADDRESS.encode()] * 4
        assert b"localhost" not in text


def test_the_description_imports_the_schema_from_the_same_address():
    root = etree.fromstring(CONTRACT.wsdl(BASE))
    (found,) = root.iter(ns.tag(ns.XSD, "import"))
    assert found.get("schemaLocation") == f"{ADDRESS}?xsd={CONTRACT.schema_names[0]}"
    etree.XMLSchema(etree.fromstring(CONTRACT.xsd(CONTRACT.schema_names[0])))


def test_the_single_description_has_no_import_and_the_same_schema():
    root = etree.fromstring(CONTRACT.single_wsdl(BASE))
    assert not list(root.iter(ns.tag(ns.XSD, "import"), ns.tag(ns.WSDL, "import")))
    assert b"schemaLocation" not in CONTRACT.single_wsdl(BASE)
    (schema,) = root.iter(ns.tag(ns.XSD, "schema"))
    etree.XMLSchema(schema).assertValid(SAMPLE)


def test_the_same_address_gives_the_same_bytes():
    for form in (CONTRACT.wsdl, CONTRACT.single_wsdl):
        assert form(BASE) == form(BASE + "/")
        assert form(BASE) != form("http://127.0.0.1:8080")


def test_an_address_is_escaped():
    root = etree.fromstring(CONTRACT.wsdl('http://a/?x="1"&y=<2>'))
    (first, *_) = root.iter(ns.tag(ns.WSDL_SOAP11, "address"))
    assert first.get("location") == 'http://a/?x="1"&y=<2>/soap/appeals.svc'


@pytest.mark.parametrize("name", ["nope", "../appeals-v1", ""])
def test_a_schema_that_is_not_there_is_not_found(name):
    with pytest.raises(NotFoundError):
        CONTRACT.xsd(name)


def test_the_digest_is_of_the_files():
    assert contracts.contract_sha256() == CONTRACT.sha256
    assert len(CONTRACT.sha256) == 64
    again = contracts.Contract.load("appeals")
    assert again.sha256 == CONTRACT.sha256


def test_a_missing_contract_says_what_to_do():
    with pytest.raises(ConfigurationError) as caught:
        contracts.folder("wsdl", "nope")
    assert "install" in caught.value.todo


def test_files_inside_the_package_come_before_those_of_the_checkout(tmp_path):
    """An installed wheel holds wsdl and xsd under gateway/; an editable install does not."""
    for kind in ("wsdl", "xsd"):
        shutil.copytree(ROOT / kind, tmp_path / "gateway" / kind)
    for name in ("__init__", "contracts*", "errors*", "limits", "ns", "xml*"):
        for path in (ROOT / "gateway").glob(f"{name}.py"):
            shutil.copy(path, tmp_path / "gateway")
    code = "from gateway import contracts as c; print(c.folder('xsd', 'appeals')); c.appeals()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(tmp_path / "gateway/xsd/appeals")


def test_a_contract_whose_schema_imports_cannot_be_loaded():
    schema = CONTRACT.xsd(CONTRACT.schema_names[0])
    with pytest.raises(ConfigurationError):
        contracts.Contract(
            "x",
            wsdl=CONTRACT.wsdl(BASE),
            schemas={
                "x": schema.replace(
                    b"</xs:schema>", b'<xs:include schemaLocation="y"/></xs:schema>'
                )
            },
        )


def test_a_valid_message_is_silent_small_or_large():
    CONTRACT.validate(SAMPLE)
    CONTRACT.validate(SAMPLE, nodes=limits.SOAP_ROOT_NODES)
    many = appeal(
        "<Links>" + "<Link><Kind>ground</Kind><Number>1</Number></Link>" * 5000 + "</Links>"
    )
    CONTRACT.validate(many)
    assert CONTRACT.explain(SAMPLE) == ()


CASES = [
    ("<Regime>x</Regime>", "Regime", "enumeration", "x", "'fz59', 'message'"),
    ("<Revision>0</Revision>", "Revision", "minimum", "0", "1"),
    ("<Revision>x</Revision>", "Revision", "type", "x", "xs:int"),
    ("<Revision>99999999999</Revision>", "Revision", "type", "99999999999", "xs:int"),
    ("<Subject>" + "я" * 2001 + "</Subject>", "Subject", "max_length", "я" * 200, "2000"),
    ("<Zed/>", "Zed", "unexpected", "Zed", "Revision, Regime"),
    ("<Type>request</Type><Regime>fz59</Regime>", "Regime", "unexpected", "Regime", "Form"),
    ("<Regime>fz59</Regime><Regime>fz59</Regime>", "Regime[2]", "unexpected", "Regime", "Type"),
    ('<Regime xmlns="">fz59</Regime>', "Regime", "namespace", "Regime in no namespace", ns.APPEALS),
    ("text", "", "text", "", ""),
    ("<Subject><b/></Subject>", "Subject", "children", "", ""),
    ('<Subject lang="ru">x</Subject>', "Subject", "attribute", 'lang="ru"', ""),
    ('<Subject i:nil="true"/>', "Subject", "nil", "", ""),
    ('<ProblemAddress i:type="Foo"/>', "ProblemAddress", "xsi_type", 'type="Foo"', ""),
    ("<ReceivedAt>2026-01-01T00:00:00</ReceivedAt>", "ReceivedAt", "pattern", "2026-01", r"\d{4}"),
    (
        "<Links><Link><Kind>ground</Kind></Link></Links>",
        "Links/Link/Number",
        "required",
        "",
        "Number",
    ),
    (
        "<ProblemAddress><Latitude>91</Latitude></ProblemAddress>",
        "ProblemAddress/Latitude",
        "maximum",
        "91",
        "90",
    ),
    (
        "<Attachments><AttachmentIn><FileName>a/b</FileName></AttachmentIn></Attachments>",
        "Attachments/AttachmentIn/FileName",
        "pattern",
        "a/b",
        "",
    ),
]


@pytest.mark.parametrize("nodes", [None, limits.SOAP_ROOT_NODES], ids=["tree", "stream"])
@pytest.mark.parametrize(("inner", "path", "code", "found", "expected"), CASES)
def test_a_violation_says_where_what_and_why(inner, path, code, found, expected, nodes):
    with pytest.raises(ValidationError) as caught:
        CONTRACT.validate(appeal("\n" + inner), nodes)
    (violation,) = caught.value.violations
    assert violation.path == f"/SubmitAppeal/Appeal/{path}".rstrip("/")
    assert violation.code == code
    assert violation.found.startswith(found)
    assert violation.expected.startswith(expected) or expected in violation.expected
    assert violation.line == (2 if path else 1)
    assert violation.message
    assert "libxml" not in violation.message
    assert "{" not in violation.message


def test_a_missing_element_and_an_unknown_root_are_told():
    with pytest.raises(ValidationError) as caught:
        CONTRACT.validate(appeal("", external_id=""))
    assert caught.value.violations[0].path == "/SubmitAppeal/Appeal/ExternalId"
    with pytest.raises(ValidationError) as caught:
        CONTRACT.validate(etree.Element(ns.tag(ns.APPEALS, "Nope")))
    assert caught.value.violations[0].code == "unknown_element"


@pytest.mark.parametrize("count", [25, 3000, 16000])
def test_twenty_violations_are_told_of_however_many(count):
    element = appeal(
        "<Links>" + "<Link><Kind>z</Kind><Number>1</Number></Link>" * count + "</Links>"
    )
    with pytest.raises(ValidationError) as caught:
        CONTRACT.validate(element)
    paths = [violation.path for violation in caught.value.violations]
    assert paths == [f"/SubmitAppeal/Appeal/Links/Link[{i}]/Kind" for i in range(1, 21)]


def test_each_thread_sees_its_own_violations_only():
    wrong = []

    def work(word):
        element = appeal(f"<Regime>{word}</Regime>")
        for _ in range(100):
            try:
                CONTRACT.validate(element)
            except ValidationError as error:
                if [violation.found for violation in error.violations] != [word]:
                    wrong.append(error)

    threads = [threading.Thread(target=work, args=(f"слово{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


SECOND = xmlschema.XMLSchema10(str(ROOT / "xsd/appeals/appeals-v1.xsd"))


def second_opinion(element):
    try:
        return SECOND.is_valid(element)
    except KeyError:  # its word for an xsi:type that does not exist
        return False


@pytest.mark.parametrize("inner", [case[0] for case in CASES])
def test_a_second_validator_refuses_the_same(inner):
    assert not second_opinion(appeal(inner))


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<Subject/>",
        "<ReceivedAt>2026-01-01T00:00:00.123456789-05:00</ReceivedAt>",
        "<ReceivedAt> 2026-01-01T00:00:00Z\n</ReceivedAt>",
        "<Applicants/>",
        "<Applicants><Applicant i:nil='true'/></Applicants>",
        "<Links><Link><Kind>ground</Kind><Number>вх. 15/ОГ</Number></Link></Links>",
        '<ProblemAddress i:type="Address"/>',
        "<ProblemAddress><FiasGuid/><Oktmo>01234567</Oktmo></ProblemAddress>",
    ],
)
def test_a_second_validator_takes_the_same(inner):
    element = appeal(inner)
    CONTRACT.validate(element)
    assert second_opinion(element)
    assert second_opinion(SAMPLE)


@pytest.mark.parametrize("port", ["Basic", "Soap12", "Ws", "Mtom"])
def test_each_port_says_what_proofs_it_can_carry_and_asks_for_none(port):
    root = etree.fromstring(contracts.appeals().single_wsdl("http://localhost"))
    policies = {p.get(ns.tag(ns.WSU, "Id")): p for p in root.iter(ns.tag(ns.WSP, "Policy"))}
    (binding,) = (b for b in root.iter(ns.tag(ns.WSDL, "binding")) if b.get("name") == port)
    named = [r.get("URI")[1:] for r in binding.findall(ns.tag(ns.WSP, "PolicyReference"))]
    assert "ProofPolicy" in named
    alternatives = list(policies["ProofPolicy"][0])
    assert len(alternatives[0]) == 0
    said = {etree.QName(e).localname for e in policies["ProofPolicy"].iter()}
    assert {"UsernameToken", "HashPassword", "X509Token", "Basic256Sha256"} <= said
