"""Façades: a partner's own legacy contract, declared in Python, behind our envelope engine.

The one module that imports spyne. A façade's author takes the types and `rpc` from here and writes
a class of operations, as for spyne; `Facade` makes the contract from it: the schema is spyne's, the
description is written by `gateway.soap.facade_wsdl`, and the engine does transport, envelope,
headers, security and validation. spyne itself only turns the body's element into Python values and
the result into an element, in this process (docs/adr/0007).

What spyne does in ways that clients fail on is set right here once: the name of a message's part,
qualified details of faults with published content, `xs:int` for whole numbers, the order of the
schema (spyne promises none), and `xsi:type`, which may not choose a class.
"""

from __future__ import annotations

import logging
import sys
import warnings
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree

from gateway import ns
from gateway.contracts import Contract
from gateway.contracts_errors import binaries
from gateway.errors import ConfigurationError, TooLargeError, ValidationError, Violation
from gateway.soap import envelope, facade_time, facade_values, facade_wsdl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from lxml.etree import _Element

    from gateway.soap.splitter import Part

# spyne 2.14 carries a `six` whose lazy modules are not found by Python 3.12 and later; replacing
# all of `spyne.util.six` would break `rpc`. These are what spyne imports of them. Its own SOAP
# protocol, which imports `cgi` (gone with 3.13), is not needed here and stays unread.
for _name in (
    "moves", "moves.collections_abc", "moves.http_cookies", "moves.urllib", "moves.urllib.error",
    "moves.urllib.parse", "moves.urllib.request",
):  # fmt: skip
    sys.modules[f"spyne.util.six.{_name}"] = import_module(f"six.{_name}")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", ImportWarning)
    import spyne
    from spyne.interface.xml_schema import XmlSchema
    from spyne.protocol.xml import XmlDocument
logging.getLogger("spyne").setLevel(logging.CRITICAL)  # it would log what people wrote
# Its importer is of the kind that Python warns of at every import that follows.
sys.meta_path[:] = [
    finder for finder in sys.meta_path if type(finder).__module__ != "spyne.util.six"
]

if TYPE_CHECKING:

    class ComplexModel:
        """A complex type; its fields are the elements, in their order."""

        def __init__(self, **members: Any) -> None: ...

        def __getattr__(self, name: str) -> Any: ...

        @classmethod
        def customize(cls, **facets: Any) -> Any:
            """Return the type with facets."""

    class Service:
        """A class of operations."""

else:
    ComplexModel, Service = spyne.ComplexModel, spyne.ServiceBase

Array: Final = spyne.Array
Boolean: Final = spyne.Boolean
ByteArray: Final = spyne.ByteArray
Date: Final = spyne.Date
DateTime: Final = spyne.DateTime
Decimal: Final = spyne.Decimal
Double: Final = spyne.Double
Int: Final = spyne.Integer32
Long: Final = spyne.Integer64
Unicode: Final = spyne.Unicode
"""`Int` and `Long` are xs:int and xs:long. spyne's own Integer is xs:integer, a string or a decimal
for most clients, so it is not offered."""

content: Final = facade_values.content
items: Final = facade_values.items
octets: Final = facade_values.octets

_TYPE: Final = ns.tag(ns.XSI, "type")
NODES: Final = 10_000
"""Elements and attributes of a body, as `gateway.xml.Document.nodes` counts them, ends of elements
too: spyne takes some 20 µs an element, so that the largest body takes 0.1 s."""
_NO_FILES: Final[Mapping[_Element, Part]] = MappingProxyType({})
_REFUSALS: Final = (
    spyne.Fault, ValueError, TypeError, ArithmeticError, LookupError, AttributeError,
)  # fmt: skip
"""In what ways spyne says that a value is none of its type, after the schema found it valid."""


