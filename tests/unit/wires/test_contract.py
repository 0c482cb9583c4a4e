"""The structs, the schema and the service description are one contract said three times."""

import re
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from msgspec import inspect

from gateway import ns
from gateway.errors import WIRE
from gateway.wires import contract, words
from gateway.wires.binding import element_name

ROOT = Path(__file__).parents[3]
XSD = etree.parse(ROOT / "xsd/appeals/appeals-v1.xsd").getroot()
WSDL = etree.parse(ROOT / "wsdl/appeals/appeals-v1.wsdl").getroot()
X = {
    "xs": ns.XSD,
    "wsdl": ns.WSDL,
    "soap": ns.WSDL_SOAP11,
    "soap12": ns.WSDL_SOAP12,
    "wsaw": ns.WSAW,
}
COMPLEX = {node.get("name"): node for node in XSD.findall("xs:complexType", X)}
SIMPLE = {node.get("name"): node for node in XSD.findall("xs:simpleType", X)}
ELEMENTS = {node.get("name"): node.get("type") for node in XSD.findall("xs:element", X)}
ARRAYS = {name for name in COMPLEX if name.startswith("ArrayOf")}
BASES = {"Fault", "Request", "Response"}
STRUCTS = {
    name: entry
    for name in contract.__all__
    if isinstance(entry := getattr(contract, name), type)
    and issubclass(entry, msgspec.Struct)
    and name not in BASES
}
PLAIN = {
    "xs:boolean": inspect.BoolType,
    "xs:date": inspect.DateType,
    "xs:int": inspect.IntType,
    "xs:long": inspect.IntType,
    "xs:double": inspect.FloatType,
    "xs:string": inspect.StrType,
    "xs:dateTime": inspect.DateTimeType,
    "xs:base64Binary": inspect.BytesType,
}


def members(name):
    return COMPLEX[name].findall("xs:sequence/xs:element", X)


def plain(kind):
    if isinstance(kind, inspect.UnionType):
        (kind,) = (item for item in kind.types if not isinstance(item, inspect.NoneType))
    return kind


def facets(name):
    restriction = SIMPLE[name].find("xs:restriction", X)
    found = {}
    for facet in restriction:
        key = etree.QName(facet).localname
        if key == "enumeration":
            found.setdefault(key, set()).add(facet.get("value"))
        else:
            found[key] = facet.get("value")
    return restriction.get("base"), found


def test_every_complex_type_has_a_struct_and_every_struct_a_type():
    assert set(COMPLEX) - ARRAYS == set(STRUCTS)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_fields_are_the_elements_in_order_with_the_same_optionality(name):
    fields = inspect.type_info(STRUCTS[name]).fields
    assert [element_name(field) for field in fields] == [node.get("name") for node in members(name)]
    assert {element_name(field) for field in fields if not field.required} == {
        node.get("name") for node in members(name) if node.get("minOccurs") == "0"
    }


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_types_of_fields_are_the_types_of_elements(name):
    for field, node in zip(inspect.type_info(STRUCTS[name]).fields, members(name), strict=True):
        kind = plain(field.type)
        declared = node.get("type").removeprefix("tns:")
        if declared in ARRAYS:
            assert isinstance(kind, inspect.VarTupleType), node.get("name")
            (item,) = members(declared)
            kind, declared = kind.item_type, item.get("type").removeprefix("tns:")
        if isinstance(kind, inspect.StructType):
            assert kind.cls.__name__ == declared
        else:
            same_bounds(kind, declared)


def same_bounds(kind, declared):
    base, found = facets(declared) if declared in SIMPLE else (declared, {})
    if "enumeration" in found:
        assert set(kind.values) == found["enumeration"]
        return
    assert isinstance(kind, PLAIN[base]), declared
    if base == "xs:string":
        length = found.get("length")
        assert (kind.min_length or 0) == int(length or found.get("minLength", 0))
        assert kind.max_length == (int(length or found["maxLength"]) if found else None)
        pattern = kind.pattern and kind.pattern.removeprefix("^").removesuffix(r"$(?!\n)")
        assert pattern == found.get("pattern")
    elif base in {"xs:int", "xs:double"}:
        low, high = ("-2147483648", "2147483647") if base == "xs:int" else ("", "")
        assert kind.ge == float(found.get("minInclusive", low))
        assert kind.le == float(found.get("maxInclusive", high))
    elif base == "xs:base64Binary":
        assert kind.max_length == (int(found["maxLength"]) if found else None)
    elif base == "xs:dateTime":
        assert kind.tz is True


