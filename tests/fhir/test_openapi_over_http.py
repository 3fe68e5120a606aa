"""What is served keeps to its OpenAPI description, whatever is asked: schemathesis makes the requests."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from carethread.fhir.interactions import Interaction
from carethread.fhir.table import TABLE
from tests.fhir.definitions import needs_definitions, resources
from tests.installation import JSON, Installation, outcome, thread

with warnings.catch_warnings():
    # It tells of what it will change.
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_TIMEOUT_S = 20


class Described:
    """The description that is published, and who asks by it."""

    def __init__(self, installation: Installation) -> None:
        with installation.client() as client:
            description = client.get(f"{installation.origin}/openapi.json").json()
        schema = schemathesis.openapi.from_dict(description)
        self.operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
        self.base = installation.base
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = installation.authorization("A1")
        with installation.client("A1") as client:
            self.thread = client.post("/CommunicationRequest", json=thread()).json()["id"]


@pytest.fixture(scope="module")
def described(installation: Installation) -> Iterator[Described]:
    made = Described(installation)
    yield made
    made.session.close()


def test_every_interaction_is_described(described: Described, installation: Installation) -> None:
    with installation.client() as client:
        capabilities: Any = client.get("/metadata").json()
    claimed = {
        f"{interaction['code']}-{each['type']}"
        for each in capabilities["rest"][0]["resource"]
        for interaction in each["interaction"]
    }
    names = {each.definition.raw["operationId"] for each in described.operations}
    assert claimed <= names


@pytest.mark.parametrize("mode", list(GenerationMode))
# A hundred requests in `make test`, thousands in `make fuzz`. What shrinking would ask again and again is asked once.
@settings(suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_it_answers_as_described(described: Described, mode: GenerationMode, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(described.operations).filter(lambda each: _can(each, mode)))
    case = data.draw(operation.as_strategy(generation_mode=mode))
    if "id" in (case.path_parameters or {}) and data.draw(st.booleans()):
        case.path_parameters["id"] = described.thread if "CommunicationRequest" in operation.path else "Pharmacy-A"
    response = case.call(described.base, session=described.session, timeout=_TIMEOUT_S)
    case.validate_response(response, checks=_CHECKS)
    if response.status_code >= 400:
        outcome(response.content)


# What may be sent; a Binary's body may be anything at all.
_SENT = tuple(each.type for each in TABLE if Interaction.CREATE in each.interactions and each.type != "Binary")
_THREAD = st.just({"reference": "CommunicationRequest/{thread}"})
# Elements without which nothing is ever recorded, as they have to be for A1.
_NEEDED: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Communication": {
        "status": st.just("completed"),
        "basedOn": st.lists(_THREAD, min_size=1, max_size=1),
        "sender": st.just({"reference": "Practitioner/A1"}),
        "payload": st.just([{"contentString": "Words"}]),
    },
    "CommunicationRequest": {
        "status": st.just("active"),
        "subject": st.just({"reference": "Patient/P1"}),
        "requester": st.just({"reference": "Practitioner/A1"}),
        "recipient": st.just([{"reference": "Organization/Clinic-B"}]),
    },
}


@needs_definitions
@settings(suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_every_valid_resource_is_answered_as_described(described: Described, data: st.DataObject) -> None:
    """Those that schemathesis makes are of the right type, and seldom more."""
    kind = data.draw(st.sampled_from(_SENT))
    resource = data.draw(resources(kind))
    for name, value in _NEEDED.get(kind, {}).items():
        if data.draw(st.integers(0, 9)):
            resource[name] = data.draw(value)
    method, path = data.draw(st.sampled_from([("POST", kind), ("PUT", f"{kind}/x"), ("POST", f"{kind}/$validate")]))
    if method == "PUT":
        resource["id"] = "x"
    body = json.dumps(resource).replace("{thread}", described.thread)
    headers = {"Content-Type": JSON}
    answer = described.session.request(
        method, f"{described.base}/{path}", data=body.encode(), headers=headers, timeout=_TIMEOUT_S
    )
    assert answer.status_code in {200, 201, 400, 403, 409, 412, 422, 428}, answer.text
    if answer.status_code >= 400 or path.endswith("$validate"):
        outcome(answer.content)


def _can(operation: Any, mode: GenerationMode) -> bool:
    """Tell whether something can be wrong: there is something to be said."""
    return mode is GenerationMode.POSITIVE or bool(
        list(operation.path_parameters) or list(operation.query) or list(operation.headers) or list(operation.body)
    )
