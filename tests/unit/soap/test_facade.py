"""A legacy contract declared in Python: what it publishes, takes and answers."""

import asyncio
import contextlib
import http.server
import io
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import zeep
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway import ns, xml
from gateway.adapter import Stored
from gateway.errors import ConfigurationError, GatewayError, TooLargeError, ValidationError
from gateway.soap import facade as f
from gateway.soap import facade_wsdl
from gateway.soap.frame import Frame, wrap
from gateway.soap.splitter import Part
from gateway.wires.facades import dispatcher, requests, result
from tests.unit.soap import legacy

NS = legacy.NAMESPACE
FACADE = legacy.FACADE
BASE = "http://gateway.test"
CHECKOUT = Path(__file__).parents[3]
READING = "<meter>A-1</meter><value>12.50</value>"
PRINT = """
import sys
from tests.unit.soap import legacy
sys.stdout.buffer.write(legacy.FACADE.contract.single_wsdl("http://gateway.test"))
"""


def body(inner=READING, operation="Take", more=""):
    return etree.fromstring(
        f'<{operation} xmlns="{NS}"><reading>{inner}</reading>{more}</{operation}>'
    )


def read(element):
    FACADE.engine.validate(element, 100)
    return FACADE.read(element)


def told(element):
    asked = read(element)
    result = FACADE.invoke(asked, None)
    if asyncio.iscoroutine(result):
        result = asyncio.run(result)
    return FACADE.write(asked.operation, result)


class TestImport:
    def test_spyne_leaves_nothing_behind_that_python_warns_of(self):
        code = "import gateway.soap.facade, sys, json.tool, wave"
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, "")

    def test_whole_numbers_are_those_that_clients_have(self):
        schema = etree.fromstring(FACADE.contract.xsd("meters"))
        types = {e.get("type") for e in schema.iter(ns.tag(ns.XSD, "element"))}
        assert "xs:integer" not in types
        assert {"xs:int", "xs:long"} <= types