def rpc(*types: Any, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare an operation by the types of its parameters; `_returns` is the type of its result.

    A parameter that may be absent may be nil too: WCF writes each one, and null as nil.
    """
    given = (
        kind if kind.Attributes.min_occurs else kind.customize(nillable=True) for kind in types
    )
    declared: Callable[[Callable[..., Any]], Any] = spyne.rpc(
        *given, _wsdl_part_name=facade_wsdl.PART, **options
    )
    return declared


def must(kind: Any, **facets: Any) -> Any:
    """Return the type as an element that must be there and is never nil."""
    return kind.customize(min_occurs=1, nillable=False, **facets)


def may(kind: Any, **facets: Any) -> Any:
    """Return the type as an element that may be absent and is never nil."""
    return kind.customize(min_occurs=0, nillable=False, **facets)


def many(kind: Any) -> Any:
    """Return a list of a type as WCF writes one: `ArrayOfX` around items, which may be nil: None.

    Mono's svcutil writes code that does not compile for an element that is repeated without one.
    """
    name: str = kind.get_type_name()
    return Array(kind).customize(type_name=f"ArrayOf{name[:1].upper()}{name[1:]}")


def field_faults(namespace: str) -> type[ComplexModel]:
    """Return `ServiceFault`, the detail that a façade's faults have unless its contract says more.

    Code: of docs/errors.md. CorrelationId: names the call in our log. Errors: at most 20.
    """
    text, label = must(Unicode), may(Unicode)
    error = spyne.ComplexModel.produce(
        namespace,
        "FieldError",
        [("Path", text), ("Code", text), ("Found", label), ("Expected", label), ("Message", text)],
    )
    made: Any = spyne.ComplexModel.produce(
        namespace,
        "ServiceFault",
        [
            ("Code", text),
            ("Message", text),
            ("CorrelationId", text),
            ("RetryAfterSeconds", may(Int)),
            ("Errors", may(many(error))),
        ],
    )
    made.FieldError = error
    fault: type[ComplexModel] = made
    return fault


class _Documents(XmlDocument):  # type: ignore[misc]  # spyne has no types
    """Reads elements; as its context it is given which of them hold parts of the package.

    zone: of instants that come without an offset; without a zone they are refused.
    """

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__(parse_xsi_type=False, polymorphic=False)
        self._zone = zone

    def datetime_from_unicode(self, cls: Any, string: str) -> datetime:
        del cls
        return facade_time.read(string, self._zone)

    def datetime_to_unicode(self, cls: Any, val: datetime, **_: Any) -> str:
        del cls
        return facade_time.write(val, self._zone)

    def base_from_element(self, ctx: Any, cls: Any, element: _Element) -> Any:
        try:
            return super().base_from_element(ctx, cls, element)
        except facade_time.OffsetMissingError as error:
            error.element = element
            raise

    def byte_array_from_element(
        self, ctx: Mapping[_Element, Part], cls: Any, element: _Element
    ) -> Any:
        part = ctx.get(element)
        return super().byte_array_from_element(ctx, cls, element) if part is None else part


class Asked(NamedTuple):
    """A call of a façade, read: which operation, with which values in the order it names them."""

    operation: str
    arguments: tuple[Any, ...]


class Facade:
    """One legacy contract: its description, its schema, and both directions of its bodies.

    service: the class of operations. name: of the endpoint `/soap/<name>.svc`. namespace: of every
    element and type. faults: the types of details, published with each operation; `ServiceFault` of
    `field_faults` unless the contract has its own. action: how SOAPAction is spelled, with
    `{namespace}`, `{service}` and `{operation}` in it. nodes: how many a body may have. zone: of
    instants that come without an offset, its IANA name; without one they are refused.
    """

    def __init__(
        self,
        service: type[Service],
        *,
        name: str,
        namespace: str,
        faults: Sequence[type[ComplexModel]] | None = None,
        action: str = "{namespace}/{operation}",
        nodes: int = NODES,
        zone: str = "",
    ) -> None:
        self.name: Final = name
        self.namespace: Final = namespace
        self._nodes = nodes
        self.faults: Final = (field_faults(namespace),) if faults is None else tuple(faults)
        self._protocol = _Documents(facade_time.zone_of(zone, name))
        application = spyne.Application(
            [service],
            namespace,
            name=service.__name__,
            classes=list(self.faults),
            in_protocol=XmlDocument(parse_xsi_type=False),
            out_protocol=self._protocol,
        )
        self._methods = dict(_methods(service))
        actions = {
            operation: facade_wsdl.action(action, namespace, service.__name__, operation)
            for operation in self._methods
        }
        described = facade_wsdl.Described(
            service=service.__name__,
            namespace=namespace,
            schema=f"{name}.xsd",
            operations=tuple(
                facade_wsdl.Operation(
                    name=operation,
                    action=actions[operation],
                    request=_element(method.in_message),
                    response=_element(method.out_message),
                    words=facade_wsdl.words_of(method.function),
                )
                for operation, method in self._methods.items()
            ),
            faults=tuple(_element(fault) for fault in self.faults),
            words=facade_wsdl.words_of(service),
        )
        elements = {each.request for each in described.operations}
        elements |= {each.response for each in described.operations} | {*described.faults}
        schema = facade_wsdl.schema(
            _schema(application, name), namespace, elements, dict(_told(application.interface))
        )
        self.contract: Final = Contract(
            name,
            wsdl=facade_wsdl.wsdl(described),
            schemas={name: schema},
        )
        self._operations = {
            ns.tag(namespace, each.request): each.name for each in described.operations
        }
        self.engine: Final = envelope.Service(
            actions={tag: actions[each] for tag, each in self._operations.items()},
            validate=self._validate,
            files=frozenset(ns.tag(namespace, each) for each in binaries(schema)),
        )
        """What the engine has to know of this contract."""

        self._derived = frozenset(facade_wsdl.derived(schema))

    def valid(self, body: _Element, nodes: int) -> bool:
        """Say whether a body follows the contract, without a reason; raise TooLargeError.

        nodes: of the whole document, an upper bound.
        """
        if nodes > self._nodes:
            raise TooLargeError(
                "the document has too many elements and attributes",
                found=str(nodes),
                expected=f"at most {self._nodes}, ends of elements counted too",
                todo="send what it holds in several calls",
            )
        return self.contract.valid(body, nodes) and not self._chosen(body)

    def _validate(self, body: _Element, nodes: int) -> None:
        """Raise ValidationError with the places and reasons, or TooLargeError."""
        if self.valid(body, nodes):
            return
        self.contract.validate(body, nodes)
        if chosen := self._chosen(body):
            text = "xsi:type may not choose a type here"
            raise ValidationError(text, (Violation(f"/{chosen[0]}", "xsi_type", text, chosen[1]),))

    def _chosen(self, body: _Element) -> tuple[str, str] | None:
        """Return the first element whose xsi:type names a type that extends another.

        The schema allows it, and spyne would drop what the extension adds.
        """
        if not self._derived:
            return None
        for element in body.iter():
            named = element.get(_TYPE)
            if named and named.strip().rpartition(":")[2] in self._derived:
                return etree.QName(element).localname, named
        return None

    @property
    def operations(self) -> tuple[str, ...]:
        """Names of the operations in the order of their declaration."""
        return tuple(self._methods)

    def read(self, body: _Element, files: Mapping[_Element, Part] = _NO_FILES) -> Asked:
        """Return the call that a valid body element holds; raise ValidationError.

        files: parts of the package by the element whose bytes they are. A schema and a Python type
        do not allow the same values: no year 0 is a date here.
        """
        operation = self._operations[body.tag]
        message = self._methods[operation].in_message
        try:
            given = self._protocol.from_element(files, message, body)
            arguments = tuple(getattr(given, field) for field in message._type_info)  # noqa: SLF001 - spyne's name for the fields of a type
        except facade_time.OffsetMissingError as error:
            raise error.refusal(body) from error
        except _REFUSALS as error:
            text = "a value of the message cannot be read"
            raise ValidationError(text, (Violation(f"/{operation}", "type", text),)) from error
        return Asked(operation, arguments)

    def invoke(self, asked: Asked, desk: Any) -> Any:
        """Call the operation's method with the desk it works at; return what it returns."""
        return self._methods[asked.operation].function(desk, *asked.arguments)

    def write(self, operation: str, result: Any) -> bytes:
        """Return the response element around a result, in UTF-8."""
        message = self._methods[operation].out_message
        count = len(message._type_info)  # noqa: SLF001 - as above
        return self._element_of(message, list(result) if count > 1 else [result][:count])

    def detail(self, fault: ComplexModel) -> bytes:
        """Return the element of a fault's detail, qualified in the façade's namespace, in UTF-8."""
        return self._element_of(type(fault), fault)

    def _element_of(self, kind: Any, value: Any) -> bytes:
        root = etree.Element("root", nsmap={None: self.namespace})  # type: ignore[dict-item]
        self._protocol.to_parent(None, kind, value, root, self.namespace)
        return etree.tostring(root[0], encoding="utf-8", xml_declaration=False, with_tail=False)


def _methods(service: Any) -> Iterator[tuple[str, Any]]:
    """Yield each operation with what spyne knows of it, as they were declared."""
    for method in service.public_methods.values():
        yield method.operation_name, method


def _told(interface: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the docstring of each type that the façade's author wrote."""
    for kind in interface.classes.values():
        own = getattr(kind, "__orig__", None) or kind
        if own.__doc__ and not own.__module__.startswith("spyne."):
            yield kind.get_type_name(), " ".join(own.__doc__.split())


def _element(message: Any) -> str:
    name: str = message.Attributes.sub_name or message.get_type_name()
    return name


def _schema(application: Any, name: str) -> _Element:
    """Return the one schema that spyne makes of the types; raise ConfigurationError for several."""
    made = XmlSchema(application.interface)
    made.build_interface_document()
    schemas = [each for each in made.get_interface_document().values() if len(each)]
    if len(schemas) != 1:
        spaces = sorted(each.get("targetNamespace", "") for each in schemas)
        raise ConfigurationError(
            f"the types of the façade {name} stand in several namespaces",
            found=", ".join(spaces),
            expected=application.tns,
            todo="give every type its __namespace__, and leave type_name out",
        )
    schema: _Element = schemas[0]
    return schema
