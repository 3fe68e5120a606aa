"""For whom somebody writes, on which side, and to whom: `sides.txt`, row by row."""

from pathlib import Path

import pytest

from carethread import Addressing, Participant, Role, errors
from carethread.clock import Instant
from carethread.directory.model import Membership, Standing
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import Actor, ActorKind, Thread
from carethread.policy.sides import Side, recipients_for, side_of
from carethread.policy.speaking import default_group
from carethread.record.model import Ledger
from tests.people import person

PATIENT = person(30)
PEOPLE = ("A1", "A2", "B1", "B2", "L1", "N1", "T1", "X", "both", "Carer")
GROUPS = ("Pharmacy", "Clinic", "Laboratory", "Network", "Team")
IDS = {name: person(200 + number) for number, name in enumerate(PEOPLE + GROUPS)}
MEMBERS = {
    "A1": "Pharmacy",
    "A2": "Pharmacy",
    "B1": "Clinic",
    "B2": "Clinic",
    "L1": "Laboratory",
    "N1": "Network",
    "T1": "Team",
    "X": "",
    "both": "Pharmacy Clinic",
    "Carer": "Network",
}
# Who takes part; who opened it, to whom replies go, who is asked.
THREADS = {
    "seed": ("A1 Pharmacy Clinic Laboratory X", ("A1", "Pharmacy", "Clinic")),
    "moonlight": ("A1 Pharmacy Clinic", ("A1", "Pharmacy", "Clinic")),
    "former": ("A1 Pharmacy Clinic", ("A1", "Pharmacy", "Clinic")),
    "person": ("A1 Network Pharmacy", ("A1", "", "Network")),
    "teams": ("T1 Team Network", ("T1", "Team", "Network")),
    "carer": ("Carer Network", ("Carer", "", "Network")),
    "deputy": ("A1 A2 Clinic Laboratory", ("A1", "A2", "Clinic Laboratory")),
    "individual": ("A1 Pharmacy B1", ("A1", "Pharmacy", "B1")),
    "itself": ("A1 Pharmacy", ("A1", "Pharmacy", "Pharmacy")),
    "named_both": ("A1 Pharmacy Clinic both", ("A1", "Pharmacy", "Clinic")),
    "two": ("A1 Clinic Pharmacy", ("A1", "", "Clinic Pharmacy")),
    "plain": ("A1 Clinic X", None),
    "alone": ("A1 Pharmacy", ("A1", "", "A1")),
}
MOVED = {("moonlight", "A1"): "Pharmacy Clinic", ("former", "A1"): "Clinic"}
ROWS = [
    (number, *line.split())
    for number, line in enumerate(Path(__file__).with_name("sides.txt").read_text(encoding="utf-8").splitlines(), 1)
    if line and not line.startswith("#")
]


def _ids(words: str) -> tuple[ParticipantId, ...]:
    return tuple(IDS[each] for each in words.replace("|", " ").split() if each != "-")


def _one(word: str) -> ParticipantId | None:
    return None if word in ("", "-") else IDS[word]


def _listed(name: str) -> Participant:
    role = Role.PATIENT_ASSOCIATE if name == "Carer" else Role.CLINICIAN
    if name in GROUPS:
        role = Role.CARE_TEAM if name in ("Network", "Team") else Role.ORGANISATION
    return Participant(IDS[name], role, name)


def _thread(name: str) -> Thread:
    names, asked = THREADS[name]
    addressing = None if asked is None else Addressing(IDS[asked[0]], _ids(asked[2]), _one(asked[1]))
    participants = tuple(_listed(each) for each in names.split())
    ledger = Ledger(CommunicationId("t"), Instant(0), Instant(0), participants, addressing=addressing)
    return Thread(ledger, frozenset({PATIENT}))


def _actor(thread: str, name: str) -> Actor:
    carer = name == "Carer"
    standing = Standing.PATIENT_ASSOCIATE if carer else Standing.CLINICIAN
    groups = MOVED.get((thread, name), MEMBERS[name]).split()
    return Actor(
        IDS[name],
        ActorKind.RELATED_PERSON if carer else ActorKind.PRACTITIONER,
        name,
        memberships=tuple(Membership(IDS[each], standing, PATIENT if each == "Network" else None) for each in groups),
        patients=frozenset({PATIENT}) if carer else frozenset(),
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"line {row[0]}")
def test_for_whom_on_which_side_and_to_whom(row: tuple[str, ...]) -> None:
    _, in_thread, author, said, names, *expected = row
    actor, thread, named = _actor(in_thread, author), _thread(in_thread), _ids(names)

    def answer() -> list[object]:
        try:
            group = _one(said) or default_group(actor, thread, named)
        except errors.AmbiguousSideError:
            return ["ask"]
        side: object
        try:
            side = side_of(actor, thread, group, named)
        except errors.AmbiguousSideError:
            side = "ask"
        try:
            return [group, side, recipients_for(actor, thread, group, named)]
        except errors.AmbiguousSideError:
            return [group, side, "ask"]

    wanted: list[object] = ["ask"]
    if expected != ["ask"]:
        group, side, to = expected
        wanted = [
            _one(group),
            side if side == "ask" else None if side == "-" else Side(side),
            to if to == "ask" else _ids(to),
        ]
    assert answer() == wanted


def test_whoever_belongs_to_a_side_is_on_it_before_they_say_for_whom() -> None:
    thread = _thread("seed")
    assert side_of(_actor("seed", "A2"), thread, None, ()) is Side.REPLY_TO
    assert side_of(_actor("seed", "B1"), thread, None, ()) is Side.RECIPIENT
    assert side_of(_actor("seed", "X"), thread, None, ()) is None


def test_a_team_of_another_patient_puts_nobody_on_a_side() -> None:
    thread = Thread(_thread("teams").ledger, frozenset({person(31)}))
    assert side_of(_actor("teams", "N1"), thread, None, ()) is None
    assert default_group(_actor("teams", "N1"), thread) is None


def test_a_recipient_takes_part() -> None:
    with pytest.raises(errors.NotParticipantError, match=IDS["T1"]):
        recipients_for(_actor("seed", "A2"), _thread("seed"), IDS["Pharmacy"], (IDS["T1"],))
    with pytest.raises(errors.NotParticipantError):
        recipients_for(_actor("plain", "A1"), _thread("plain"), None, (IDS["T1"],))
