"""The specification says what the program does: every table and list in it is compared with the code."""

import re
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from carethread import CoordinationService
from carethread.clock import Instant, parse_instant
from carethread.errors import InvalidValueError
from carethread.git.layout import CONFIG_CONTENT
from carethread.ids import CommunicationId, MessageId
from carethread.record import escape, intake, ledger_check, rules, text
from carethread.record.commit_message import (
    MAX_IDENTIFIER,
    MAX_IDENTIFIER_PART,
    MAX_IDENTIFIERS,
    TRAILERS,
    CommitMessage,
    Summary,
    parse_commit_message,
)
from carethread.record.ledger_yaml import parse_ledger
from carethread.record.media_types import EXTENSIONS
from carethread.record.model import (
    Addressing,
    Attachment,
    AttachmentContent,
    BusinessIdentifier,
    ClientIdentifier,
    Ledger,
    Message,
    MessageContent,
    MessageType,
    Naming,
    Party,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.record.status_yaml import parse_status
from carethread.record.system_text import ledger_sentences, ledger_summary
from carethread.record.thread_md import render_entry
from carethread.record.transitions import ATTRIBUTES
from carethread.record.yaml_form import RESERVED, write_scalar
from tests.docs.pages import FORMAT
from tests.people import CLINIC, CLINICAL_ID, JANE, JOHN, PHARMACY, TOM, listed
from tests.record.markdown_oracle import EXTENDED, ORACLES, without_spaces

LABEL = re.compile(r'<a id="([a-z]\d+)"></a>([A-Z]\d+)\b')
NOW = parse_instant("2026-01-11T14:36:15.234Z")
THREAD = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")
MESSAGE = MessageId("3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92")


# ── Labels ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_rule_has_a_label_of_its_own_and_its_anchor() -> None:
    found = LABEL.findall(FORMAT.text)
    assert [anchor.upper() for anchor, _ in found] == [label for _, label in found]
    assert len(found) == len({label for _, label in found}) > 100


def test_every_rule_that_is_referred_to_is_there() -> None:
    labels = {label for _, label in LABEL.findall(FORMAT.text)}
    named = set(re.findall(r"(?<![\w+<>])([LIXETHWSGCYAFMRDV]\d{1,2})(?![\w<])", FORMAT.prose()))
    assert named - labels == set()


# ── Lifecycle ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_diagrams_are_the_transitions() -> None:
    threads, records = (
        set(re.findall(r"^ +(\w+) --> (\w+)$", block, re.MULTILINE))
        for block in FORMAT.section("Lifecycle").blocks("mermaid")
    )
    assert threads == {(before.value, after.value) for before, after in rules.THREAD_TRANSITIONS}
    assert records == {(before.value, after.value) for before, after in rules.LIFECYCLE_TRANSITIONS}


# ── System entries ────────────────────────────────────────────────────────────────────────────────────────────────────

LEDGER = Ledger(THREAD, NOW, NOW, (*listed(JANE, TOM), PHARMACY, CLINIC))
ADDRESSED = replace(LEDGER, addressing=Addressing(JANE.id, (CLINIC.id,), PHARMACY.id))
CHANGES = [
    (LEDGER, replace(LEDGER, participants=(*LEDGER.participants, *listed(JOHN)))),
    (LEDGER, replace(LEDGER, participants=LEDGER.participants[:-1])),
    (LEDGER, replace(LEDGER, status=ThreadStatus.CLOSED)),
    (replace(LEDGER, status=ThreadStatus.CLOSED), replace(LEDGER, status=ThreadStatus.ARCHIVED)),
    (LEDGER, replace(LEDGER, visibility=Visibility(Sensitivity.CONFIDENTIAL))),
    (LEDGER, replace(LEDGER, visibility=Visibility(restricted=True))),
    (replace(LEDGER, visibility=Visibility(restricted=True)), LEDGER),
    (replace(LEDGER, policies=Policies(allow_patient_participation=False)), LEDGER),
    (LEDGER, replace(LEDGER, policies=Policies(allow_patient_participation=False))),
    (replace(LEDGER, policies=Policies(allow_external_organisations=False)), LEDGER),
    (LEDGER, replace(LEDGER, policies=Policies(allow_external_organisations=False))),
    (LEDGER, ADDRESSED),
    (ADDRESSED, replace(ADDRESSED, addressing=Addressing(JANE.id, (CLINIC.id,)))),
]


def _template(sentence: str) -> str:
    for participant in (*LEDGER.participants, *listed(JOHN)):
        described = f"{participant.name} ({participant.role.value.replace('_', ' ')})"
        sentence = sentence.replace(described, "{name} ({role})")
    return sentence.replace("standard to confidential", "{sensitivity} to {sensitivity}")


def test_the_sentences_are_those_that_are_written() -> None:
    written = {_template(sentence) for before, after in CHANGES for sentence in ledger_sentences(before, after)}
    listed_here = [row[2] for row in FORMAT.section("System entries").table("label")]
    assert set(listed_here) == written
    assert len(listed_here) == len(written)


def test_sentences_of_several_facts_come_in_the_order_of_the_table() -> None:
    after = replace(
        ADDRESSED,
        participants=(*LEDGER.participants[:1], PHARMACY, CLINIC, *listed(JOHN)),
        status=ThreadStatus.CLOSED,
        visibility=Visibility(Sensitivity.CONFIDENTIAL, restricted=True),
        policies=Policies(allow_patient_participation=False, allow_external_organisations=False),
    )
    order = [row[2] for row in FORMAT.section("System entries").table("label")]
    places = [order.index(_template(sentence)) for sentence in ledger_sentences(LEDGER, after)]
    assert places == sorted(places)
    assert len(places) == 10


# ── Commits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_subjects_are_those_that_are_written() -> None:
    rows = FORMAT.section("Commits").table("label")
    assert {row[1] for row in rows} == {CommitMessage(each, "x").subject for each in Summary}


def test_each_kind_of_change_has_the_subject_that_the_table_gives() -> None:
    subjects = {row[1]: row[3] for row in FORMAT.section("Commits").table("label")}
    labels = {row[2]: row[0] for row in FORMAT.section("System entries").table("label")}
    for before, after in CHANGES:
        subject = CommitMessage(ledger_summary(before, after), "x").subject
        numbers = [int(each) for each in re.findall(r"S(\d+)", subjects[subject])]
        for sentence in ledger_sentences(before, after):
            assert numbers[0] <= int(labels[_template(sentence)][1:]) <= numbers[-1], (subject, sentence)
    several = replace(LEDGER, status=ThreadStatus.CLOSED, visibility=Visibility(restricted=True))
    assert ledger_summary(LEDGER, several) is Summary.LEDGER_UPDATED


def test_the_trailers_are_those_that_are_written() -> None:
    rows = FORMAT.section("Commits").table("trailer")
    assert [row[0] for row in rows] == ["Care-Location", *TRAILERS]


def test_the_example_of_a_commit_message_is_canonical() -> None:
    message = parse_commit_message(FORMAT.section("Commits").blocks("text")[0].encode())
    assert message.summary is Summary.MESSAGE_ADDED


def test_the_digest_is_of_the_json_that_the_page_shows(tmp_path: Path) -> None:
    content = MessageContent(
        'Take\t"5 mg"\n\\ twice', recipients=(TOM.id,), sent=Instant(1), via=Party(CLINIC.id, "Clinic"),
        attachments=(AttachmentContent(b"x", "text/plain", "ä.txt"),),
    )  # fmt: skip
    addressing = Addressing(JANE.id, (TOM.id,))
    with CoordinationService.open(tmp_path, flushes=False) as service:
        record = service.initialise(JANE, "Ward 7", CLINICAL_ID)
        thread = record.communication_create(
            JANE, "Ward 7", listed(JANE, TOM), addressing=addressing, client_identifier=ClientIdentifier("c", "1")
        )
        naming = Naming("a-1", (BusinessIdentifier("urn:x", "1"),))
        record.add_message(JANE, "Ward 7", thread, content, client_identifier=ClientIdentifier("c", "2"), naming=naming)
        record.flush()
    keys = ["log", "--reverse", "--format=%(trailers:key=Client-Digest,valueonly,separator=%x2C)"]
    recorded = subprocess.run(["git", *keys], cwd=record.path, check=True, capture_output=True, text=True).stdout
    created = (
        f'["communication_create","{JANE.id}",'
        f'{{"participants":[{{"id":"{JANE.id}","role":"clinician","name":"Dr Jane Smith"}},'
        f'{{"id":"{TOM.id}","role":"clinician","name":"Dr Tom Patel"}}],'
        f'"addressing":{{"requester":"{JANE.id}","recipients":["{TOM.id}"],"reply_to":null}},"continues":null,'
        '"visibility":{"sensitivity":"standard","restricted":false},'
        '"policies":{"allow_patient_participation":true,"allow_external_organisations":true}},null]'
    )
    said = (
        '{"body":"Take\\t\\"5 mg\\"\\n\\\\ twice","corrects":null,"in_response_to":null,"on_behalf_of":null,'
        f'"recipients":["{TOM.id}"],"attachments":[],"sent":1,"via":{{"id":"{CLINIC.id}","name":"Clinic"}}}}'
    )
    files = f'[{{"sha256":"{_sha256("x")}","media_type":"text/plain","size":1,"file_name":"ä.txt"}}]'
    named = '{"resource_id":"a-1","identifiers":[{"system":"urn:x","value":"1"}]}'
    added = f'["add_message","{JANE.id}","{thread}",[{said},{files}],{named}]'
    assert recorded.split() == [_sha256(created), _sha256(added)]
    shown = re.findall(r'"([a-z_0-9]+)":', FORMAT.section("Commits").blocks("text")[1])
    written = re.findall(r'"([a-z_0-9]+)":', created + said + files + named)
    second_participant = written.index("id", written.index("id") + 1)
    assert shown == written[:second_participant] + written[second_participant + 3 :]


def _sha256(text_of_it: str) -> str:
    return sha256(text_of_it.encode()).hexdigest()


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_examples_of_the_files_are_canonical() -> None:
    assert parse_ledger(FORMAT.section("ledger.yaml").blocks("yaml")[0].encode()).addressing is not None
    status = parse_status(FORMAT.section("COORDINATION_STATUS.yaml").blocks("yaml")[0].encode())
    assert status.custodian.name == "Thames Valley Shared Care"


def test_the_header_lines_are_those_that_are_written_in_their_order() -> None:
    party = Party(CLINIC.id, CLINIC.name)
    message = Message(
        MESSAGE, MessageType.CORRECTION, NOW, JANE.id, JANE.name, "x", Role.CLINICIAN, party, (party,),
        MessageId(MESSAGE.replace("3", "4")), MessageId(MESSAGE.replace("3", "5")), Instant(NOW - 1), party,
        (Attachment("0" * 64, "image/png", 1, "x.png"),),
    )  # fmt: skip
    written = re.findall(r"^\*\*([^:]+):\*\* ", render_entry(message).decode(), re.MULTILINE)
    assert [row[1] for row in FORMAT.section("thread.md").table("label")] == written


def test_roles_are_written_where_the_table_says() -> None:
    row = next(row for row in FORMAT.section("thread.md").table("label") if row[1] == "Author role")
    assert [word for word in re.findall(r"`(\w+)`", row[2]) if word not in list(Role)] == []
    assert set(re.findall(r"`(\w+)`", row[3])) == {"system", "correction", "clinician", "care_administrator",
                                                  "patient", "patient_associate"}  # fmt: skip


def test_the_media_types_are_the_programs() -> None:
    rows = FORMAT.section("Attachments").table("media type")
    assert {row[0]: row[1] for row in rows} == EXTENSIONS
    assert len(rows) == len(EXTENSIONS)


def test_names_are_quoted_as_the_table_shows() -> None:
    for typed, written, _ in FORMAT.section("YAML").table("typed"):
        assert f"display_name: {write_scalar(typed)}" == written


def test_the_reserved_words_are_the_programs() -> None:
    rule = re.search(r"Y5\. (.+?)in upper", FORMAT.text, re.DOTALL)
    assert rule is not None
    assert set(re.findall(r"`(\w+)`", rule[1])) == RESERVED


def test_what_is_plain_in_yaml_is_what_the_rule_says() -> None:
    plain_first = plain_later = ""
    for code in range(0x20, 0x250):
        character = chr(code)
        if character not in "<>" and not 0x7F <= code <= 0x9F and code != 0xAD:
            plain_first += character if write_scalar(f"{character}x") == f"{character}x" else ""
            plain_later += character if write_scalar(f"x{character}x") == f"x{character}x" else ""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    beyond = "".join(chr(code) for code in range(0xA1, 0x250) if code != 0xAD)
    assert plain_first == letters + beyond[beyond.index("\u00c0") :]
    assert set(plain_later) == {*letters, *"0123456789", *" .,'()/&+_-", *beyond}


def test_the_git_files_are_the_programs() -> None:
    assert FORMAT.section("Git").blocks("ini") == [CONFIG_CONTENT.decode()]
    assert ATTRIBUTES == b"* -text\n"


def test_the_limits_are_the_programs() -> None:
    limits = [int(row[1].replace(",", "")) for row in FORMAT.section("Limits").table("what")]
    assert limits == [
        text.MAX_BODY, text.MAX_NAME, ledger_check.MAX_PARTICIPANTS, intake.MAX_ATTACHMENTS,
        intake.MAX_ATTACHMENT_BYTES,
        MAX_IDENTIFIER, MAX_IDENTIFIERS, MAX_IDENTIFIER_PART, rules.CLOCK_TOLERANCE_MS,
    ]  # fmt: skip


# ── Text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ranges(cell: str) -> list[tuple[int, int]]:
    found = re.findall(r"(?:U\+|, )?\b([0-9A-F]{4,6})(?:–([0-9A-F]{4,6}))?", cell)
    return [(int(first, 16), int(last or first, 16)) for first, last in found]


def _characters() -> Iterator[tuple[str, str, str, int]]:
    """Yield for the ends of each range, and their neighbours, what the table says of them."""
    rows = FORMAT.section("Text").table("label")
    ranges = [(row[0], row[2], row[3], span) for row in rows for span in _ranges(row[1].partition(":")[0])]
    ranges += [
        ("X6", "refused", "refused", (plane + 0xFFFE, plane + 0xFFFF)) for plane in range(0x10000, 0x110000, 0x10000)
    ]
    edges = {code for *_, (first, last) in ranges for code in (first - 1, first, last, last + 1)}
    for code in sorted(edges & set(range(0x110000))):
        listed_as = [each[:3] for each in ranges if each[3][0] <= code <= each[3][1]]
        assert len({label for label, *_ in listed_as}) <= 1, f"U+{code:04X} is listed twice"
        yield (*(listed_as[0] if listed_as else ("X14", "taken", "taken")), code)


def _taken(check: str, typed: str) -> bool:
    try:
        if check == "body":
            text.check_body(typed)
        else:
            text.check_name(typed, "name")
    except InvalidValueError:
        return False
    return True


@pytest.mark.parametrize("place", ["body", "name"])
def test_the_table_of_characters_is_the_programs(place: str) -> None:
    seen = set()
    for label, in_body, in_name, code in _characters():
        said = in_body if place == "body" or in_name == "the same" else in_name
        seen.add(label)
        after_visible, after_space = f"a{chr(code)}a", f"a {chr(code)}a"
        if said.startswith("taken"):
            assert _taken(place, after_visible), f"U+{code:04X} {label}"
        elif said.startswith("refused"):
            assert not _taken(place, after_visible), f"U+{code:04X} {label}"
        elif said.startswith("directly after"):
            assert _taken(place, after_visible), f"U+{code:04X} {label}"
            assert not _taken(place, after_space), f"U+{code:04X} {label}"
        else:
            assert said.startswith("only as U+1F3F4")
            assert not _taken(place, after_visible), f"U+{code:04X} {label}"
            if code < 0xE007F:
                assert _taken(place, f"\U0001f3f4{chr(code)}\U000e007f"), f"U+{code:04X} {label}"
    assert seen == {f"X{number}" for number in range(1, 15)}


def test_the_spaces_are_the_programs() -> None:
    rule = re.search(r"X15\. A space is one of (.+?)\. A visible", FORMAT.text, re.DOTALL)
    assert rule is not None
    spaces = {code for first, last in _ranges(rule[1]) for code in range(first, last + 1)}
    found = {ord(each) for each in re.sub(r"(.)-(.)", _expand, text._SPACE, flags=re.DOTALL)}
    assert spaces == found


def _expand(found: re.Match[str]) -> str:
    return "".join(chr(code) for code in range(ord(found[1]), ord(found[2]) + 1))


# ── Escaping ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CLAUSES = [row for row in FORMAT.section("Escaping").table("label") if row[0].startswith("E")]


def _shown(oracle: MarkdownIt, document: str) -> str:
    """Return what a document shows, without spaces: text, and code as text."""
    parts = []
    for token in oracle.parse(document):
        if token.type == "inline":
            parts += [child.content for child in token.children or () if child.type in ("text", "code_inline")]
        elif token.type in ("code_block", "fence"):
            parts.append(token.content)
    return without_spaces("".join(parts))


@pytest.mark.parametrize("row", CLAUSES, ids=lambda row: row[0])
def test_each_clause_is_needed_and_enough(row: list[str]) -> None:
    _, _, _, typed, written, unescaped = (cell.replace("⏎", "\n") for cell in row)
    assert escape.escape_body(typed) == written
    assert _shown(EXTENDED, typed) == unescaped != without_spaces(typed)
    for oracle in ORACLES:
        assert _shown(oracle, written) == without_spaces(typed)
    assert escape.unescape_body(written) == typed


def test_there_is_a_clause_for_every_alternative() -> None:
    assert [row[0] for row in CLAUSES] == [f"E{number}" for number in range(1, 17)]


def test_examples_outside_the_table() -> None:
    assert escape.escape_body("2 * 3") == "2 * 3"
    assert escape.escape_body("* x") == "\\* x"
    assert escape.escape_body("5~10 mg or 20~30 mg") == "5\\~10 mg or 20\\~30 mg"
    assert escape.escape_body("x\n\n    2*3*4\n\n    y\nz*") == "x\n\n    2*3*4\n\n    y\nz\\*"
    assert escape.escape_inline("- x") == "- x"
    assert escape.escape_label("a [1] *") == "a \\[1\\] \\*"
