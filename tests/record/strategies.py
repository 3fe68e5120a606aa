"""Texts, names and values made to break the codecs: Markdown's and YAML's specials, in every combination."""

import string
from collections.abc import Callable
from functools import partial

from hypothesis import strategies as st

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.ids import ClinicalId, CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.record.entry_check import AUTHOR_ROLES
from carethread.record.media_types import EXTENSIONS
from carethread.record.model import (
    INDIVIDUAL_ROLES,
    Addressing,
    Attachment,
    CoordinationStatus,
    Custodian,
    Ledger,
    LifecycleState,
    Message,
    MessageType,
    Participant,
    Party,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.record.text import check_body, check_name

_LAST = 253_402_300_799_999

# What a Markdown renderer might act on, and what stands beside it in clinical prose.
FRAGMENTS = (
    "*", "**", "***", "_", "__", "`", "``", "```", "~", "~~", "~~~", "\\", "\\\\", "<", ">", "&", ";", "!", "[", "]",
    "(", ")", ":", "|", "#", "##", "######", "#######", "-", "--", "---", "+", "=", "===", ".", "1.", "12)", "0.",
    "123456789.", "1234567890.", "1", "9", "a", "b", "Z", "word", "mg", " ", "  ", "   ", "    ", "     ", "\t", "\t\t",
    "\n", "\n\n", "\n\n\n", "\n    ", "\n   ", "\n\n    ", "\n\n\t", "\n\n \t", "\\\n", "* ", "- ", "+ ", "> ", "# ",
    "1. ", "2) ", "&amp;", "&lt;", "&#35;", "&#x22;", "&nbsp;", "&copy", "&bogus;", "<b>", "</b>", "<a href='x'>",
    "<!--", "-->", "<?", "?>", "<!X", "<![CDATA[", "]]>", "<script>", "</script>", "<pre>", "<div>\n", "<http://a.b>",
    "<a@b.c>", "<+@b>", "mailto:", "http://a.b/c_d", "www.a.b", "[x]", "[x](y)", "![x](y)", "[x]: y", "[x][y]", "[^1]",
    "[^1]: x", "](", "]:", "a|b", "|---|", "--- | ---", ":-:", "| a |\n| - |", "- [ ] x", "===\n", "---\n", "\n---\n\n",
    "\n\n---\n\n## Message\n\n", "## Message", "# Messages", "**ID:** `x`  \n", "**Author:** Mallory", "2*500*3 mg",
    ">6.0", "snake_case_name", "5~10", "\u00a0", "\u3000", "é", "e\u0301", "ß", "中文", "עברית", "العربية", "\u200f",
    "👩\u200d⚕\ufe0f", "🏴\U000e0067\U000e0062\U000e007f", "“", "”", "…", "–", "\u2007", "½", "'", '"', "$", "$$", "{",
    "}", "^", "%", ",", "/", "?", "@", ":100:", "@x", "www.", "\x7f", "\u200b", "\u2028", "\r\n", "\r",
)  # fmt: skip

_NAME_FRAGMENTS = tuple(each for each in FRAGMENTS if not set(each) & set("\n\r\t<>\x7f\u200b\u2028"))
_YAML_FRAGMENTS = (
    "No", "yes", "~", "null", "1e3", "0x1F", "0o7", "1_000", "12:30:45", "2026-01-01", "2026-01-01T00:00:00Z", ".inf",
    "- x", "? x", ": ", " #", "a: b", "#x", "&a", "*a", "!t", "!!str", "|", "%YAML", "@", "---", "...", "{a: b}", "[a]",
    "'", '"', "\\", "\\n", ",", "=", "<<", "O'Brien", "Smith, Dr J", "Å", "Jane:", "true", "n", "NaN", "É:",
)  # fmt: skip


def _checked(check: Callable[[str], str], parts: list[str]) -> str:
    """Put parts together; where that is refused, those that are not, with a letter around each.

    To throw away whatever is refused would leave little, and at times too little for hypothesis to go on.
    """
    try:
        return check("".join(parts))
    except InvalidValueError:
        return check("x".join(("", *(each for each in parts if _passes(check, f"x{each}x")), "")))


def _passes(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except InvalidValueError:
        return False
    return True


def _name(text: str) -> str:
    return check_name(text[:200].strip(), "name")


_any_text = st.text(max_size=8)
hostile_texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), _any_text), max_size=30).map("".join)
# Checked bodies and names, as the codecs take them.
bodies = st.lists(st.sampled_from(FRAGMENTS) | _any_text, min_size=1, max_size=25).map(partial(_checked, check_body))
names = st.lists(st.sampled_from(_NAME_FRAGMENTS + _YAML_FRAGMENTS) | _any_text, min_size=1, max_size=8).map(
    partial(_checked, _name)
)