@pytest.mark.parametrize("array", sorted(ARRAYS))
def test_a_list_is_one_nillable_unbounded_item_named_as_its_type(array):
    (item,) = members(array)
    assert (item.get("minOccurs"), item.get("maxOccurs")) == ("0", "unbounded")
    assert item.get("nillable") == "true"
    assert array in {f"ArrayOf{item.get('name')}", f"ArrayOf{item.get('name')}Out"}


def test_lists_that_peers_send_are_bounded():
    for name, struct in STRUCTS.items():
        if issubclass(struct, contract.Request):
            for field in inspect.type_info(struct).fields:
                if isinstance(field.type, inspect.VarTupleType):
                    assert field.type.max_length, f"{name}.{field.name}"


def test_what_wcf_sends_as_nil_is_nillable_and_nothing_else():
    """Every optional parameter of an operation, and every optional value type that peers send.

    WCF reads the annotation so that a null is left out; without it, a number would be sent as 0.
    """
    annotation = "xs:annotation/xs:appinfo/ser:DefaultValue[@EmitDefaultValue='false']"
    names = X | {"ser": "http://schemas.microsoft.com/2003/10/Serialization/"}
    for name, struct in STRUCTS.items():
        for node in members(name):
            declared = node.get("type").removeprefix("tns:")
            base, found = facets(declared) if declared in SIMPLE else (declared, {})
            value = "enumeration" in found or base in {
                "xs:int", "xs:long", "xs:double", "xs:boolean", "xs:dateTime"
            }  # fmt: skip
            sent = issubclass(struct, contract.Request) and node.get("minOccurs") == "0"
            nillable = sent and (value or name in contract.OPERATIONS)
            assert (node.get("nillable") == "true") == nillable, (name, node.get("name"))
            assert (node.find(annotation, names) is not None) == (sent and value)


def test_the_schema_has_nothing_that_wcf_or_1c_cannot_import():
    forbidden = ["choice", "all", "attribute", "any", "group", "union", "list", "extension", "key"]
    assert [name for name in forbidden if XSD.findall(f".//xs:{name}", X)] == []
    assert XSD.get("elementFormDefault") == "qualified"
    assert {node.getparent() for node in XSD.iter(ns.tag(ns.XSD, "complexType"))} == {XSD}
    assert {node.getparent() for node in XSD.iter(ns.tag(ns.XSD, "simpleType"))} == {XSD}
    for node in XSD.iter(ns.tag(ns.XSD, "element")):
        assert node.get("type"), node.get("name")
        assert node.get("type") not in {"xs:integer", "xs:decimal", "xs:anyType", "xs:duration"}


def test_enumerations_are_closed_only_in_what_peers_send():
    closed = {name for name in SIMPLE if "enumeration" in facets(name)[1]}
    for name, struct in STRUCTS.items():
        if not issubclass(struct, contract.Request):
            used = {node.get("type").removeprefix("tns:") for node in members(name)}
            assert not used & closed, name


def test_every_simple_type_is_a_word_and_is_used():
    used = {node.get("type") for node in XSD.iter(ns.tag(ns.XSD, "element"))}
    for name in SIMPLE:
        assert f"tns:{name}" in used, name
        assert hasattr(words, name)


def test_outermost_elements_are_the_wrappers_and_the_faults():
    wrappers = {name for op in contract.OPERATIONS for name in (op, f"{op}Response")}
    assert set(ELEMENTS) == wrappers | set(contract.FAULTS)
    assert all(kind == f"tns:{name}" for name, kind in ELEMENTS.items())


def test_every_fault_of_the_error_tree_is_in_the_contract():
    assert {wire.fault for wire in WIRE.values()} == set(contract.FAULTS)


