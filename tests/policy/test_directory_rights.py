"""Who writes which entry of the directory, with the answers that somebody wrote down."""

from pathlib import Path

import pytest

from carethread import errors
from carethread.clock import Instant
from carethread.directory.model import (
    CareTeam,
    Entry,
    Organization,
    Patient,
    Period,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    Standing,
)
from carethread.ids import ClinicalId, ParticipantId
from carethread.policy.clients import RegisteredClient
from carethread.policy.directory_rights import DirectoryRights, Surroundings, check_may_write_entry
from tests.people import person

NOW = Instant(1_000)
ORGANIZATIONS = {"ours": person(1), "also": person(2), "theirs": person(3)}
RIGHTS = {
    "everything": DirectoryRights(everything=True),
    "nothing": DirectoryRights(),
    "ours": DirectoryRights(frozenset({ORGANIZATIONS["ours"]})),
    "both": DirectoryRights(frozenset({ORGANIZATIONS["ours"], ORGANIZATIONS["also"]})),
}
ANN, BOB = person(10), person(11)


def _role(number: int, where: str, who: ParticipantId = ANN, period: Period | None = None, *, active: bool = True) -> (
    PractitionerRole
):  # fmt: skip
    return PractitionerRole(
        person(number), "r", who, ORGANIZATIONS[where], Standing.CLINICIAN, active, (), period or Period()
    )


PLACES = {
    "ours": _role(20, "ours"),
    "also": _role(21, "also"),
    "theirs": _role(22, "theirs"),
    "left": _role(23, "theirs", active=False),
    "ended": _role(24, "theirs", period=Period(None, NOW)),
    "coming": _role(25, "theirs", period=Period(Instant(2_000))),
    "other": _role(26, "theirs", BOB),
}


def _entry(said: str) -> Entry | None:
    kind, _, about = said.partition(":")
    match kind:
        case "organization":
            name, _, above = about.partition("<")
            return Organization(ORGANIZATIONS[name], name, name, part_of=ORGANIZATIONS.get(above))
        case "role":
            return _role(30, about)
        case "team":
            patient = person(40) if "patient" in about else None
            managing = ORGANIZATIONS.get(about.removeprefix("patient+"))
            return CareTeam(person(31), "t", "T", (), patient=patient, managing_organization=managing)
        case "patient":
            return Patient(person(40), "p", "P", ClinicalId(person(41)))
        case "related":
            return RelatedPerson(person(42), "q", "Q", person(40))
        case "-":
            return None
        case _:
            return Practitioner(ANN, "ann", "Ann")


def _around(said: str) -> Surroundings:
    words = said.partition(":")[2].split("+") if said.startswith("works") else []
    roles = [PLACES[each] for each in words if each in PLACES]
    if "duty" in words:
        roles.append(PLACES["ours"])
    return Surroundings({each.id: each for each in roles}, NOW, "duty" in words)


ROWS = [
    words
    for line in Path(__file__).with_name("directory_table.txt").read_text(encoding="utf-8").splitlines()
    if (words := line.partition("#")[0].split())
]
EVERY = sorted({(before, after) for _, before, after, _ in ROWS if before != "*"})


@pytest.mark.parametrize("manages, before, after, answer", ROWS)
def test_the_answer_is_the_one_written_down(manages: str, before: str, after: str, answer: str) -> None:
    for was, will in EVERY if before == "*" else [(before, after)]:
        entry = _entry(will)
        assert entry is not None
        try:
            check_may_write_entry(RIGHTS[manages], _entry(was), entry, _around(was))
        except errors.NotAllowedError:
            found = "no"
        else:
            found = "yes"
        assert found == answer, (was, will)


def test_what_a_client_is_given() -> None:
    ours = ORGANIZATIONS["ours"]
    client = RegisteredClient(client_id="ehr", id=ANN, name="EHR", speaks_for=(ours,), manages=(ours,))
    assert client.rights == RIGHTS["ours"]
    assert client.system.organizations == {ours}
    assert RegisteredClient(client_id="x", id=ANN, name="X", manages_all=True).rights.everything
    gone = RegisteredClient(client_id="x", id=ANN, name="X", manages=(ours,), manages_all=True, active=False)
    assert gone.rights == DirectoryRights()