def _hex_text(size: int) -> st.SearchStrategy[str]:
    return st.integers(0, 16**size - 1).map(lambda number: f"{number:0{size}x}")


guids = _hex_text(32).map(lambda x: f"{x[:8]}-{x[8:12]}-{x[12:16]}-{x[16:20]}-{x[20:]}")
uuids = st.uuids(version=4).map(str)
participant_ids = guids.map(ParticipantId)
message_ids = uuids.map(MessageId)
instants = st.integers(0, _LAST).map(Instant)
parties = st.builds(Party, participant_ids, names)
coordination_ids = st.one_of(
    _hex_text(32), st.text(string.digits, min_size=32, max_size=32), st.just("0" * 30 + "e1"), st.just("1" * 32)
).map(CoordinationId)
communication_ids = st.builds(
    lambda day, second, milli, uuid: CommunicationId(f"2026{day:04}T10{second:04}.{milli:03}Z-{uuid}"),
    st.sampled_from([101, 228, 1231]),
    st.sampled_from([0, 5959, 3001]),
    st.integers(0, 999),
    uuids,
)
media_types = st.one_of(
    st.sampled_from(sorted(EXTENSIONS)),
    st.sampled_from(["x/y", "a/_b_", "a_/_b", "application/x-a+b.c&d#e$f^g!h", "0/0"]).filter(lambda x: "/_" not in x),
)
attachments = st.builds(Attachment, _hex_text(64), media_types, st.integers(1, 10**14), names)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Draw any message that may be written."""
    message_type = draw(st.sampled_from(MessageType))
    role = draw(st.sampled_from(sorted(AUTHOR_ROLES[message_type], key=str)))
    timestamp = draw(st.integers(1, _LAST))
    system = message_type is MessageType.SYSTEM
    files = () if system else tuple(draw(st.lists(attachments, max_size=2, unique_by=lambda each: each.sha256)))
    message_id, corrects, answers = draw(st.lists(message_ids, min_size=3, max_size=3, unique=True))
    return Message(
        id=message_id,
        type=message_type,
        timestamp=Instant(timestamp),
        author_id=draw(participant_ids),
        author_name=draw(names),
        author_role=role,
        body=draw(st.one_of(st.just(""), bodies)) if files else draw(bodies),
        on_behalf_of=draw(st.none() | parties),
        to=() if system else tuple(draw(st.lists(parties, max_size=3, unique_by=lambda party: party.id))),
        in_response_to=None if system or draw(st.booleans()) else answers,
        corrects=corrects if message_type is MessageType.CORRECTION else None,
        sent=None if system or draw(st.booleans()) else Instant(draw(st.integers(0, timestamp - 1))),
        via=None if system else draw(st.none() | parties),
        attachments=files,
    )


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Draw any ledger that may be written."""
    participants = draw(
        st.lists(
            st.builds(Participant, participant_ids, st.sampled_from(Role), names),
            min_size=1,
            max_size=5,
            unique_by=lambda each: each.id,
        )
    )
    ids = [each.id for each in participants]
    individuals = [each.id for each in participants if each.role in INDIVIDUAL_ROLES]
    created, updated = sorted(draw(st.tuples(instants, instants)))
    communication_id, continues = draw(st.lists(communication_ids, min_size=2, max_size=2, unique=True))
    addressing = None
    if draw(st.booleans()) and individuals:
        addressing = Addressing(
            requester=draw(st.sampled_from(individuals)),
            recipients=tuple(draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))),
            reply_to=draw(st.none() | st.sampled_from(ids)),
        )
    return Ledger(
        communication_id=communication_id,
        created_at=created,
        last_updated_at=updated,
        participants=tuple(participants),
        status=draw(st.sampled_from(ThreadStatus)),
        addressing=addressing,
        continues=draw(st.none() | st.just(continues)),
        visibility=draw(st.builds(Visibility, st.sampled_from(Sensitivity), st.booleans())),
        policies=draw(st.builds(Policies, st.booleans(), st.booleans())),
    )


statuses = st.builds(
    CoordinationStatus,
    coordination_ids,
    guids.map(ClinicalId),
    st.builds(Custodian, participant_ids, names),
    st.sampled_from(LifecycleState),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
