"""Whom a sign-in provider means; and that whoever is not meant learns nothing."""

from collections.abc import Iterable
from typing import Any

import pytest

from carethread.access_log import AccessEntry, Outcome
from carethread.errors import NotRecognisedError
from carethread.reads import access_log, person_of_claim
from carethread.store.access import Filter
from tests.region import Region, reference

STAFF = "https://care.example/staff"


def person(kind: str, name: str, *numbers: str, **more: Any) -> dict[str, Any]:
    identifiers = [{"system": STAFF, "value": each} for each in numbers]
    return {
        "resourceType": kind,
        "id": name,
        "active": True,
        "name": [{"text": f"Somebody {name}"}],
        "identifier": identifiers,
        **more,
    }


@pytest.fixture
def staffed(region: Region) -> Region:
    region.load(
        person("Practitioner", "S1", "1", "shared"),
        person("Patient", "S2", "2", "shared"),
        person("RelatedPerson", "S3", "3", patient=reference("P1")),
        person("Practitioner", "S4", "4", active=False),
        person("RelatedPerson", "S5", "5", patient=reference("P1"), period={"end": "2020-01-01"}),
        {
            "resourceType": "Organization",
            "id": "S6",
            "active": True,
            "name": "Staffed",
            "identifier": [{"system": STAFF, "value": "6"}],
        },
    )
    return region


def lines(region: Region) -> Iterable[AccessEntry]:
    return [each for each in access_log(region.service, region.auditor, Filter()) if "claim" in each.query]


MEANT = {
    "Practitioner/S1": "S1",
    "Patient/S2": "S2",
    "RelatedPerson/S3": "S3",
    f"{STAFF}|1": "S1",
    f"{STAFF}|2": "S2",
    f"{STAFF}|3": "S3",
}


def test_the_one_who_is_meant(staffed: Region) -> None:
    find = staffed.service.directory.find
    for claim, name in MEANT.items():
        assert person_of_claim(staffed.service, claim, client="web", request_id="r-1") == find(name).id
    for line, (claim, name) in zip(lines(staffed), MEANT.items(), strict=True):
        assert (line.actor, line.outcome, line.detail) == (find(name).id, Outcome.DONE, "sign-in")
        assert (line.client, line.request_id, line.query) == ("web", "r-1", f'{{"claim":"{claim}"}}')
        assert [each.entry for each in line.entries] == [line.actor]
    assert [each.actor_kind for each in lines(staffed)][:3] == ["practitioner", "patient", "related_person"]


def test_somebody_is_meant_by_their_uuid_too(staffed: Region) -> None:
    assert person_of_claim(staffed.service, f"Practitioner/{staffed.id('A1')}") == staffed.id("A1")


NOBODY = [
    "",
    "S1",
    "Practitioner/",
    "Practitioner/Nobody",
    "Practitioner/S2",
    "Practitioner/S4",
    "RelatedPerson/S5",
    "Organization/S6",
    "CareTeam/Wounds",
    "PractitionerRole/A1-at-Pharmacy-A",
    f"{STAFF}|4",
    f"{STAFF}|5",
    f"{STAFF}|6",
    f"{STAFF}|shared",
    f"{STAFF}|7",
    f"{STAFF}|",
    "|1",
    "https://elsewhere.example|1",
    f"{STAFF}|1\n",
    "x" * 1_000,
]


def test_nobody_else_is_told_apart(staffed: Region) -> None:
    said = set()
    for claim in NOBODY:
        with pytest.raises(NotRecognisedError) as raised:
            person_of_claim(staffed.service, claim)
        said.add(str(raised.value))
        assert raised.value.is_logged
    assert len(said) == 1
    told = {(each.actor, each.actor_kind, each.outcome, each.detail, each.entries) for each in lines(staffed)}
    assert len(told) == 1
    assert len(list(lines(staffed))) == len(NOBODY)
    (only,) = told
    assert only[2:] == (Outcome.REFUSED, "not-recognised", ())
