"""The page on the gateway says what it is: its tables are generated, its numbers and statuses the program's."""

import re
from pathlib import Path

import pytest

import carethread.fhir
from carethread.app import application, server
from carethread.cli import serving
from carethread.fhir import asked, gateway, queries, submitted, validation
from carethread.fhir.mapping.subscription import read_subscription
from carethread.fhir.outcome import ROWS
from carethread.fhir.subscriptions import checked
from carethread.fhir.types import Subscription
from carethread.reads import searching
from carethread.record import intake
from carethread.settings import documentation
from carethread.store import subscriptions, uploads
from tests.docs.pages import DOCS, Page
from tools.fhir_tables import TABLES, written

PAGE = Page(DOCS / "fhir.md")
_REFUSED = re.compile(r"RefusedError\(\s*(\d{3})")
_STATUS = re.compile(r"\b[45]\d\d\b")


def test_its_tables_are_generated() -> None:
    assert written(PAGE.text) == PAGE.text, "write them again: PYTHONPATH=. .venv/bin/python tools/fhir_tables.py"
    assert [name for name in re.findall(r"<!-- (.+?) -->", PAGE.text) if not name.startswith("end of ")] == list(TABLES)


def test_a_page_without_a_place_for_a_table_is_not_written() -> None:
    with pytest.raises(AssertionError, match="no place for interactions"):
        written("# Empty\n")


def test_every_status_that_is_answered_is_explained_and_no_other() -> None:
    source = Path(carethread.fhir.__file__).parent
    answered = {int(found) for each in source.glob("*.py") for found in _REFUSED.findall(each.read_text("utf-8"))}
    answered |= {row.status for row in ROWS.values()} | {401, 403, 503}
    rows = PAGE.section("Errors").table("status")
    explained = [int(found) for row in rows for found in _STATUS.findall(row[0])]
    assert sorted(explained) == sorted(answered)


@pytest.mark.parametrize(
    "words",
    [
        f"{gateway.TRUSTED_BODY >> 10} KiB only with a good token",
        f"{validation.MAX_BYTES >> 20} MiB, or what",
        f"{submitted.MOST_ENTRIES} entries",
        f"{validation.MAX_ELEMENTS:,} elements, nested {validation.MAX_NESTING} deep",
        f"{intake.MAX_ATTACHMENTS}, of {intake.MAX_ATTACHMENT_BYTES >> 20} MiB together",
        f"{subscriptions.MOST_ACTIVE} active subscriptions, and {subscriptions.MOST_KEPT} in all",
        f"{uploads.MOST_UPLOADS} of one client, of {uploads.MOST_UPLOAD_BYTES >> 20} MiB together",
        f"{gateway.MOST_HEADERS}, of {gateway.LARGEST_HEADERS >> 10} KiB together",
        f"{gateway.LARGEST_QUERY >> 10} KiB",
        f"{queries.MOST_PARAMETERS} parameters, {queries.MOST_VALUES} values each, of {queries.LONGEST_VALUE}",
        f"`_count` is {queries.USUAL_COUNT} unless said, {queries.MOST_COUNT} at most",
        f"{searching.MOST_ON_A_PAGE} matches; {searching.MOST_OF_A_THREAD} messages of each thread",
        f"come along, {searching.MOST_INCLUDED} together",
        f"looks at beyond what it shows | {searching.MOST_LOOKED_AT}",
        f"{searching.MOST_COUNTED:,}; more is left out",
    ],
)
def test_a_number_in_the_page_is_the_programs(words: str) -> None:
    assert words in " ".join(PAGE.text.split())


def test_a_request_id_may_be_what_the_page_says() -> None:
    assert asked.read_request_id("a" * 64) == "a" * 64
    assert asked.read_request_id("A-1._z") == "A-1._z"
    assert asked.read_request_id("a" * 65) is None
    assert asked.read_request_id("a b") is None


def test_how_it_is_served_is_what_operations_say() -> None:
    said = " ".join(Page(DOCS / "operations.md").section("Serving").text.split())
    assert server.GRACE_S == 30
    assert "for up to thirty seconds" in said
    assert application._THREADS == 16
    assert f"Sixteen requests are worked on at once (`request_threads`) and {application._MOST_WAITING} more" in said
    assert f"A request may have {application._LARGEST_MIB} MiB (`largest_request`)" in said
    assert f"client_max_body_size {application._LARGEST_MIB}m" in said
    assert f"on `{serving.DEFAULT_HOST}`, port {serving.DEFAULT_PORT}" in said
    assert {"largest_request", "request_threads"} <= set(documentation())
    assert all(f"proxy_pass http://{serving.DEFAULT_HOST}:{serving.DEFAULT_PORT}" in each for each in PROXY)


PROXY = Page(DOCS / "operations.md").section("Serving").blocks("nginx")


def test_the_subscription_of_the_page_can_be_asked_for() -> None:
    (example,) = PAGE.section("Being told").blocks("json")
    resource = validation.parse(example.encode(), types=frozenset({"Subscription"}))
    assert isinstance(resource, Subscription)
    wish = checked(read_subscription(resource), "https://care.example/fhir", frozenset())
    assert wish.criteria == "Communication?recipient=Organization/Pharmacy-A"
    assert [name for name, _ in wish.headers.pairs] == ["Authorization"]
