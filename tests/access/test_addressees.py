"""Whom one can address, found by words."""

import pytest

from carethread import errors
from carethread.access_log import Action, Outcome
from carethread.directory.model import Standing
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.reads import Addressee, AddresseePage, Place, addressees, chosen_addressees, find_addressees
from carethread.record.model import Party, Role
from tests.access.logged import log, newly
from tests.access.spying import forget_the_directory, spying
from tests.region import TEAMS, Region, role, team

NOBODY = ParticipantId("00000000-0000-0000-0000-00000000dead")
CLINICIAN = frozenset({Standing.CLINICIAN})


def page(region: Region, who: str, words: str = "", about: str = "", **more: object) -> AddresseePage:
    patient = region.id(about) if about else None
    return find_addressees(region.service, region.caller(who), words, patient=patient, **more)  # type: ignore[arg-type]


def found(region: Region, who: str, words: str = "", about: str = "") -> list[str]:
    result = page(region, who, words, about)
    assert result.after == ""
    return [region.name(each.id) for each in result.addressees]


def only(region: Region, words: str, about: str = "", who: str = "B1") -> Addressee:
    (each,) = page(region, who, words, about).addressees
    return each


def party(region: Region, name: str) -> Party:
    return Party(region.id(name), region.service.directory.find(region.id(name)).name)  # type: ignore[union-attr]


# ── Who is found ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_people_and_groups_by_the_beginnings_of_words(region: Region) -> None:
    assert found(region, "B1", "pharm") == ["Pharmacy-A"]
    assert found(region, "B1", "TEAM") == ["Pain", "Wounds"]
    assert found(region, "B1", "dr b") == ["B2", "B1"]
    assert found(region, "B1", "bell bo") == ["B1"]
    assert found(region, "B1", "nothing") == []


def test_of_patients_only_the_one_it_is_about_and_those_around_them(region: Region) -> None:
    assert found(region, "B1", "doe") == []
    assert found(region, "B1", "doe", "P1") == ["P1", "R1", "Network-P1"]
    assert found(region, "B1", "doe", "P2") == []
    assert found(region, "B1", "ro", "P2") == ["P2", "Network-P2", "R2"]
    # Without words, those around the patient.
    assert found(region, "B1", "", "P1") == ["P1", "R1", "Network-P1"]
    assert found(region, "B1") == []


def test_of_merged_patients_those_around_either(region: Region) -> None:
    link = [{"other": {"reference": "Patient/P1"}, "type": "replaced-by"}]
    region.load({"resourceType": "Patient", "id": "P2", "active": False, "name": [{"text": "Jane Roe"}], "link": link})
    everybody = ["P1", "R1", "Network-P2", "Network-P1", "R2"]
    assert sorted(found(region, "B1", "", "P1")) == sorted(found(region, "B1", "", "P2")) == sorted(everybody)


def test_whoever_is_not_active_is_not_found(region: Region) -> None:
    region.load(
        {"resourceType": "Organization", "id": "Pharmacy-A", "active": False, "name": "Riverside Pharmacy"},
        {**team("Wounds"), "period": {"end": "2020-01-01"}},
        {
            "resourceType": "RelatedPerson",
            "id": "R1",
            "active": False,
            "name": [{"text": "Mary Doe"}],
            "patient": {"reference": "Patient/P1"},
        },
    )
    assert found(region, "B1", "pharm") == []
    assert found(region, "B1", "wound") == []
    assert found(region, "B1", "", "P1") == ["P1", "Network-P1"]


def test_who_was_related_to_a_patient_is_not_any_more(region: Region) -> None:
    region.load({
        "resourceType": "RelatedPerson",
        "id": "R1",
        "active": True,
        "name": [{"text": "Mary Doe"}],
        "patient": {"reference": "Patient/P2"},
    })  # fmt: skip
    assert found(region, "B1", "mary", "P1") == []
    assert found(region, "B1", "mary", "P2") == ["R1"]


