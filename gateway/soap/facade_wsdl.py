"""Writes what a façade publishes: its description, and its schema in an order of our own.

Both are the same bytes in every process: nothing goes by the order in which spyne met the types.
The description has the shape of the main contract's (wsdl/appeals): document/literal wrapped, one
part `parameters` (svcutil of Mono and of .NET know a wrapped operation by it), SOAP 1.1 and 1.2 on
one address, faults by element.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from lxml import etree

from gateway import ns
from gateway.xml import escape, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from lxml.etree import _Element

PART: Final = "parameters"
_PORTS: Final = (("Basic", "soap"), ("Soap12", "soap12"))
_HTTP: Final = "http://schemas.xmlsoap.org/soap/http"
_ELEMENT: Final = ns.tag(ns.XSD, "element")
_ORDER: Final = tuple(ns.tag(ns.XSD, name) for name in ("simpleType", "complexType", "element"))


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. request, response: local names of the body elements. words: what it does."""

    name: str
    action: str
    request: str
    response: str
    words: str = ""


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a description says. schema: file name. faults: local names of the details' elements."""

    service: str
    namespace: str
    schema: str
    operations: tuple[Operation, ...]
    faults: tuple[str, ...] = ()
    words: str = ""


def schema(
    made: _Element, namespace: str, elements: Collection[str], words: Mapping[str, str]
) -> bytes:
    """Return the schema with its parts in order, and of its global elements only those named.

    words: what a type is, by its name. A simple type that nothing refers to is spyne's own step.
    made: spyne's; its types are named and refer to each other by the prefix `tns`. A global element
    of a type that no message carries would be one more thing that a validator takes for valid.
    """
    root = etree.Element(
        ns.tag(ns.XSD, "schema"),
        {"targetNamespace": namespace, "elementFormDefault": "qualified"},
        nsmap={"xs": ns.XSD, "tns": namespace},
    )
    parts = [part for part in made if part.tag != _ELEMENT or part.get("name") in elements]
    parts.sort(key=lambda part: (_ORDER.index(part.tag), part.get("name", "")))
    root.extend(parts)
    _drop_unused(root)
    for kind in root.iterfind(_ORDER[1]):
        if not len(kind):  # importers of clients look for the sequence of an empty type too
            etree.SubElement(kind, ns.tag(ns.XSD, "sequence"))
        if told := words.get(kind.get("name", "")):
            kind.insert(0, _annotation(told))
    etree.cleanup_namespaces(root, keep_ns_prefixes=["tns"])
    etree.indent(root)
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    return declaration + etree.tostring(root, encoding="utf-8") + b"\n"


def _drop_unused(root: _Element) -> None:
    """Leave out the simple types that nothing refers to."""
    for part in root.findall(_ORDER[0]):
        name = f"tns:{part.get('name')}"
        if not any(name in (each.get("type"), each.get("base")) for each in root.iter()):
            root.remove(part)


def _annotation(words: str) -> _Element:
    made = etree.Element(ns.tag(ns.XSD, "annotation"))
    etree.SubElement(made, ns.tag(ns.XSD, "documentation")).text = words
    return made


def derived(schema: bytes) -> Iterator[str]:
    """Yield the names of the types that extend another."""
    for found in etree.fromstring(schema).iter(ns.tag(ns.XSD, "extension")):
        for owner in found.iterancestors(ns.tag(ns.XSD, "complexType")):
            yield owner.get("name", "")


def words_of(documented: object) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((documented.__doc__ or "").strip().partition("\n\n")[0].split())


def wsdl(told: Described) -> bytes:
    """Return the description; its address is a placeholder that `gateway.contracts` replaces."""
    return "\n".join(
        ('<?xml version="1.0" encoding="UTF-8"?>', *_definitions(told), "</wsdl:definitions>", "")
    ).encode()


