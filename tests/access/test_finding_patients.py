"""Finding the right patient, and who could be taken for them."""

import pytest

from carethread import errors
from carethread.access_log import Action, Outcome
from carethread.ids import ParticipantId
from carethread.policy.actor import ActorKind
from carethread.reads import Alike, Banner, PatientHit, find_patients, look_alikes
from carethread.reads import patients as finding
from carethread.store import directory_finding
from tests.access.logged import log, newly
from tests.access.spying import forget_the_directory, spying
from tests.region import Region

NOBODY = ParticipantId("00000000-0000-0000-0000-00000000dead")
# Beside those of the region: John Doe and Jane Roe, both born on 1956-05-27.
OTHERS = {
    "P3": ("Joan Doe", "1956-05-26", "4711"),
    "P4": ("Zoë van der Heijden", "1956-05", "4712"),
    "P5": ("Doe John", "1980-01-01", "4713"),
    "P6": ("Hans Heyden", "1956", ""),
    "P7": ("Ann Doe", "1956-05-17", ""),
    "P8": ("Tim Timmer", "2001-02-03", "4711-X"),
}


@pytest.fixture
def region(region: Region) -> Region:
    region.load(*(patient(each, *about) for each, about in OTHERS.items()))
    region._ids |= {each: region.service.directory.find(f"Patient/{each}").id for each in OTHERS}
    return region


def patient(name: str, called: str, born: str, number: str = "", **more: object) -> dict[str, object]:
    identifiers = [{"system": "urn:numbers", "value": number}] if number else []
    return {
        "resourceType": "Patient",
        "id": name,
        "active": True,
        "name": [{"text": called}],
        "birthDate": born,
        "identifier": identifiers,
        **more,
    }


def merge(region: Region, name: str, into: str) -> None:
    link = [{"other": {"reference": f"Patient/{into}"}, "type": "replaced-by"}]
    region.load(patient(name, *OTHERS[name], active=False, link=link))


def found(region: Region, who: str = "B1", **wanted: str) -> list[str]:
    page = find_patients(region.service, region.caller(who), **wanted)  # type: ignore[arg-type]
    assert page.after == ""
    return [region.name(each.banner.id) for each in page.hits]


# ── By what is known of them ──────────────────────────────────────────────────────────────────────────────────────────


def test_by_name_in_any_order_and_case(region: Region) -> None:
    assert sorted(found(region, name="john")) == ["P1", "P5"]
    assert sorted(found(region, name="DOE jo")) == ["P1", "P3", "P5"]
    assert found(region, name="heijden ZOE") == ["P4"]
    assert found(region, name="nobody") == []


def test_by_date_of_birth(region: Region) -> None:
    assert sorted(found(region, birth_date="1956-05-27")) == ["P1", "P2"]
    assert found(region, birth_date=" 1980-01-01 ") == ["P5"]
    # A month has those of it and its days, a year those of it.
    assert sorted(found(region, birth_date="1956-05")) == ["P1", "P2", "P3", "P4", "P7"]
    assert sorted(found(region, birth_date="1956")) == ["P1", "P2", "P3", "P4", "P6", "P7"]
    assert found(region, birth_date="1957") == []


def test_by_identifier(region: Region) -> None:
    assert found(region, identifier="4711") == ["P3"]
    assert found(region, identifier="urn:numbers|4712 ") == ["P4"]
    assert found(region, identifier="urn:other|4712") == []
    clinical = region.service.directory.find("Patient/P1")
    assert found(region, identifier=clinical.clinical_id) == ["P1"]  # type: ignore[union-attr]


def test_by_everything_together(region: Region) -> None:
    assert found(region, name="doe", birth_date="1956-05-26", identifier="4711") == ["P3"]
    assert found(region, name="doe", birth_date="1956-05-26", identifier="4712") == []


def test_a_hit_says_who_it_is_and_whether_there_is_a_record(region: Region) -> None:
    region.open("B1", ("Hospital-C",), patient="P5")
    hits = find_patients(region.service, region.caller("B1"), name="john doe").hits
    assert {region.name(each.banner.id): each.has_record for each in hits} == {"P1": False, "P5": True}
    (hit,) = find_patients(region.service, region.caller("B1"), name="tim").hits
    (number,) = hit.banner.identifiers
    assert number.value == "4711-X"
    assert hit == PatientHit(Banner(region.id("P8"), "Tim Timmer", "2001-02-03", (number,)), has_record=False)


def test_whoever_was_merged_leads_to_who_stands_for_them(region: Region) -> None:
    region.open("B1", ("Hospital-C",))
    merge(region, "P3", "P1")
    (hit,) = find_patients(region.service, region.caller("B1"), identifier="4711").hits
    assert (hit.banner.replaced_by, hit.banner.active, hit.has_record) == (region.id("P1"), False, True)


def test_whose_date_of_birth_changed_is_found_by_the_new_one(region: Region) -> None:
    region.load(patient("P8", "Tim Timmer", "2002-02-03"))
    assert found(region, birth_date="2001-02-03") == []
    assert found(region, birth_date="2002-02-03") == ["P8"]


