"""The tables of the page on access are what the policy does."""

import pytest

from carethread.policy.allowing import allows
from carethread.policy.reading import may_read
from tests.docs.pages import DOCS, Page
from tests.policy.scene import OPERATIONS, scene

PAGE = Page(DOCS / "access.md")

THREADS = {
    "standard": ["standard"],
    "standard, without patients": ["no_patients"],
    "confidential": ["confidential"],
    "restricted": ["sensitive", "restricted"],
}
READERS = [["clinician"], ["administrator"], ["patient", "relative"], ["client"]]

CHANGES = {
    "close": "close",
    "archive": "archive",
    "add a colleague": "add_colleague",
    "add somebody else": "add_other",
    "remove": "remove",
    "change visibility": "narrow",
    "change policies": "policies",
}
PARTS = [
    [("clinician", "home"), ("administrator", "home"), ("clinician", "requester"), ("administrator", "requester")],
    [("clinician", "asked"), ("clinician", "network"), ("clinician", "asked_by_name")],
    [("patient", "requester"), ("relative", "requester"), ("relative", "opener")],
    [("clinician", "named"), ("administrator", "asked"), ("clinician", "added"), ("patient", "network")],
    [("last_steward", "none")],
]


def _answer(allowed: set[bool]) -> str:
    (one,) = allowed
    return "yes" if one else "no"


def _reads(role: str, visibility: str) -> bool:
    asked = scene(role, "home", visibility, "open")
    return may_read(asked.actor, asked.thread)


def test_how_far_members_read() -> None:
    rows = PAGE.section("Reading").table("the thread is")
    assert [row[0] for row in rows] == list(THREADS)
    for name, *answers in rows:
        expected = [{_reads(role, visibility) for role in roles for visibility in THREADS[name]} for roles in READERS]
        assert answers == [_answer(each) for each in expected]


@pytest.mark.parametrize("row", PAGE.section("Changing the ledger").table("what"), ids=lambda row: row[0])
def test_who_changes_what(row: list[str]) -> None:
    check = OPERATIONS[CHANGES[row[0]]]
    assert row[1:] == [
        _answer({allows(check, scene(role, relation, "standard", "open")) for role, relation in part}) for part in PARTS
    ]


def test_every_change_is_on_the_page() -> None:
    assert [row[0] for row in PAGE.section("Changing the ledger").table("what")] == list(CHANGES)