def _definitions(told: Described) -> Iterator[str]:
    space = quote(told.namespace)
    yield (
        f'<wsdl:definitions name="{told.service}" targetNamespace="{space}"\n'
        f'    xmlns:wsdl="{ns.WSDL}"\n'
        f'    xmlns:soap="{ns.WSDL_SOAP11}"\n'
        f'    xmlns:soap12="{ns.WSDL_SOAP12}"\n'
        f'    xmlns:wsaw="{ns.WSAW}"\n'
        f'    xmlns:xs="{ns.XSD}"\n'
        f'    xmlns:tns="{space}">'
    )
    if told.words:
        yield f"  <wsdl:documentation>{escape(told.words)}</wsdl:documentation>"
    yield (
        "  <wsdl:types>\n"
        f'    <xs:schema targetNamespace="{space}:imports">\n'
        f'      <xs:import namespace="{space}" schemaLocation="{quote(told.schema)}"/>\n'
        "    </xs:schema>\n"
        "  </wsdl:types>"
    )
    for each in told.operations:
        yield _message(f"{each.name}_InputMessage", PART, each.request)
        yield _message(f"{each.name}_OutputMessage", PART, each.response)
    for fault in told.faults:
        yield _message(f"{fault}_FaultMessage", "detail", fault)
    yield f'  <wsdl:portType name="I{told.service}">'
    for each in told.operations:
        yield from _port_operation(told, each)
    yield "  </wsdl:portType>"
    for port, prefix in _PORTS:
        yield from _binding(told, port, prefix)
    yield f'  <wsdl:service name="{told.service}">'
    for port, prefix in _PORTS:
        yield (
            f'    <wsdl:port name="{port}" binding="tns:{port}">\n'
            f'      <{prefix}:address location="http://localhost/"/>\n'
            "    </wsdl:port>"
        )
    yield "  </wsdl:service>"


def _message(name: str, part: str, element: str) -> str:
    return (
        f'  <wsdl:message name="{name}">\n'
        f'    <wsdl:part name="{part}" element="tns:{element}"/>\n'
        "  </wsdl:message>"
    )


def _port_operation(told: Described, each: Operation) -> Iterator[str]:
    action = quote(each.action)
    yield f'    <wsdl:operation name="{each.name}">'
    if each.words:
        yield f"      <wsdl:documentation>{escape(each.words)}</wsdl:documentation>"
    yield f'      <wsdl:input wsaw:Action="{action}" message="tns:{each.name}_InputMessage"/>'
    yield (
        f'      <wsdl:output wsaw:Action="{action}Response" '
        f'message="tns:{each.name}_OutputMessage"/>'
    )
    for fault in told.faults:
        yield (
            f'      <wsdl:fault wsaw:Action="{quote(fault_action(told.namespace, fault))}" '
            f'name="{fault}" message="tns:{fault}_FaultMessage"/>'
        )
    yield "    </wsdl:operation>"


def _binding(told: Described, port: str, prefix: str) -> Iterator[str]:
    body: Callable[[str], str] = lambda way: (  # noqa: E731 - the same three lines twice
        f'      <wsdl:{way}>\n        <{prefix}:body use="literal"/>\n      </wsdl:{way}>'
    )
    yield f'  <wsdl:binding name="{port}" type="tns:I{told.service}">'
    yield f'    <{prefix}:binding style="document" transport="{_HTTP}"/>'
    for each in told.operations:
        yield f'    <wsdl:operation name="{each.name}">'
        yield f'      <{prefix}:operation soapAction="{quote(each.action)}" style="document"/>'
        yield body("input")
        yield body("output")
        for fault in told.faults:
            yield (
                f'      <wsdl:fault name="{fault}">\n'
                f'        <{prefix}:fault name="{fault}" use="literal"/>\n'
                "      </wsdl:fault>"
            )
        yield "    </wsdl:operation>"
    yield "  </wsdl:binding>"


def fault_action(namespace: str, fault: str) -> str:
    """Return the action URI of a fault whose detail is the element of that name."""
    return f"{namespace.removesuffix('/')}/{fault}"


def action(form: str, namespace: str, service: str, operation: str) -> str:
    """Return SOAPAction as a form spells it; of two slashes where a namespace ends, one stays."""
    if namespace.endswith("/"):
        form = form.replace("{namespace}/", "{namespace}")
    return form.format(namespace=namespace, service=service, operation=operation)