@pytest.fixture
def served():
    """The address of the description over HTTP: tools of clients take no other."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.end_headers()
            self.wfile.write(FACADE.contract.single_wsdl(BASE))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/soap/meters.svc?singleWsdl"
        server.shutdown()


class TestDescription:
    def test_it_is_the_same_bytes_in_every_process(self):
        seen = {
            subprocess.run(
                [sys.executable, "-c", PRINT],
                cwd=CHECKOUT, env={"PATH": os.defpath, "PYTHONHASHSEED": seed},
                capture_output=True, timeout=60, check=True,
            ).stdout
            for seed in ("1", "2", "3")
        }  # fmt: skip
        assert seen == {FACADE.contract.single_wsdl(BASE)}

    def test_every_message_of_an_operation_has_the_part_that_svcutil_looks_for(self):
        wsdl = etree.fromstring(FACADE.contract.wsdl(BASE))
        parts = {
            message.get("name"): message.find("{*}part").get("name")
            for message in wsdl.iter(ns.tag(ns.WSDL, "message"))
        }
        assert parts.pop("Refusal_FaultMessage") == "detail"
        assert set(parts.values()) == {"parameters"}
        assert len(parts) == 6

    def test_both_versions_of_soap_are_at_the_one_address(self):
        wsdl = etree.fromstring(FACADE.contract.single_wsdl(BASE))
        places = [
            (etree.QName(place).namespace, place.get("location"))
            for place in wsdl.iterfind(".//{*}address")
        ]
        address = f"{BASE}/soap/meters.svc"
        assert places == [(ns.WSDL_SOAP11, address), (ns.WSDL_SOAP12, address)]
        assert not list(wsdl.iter(ns.tag(ns.XSD, "import")))

    def test_the_action_is_as_the_legacy_contract_spells_it(self):
        assert FACADE.engine.actions == {
            ns.tag(NS, name): f"{NS}/IMeterService/{name}" for name in ("Take", "Prove", "Ping")
        }
        assert f'soapAction="{NS}/IMeterService/Take"'.encode() in FACADE.contract.wsdl(BASE)

    def test_a_detail_has_its_content_and_only_what_is_sent_has_an_element(self):
        schema = etree.fromstring(FACADE.contract.xsd("meters"))
        (refusal,) = schema.iterfind("{*}complexType[@name='Refusal']")
        assert [e.get("name") for e in refusal.iter(ns.tag(ns.XSD, "element"))] == ["reason"]
        assert {e.get("name") for e in schema.iterfind("{*}element")} == {
            "Take", "TakeResponse", "Prove", "ProveResponse", "Ping", "PingResponse", "Refusal",
        }  # fmt: skip

    def test_a_type_says_what_it_is_and_none_is_published_that_nothing_refers_to(self):
        for made in (FACADE, requests.FACADE, dispatcher.FACADE):
            schema = etree.fromstring(made.contract.xsd(made.name))
            names = {e.get("name") for e in schema.iterfind("{*}simpleType")}
            used = {(e.get("type") or e.get("base") or "")[4:] for e in schema.iter()}
            assert names <= used
        assert "GetRequestStatus_phoneType" in names
        schema = etree.fromstring(FACADE.contract.xsd("meters"))
        told = {e.getparent().getparent().get("name"): e.text for e in schema.iterfind(
            "{*}complexType/{*}annotation/{*}documentation")}  # fmt: skip
        assert told == {
            "Reading": "One reading of a meter.", "Proven": "A reading with its proof.",
            "Taken": "What was taken.", "Refusal": "Why a reading is not taken.",
        }  # fmt: skip

    def test_the_codes_of_a_result_stand_in_the_description(self):
        wsdl = requests.FACADE.contract.single_wsdl(BASE).decode()
        assert all(f"code {code}: " in wsdl for code in (0, *result.CODES.values()))

    def test_a_namespace_that_ends_in_a_slash_gets_no_second_one(self):
        slashed = facade_wsdl.action("{namespace}/{operation}", "http://tempuri.org/", "S", "Take")
        assert slashed == "http://tempuri.org/Take"
        spelled = facade_wsdl.action(
            "{namespace}I{service}/{operation}", "http://tempuri.org/", "S", "Take"
        )
        assert spelled == "http://tempuri.org/IS/Take"
        assert facade_wsdl.fault_action("http://tempuri.org/", "F") == "http://tempuri.org/F"

    def test_types_are_named_so_that_1c_reads_them(self):
        schema = etree.fromstring(FACADE.contract.xsd("meters"))
        for kind in ("simpleType", "complexType"):
            for found in schema.iter(ns.tag(ns.XSD, kind)):
                assert found.getparent() is schema
        for name in ("choice", "attribute", "any", "import"):
            assert not list(schema.iter(ns.tag(ns.XSD, name)))

    def test_zeep_reads_both_forms(self):
        for form in (FACADE.contract.single_wsdl(BASE),):
            service = zeep.Client(io.BytesIO(form)).wsdl.services["MeterService"]
            assert list(service.ports) == ["Basic", "Soap12"]
            for port in service.ports.values():
                assert set(port.binding.all()) == set(FACADE.operations)

    @pytest.mark.skipif(
        None in (shutil.which("svcutil"), shutil.which("mcs")),
        reason="needs the packages mono-devel and mono-mcs",
    )
    def test_svcutil_of_mono_writes_a_client_that_compiles(self, tmp_path, served):
        references = ("System.ServiceModel", "System.Runtime.Serialization")
        for command in (
            ["svcutil", "-out:client.cs", served],
            ["mcs", "-target:library", "client.cs", *(f"-r:{name}" for name in references)],
        ):
            ran = subprocess.run(
                command, cwd=tmp_path, env={"PATH": os.defpath, "HOME": str(tmp_path)},
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert ran.returncode == 0, ran.stdout + ran.stderr
        written = (tmp_path / "client.cs").read_text("utf-8")
        for name in (
            "interface IMeterService",
            ".Taken Take(",
            "class Proven",
            "void Ping(string word)",
        ):
            assert name in written

    @pytest.mark.skipif(shutil.which("wsimport") is None, reason="needs the package jaxws")
    def test_wsimport_writes_a_client(self, tmp_path, served):
        ran = subprocess.run(
            ["wsimport", "-Xnocompile", "-p", "meters", "-d", ".", served],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        made = {path.stem for path in (tmp_path / "meters").glob("*.java")}
        assert {"IMeterService", "Reading", "Proven", "Refusal"} <= made, ran.stdout + ran.stderr

    @pytest.mark.skipif(shutil.which("php") is None, reason="needs the package php-cli")
    def test_php_reads_the_types(self, tmp_path):
        if "soap" not in subprocess.check_output(["php", "-m"], text=True).split():
            pytest.skip("needs the package php-soap")
        wsdl = tmp_path / "meters.wsdl"
        wsdl.write_bytes(FACADE.contract.single_wsdl(BASE))
        code = "$c = new SoapClient('meters.wsdl'); echo implode('|', $c->__getFunctions());"
        ran = subprocess.run(
            ["php", "-r", code],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "TakeResponse Take(Take $parameters)" in ran.stdout, ran.stdout + ran.stderr


class TestDeclaration:
    def test_a_type_of_another_namespace_is_refused_at_start(self):
        class Stray(f.ComplexModel):
            __namespace__ = "http://elsewhere.test/"
            word = f.may(f.Unicode)

        class StrayService(f.Service):
            @f.rpc(Stray)
            def Say(desk, word):  # noqa: N802, N805 - spyne's form
                return None

        with pytest.raises(ConfigurationError) as caught:
            f.Facade(StrayService, name="stray", namespace="http://here.test/")
        assert "http://elsewhere.test/" in caught.value.found

    def test_a_contract_without_faults_of_its_own_gets_one(self):
        class PlainService(f.Service):
            @f.rpc(f.may(f.Unicode), _returns=f.may(f.Unicode))
            def Say(desk, word):  # noqa: N802, N805 - spyne's form
                return word

        made = f.Facade(PlainService, name="plain", namespace="urn:plain")
        (kind,) = made.faults
        error = kind.FieldError(Path="/Say", Code="type", Message="нет")
        detail = made.detail(kind(Code="x", Message="m", CorrelationId="c", Errors=[error]))
        made.contract.validate(etree.fromstring(detail))
        assert made.engine.actions == {"{urn:plain}Say": "urn:plain/Say"}


class TestBodies:
    def test_values_come_as_python_has_them(self):
        (reading, note), _ = (
            read(
                body(
                    f"{READING}<takenOn>2026-11-19</takenOn>"
                    "<takenAt>2026-11-19T10:00:00+03:00</takenAt><kind>hot</kind><zone>2</zone>",
                    more="<note>ё &lt;</note>",
                )
            ).arguments,
            None,
        )
        assert (reading.meter, str(reading.value), reading.zone) == ("A-1", "12.50", 2)
        assert reading.takenOn.isoformat() == "2026-11-19"
        assert reading.takenAt.isoformat() == "2026-11-19T10:00:00+03:00"
        assert (note, reading.ticks) == ("ё <", None)

    def test_a_parameter_that_may_be_absent_may_be_nil_as_wcf_writes_it(self):
        nil = f'<note xsi:nil="true" xmlns:xsi="{ns.XSI}"/>'
        assert read(body(more=nil)).arguments[1] is None
        with pytest.raises(ValidationError, match="nil"):
            read(body(f'{READING}<zone xsi:nil="true" xmlns:xsi="{ns.XSI}"/>'))

    def test_the_answer_follows_the_contract(self):
        for element in (
            body(more="<note>а</note>"),
            body(f"{READING}<photo><base64Binary>AAEC</base64Binary></photo>", "Prove"),
        ):
            answer = etree.fromstring(told(element))
            FACADE.contract.validate(answer)
        assert answer.findtext("{*}ProveResult/{*}number") == "3"
        FACADE.contract.validate(etree.fromstring(FACADE.write("Ping", None)))

    def test_the_answer_is_framed_like_any_other(self):
        sealed = wrap(Frame(version="1.2", encoding="windows-1251"), "", told(body()))
        assert etree.fromstring(sealed.body).find(f".//{{{NS}}}TakeResult") is not None

    def test_a_detail_is_qualified(self):
        detail = etree.fromstring(FACADE.detail(legacy.Refusal(reason="нет")))
        assert [e.tag for e in detail.iter()] == [ns.tag(NS, "Refusal"), ns.tag(NS, "reason")]

    @pytest.mark.parametrize(
        "inner",
        ["<value>1</value>", "<meter>a</meter><value>1</value>", f"{READING}<zone>9</zone>",
         f"{READING}<zone>1.0</zone>", f"{READING}<other/>", f"{READING}text"],
    )  # fmt: skip
    def test_what_breaks_the_declaration_is_refused_with_its_place(self, inner):
        with pytest.raises(ValidationError) as caught:
            read(body(inner))
        assert caught.value.violations[0].path.startswith("/Take/reading")
        assert not FACADE.valid(body(inner), 100)

    def test_a_file_beside_the_envelope_stands_where_its_bytes_would(self):
        photos = "<base64Binary/><base64Binary>AAEC</base64Binary>"
        element = body(f"{READING}<photo>{photos}</photo>", "Prove")
        first, _ = element.iter(ns.tag(NS, "base64Binary"))
        assert {first.tag} == FACADE.engine.files
        part = Part("p1", "image/jpeg", "0" * 64, b"12345")
        asked = FACADE.read(element, {first: part})
        assert [f.content(each) for each in asked.arguments[0].photo] == [part, b"\0\1\2"]
        assert FACADE.invoke(asked, None).number == 8
        stored = part._replace(data=Stored(sha256="0" * 64, size=10**9))
        with pytest.raises(TooLargeError):
            FACADE.invoke(FACADE.read(element, {first: stored}), None)

    def test_what_would_hold_up_the_others_is_not_even_looked_at(self):
        photos = "<base64Binary>AA==</base64Binary>" * (f.NODES // 2)
        message = f'<Prove xmlns="{NS}"><reading>{READING}<photo>{photos}</photo></reading></Prove>'
        document = xml.parse(message.encode())
        with pytest.raises(TooLargeError, match="too many elements"):
            FACADE.engine.validate(document.root, document.nodes)

    def test_xsi_type_does_not_choose_what_spyne_would_drop(self):
        element = body(f"{READING}<photo><base64Binary>AAEC</base64Binary></photo>")
        element[0].set(ns.tag(ns.XSI, "type"), "Proven")
        assert not FACADE.valid(element, 100)
        with pytest.raises(ValidationError, match="xsi:type"):
            read(element)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("takenOn", "2026-11-19+03:00"), ("takenOn", "-0001-01-01"), ("takenOn", "12026-01-01"),
         ("takenAt", "2026-11-19T24:00:00"), ("takenAt", "2026-11-19T10:00:00.1234567Z"),
         ("takenAt", "-0100-01-01T00:00:00Z"), ("takenAt", "2026-11-19T10:00:00-14:00"),
         ("zone", " 2 "), ("zone", "+2"), ("ticks", "9223372036854775807")],
    )  # fmt: skip
    def test_a_value_that_only_the_schema_allows_is_read_or_refused(self, name, value):
        try:
            asked = read(body(f"{READING}<{name}>{value}</{name}>"))
        except ValidationError:
            return
        assert getattr(asked.arguments[0], name) is not None

    @given(st.text(max_size=60), st.sampled_from(["meter", "value", "takenOn", "takenAt", "zone"]))
    def test_hostile_text_raises_only_errors_of_ours(self, text, name):
        inner = f"<reading>{READING}<{name}>{text}</{name}></reading>"
        message = f'<Take xmlns="{NS}">{inner}</Take>'.encode("utf-8", "surrogatepass")
        with contextlib.suppress(GatewayError):
            read(xml.parse(message).root)
