"""From a method and a path to an interaction; everything else is refused alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.fhir.interactions import Interaction
from carethread.fhir.outcome import RefusedError
from carethread.fhir.routing import Route, Service, find_route
from carethread.fhir.table import BY_TYPE, TABLE

MESSAGE = BY_TYPE["Communication"]


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "metadata", Route(Service.METADATA)),
        ("HEAD", "metadata", Route(Service.METADATA)),
        ("GET", ".well-known/smart-configuration", Route(Service.SMART)),
        ("POST", "", Route(Service.BATCH)),
        ("POST", "$validate", Route(Service.VALIDATE)),
        ("GET", "Communication", Route(Interaction.SEARCH, MESSAGE)),
        ("GET", "Communication/", Route(Interaction.SEARCH, MESSAGE)),
        ("POST", "Communication/_search", Route(Interaction.SEARCH, MESSAGE)),
        ("POST", "Communication", Route(Interaction.CREATE, MESSAGE)),
        ("GET", "Communication/msg-1", Route(Interaction.READ, MESSAGE, "msg-1")),
        ("PUT", "Communication/msg-1", Route(Interaction.UPDATE, MESSAGE, "msg-1")),
        ("GET", "Communication/msg-1/_history", Route(Interaction.HISTORY_INSTANCE, MESSAGE, "msg-1")),
        ("GET", "Communication/msg-1/_history/2", Route(Interaction.VREAD, MESSAGE, "msg-1", "2")),
        ("GET", "Communication/_history", Route(Interaction.HISTORY_TYPE, MESSAGE)),
        ("POST", "Communication/$validate", Route(Service.VALIDATE, MESSAGE)),
        ("POST", "Communication/msg-1/$validate", Route(Service.VALIDATE, MESSAGE, "msg-1")),
    ],
)
def test_an_address_is_an_interaction(method: str, path: str, route: Route) -> None:
    assert find_route(method, path) == route


@pytest.mark.parametrize(
    "path",
    [
        "Task", "Task/1", "communication", "Communication/a/b", "Communication/a/_history/1/2",
        "Communication/_search/1", "Communication/a b", "Communication/" + "x" * 65, "Communication//_history",
        "../Communication",
        "Communication/..%2f", "_history", "Communication/$everything", "metadata/x", "Communication/a_b",
    ],
)  # fmt: skip
def test_nothing_is_anywhere_else(path: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        find_route("GET", path)
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "Communication/1", "GET, PUT, HEAD"),
        ("PATCH", "Communication/1", "GET, PUT, HEAD"),
        ("POST", "Communication/1", "GET, PUT, HEAD"),
        ("PUT", "Communication", "GET, POST, HEAD"),
        ("DELETE", "Communication", "GET, POST, HEAD"),
        ("PUT", "AuditEvent/1", "GET, HEAD"),
        ("POST", "AuditEvent", "GET, HEAD"),
        ("GET", "Communication/_search", "POST"),
        ("POST", "metadata", "GET, HEAD"),
        ("GET", "", "POST"),
        ("DELETE", "Organization/1/_history/1", "GET, HEAD"),
        ("GET", "Binary", "POST"),
        ("PUT", "Binary/1", "GET, HEAD"),
        ("POST", "Binary/$validate", ""),
    ],
)
def test_another_method_is_told_those_there_are(method: str, path: str, allowed: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        find_route(method, path)
    assert refusal.value.status == 405
    assert refusal.value.headers == {"Allow": allowed}


def test_what_the_table_does_not_claim_is_not_routed() -> None:
    paths = {
        Interaction.READ: ("GET", "{}/1"),
        Interaction.VREAD: ("GET", "{}/1/_history/1"),
        Interaction.UPDATE: ("PUT", "{}/1"),
        Interaction.CREATE: ("POST", "{}"),
        Interaction.HISTORY_INSTANCE: ("GET", "{}/1/_history"),
        Interaction.HISTORY_TYPE: ("GET", "{}/_history"),
        Interaction.SEARCH: ("GET", "{}"),
    }
    assert set(paths) == set(Interaction)
    for support in TABLE:
        for what, (method, path) in paths.items():
            address = path.format(support.type)
            if what in support.interactions:
                assert find_route(method, address).what is what
            else:
                with pytest.raises(RefusedError) as refusal:
                    find_route(method, address)
                assert refusal.value.status == 405


@given(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "BREW"]), st.text(max_size=60))
def test_whatever_comes_is_an_interaction_or_refused(method: str, path: str) -> None:
    status = 200
    try:
        find_route(method, path)
    except RefusedError as refusal:
        status = refusal.status
    assert status in {200, 404, 405}
