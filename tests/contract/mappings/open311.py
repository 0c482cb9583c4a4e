"""O: Open311 GeoReport v2: one request of `GET requests` in JSON and XML, and `POST requests`."""

from __future__ import annotations

from tests.contract.mappings.format import Format, Shape
from tests.contract.mappings.table import Row, Table
from tests.contract.mappings.trees import Xml, read_form, read_json, write_form, write_json
from tests.contract.mappings.values import DECIMAL, DEGREES, INSTANT, Value, fixed

_PLACE = "addresses[role=problem]"
_TOPIC = "questions[0]/topics[0]"
_STATE = "questions[0]/peer_states[peer=open311]"
_SYSTEM = {"source_system": {"system": "gateway.source", "value": "open311"}}

_XML = Xml(
    "service_requests",
    namespaces={"": ""},
    repeated=frozenset({"request"}),
    order={
        "request": (
            "service_request_id", "status", "status_notes", "service_name", "service_code",
            "description", "agency_responsible", "service_notice", "requested_datetime",
            "updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat",
            "long", "media_url",
        ),
    },
)  # fmt: skip


def _table(at: str, degrees: Value) -> Table:
    """Return the table of one request whose leaves lie below `at`."""
    rows = (
        Row("service_request_id", "refs[peer=open311,kind=service_request_id]/value"),
        Row("token", "refs[peer=open311,kind=token]/value"),
        Row("status", f"{_STATE}/code"),
        Row("status_notes", "questions[0]/outcome/decision_label"),
        Row("service_name", f"{_TOPIC}/name_as_given"),
        Row("service_code", f"{_TOPIC}/code{{system=open311.service}}/value"),
        Row("description", "text"),
        Row("description", "questions[0]/text", one_way=True),
        Row("agency_responsible", "questions[0]/owner_org/full_name"),
        Row("requested_datetime", "received_at", INSTANT),
        Row("updated_datetime", f"{_STATE}/at", INSTANT),
        Row("expected_datetime", "deadlines[rule=open311.expected]/due_at", INSTANT),
        Row("address", f"{_PLACE}/raw"),
        Row("address_id", f"{_PLACE}/codes[system=open311.address_id]/value"),
        Row("zipcode", f"{_PLACE}/postal_code"),
        Row("lat", f"{_PLACE}/lat", degrees),
        Row("long", f"{_PLACE}/lon", degrees),
        Row("media_url", "attachments[0]/url"),
        Row("media_url", "attachments[0]/group", fixed("photo"), one_way=True),
    )
    return Table(
        peer="open311",
        always=_SYSTEM,
        rows=tuple(row._replace(wire=f"{at}/{row.wire}") for row in rows),
        owners=((f"{at}/service_notice", "questions[0]"),),
    )


_FORM = Table(
    peer="open311",
    always=_SYSTEM,
    rows=(
        Row("service_code", f"{_TOPIC}/code{{system=open311.service}}/value"),
        Row("description", "text"),
        Row("description", "questions[0]/text", one_way=True),
        Row("lat", f"{_PLACE}/lat", DECIMAL),
        Row("long", f"{_PLACE}/lon", DECIMAL),
        Row("address_string", f"{_PLACE}/raw"),
        Row("address_id", f"{_PLACE}/codes[system=open311.address_id]/value"),
        Row("first_name", "applicants[0]/person/given"),
        Row("last_name", "applicants[0]/person/family"),
        Row("email", "applicants[0]/contacts[kind=email]/value"),
        Row("phone", "applicants[0]/contacts[kind=phone]/value"),
        Row("media_url", "attachments[0]/url"),
        Row("media_url", "attachments[0]/group", fixed("photo"), one_way=True),
    ),
    owners=(("attribute", "questions[0]"),),
)

FORMAT = Format("O", "Open311", (
    Shape("json", read_json, write_json, _table("[0]", DEGREES)),
    Shape("xml", _XML.read, _XML.write, _table("request[0]", DECIMAL)),
    Shape("form", read_form, write_form, _FORM),
))  # fmt: skip
