"""fhirpy, as it comes from PyPI, does what it is made for with what is served."""

import json
import uuid

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import (
    AuthorizationError,
    ForbiddenError,
    MultipleResourcesFound,
    OperationOutcome,
    ResourceNotFound,
)

from tests.installation import QUESTION, Installation, Json, message, outcome, reply, thread

SYSTEM = "urn:example:tests"


class Clients:
    """Clients of several people."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    def __call__(self, who: str, **headers: str) -> SyncFHIRClient:
        return SyncFHIRClient(
            self.installation.base, authorization=self.installation.authorization(who), extra_headers=headers or None
        )


@pytest.fixture
def clients(installation: Installation) -> Clients:
    return Clients(installation)


def create(client: SyncFHIRClient, resource: Json) -> Json:
    kind, fields = resource["resourceType"], {n: v for n, v in resource.items() if n != "resourceType"}
    return plain(client.resource(kind, **fields).save())


def plain(resource: object) -> Json:
    """Return a resource of fhirpy's as it went over the wire."""
    made: Json = json.loads(json.dumps(resource))
    return made


def test_capabilities(clients: Clients, installation: Installation) -> None:
    found = SyncFHIRClient(installation.base).execute("metadata", method="get")
    assert (found.resourceType, found.fhirVersion) == ("CapabilityStatement", "4.0.1")


def test_what_is_created_is_read(clients: Clients) -> None:
    made = create(clients("A1"), thread())
    assert (made["meta"]["versionId"], made["payload"]) == ("1", [{"contentString": QUESTION}])
    assert plain(clients("B1").get("CommunicationRequest", made["id"])) == made
    answer = create(clients("B1"), reply(made["id"]))
    assert plain(clients("A1").reference("Communication", answer["id"]).to_resource()) == answer


def test_a_search_in_the_order_of_sending(clients: Clients) -> None:
    to = create(clients("A1"), thread())["id"]
    answer = create(clients("B1"), reply(to))
    asked = clients("A1").resources("Communication").search(based_on=f"CommunicationRequest/{to}").sort("sent")
    found = asked.fetch()
    assert [each["payload"][0]["contentString"] for each in found] == [QUESTION, "Yes, today."]
    assert plain(asked.sort("-sent").first()) == answer
    assert plain(asked.search(sender="Practitioner/B1").get()) == answer
    assert asked.search(sender="Practitioner/C1").first() is None
    assert [plain(each) for each in asked.search(sent__ge=answer["sent"])] == [answer]


def test_paging_to_the_end(clients: Clients) -> None:
    to = create(clients("A1"), thread())["id"]
    sent = [create(clients("A1"), message(to, f"Message {number}"))["id"] for number in range(6)]
    asked = clients("B1").resources("Communication").search(based_on=f"CommunicationRequest/{to}").sort("sent")
    found = [each.id for each in asked.limit(2)]
    assert (len(found), found[1:]) == (7, sent)


def test_counting_needs_that_what_is_not_known_is_passed_over(clients: Clients) -> None:
    """It sends a parameter of its own maker's server."""
    to = create(clients("A1"), thread())["id"]
    asked = {"based_on": f"CommunicationRequest/{to}"}
    lenient = clients("A1", Prefer="handling=lenient")
    assert lenient.resources("Communication").search(**asked).count() == 1
    with pytest.raises(OperationOutcome) as caught:
        clients("A1").resources("Communication").search(**asked).count()
    assert caught.value.resource["issue"][0]["expression"] == ["_totalMethod"]


def test_an_include(clients: Clients) -> None:
    to = create(clients("A1"), thread())["id"]
    answer = create(clients("B1"), reply(to))
    asked = clients("A1").resources("Communication").search(recipient="Organization/Pharmacy-A")
    found = asked.include("Communication", "based-on").limit(3).fetch_raw()
    modes = {each["resource"]["id"]: each["search"]["mode"] for each in found["entry"]}
    assert (modes[answer["id"]], modes[to]) == ("match", "include")


def test_a_conditional_create(clients: Clients) -> None:
    value = uuid.uuid4().hex
    client = clients("A1", **{"If-None-Exist": f"identifier={SYSTEM}|{value}"})
    resource = thread(identifier=[{"system": SYSTEM, "value": value}])
    first = create(client, resource)
    assert create(client, resource) == first
    assert [each.id for each in clients("B1").resources("CommunicationRequest").search(identifier=value)] == [
        first["id"]
    ]


def test_a_condition_in_the_address_is_refused_and_not_passed_over(clients: Clients) -> None:
    """R4 has it in a header; fhirpy's own way would otherwise make another one at each call."""
    value = uuid.uuid4().hex
    client = clients("A1")
    resource = thread(identifier=[{"system": SYSTEM, "value": value}])
    wanted = client.resources("CommunicationRequest").search(identifier=value)
    with pytest.raises(OperationOutcome):
        wanted.get_or_create(client.resource("CommunicationRequest", **resource))
    with pytest.raises(ResourceNotFound):
        wanted.get()


def test_an_update_says_what_it_changes(clients: Clients) -> None:
    made = create(clients("A1"), thread())
    client = clients("A1", **{"If-Match": 'W/"1"'})
    found = client.resources("CommunicationRequest").search(_id=made["id"]).get()
    found["status"] = "completed"
    found.save()
    assert (found["status"], found["meta"]["versionId"]) == ("completed", "2")
    with pytest.raises(MultipleResourcesFound) as caught:  # what it takes every 412 for
        found.save()
    assert outcome(str(caught.value))[0]["code"] == "conflict"


def test_an_update_may_say_it_in_the_resource(clients: Clients) -> None:
    client = clients("A1")
    found = client.resource("CommunicationRequest", **create(client, thread()))
    found["status"] = "completed"
    found.save()
    assert found["meta"]["versionId"] == "2"
    found.refresh()
    assert found["status"] == "completed"


def test_history(clients: Clients) -> None:
    client = clients("A1")
    made = create(client, thread())
    changed = plain(client.resource("CommunicationRequest", **{**made, "status": "completed"}).save())
    path = f"CommunicationRequest/{made['id']}/_history"
    found = client.execute(path, method="get")
    assert [plain(each["resource"]) for each in found["entry"]] == [changed, made]
    assert plain(client.execute(f"{path}/1", method="get")) == made


def test_validation(clients: Clients) -> None:
    client = clients("A1")
    assert client.resource("CommunicationRequest", **thread()).is_valid()
    assert not client.resource("CommunicationRequest", **thread(status="nonsense")).is_valid()


def test_refusals_are_outcomes(clients: Clients, installation: Installation) -> None:
    client = clients("A1")
    to = create(client, thread())["id"]
    with pytest.raises(ResourceNotFound) as missing:
        client.get("CommunicationRequest", "nowhere")
    with pytest.raises(ResourceNotFound) as hidden:
        clients("C1").get("CommunicationRequest", to)
    with pytest.raises(ForbiddenError) as forged:
        create(client, reply(to))
    with pytest.raises(AuthorizationError) as unknown:
        SyncFHIRClient(installation.base).get("CommunicationRequest", to)
    for each, code in ((missing, "not-found"), (hidden, "not-found"), (forged, "forbidden"), (unknown, "login")):
        assert outcome(str(each.value))[0]["code"] == code
    with pytest.raises(OperationOutcome) as wrong:
        create(client, thread(status="nonsense"))
    assert wrong.value.resource["issue"][0]["expression"] == ["CommunicationRequest.status"]
    with pytest.raises(OperationOutcome):
        client.delete("CommunicationRequest", to)
