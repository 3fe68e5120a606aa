"""Finding one entry, and many by their names."""

import pytest

from carethread.directory.model import EntryKind
from carethread.errors import InvalidValueError, UnknownPersonError
from carethread.store.directory import Directory
from carethread.store.directory_search import name_of
from carethread.store.directory_words import words_of
from tests.directory.resources import bundle, organization, practitioner


def names(directory: Directory, words: str, kind: EntryKind | None = None) -> list[str]:
    return [name_of(each) for each in directory.search(words, kind=kind)]


def test_an_entry_is_found_by_any_reference_to_it(seeded: Directory) -> None:
    ann = seeded.find("Practitioner/A1")
    for reference in (ann.id, ann.id.upper(), "A1", "Practitioner:A1", "practitioner/A1"):
        assert seeded.find(reference) == ann


def test_an_id_of_two_kinds_must_be_said_with_its_kind(seeded: Directory) -> None:
    seeded.load(bundle(organization("A1")), by="test")
    with pytest.raises(UnknownPersonError, match="A1 may be any of 2"):
        seeded.find("A1")
    assert seeded.find("Organization/A1") != seeded.find("Practitioner/A1")


@pytest.mark.parametrize("reference", ["A9", "Organization/A1", "11111111-2222-4333-8444-555555555555", "", "a:b"])
def test_what_is_not_there(seeded: Directory, reference: str) -> None:
    with pytest.raises(UnknownPersonError, match=f"the directory has no {reference}"):
        seeded.find(reference)
    with pytest.raises(UnknownPersonError):
        seeded.history(reference)


@pytest.mark.parametrize(
    "words, found",
    [
        ("bak", ["Anneke Bakker", "Care network of Willem Bakker", "W. Bakker", "Willem Bakker"]),
        ("BAK will", ["Care network of Willem Bakker", "Willem Bakker"]),
        ("akker", []),
        ("veen joost", ["Dr. Joost van der Veen"]),
        ("linde", ["Diabetesteam De Linde", "Huisartsenpraktijk De Linde"]),
        ("Élé", ["Ms Eleanor May Whitfield"]),
    ],
)
def test_each_word_begins_a_word_of_the_name(seeded: Directory, words: str, found: list[str]) -> None:
    assert names(seeded, words) == found


def test_accents_and_case_do_not_matter(directory: Directory) -> None:
    directory.load(bundle(practitioner("z", "Zoë Ångström-O'Neill")), by="test")
    for words in ("zoe", "ZOË", "angstrom", "Å", "neill zo"):
        assert names(directory, words) == ["Zoë Ångström-O'Neill"]
    directory.load(bundle(practitioner("z", "Zoé Bell")), by="test")
    assert names(directory, "angstrom") == []
    assert names(directory, "bell") == ["Zoé Bell"]


def test_kinds_and_pages(seeded: Directory) -> None:
    assert names(seeded, "", EntryKind.PRACTITIONER) == [
        "Dr. Joost van der Veen",
        "Loes Dijkstra",
        "Ms Eleanor May Whitfield",
        "Priya Ramsay",
    ]
    everybody = names(seeded, "")
    assert len(everybody) == 12
    paged: list[str] = []
    after = None
    while page := seeded.search("", after=after, count=5):
        paged += [name_of(each) for each in page]
        after = page[-1].id
    assert paged == everybody
    assert names(seeded, "", EntryKind.PRACTITIONER_ROLE) == []


def test_entries_of_the_same_name_are_all_found(directory: Directory) -> None:
    directory.load(bundle(*(organization(f"o{number}") for number in range(5))), by="test")
    first = directory.search("clinic", count=3)
    second = directory.search("clinic", count=3, after=first[-1].id)
    assert len({each.id for each in (*first, *second)}) == 5


def test_inactive_ones_are_left_out_if_asked(directory: Directory) -> None:
    directory.load(bundle(organization("a"), organization("b", active=False)), by="test")
    assert len(directory.search("clinic")) == 2
    assert [each.fhir_id for each in directory.search("clinic", active_only=True)] == ["a"]


@pytest.mark.parametrize("count", [0, -1, 1_001])
def test_a_page_has_bounds(directory: Directory, count: int) -> None:
    with pytest.raises(InvalidValueError, match="between 1 and 1,000"):
        directory.search("", count=count)


def test_words() -> None:
    assert words_of("Straße  strasse STRASSE") == ("strasse",)
    assert words_of("…") == ()
