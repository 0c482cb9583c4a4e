"""What a service says of itself, kept with its packed form: nobody who asks has proven anything.

A description differs by the address in it alone, and making and packing one costs as much as ten
calls. Those of the addresses asked for last are kept. Where a Host may have any port, a flood of
addresses throws them out; a description that came in such a way is sent as it is until it is asked
for again. Used on the event loop only.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from gateway.errors import NotFoundError
from gateway.wires.endpoint import Described

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.contracts import Contract

XML: Final = "text/xml; charset=utf-8"
KEPT: Final = 16
"""Documents of one service: the four of each address, of as many addresses as serve in earnest."""


class Kept(bytes):
    """A document that is sent more than once. packed: by gzip, empty while nobody has packed it.

    pack: whether it is worth that.
    """

    packed: bytes = b""
    pack: bool = True


class Descriptions:
    """Descriptions of one service. namespace: of its contract."""

    def __init__(self, contract: Contract, namespace: str) -> None:
        self._contract = contract
        self._namespace = namespace
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    def describe(self, query: Mapping[str, str], base: str) -> Described:
        """Serve `?wsdl`, `?singleWsdl` and `?xsd=name`; the schema is one, so `?xsd` is enough.

        query: parameters, names in lower case. base: scheme and host of the address in it. Raise
        NotFoundError.
        """
        contract = self._contract
        if "singlewsdl" in query:
            body = self._keep("singleWsdl", base, contract.single_wsdl)
        elif "xsd" in query:
            body = self._keep("xsd", query["xsd"] or contract.schema_names[0], contract.xsd)
        elif "wsdl" in query or not query:
            body = self._keep("wsdl", base, contract.wsdl)
        else:
            raise NotFoundError("no such description", expected="?wsdl, ?singleWsdl, ?xsd")
        return Described(XML, body)

    def sections(self, base: str) -> Mapping[str, Mapping[str, bytes]]:
        """Return the WSDL without its import, and the schema."""
        return {
            "wsdl": {self._namespace: self._keep("bare", base, self._contract.bare_wsdl)},
            "xsd": {self._namespace: self._contract.xsd(self._contract.schema_names[0])},
        }

    def _keep(self, form: str, of: str, make: Callable[[str], bytes]) -> Kept:
        found = self._kept.get((form, of))
        if found is not None:
            found.pack = True
        else:
            found = Kept(make(of))
            found.pack = len(self._kept) < KEPT
            self._kept[form, of] = found
        self._kept.move_to_end((form, of))
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found
