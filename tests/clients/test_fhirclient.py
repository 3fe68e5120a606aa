"""fhirclient, SMART's own for Python, as it comes from PyPI, does what it is made for with what is served.

It has no way to set a header, so that its updates say in the resource which version they change.
"""

from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.communication import Communication
from fhirclient.models.communicationrequest import CommunicationRequest
from fhirclient.models.organization import Organization
from fhirclient.server import (
    FHIRNotFoundException,
    FHIRPermissionDeniedException,
    FHIRServer,
    FHIRUnauthorizedException,
)
from requests import HTTPError

from tests.installation import QUESTION, Installation, message, outcome, reply, thread


class Clients:
    """Clients of several people, as one leaves them who has signed in."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def __call__(self, who: str) -> FHIRServer:
        auth = {"access_token": self._installation.tokens[who]}
        server = {"base_uri": f"{self._installation.base}/", "auth_type": "oauth2", "auth": auth}
        return FHIRClient(state={"app_id": "tests", "server": server}).server


@pytest.fixture
def clients(installation: Installation) -> Clients:
    return Clients(installation)


def opened(server: FHIRServer, **change: Any) -> CommunicationRequest:
    return CommunicationRequest(CommunicationRequest(thread(**change)).create(server))


def in_thread(to: str, **change: str) -> Any:
    return Communication.where({"based-on": f"CommunicationRequest/{to}", "_sort": "sent", **change})


def answered(error: HTTPError) -> tuple[int, str, list[str]]:
    """Return the status of a refusal, and what its first issue says: code and expression."""
    assert error.response is not None
    issue = outcome(error.response.content)[0]
    return error.response.status_code, issue["code"], issue.get("expression", [])


def test_capabilities(installation: Installation) -> None:
    client = FHIRClient(settings={"app_id": "tests", "api_base": installation.base})
    assert client.prepare()
    found = client.server.capabilityStatement
    assert isinstance(found, CapabilityStatement)
    assert found.fhirVersion == "4.0.1"
    types = {each.type: each for each in found.rest[0].resource}
    assert "based-on" in {each.name for each in types["Communication"].searchParam}


def test_what_is_created_is_read(clients: Clients) -> None:
    made = opened(clients("A1"))
    found = CommunicationRequest.read(made.id, clients("B1"))
    assert found.as_json() == made.as_json()
    assert (found.meta.versionId, found.payload[0].contentString) == ("1", QUESTION)
    assert Organization.read("Pharmacy-A", clients("B1")).name == "Riverside Pharmacy"


def test_a_search_in_the_order_of_sending(clients: Clients) -> None:
    made = opened(clients("A1"))
    answer = Communication(reply(made.id)).create(clients("B1"))
    found = list(in_thread(made.id).perform_resources_iter(clients("A1")))
    assert [each.payload[0].contentString for each in found] == [QUESTION, "Yes, today."]
    assert found[1].as_json() == answer


def test_paging_to_the_end(clients: Clients) -> None:
    made = opened(clients("A1"))
    sent = [Communication(message(made.id, f"Message {n}")).create(clients("A1"))["id"] for n in range(6)]
    pages = list(in_thread(made.id, _count="2").perform_iter(clients("B1")))
    assert len(pages) >= 4
    found = [each.resource.id for page in pages for each in page.entry or ()]
    assert (len(found), found[1:]) == (7, sent)
    assert [each.id for each in in_thread(made.id, _count="2").perform_resources_iter(clients("B1"))] == found


def test_an_include(clients: Clients) -> None:
    made = opened(clients("A1"))
    answer = Communication(reply(made.id)).create(clients("B1"))
    # Its own `include` knows names of elements alone, and leaves out those of parameters.
    asked = {"recipient": "Organization/Pharmacy-A", "_include": "Communication:based-on", "_count": "3"}
    bundle = next(Communication.where(asked).perform_iter(clients("A1")))
    modes = {each.resource.id: each.search.mode for each in bundle.entry}
    assert (modes[answer["id"]], modes[made.id]) == ("match", "include")


def test_an_update(clients: Clients) -> None:
    server = clients("A1")
    made = opened(server)
    made.status = "completed"
    changed = made.update(server)
    assert (changed["status"], changed["meta"]["versionId"]) == ("completed", "2")
    with pytest.raises(HTTPError) as stale:
        made.update(server)
    assert answered(stale.value) == (412, "conflict", [])


def test_a_condition_in_a_transaction(clients: Clients) -> None:
    """It cannot set the header, but a Bundle has a place for it."""
    server = clients("A1")
    value = opened(server).id
    entry = {
        "resource": thread(identifier=[{"system": "urn:example:tests", "value": value}]),
        "request": {
            "method": "POST", "url": "CommunicationRequest", "ifNoneExist": f"identifier=urn:example:tests|{value}",
        },
    }  # fmt: skip
    bundle = Bundle({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    first, second = (Bundle(bundle.create(server)).entry[0].response for _ in range(2))
    assert (first.status[:3], second.status[:3]) == ("201", "200")
    assert first.location == second.location


def test_history(clients: Clients) -> None:
    server = clients("A1")
    made = opened(server)
    before = made.as_json()
    made.status = "completed"
    after = made.update(server)
    found = Bundle.read_from(f"CommunicationRequest/{made.id}/_history", server)
    assert found.type == "history"
    assert [each.resource.as_json() for each in found.entry] == [after, before]


def test_refusals_are_outcomes(clients: Clients, installation: Installation) -> None:
    made = opened(clients("A1"))
    with pytest.raises(FHIRNotFoundException) as missing:
        CommunicationRequest.read("nowhere", clients("A1"))
    with pytest.raises(FHIRNotFoundException) as hidden:
        CommunicationRequest.read(made.id, clients("C1"))
    with pytest.raises(FHIRPermissionDeniedException) as forged:
        Communication(reply(made.id)).create(clients("A1"))
    nobody = FHIRServer(None, base_uri=installation.base)
    with pytest.raises(FHIRUnauthorizedException) as unknown:
        CommunicationRequest.read(made.id, nobody)
    for each, code in ((missing, "not-found"), (hidden, "not-found"), (forged, "forbidden"), (unknown, "login")):
        assert outcome(each.value.response.content)[0]["code"] == code
    with pytest.raises(HTTPError) as wrong:
        clients("A1").post_json("CommunicationRequest", thread(status="nonsense"))
    assert answered(wrong.value) == (400, "code-invalid", ["CommunicationRequest.status"])