def test_the_port_type_is_the_table_of_operations():
    assert WSDL.find("wsdl:portType", X).get("name") == "IAppealService"
    operations = WSDL.findall("wsdl:portType/wsdl:operation", X)
    assert [node.get("name") for node in operations] == list(contract.OPERATIONS)
    action = ns.tag(ns.WSAW, "Action")
    messages = {
        node.get("name"): node.find("wsdl:part", X) for node in WSDL.findall("wsdl:message", X)
    }
    for node, operation in zip(operations, contract.OPERATIONS.values(), strict=True):
        faults = node.findall("wsdl:fault", X)
        assert tuple(fault.get("name") for fault in faults) == operation.faults
        assert node.find("wsdl:input", X).get(action) == operation.action
        assert node.find("wsdl:output", X).get(action) == f"{operation.action}Response"
        for side, suffix in (("input", ""), ("output", "Response")):
            part = messages[node.find(f"wsdl:{side}", X).get("message").removeprefix("tns:")]
            assert part.get("name") == "parameters"
            assert part.get("element") == f"tns:{operation.name}{suffix}"
        for fault in faults:
            assert fault.get(action) == f"{ns.APPEALS}/{fault.get('name')}"
            part = messages[fault.get("message").removeprefix("tns:")]
            assert part.get("element") == f"tns:{fault.get('name')}"


def test_four_ports_bind_every_operation_and_fault_to_one_address():
    service = WSDL.find("wsdl:service", X)
    assert service.get("name") == "AppealService"
    version = {"Basic": "soap", "Soap12": "soap12", "Ws": "soap12", "Mtom": "soap"}
    assert [port.get("name") for port in service.findall("wsdl:port", X)] == list(version)
    for binding in WSDL.findall("wsdl:binding", X):
        prefix = version[binding.get("name")]
        assert binding.find(f"{prefix}:binding", X).get("style") == "document"
        for node in binding.findall("wsdl:operation", X):
            operation = contract.OPERATIONS[node.get("name")]
            assert node.find(f"{prefix}:operation", X).get("soapAction") == operation.action
            uses = {body.get("use") for body in node.iterfind(f".//{prefix}:body", X)}
            assert uses == {"literal"}
            assert tuple(f.get("name") for f in node.findall("wsdl:fault", X)) == operation.faults
        assert len(binding.findall("wsdl:operation", X)) == len(contract.OPERATIONS)


def test_the_ws_port_says_that_it_uses_addressing():
    ws = WSDL.find("wsdl:binding[@name='Ws']", X)
    assert ws.find("wsaw:UsingAddressing", X) is not None


def test_only_the_mtom_port_promises_packages_and_asks_for_none():
    said = {
        policy.get(ns.tag(ns.WSU, "Id"))
        for policy in WSDL.findall(f"{{{ns.WSP}}}Policy")
        for promised in policy.iter(ns.tag(ns.WSOMA, "OptimizedMimeSerialization"))
        if promised.get(ns.tag(ns.WSP, "Optional")) == "true"
    }
    packing = {
        binding.get("name")
        for binding in WSDL.findall("wsdl:binding", X)
        for named in binding.findall(f"{{{ns.WSP}}}PolicyReference")
        if named.get("URI").removeprefix("#") in said
    }
    assert packing == {"Mtom"}


def test_json_names_are_camel_case_of_the_elements():
    text = (
        b'{"appeal": {"externalId": "A 1", "receivedAt": "2026-11-20T09:15:30+03:00",'
        b' "questions": [{"topics": [{"code": "0005.0005.0055.1122"}]}]}}'
    )
    call = msgspec.json.decode(text, type=contract.SubmitAppeal)
    assert call.appeal.questions[0].topics[0].system == "sstu"
    assert msgspec.json.decode(msgspec.json.encode(call), type=contract.SubmitAppeal) == call


@pytest.mark.parametrize("bad", ["", " A", "A ", "A  1", "A\n", "A\t1", "A" * 201])
def test_json_refuses_ids_that_the_schema_refuses(bad):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"externalId": bad}, contract.AppealIn)
    assert not re.fullmatch(r"[^ \t\n\r]+( [^ \t\n\r]+)*", bad) or len(bad) > 200
