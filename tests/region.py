"""An invented region for tests: a pharmacy, a clinic, a hospital, home care, two patients and those around them.

Everybody is named by a short FHIR id. Whoever needs their UUID asks `Region.id`.
"""

import json
from typing import Any

from carethread import CoordinationService, MessageContent
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import ActorKind, Caller
from carethread.writes import Opening, open_thread

_ROLE = "http://terminology.hl7.org/CodeSystem/practitioner-role"
_STANDING = "urn:carethread:standing"

ORGANIZATIONS = {
    "Pharmacy-A": "Riverside Pharmacy",
    "Clinic-B": "Hill Clinic",
    "Hospital-C": "Stadsziekenhuis",
    "HomeCare-D": "Thuiszorg De Brug",
    "Empty-E": "Closed Practice",
}
# Who works where, as what.
PRACTITIONERS = {
    "A1": ("Anna Visser", {"Pharmacy-A": "pharmacist"}),
    "A2": ("Adam Novak", {"Pharmacy-A": "pharmacist"}),
    "A9": ("Amy Desk", {"Pharmacy-A": "admin"}),
    "B1": ("Dr Bo Bell", {"Clinic-B": "doctor"}),
    "B2": ("Dr Bea Boot", {"Clinic-B": "doctor"}),
    "B9": ("Ben Front", {"Clinic-B": "admin"}),
    "C1": ("Dr Cas Citroen", {"Hospital-C": "doctor"}),
    "D1": ("Dina Dijk", {"HomeCare-D": "nurse"}),
    "X1": ("Xander Both", {"Pharmacy-A": "pharmacist", "Clinic-B": "doctor"}),
    "N1": ("Nobody Now", {}),
}
PATIENTS = {"P1": "John Doe", "P2": "Jane Roe"}
RELATED = {"R1": ("Mary Doe", "P1"), "R2": ("Rob Roe", "P2")}
# Who could be taken for P1, and is not in the region as it is: `load` them.
ALIKE = {
    "resourceType": "Patient",
    "id": "P3",
    "active": True,
    "name": [{"text": "Jon Doe"}],
    "birthDate": "1956-05-28",
}
TEAMS: dict[str, dict[str, Any]] = {
    "Network-P1": {"name": "Network of John Doe", "patient": "P1", "members": ["P1", "R1", "D1", "Clinic-B"]},
    "Network-P2": {"name": "Network of Jane Roe", "patient": "P2", "members": ["P2", "R2", "C1"]},
    "Wounds": {"name": "Wound Team", "owner": "Hospital-C", "members": ["C1", "D1"]},
    "Pain": {"name": "Pain Team", "owner": "Clinic-B", "members": ["B1", "Wounds"]},
}
_TYPES = {
    **dict.fromkeys(ORGANIZATIONS, "Organization"),
    **dict.fromkeys(PRACTITIONERS, "Practitioner"),
    **dict.fromkeys(PATIENTS, "Patient"),
    **dict.fromkeys(RELATED, "RelatedPerson"),
    **dict.fromkeys(TEAMS, "CareTeam"),
}


def reference(name: str) -> dict[str, str]:
    """Return a FHIR reference."""
    return {"reference": f"{_TYPES[name]}/{name}"}


def role(person: str, organization: str, code: str, **more: object) -> dict[str, Any]:
    """Return a PractitionerRole."""
    system = _STANDING if code == "admin" else _ROLE
    coded = "care_administrator" if code == "admin" else code
    return {
        "resourceType": "PractitionerRole",
        "id": f"{person}-at-{organization}",
        "active": True,
        "practitioner": reference(person),
        "organization": reference(organization),
        "code": [{"coding": [{"system": system, "code": coded}]}],
        **more,
    }


def team(name: str) -> dict[str, Any]:
    """Return a CareTeam."""
    about = TEAMS[name]
    resource: dict[str, Any] = {
        "resourceType": "CareTeam",
        "id": name,
        "status": "active",
        "name": about["name"],
        "participant": [{"member": reference(each)} for each in about["members"]],
    }
    if "patient" in about:
        resource["subject"] = reference(about["patient"])
    if "owner" in about:
        resource["managingOrganization"] = [reference(about["owner"])]
    return resource


def resources() -> list[dict[str, Any]]:
    """Return the whole region as FHIR resources."""
    found: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": each, "active": True, "name": name}
        for each, name in ORGANIZATIONS.items()
    ]
    for person, (name, places) in PRACTITIONERS.items():
        found.append({"resourceType": "Practitioner", "id": person, "active": True, "name": [{"text": name}]})
        found.extend(role(person, place, code) for place, code in places.items())
    found.extend(
        {"resourceType": "Patient", "id": each, "active": True, "name": [{"text": name}], "birthDate": "1956-05-27"}
        for each, name in PATIENTS.items()
    )
    found.extend(
        {
            "resourceType": "RelatedPerson",
            "id": each,
            "active": True,
            "name": [{"text": name}],
            "patient": reference(patient),
        }
        for each, (name, patient) in RELATED.items()
    )
    found.extend(team(each) for each in TEAMS)
    return found


class Region:
    """The region in the directory of an installation, and its people as callers."""

    def __init__(self, service: CoordinationService, *, loaded: bool = False) -> None:
        """Load it, unless it is there."""
        self.service = service
        if not loaded:
            self.load(*resources())
        self._ids = {name: service.directory.find(f"{kind}/{name}").id for name, kind in _TYPES.items()}
        if not loaded:
            service.directory.appoint("Practitioner/N1", _duty("auditor"), by="test")

    def load(self, *loaded: dict[str, Any]) -> None:
        """Load resources, changed ones too."""
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in loaded]}
        self.service.directory.load(json.dumps(bundle).encode(), by="test")

    def id(self, name: str) -> ParticipantId:
        """Return somebody's UUID."""
        return self._ids[name]

    def ids(self, *names: str) -> tuple[ParticipantId, ...]:
        """Return several UUIDs."""
        return tuple(self._ids[each] for each in names)

    def name(self, identifier: ParticipantId) -> str:
        """Return the short name of a UUID."""
        return next(name for name, known in self._ids.items() if known == identifier)

    def caller(self, name: str) -> Caller:
        """Return somebody who asks."""
        return Caller(self._ids[name], client="tests", request_id=name)

    @property
    def auditor(self) -> Caller:
        """Return an auditor with a purpose."""
        return Caller(self._ids["N1"], ActorKind.AUDITOR, "complaint 17")

    def open(self, who: str, to: tuple[str, ...], body: str = "Hello", **more: Any) -> CommunicationId:
        """Open a thread about P1, unless `patient` says otherwise. Names stand for people and groups."""
        fields: dict[str, Any] = {"patient": self.id(more.pop("patient", "P1"))}
        for each in ("on_behalf_of", "reply_to"):
            if each in more:
                fields[each] = self.id(more.pop(each))
        if "others" in more:
            fields["others"] = self.ids(*more.pop("others"))
        content = more.pop("message", MessageContent(body) if body else None)
        naming = more.pop("naming", None)
        opening = Opening(recipients=self.ids(*to), message=content, **fields, **more)
        return open_thread(self.service, self.caller(who), opening, naming=naming)


def _duty(word: str) -> Any:
    from carethread.directory.model import Duty  # noqa: PLC0415

    return Duty(word)