def test_part_by_part(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries around the patient stand among the others, by name."""
    whole = found(region, "B1", "d", "P1")
    assert whole == ["A9", "D1", "B2", "B1", "C1", "P1", "R1", "Network-P1", "HomeCare-D"]

    def parts(count: int) -> list[str]:
        names: list[str] = []
        after = ""
        while True:
            part = page(region, "B1", "d", "P1", after=after, count=count)
            assert len(part.addressees) <= count
            names += [region.name(each.id) for each in part.addressees]
            after = part.after
            if not after:
                return names

    assert parts(1) == parts(3) == whole
    monkeypatch.setattr(addressees, "_BATCH", 2)
    assert parts(2) == whole
    # What is looked at is bounded: a part may be empty.
    monkeypatch.setattr(addressees, "_BUDGET", 1)
    assert parts(2) == whole


def test_the_patients_side_finds_the_people_of_its_own(region: Region) -> None:
    assert found(region, "P1", "d") == ["D1", "B2", "B1"]
    assert set(found(region, "R1", "", "P1")) == {"P1", "R1", "D1", "B1", "B2", "B9", "X1", "Clinic-B", "Network-P1"}
    assert found(region, "P1", "pharm") == []
    assert found(region, "P1", "ward") == []
    names: list[str] = []
    after = ""
    while True:
        part = page(region, "R1", "", "P1", after=after, count=2)
        names += [region.name(each.id) for each in part.addressees]
        after = part.after
        if not after:
            break
    assert names == found(region, "R1", "", "P1")


def test_a_patient_who_is_not_theirs_is_one_who_is_not_there(region: Region) -> None:
    answers = set()
    for each in (region.id("P2"), NOBODY):
        forget_the_directory()
        with spying() as asked, pytest.raises(errors.UnknownPersonError) as refused:
            find_addressees(region.service, region.caller("R1"), "", patient=each)
        line = log(region)[-1]
        said = str(refused.value).replace(each, "?")
        answers.add((said, tuple(asked), line.outcome, line.detail, line.entries))
    assert len(answers) == 1
    assert Outcome.UNKNOWN in answers.pop()
    with pytest.raises(errors.UnknownPersonError):
        find_addressees(region.service, region.caller("B1"), "", patient=region.id("A1"))


def test_a_place_that_is_none_and_one_they_may_not_know_of_are_one(region: Region) -> None:
    answers = set()
    for after in ("x", NOBODY, region.id("A1")):
        with pytest.raises(errors.InvalidValueError) as refused:
            page(region, "P1", after=after)
        answers.add(str(refused.value))
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": 51}, "count"),
        ({"words": "a" * 4_001}, "query"),
        ({"words": "\ud800"}, "query"),
        ({"after": "x"}, "after"),
    ],
)
def test_what_is_not_in_order(region: Region, given: dict[str, str], field: str) -> None:
    with pytest.raises(errors.InvalidValueError) as refused:
        find_addressees(region.service, region.caller("B1"), **given)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_somebody_who_is_not_active_finds_nobody(region: Region) -> None:
    region.load({"resourceType": "Practitioner", "id": "B1", "active": False, "name": [{"text": "Dr Bo Bell"}]})
    assert found(region, "B1", "pharm") == []
    with pytest.raises(errors.UnknownPersonError):
        find_addressees(region.service, Caller(NOBODY), "pharm")


def test_what_was_looked_for_is_in_the_log(region: Region) -> None:
    (line,) = newly(region, lambda: page(region, "B1", "mary", "P1"))
    assert line.action is Action.SEARCHED
    assert line.query == f'{{"addressees":"mary","patient":"{region.id("P1")}"}}'
    assert [each.entry for each in line.entries] == [region.id("R1")]


def test_those_who_were_chosen_as_they_would_be_found(region: Region) -> None:
    def chosen(who: str, *names: str, about: str = "P1") -> list[str]:
        ids = region.ids(*names)
        found = chosen_addressees(region.service, region.caller(who), ids, patient=region.id(about))
        return [region.name(each.id) for each in found]

    everybody = ("Clinic-B", "B1", "R1", "Network-P1", "P1")
    assert chosen("A1", *everybody) == list(everybody)
    assert chosen("A1", *everybody, about="P2") == ["Clinic-B", "B1"]
    assert chosen("P1", "B1", "A1") == ["B1"]
    (whole,) = chosen_addressees(region.service, region.caller("A1"), region.ids("R1"), patient=region.id("P1"))
    assert whole == only(region, "mary", "P1")
    region.load(
        role("B1", "Clinic-B", "doctor"),
        {"resourceType": "Practitioner", "id": "B1", "active": False, "name": [{"text": "Dr Bo Bell"}]},
    )
    assert chosen("A1", "B1", "B1", "Clinic-B") == ["Clinic-B"]
    (line,) = newly(region, lambda: chosen("A1", "Clinic-B", "Network-P2"))
    assert [each.entry for each in line.entries] == [region.id("Clinic-B")]
    with pytest.raises(errors.UnknownPersonError):
        chosen("R1", "B1", about="P2")
    with pytest.raises(errors.InvalidValueError, match="ids"):
        chosen_addressees(region.service, region.caller("A1"), ("nobody",))  # type: ignore[arg-type]
    many = [ParticipantId(f"00000000-0000-0000-0000-{each:012d}") for each in range(201)]
    with pytest.raises(errors.InvalidValueError, match="more than 200"):
        chosen_addressees(region.service, region.caller("A1"), many)


# ── What is said of them ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_practitioner_with_where_they_work(region: Region) -> None:
    both = only(region, "xander")
    assert (both.role, both.members, both.of) == (Role.CLINICIAN, {}, None)
    assert both.places == (Place(party(region, "Clinic-B"), CLINICIAN), Place(party(region, "Pharmacy-A"), CLINICIAN))
    desk = only(region, "amy")
    assert desk.role is Role.CARE_ADMINISTRATOR
    assert desk.places == (Place(party(region, "Pharmacy-A"), frozenset({Standing.CARE_ADMINISTRATOR})),)
    region.load(role("A9", "Pharmacy-A", "pharmacist", id="too"))
    assert only(region, "amy").places[0].standings == {Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR}
    assert only(region, "nobody now").places == ()


def test_a_group_with_how_many_members_it_has(region: Region) -> None:
    pharmacy = only(region, "riverside")
    assert (pharmacy.role, pharmacy.places, pharmacy.of) == (Role.ORGANISATION, (), None)
    assert pharmacy.members == {Standing.CLINICIAN: 3, Standing.CARE_ADMINISTRATOR: 1}
    assert only(region, "closed").members == {}
    network = only(region, "network", "P1")
    assert network.members == {
        Standing.CLINICIAN: 4,
        Standing.CARE_ADMINISTRATOR: 1,
        Standing.PATIENT: 1,
        Standing.PATIENT_ASSOCIATE: 1,
    }


def test_whose_they_are(region: Region) -> None:
    assert TEAMS["Wounds"]["owner"] == "Hospital-C"
    assert only(region, "wound").of == party(region, "Hospital-C")
    assert only(region, "network", "P1").of == party(region, "P1")
    assert only(region, "mary", "P1").of == party(region, "P1")
    assert page(region, "B1", "john", "P1").addressees[0].of is None
    region.load({
        "resourceType": "Organization",
        "id": "Empty-E",
        "active": True,
        "name": "Closed Practice",
        "partOf": {"reference": "Organization/Clinic-B"},
    })  # fmt: skip
    assert only(region, "closed").of == party(region, "Clinic-B")


def test_the_patients_side_is_not_told_of_others_through_them(region: Region) -> None:
    region.load(role("D1", "Hospital-C", "nurse"))
    # D1 works in two places of which P1 knows neither.
    assert only(region, "dina", who="P1").places == ()
    assert only(region, "bo bell", who="P1").places == (Place(party(region, "Clinic-B"), CLINICIAN),)
