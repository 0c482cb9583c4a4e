"""The peer of soap: the same contract by spyne, validated by lxml, with nothing behind it.

Its classes are made from `gateway.wires.contract`; `wsgi` makes an application around a function
that takes an appeal. `bench.peers.soap_spyne:application` acknowledges at once;
`python -m bench.peers.soap_spyne SECONDS` calls it in process and prints what that took.
"""

from __future__ import annotations

import logging
import sys
import warnings
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
import six
from msgspec import inspect

from bench.soap_message import NO_DIGEST, NO_RECEIPT, Calls, addressed, repeat
from gateway import ns
from gateway.wires import contract as c

if TYPE_CHECKING:
    from collections.abc import Callable

# spyne 2.14 carries a `six` whose lazy modules no newer Python finds (design §2.7).
for _name in ("moves", "moves.urllib", "moves.urllib.parse", "moves.urllib.request"):
    sys.modules[f"spyne.util.six.{_name}"] = sys.modules.get(f"six.{_name}") or __import__(
        f"six.{_name}", fromlist=["*"]
    )
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spyne
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

# It warns on every call of classes that it made itself.
logging.getLogger("spyne").setLevel(logging.ERROR)

_SCALARS: Final[dict[type, Any]] = {
    inspect.BoolType: spyne.Boolean,
    inspect.FloatType: spyne.Double,
    inspect.DateType: spyne.Date,
    inspect.DateTimeType: spyne.DateTime,
    inspect.BytesType: spyne.ByteArray,
}


def _plain(kind: inspect.Type) -> inspect.Type:
    """Return the type beside None, without its metadata."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    return _plain(kind) if isinstance(kind, inspect.Metadata) else kind


def _element(field: inspect.Field) -> str:
    return field.encode_name[0].upper() + field.encode_name[1:]


@cache
def model(cls: type[msgspec.Struct]) -> Any:
    """Return the spyne class of a contract struct, in the order of its elements."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    members = [
        (_element(field), _member(_plain(field.type), required=field.required))
        for field in info.fields
    ]
    return spyne.ComplexModel.produce(ns.APPEALS, cls.__name__, members)


def _member(kind: inspect.Type, *, required: bool) -> Any:
    occurs = {"min_occurs": 1 if required else 0}
    if isinstance(kind, inspect.StructType):
        return model(kind.cls).customize(**occurs)
    if isinstance(kind, inspect.VarTupleType):
        return spyne.Array(_member(_plain(kind.item_type), required=False)).customize(**occurs)
    if isinstance(kind, inspect.LiteralType):
        return spyne.Unicode(values=list(kind.values), **occurs)
    if isinstance(kind, inspect.IntType):
        bounds = {"ge": kind.ge, "le": kind.le} if kind.ge else {}
        return spyne.Integer32(**bounds, **occurs)
    if isinstance(kind, inspect.StrType):
        facets = {"min_len": kind.min_length or 0, "max_len": kind.max_length or 100_000}
        return spyne.Unicode(**facets, **occurs)
    return _SCALARS[type(kind)].customize(**occurs)


@cache
def reader(cls: type[msgspec.Struct]) -> Callable[[Any], Any]:
    """Return how an instance of the spyne class becomes the contract's struct."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    plan = []
    for field in info.fields:
        kind = _plain(field.type)
        many = isinstance(kind, inspect.VarTupleType)
        item = _plain(kind.item_type) if isinstance(kind, inspect.VarTupleType) else kind
        deep = reader(item.cls) if isinstance(item, inspect.StructType) else None
        plan.append((field.name, _element(field), many, deep))

    def read(given: Any) -> Any:
        found = {}
        for name, element, many, deep in plan:
            value = getattr(given, element)
            if value is None:
                continue
            if many:
                value = tuple(deep(v) for v in value) if deep else tuple(value)
            elif deep:
                value = deep(value)
            found[name] = value
        return cls(**found)

    return read


def wsgi(submit: Callable[[dict[str, Any], Any], c.Receipt], part_name: str | None = None) -> Any:
    """Return a WSGI application of SubmitAppeal; submit: takes the environ and spyne's appeal.

    part_name: of the messages in its description. WCF wants `parameters`, and given any, spyne
    formats a stack on every call, which costs it a tenth.
    """
    kind = model(c.Receipt)

    class AppealService(spyne.ServiceBase):  # type: ignore[misc]
        """The one operation that is measured."""

        @spyne.rpc(
            model(c.AppealIn).customize(min_occurs=1),
            _returns=kind,
            _in_arg_names={"appeal": "Appeal"},
            _out_variable_name="Receipt",
            _wsdl_part_name=part_name,
        )
        def SubmitAppeal(ctx: Any, appeal: Any) -> Any:  # noqa: N802, N805 - spyne's form
            made = submit(ctx.transport.req_env, appeal)
            given = {
                f.name[0].upper() + f.encode_name[1:]: getattr(made, f.name)
                for f in msgspec.structs.fields(c.Receipt)
            }
            return kind(**given)

    return WsgiApplication(
        spyne.Application(
            [AppealService],
            ns.APPEALS,
            in_protocol=Soap11(validator="lxml"),
            out_protocol=Soap11(),
        )
    )


def _at_once(_env: dict[str, Any], appeal: Any) -> c.Receipt:
    return c.Receipt(
        receipt_number=NO_RECEIPT,
        external_id=appeal.ExternalId,
        revision=appeal.Revision,
        accepted_at=datetime.now(UTC),
        content_sha256=NO_DIGEST,
    )


application = wsgi(_at_once)


def in_process(seconds: float) -> Calls:
    """Call the application as a server would, over and over."""
    body = addressed()

    def once() -> bytes:
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/soap/appeals.svc",
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": "text/xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_SOAPACTION": f'"{ns.APPEALS}/SubmitAppeal"',
            "wsgi.url_scheme": "http",
            "wsgi.input": six.BytesIO(body),
            "wsgi.errors": sys.stderr,
        }
        pieces = application(environ, lambda status, _headers, *_: statuses.append(status))
        answer = b"".join(pieces)
        assert statuses[0].startswith("200")
        return answer

    return repeat(once, seconds)


if __name__ == "__main__":
    print(msgspec.json.encode(in_process(float(sys.argv[1]))).decode())
