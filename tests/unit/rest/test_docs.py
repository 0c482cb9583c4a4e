"""The REST description is valid OpenAPI 3.1 and says what the code does."""

from __future__ import annotations

import re
from urllib.parse import quote

import jsonschema
import msgspec
import pytest
from lxml import etree
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway import contracts
from gateway.rest import docs, examples
from gateway.rest.decode import Call, body_type, request
from gateway.rest.routes import ROUTES
from gateway.wires import binding
from gateway.wires import contract as c

DOCUMENT = docs.document()
OPERATIONS = [
    (f"{method} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def parameters(operation_id):
    (found,) = [op for _, op in OPERATIONS if op["operationId"] == operation_id]
    return {p["name"]: p["schema"] for p in found["parameters"] if "name" in p}


def schema_of(kind):
    return {"$ref": f"#/components/schemas/{kind.__name__}", "components": DOCUMENT["components"]}


def test_it_is_valid():
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_every_operation_of_the_contract_is_described():
    named = {operation["operationId"] for _, operation in OPERATIONS}
    assert set(c.OPERATIONS) <= named
    # One more: the inbox, which takes what a peer writes in its own way.
    assert len(named) == len(OPERATIONS) == len(ROUTES) + 1


def test_parameters_have_the_types_of_their_fields():
    found = parameters("FindAppeals")
    assert found["registeredFrom"] == {"type": "string", "format": "date"}
    assert found["changedFrom"] == {"type": "string", "format": "date-time"}
    assert found["max"] == {"type": "integer", "minimum": 1, "maximum": 1000}
    assert "in_work" in found["state"]["enum"]
    assert parameters("GetAppeal")["includeText"] == {"type": "boolean"}
    assert parameters("AmendAppeal")["revision"]["type"] == "integer"
    assert "States" in parameters("GetDirectory")["name"]["enum"]


def test_the_key_header_is_offered_where_it_means_something():
    with_header = {op["operationId"] for _, op in OPERATIONS if "Idempotency-Key" in str(op)}
    assert with_header == {
        "SubmitAppeal", "AmendAppeal", "WithdrawAppeal", "SubmitStatus", "SubmitAnswer",
        "AttachFile",
    }  # fmt: skip


def test_every_answer_names_its_correlation_id_and_every_refusal_is_a_problem():
    for name, operation in OPERATIONS:
        for status, given in operation["responses"].items():
            shared = given.get("$ref", "").rpartition("/")[2]
            answer = DOCUMENT["components"]["responses"][shared] if shared else given
            if shared:
                assert "application/problem+json" in answer["content"], (name, status)
            assert "Correlation-Id" in answer["headers"], (name, status)
        assert {"401", "422", "503"} <= set(operation["responses"]), name


def test_repeats_and_unchanged_answers_are_described():
    by_id = {operation["operationId"]: operation for _, operation in OPERATIONS}
    assert "Gateway-Repeat" in by_id["SubmitAppeal"]["responses"]["200"]["headers"]
    assert set(by_id["SubmitAppeal"]["responses"]) >= {"201", "200", "409", "413", "415"}
    assert "ETag" in by_id["GetAppeal"]["responses"]["304"]["headers"]


@pytest.mark.parametrize("route", [r for r in ROUTES if r.operation in examples.REQUESTS],
                         ids=lambda route: route.operation.__name__)  # fmt: skip
def test_the_worked_calls_are_taken_as_they_stand(route):
    example = examples.REQUESTS[route.operation]
    path = {"externalId": quote(examples.APPEAL.external_id), "revision": "2"}
    path = path if route.method == "PUT" else {}
    inner = getattr(example, route.wrap) if route.wrap else example
    for media_type, body in (
        ("application/json", msgspec.json.encode(examples.as_json(inner))),
        ("application/xml", examples.as_xml(example).encode()),
    ):
        call = Call(body=body, headers={"content-type": media_type}, path=path, query="")
        got = request(route, call)
        if media_type == "application/xml":
            assert got == example
        plain = msgspec.json.decode(msgspec.json.encode(inner))
        jsonschema.validate(plain, schema_of(body_type(route)))
    contracts.appeals().validate(etree.fromstring(binding.write(example)), 1)


def test_the_schemas_refuse_what_the_code_refuses():
    for wrong in (
        {},
        {"externalId": ""},
        {"externalId": "a", "regime": "?"},
        {"externalId": "a", "x": 1},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema_of(c.AppealIn))


def test_summaries_speak_russian_first_and_english():
    for name, operation in OPERATIONS:
        assert re.match(r"[А-ЯЁ].* · [A-Z]", operation["summary"]), name


def test_the_example_of_a_path_agrees_with_that_of_its_body():
    (told,) = [op["parameters"] for _, op in OPERATIONS if op["operationId"] == "AmendAppeal"]
    shown = {one["name"]: one["example"] for one in told if "example" in one}
    example = examples.REQUESTS[c.AmendAppeal]
    assert shown == {"externalId": example.external_id, "revision": 2, "reason": example.reason}
