"""The OpenAPI document: valid, complete, and true of what the service does."""

from __future__ import annotations

import json
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.definitions import OPENAPI_31

from botopt.model.api_keys import KeyScope
from botopt.model.policy import RESERVED_TYPES
from botopt.server.describing import encoded
from botopt.server.endpoints import ENDPOINTS
from botopt.server.openapi.operations import OPERATIONS
from botopt.server.problems import TITLES
from botopt.verify.validate import load
from tests.cli.running import ROOT
from tests.server.house import KEYS, NOW, event, house

DOCUMENT = json.loads(encoded())
OPERATION = [
    (path, method, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


def test_the_document_obeys_the_meta_schema():
    Draft202012Validator(OPENAPI_31).validate(DOCUMENT)


def test_every_endpoint_stands_in_it_and_nothing_else():
    served = {(endpoint.path.replace(":path}", "}"), endpoint.method.lower()) for endpoint in ENDPOINTS}
    assert {(path, method) for path, method, _ in OPERATION} == served
    assert {endpoint.name for endpoint in ENDPOINTS} == set(OPERATIONS)


def test_every_reference_leads_somewhere():
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', encoded().decode()):
        node = DOCUMENT
        for part in reference.split("/"):
            node = node[part]
        assert node


def test_every_schema_is_one_and_is_used():
    text = encoded().decode()
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert f'"#/components/schemas/{name}"' in text, name


@pytest.mark.parametrize(("path", "method", "operation"), OPERATION, ids=[f"{m} {p}" for p, m, _ in OPERATION])
def test_every_operation_is_whole(path, method, operation):
    [endpoint] = [
        e for e in ENDPOINTS if e.name == operation["operationId"] or e.name.startswith(operation["operationId"])
    ][:1]
    assert operation["summary"]
    assert operation["tags"]
    assert set(re.findall(r"{(\w+)}", path)) == {
        p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"
    }
    for parameter in operation.get("parameters", ()):
        assert parameter["description"]
    for status, answer in operation["responses"].items():
        assert answer["description"]
        assert "X-Request-Id" in answer["headers"]
        if int(status) in {429, 503, 409}:
            assert "Retry-After" in answer["headers"]
        if int(status) >= 400 and not (path == "/c/{token}" and status == "404"):
            assert set(answer["content"]) == {"application/problem+json"}
    assert bool(operation["security"]) == (endpoint.scope is not None)
    if endpoint.scope is not None:
        assert {"401", "403", "429"} <= set(operation["responses"])
        assert operation["x-scope"] in set(KeyScope)
    assert {"400", "500", "503"} <= set(operation["responses"])


def test_every_kind_of_problem_has_a_status_that_some_operation_names():
    named = {int(status) for _, _, operation in OPERATION for status in operation["responses"]}
    assert {status for status, _ in TITLES.values()} <= named


def test_the_service_serves_it(shared):
    assert shared.client.get("/openapi.json").json() == DOCUMENT


# ---------------------------------------------------------------- schemathesis


@pytest.fixture(scope="module")
def target(tmp_path_factory, policy):
    with house(tmp_path_factory.mktemp("target"), policy) as live:
        live.post([event("e1"), event("e2", user="bob")])
        yield live


@schemathesis.serializer("application/x-ndjson")
def lines(_, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode() + b"\n"


def told_the_policy() -> dict:
    """The document, with the event types that this policy declares: so that events come further than their type."""
    known = json.loads(encoded())
    types = [*load(ROOT).events, *RESERVED_TYPES]
    known["components"]["schemas"]["Event"]["properties"]["type"] = {"type": "string", "enum": types}
    known["components"]["schemas"]["CloudEvent"]["properties"]["type"] = {"type": "string", "enum": types}
    return known


schemathesis.openapi.format("date-time", st.sampled_from([NOW, "2026-03-01T23:59:59.5Z", "2026-03-02T10:04:59+01:00"]))
schema = schemathesis.openapi.from_dict(told_the_policy())
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_answered_is_what_the_document_says(case, target):
    """No answer of 5xx, and each as described; whatever is asked."""
    case.headers = {**(case.headers or {}), "x-api-key": KEYS["admin"]}
    answer = case.call(base_url=f"http://127.0.0.1:{target.port}", timeout=20, allow_redirects=False)
    assert answer.status_code < 500
    case.validate_response(
        answer,
        checks=[
            schemathesis.checks.not_a_server_error,
            schemathesis.specs.openapi.checks.status_code_conformance,
            schemathesis.specs.openapi.checks.content_type_conformance,
            schemathesis.specs.openapi.checks.response_headers_conformance,
            schemathesis.specs.openapi.checks.response_schema_conformance,
        ],
    )


@pytest.mark.parametrize("path", ["/v1/events", "/v1/explain"])
def test_events_that_are_good_are_taken(target, path):
    good = {
        "id": f"g{path}",
        "type": "payment_failed",
        "user": "eve",
        "time": NOW,
        "data": {"order_id": "o", "amount": 1},
    }
    answer = target.post(good, "admin", path=path)
    operation = DOCUMENT["paths"][path]["post"]["responses"][str(answer.status_code)]
    root = {"$ref": operation["content"]["application/json"]["schema"]["$ref"], "components": DOCUMENT["components"]}
    Draft202012Validator(root).validate(answer.json())