def test_part_by_part(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in ({"name": "doe"}, {"birth_date": "1956-05"}):
        all_at_once = found(region, **wanted)
        assert len(all_at_once) > 3
        parts: list[str] = []
        after = ""
        while True:
            page = find_patients(region.service, region.caller("B1"), **wanted, after=after, count=1)
            parts += [region.name(each.banner.id) for each in page.hits]
            after = page.after
            if not after:
                break
        assert parts == all_at_once
    monkeypatch.setattr(directory_finding, "_BATCH", 2)
    assert sorted(found(region, birth_date="1956-05")) == ["P1", "P2", "P3", "P4", "P7"]


def test_the_patients_side_finds_its_own_patient_only(region: Region) -> None:
    for who in ("P1", "R1"):
        assert found(region, who, name="doe") == ["P1"]
        assert found(region, who, birth_date="1956-05-27") == ["P1"]
        assert found(region, who, identifier="4711") == []
    assert found(region, "R2", name="doe") == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, "query"),
        ({"name": " - "}, "query"),
        ({"name": "doe", "birth_date": "27-05-1956"}, "birth_date"),
        ({"birth_date": "1956-02-30"}, "birth_date"),
        ({"identifier": "urn:numbers|"}, "identifier"),
        ({"name": "doe", "count": 0}, "count"),
        ({"name": "doe", "count": 51}, "count"),
        ({"name": "doe", "after": "x"}, "after"),
        ({"name": "a " * 3_000}, "query"),
        ({"name": "a " * 40}, "clauses"),
        ({"name": "\ud800"}, "query"),
    ],
)
def test_what_is_not_in_order(region: Region, wanted: dict[str, str], field: str) -> None:
    with pytest.raises(errors.InvalidValueError) as refused:
        find_patients(region.service, region.caller("B1"), **wanted)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_what_was_looked_for_is_in_the_log(region: Region) -> None:
    (line,) = newly(region, lambda: find_patients(region.service, region.caller("B1"), name="tim", birth_date="2001"))
    assert (line.action, line.query) == (Action.SEARCHED, '{"patients":{"name":"tim","birth_date":"2001"}}')
    assert [each.entry for each in line.entries] == [region.id("P8")]


# ── Who could be taken for them ───────────────────────────────────────────────────────────────────────────────────────


def likes(region: Region, name: str, who: str = "B1") -> dict[str, set[Alike]]:
    found = look_alikes(region.service, region.caller(who), region.id(name))
    return {region.name(each.hit.banner.id): set(each.alike) for each in found}


def test_who_could_be_taken_for_a_patient(region: Region) -> None:
    assert likes(region, "P1") == {
        "P5": {Alike.SAME_NAME},
        "P3": {Alike.SIMILAR_NAME, Alike.SIMILAR_BIRTH_DATE},
        "P2": {Alike.SAME_BIRTH_DATE},
        "P7": {Alike.SIMILAR_BIRTH_DATE},
    }
    assert list(likes(region, "P1")) == ["P5", "P3", "P2", "P7"]
    assert likes(region, "P8") == {}


def test_names_that_begin_otherwise_are_found_too(region: Region) -> None:
    region.load(patient("P9", "Kees Timmer", "1940-01-01"), patient("P10", "Cees Timmer", "1950-12-31"))
    region._ids |= {each: region.service.directory.find(f"Patient/{each}").id for each in ("P9", "P10")}
    assert likes(region, "P9") == {"P10": {Alike.SIMILAR_NAME}}
    region.load(patient("P11", "Madonna", "1958-08-16"), patient("P12", "Madona", "1999-09-09"))
    region._ids |= {each: region.service.directory.find(f"Patient/{each}").id for each in ("P11", "P12")}
    assert likes(region, "P11") == {"P12": {Alike.SIMILAR_NAME}}


def test_who_is_merged_with_them_or_inactive_is_not_among_them(region: Region) -> None:
    merge(region, "P5", "P1")
    region.load(patient("P3", *OTHERS["P3"], active=False))
    assert set(likes(region, "P1")) == {"P2", "P7"}


def test_a_patient_of_whom_no_date_is_known(region: Region) -> None:
    region.load({"resourceType": "Patient", "id": "P8", "active": True, "name": [{"text": "John Doe"}]})
    assert set(likes(region, "P8")) == {"P1", "P5", "P3"}


def test_no_more_than_can_be_looked_at(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_ALIKE", 1)
    assert len(likes(region, "P1")) == 1


def test_who_looked_alike_is_in_the_log(region: Region) -> None:
    (line,) = newly(region, lambda: likes(region, "P1"))
    assert (line.action, line.query) == (Action.SEARCHED, f'{{"look_alikes":"{region.id("P1")}"}}')
    assert {region.name(each.entry) for each in line.entries} == {"P2", "P3", "P5", "P7"}


def test_the_patients_side_is_told_of_no_other_patient(region: Region) -> None:
    assert likes(region, "P1", "P1") == likes(region, "P1", "R1") == {}
    answers = set()
    for each in (region.id("P2"), NOBODY):
        forget_the_directory()
        with spying() as asked, pytest.raises(errors.UnknownPersonError) as refused:
            look_alikes(region.service, region.caller("R1"), each)
        line = log(region)[-1]
        said = str(refused.value).replace(each, "?")
        answers.add((said, tuple(asked), line.outcome, line.detail, line.entries))
    assert len(answers) == 1
    assert Outcome.UNKNOWN in answers.pop()


def test_who_is_no_patient_has_no_look_alikes(region: Region) -> None:
    for each in (region.id("A1"), NOBODY):
        with pytest.raises(errors.UnknownPersonError):
            look_alikes(region.service, region.caller("B1"), each)
    region.load({"resourceType": "Practitioner", "id": "B1", "active": False, "name": [{"text": "Dr Bo Bell"}]})
    with pytest.raises(errors.UnknownPersonError):
        look_alikes(region.service, region.caller("B1"), region.id("P1"))
    assert look_alikes(region.service, region.auditor, region.id("P1"))
    assert region.auditor.kind is ActorKind.AUDITOR
