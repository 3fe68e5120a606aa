"""Whom one can be in the region."""

from carethread.demonstration import cast
from tests.demonstration.conftest import Recorded


def test_everybody_who_is_active_is_offered_once(on_sqlite: Recorded) -> None:
    parts = [part for _, group in cast() for part in group]
    assert {each.short for each in parts} == on_sqlite.region.people.keys() - {"nick"}
    assert len({each.short for each in parts}) == len(parts)
    directory = on_sqlite.service.directory
    for each in parts:
        assert getattr(directory.find(on_sqlite.region.people[each.short]), "name", None) == each.name


def test_they_stand_under_headings_with_what_they_are() -> None:
    told = {heading: [f"{each.name}: {each.about}" for each in group] for heading, group in cast()}
    assert [*told] == [
        "Larkmere Pharmacy",
        "Brindle Row Clinic",
        "Huisartsenpraktijk Zilverwilg",
        "Quillhaven Hospital",
        "Thuiszorg Oeverlicht",
        "Patients",
        "Carers",
    ]
    assert "Ingrid Bakker: Wound care nurse specialist, also at Thuiszorg Oeverlicht" in told["Quillhaven Hospital"]
    assert "Helen Marsh: Health records officer, also auditor" in told["Quillhaven Hospital"]
    assert told["Patients"][2] == "Maria Jansen: born 1956-05-27"
    assert told["Carers"][0] == "Marijke de Groot: daughter of Willem de Groot"
