"""МЭДО 2.7.1 is held against a body's own schema, where the body has one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.sed import edc
from gateway import xml
from gateway.errors import ConfigurationError, ValidationError
from gateway.model.ids import receipt_of
from tests.unit.adapters.sed_edc.test_container import CASES, context, folder_of, read

STRICT = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}"
  elementFormDefault="qualified">
  <xs:element name="{root}">
    <xs:complexType>
      <xs:sequence>
        <xs:any namespace="##any" processContents="skip" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:anyAttribute namespace="##any" processContents="skip"/>
    </xs:complexType>
  </xs:element>
</xs:schema>"""
NEVER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">
  <xs:element name="{root}" type="xs:int"/></xs:schema>"""


@pytest.fixture
def letter():
    return folder_of(CASES / "e271-message")


def schema(path: Path, text: str, namespace: str, root: str) -> None:
    path.write_text(text.format(namespace=namespace, root=root))


def test_what_follows_the_schema_is_taken(tmp_path, letter):
    schema(tmp_path / "a.xsd", STRICT, "urn:IEDMS:MESSAGE", "communication")
    schema(tmp_path / "b.xsd", STRICT, "urn:IEDMS:CONTAINER", "container")

    assert read(letter, {"xsd_271": str(tmp_path)}) == read(letter)


@pytest.mark.parametrize(
    ("namespace", "root", "place"),
    [
        ("urn:IEDMS:MESSAGE", "communication", "message.xml#"),
        ("urn:IEDMS:CONTAINER", "container", "document.edc.zip/passport.xml#"),
    ],
)
def test_what_does_not_is_refused_by_its_place(tmp_path, letter, namespace, root, place):
    schema(tmp_path / "a.xsd", NEVER, namespace, root)

    with pytest.raises(ValidationError) as raised:
        read(letter, {"xsd_271": str(tmp_path / "a.xsd")})

    assert raised.value.violations
    assert all(fault.path.startswith(place) for fault in raised.value.violations)


def test_what_goes_out_is_held_against_it_too(tmp_path, letter):
    schema(tmp_path / "a.xsd", NEVER, "urn:IEDMS:CONTAINER", "container")
    item = read(letter)
    appeal = replace(item.appeal, receipt_number=receipt_of(7))
    asked = {"profile": "2.7.1", "xsd_271": str(tmp_path)}

    with pytest.raises(ValidationError) as raised:
        edc.encode(appeal, None, context(item, **asked))

    assert raised.value.violations[0].path.startswith("passport.xml#")


def test_a_changed_schema_counts_at_once_in_every_thread(tmp_path, letter):
    path = tmp_path / "a.xsd"
    schema(path, STRICT, "urn:IEDMS:MESSAGE", "communication")
    read(letter, {"xsd_271": str(path)})
    schema(path, NEVER, "urn:IEDMS:MESSAGE", "communication")
    met = []

    def again():
        try:
            read(letter, {"xsd_271": str(path)})
        except ValidationError as error:
            met.append(error.code)

    thread = threading.Thread(target=again)
    thread.start()
    thread.join()
    again()

    assert met == ["validation", "validation"]


def test_a_schema_of_another_namespace_says_nothing(tmp_path, letter):
    schema(tmp_path / "a.xsd", NEVER, "urn:other", "communication")

    assert read(letter, {"xsd_271": str(tmp_path)})


def test_nothing_is_fetched_for_a_schema(tmp_path, letter):
    body = STRICT.format(namespace="urn:IEDMS:MESSAGE", root="communication")
    outside = '<xs:import namespace="urn:x" schemaLocation="http://example.test/x.xsd"/><xs:element'
    (tmp_path / "a.xsd").write_text(body.replace("<xs:element", outside, 1))

    with pytest.raises(ConfigurationError, match="network"):
        read(letter, {"xsd_271": str(tmp_path)})


@pytest.mark.parametrize("text", ["", "<a/>", "no schema", None])
def test_no_schema_where_one_is_named_is_the_operators_mistake(tmp_path, letter, text):
    path = tmp_path / "a.xsd"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigurationError):
        read(letter, {"xsd_271": str(path)})


def test_version_27_knows_no_schema(tmp_path):
    files = folder_of(CASES / "e27-letter")

    assert edc.decode(
        xml.parse(files["document.xml"]).root, files, {"xsd_271": str(tmp_path / "x")}
    )
