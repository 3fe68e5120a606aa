"""Commit messages: no input can forge a trailer."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import FormatError, InvalidTextError, InvalidValueError
from carethread.record.commit_message import (
    CLIENT,
    CLIENT_DIGEST,
    CLIENT_IDENTIFIER,
    COMMUNICATION_ID,
    IDENTIFIERS,
    MAX_IDENTIFIER,
    MAX_IDENTIFIER_PART,
    MAX_IDENTIFIERS,
    MESSAGE_ID,
    RESOURCE_ID,
    CommitMessage,
    Summary,
    decode_identifier,
    decode_identifiers,
    encode_identifier,
    encode_identifiers,
    naming_in,
    naming_trailers,
    parse_commit_message,
    render_commit_message,
)
from carethread.record.model import BusinessIdentifier, Naming
from tests.record.strategies import communication_ids, message_ids, names

THREAD = "20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000"
MESSAGE = "3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92"
OXFORD = "Oxford University Hospitals"

identifiers = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


business_identifiers = st.lists(
    st.builds(BusinessIdentifier, st.one_of(st.just(""), identifiers), identifiers), min_size=1, max_size=3, unique=True
).map(tuple)


@st.composite
def commit_messages(draw: st.DrawFn) -> CommitMessage:
    values = {
        COMMUNICATION_ID: communication_ids,
        MESSAGE_ID: message_ids,
        CLIENT: identifiers,
        CLIENT_IDENTIFIER: identifiers,
        CLIENT_DIGEST: st.binary(min_size=32, max_size=32).map(bytes.hex),
        RESOURCE_ID: st.from_regex(r"[A-Za-z0-9.-]{1,64}", fullmatch=True),
        IDENTIFIERS: business_identifiers.map(lambda each: encode_identifiers(each, "x")),
    }
    trailers = tuple((name, draw(value)) for name, value in values.items() if draw(st.booleans()))
    return CommitMessage(draw(st.sampled_from(Summary)), draw(names), trailers)


@pytest.mark.parametrize(
    "summary, subject",
    [
        (Summary.RECORD_CREATED, "coordination:create: Created coordination record"),
        (Summary.RECORD_STATUS_UPDATED, "coordination:update: Updated coordination record status"),
        (Summary.THREAD_CREATED, "coordination:create: Created messaging thread"),
        (Summary.MESSAGE_ADDED, "coordination:update: Added message to thread"),
        (Summary.PARTICIPANTS_UPDATED, "coordination:update: Updated thread participant list"),
        (Summary.STATUS_UPDATED, "coordination:update: Updated thread status"),
        (Summary.VISIBILITY_UPDATED, "coordination:update: Updated thread visibility"),
        (Summary.POLICIES_UPDATED, "coordination:update: Updated thread policies"),
        (Summary.ADDRESSING_UPDATED, "coordination:update: Updated thread addressing"),
        (Summary.LEDGER_UPDATED, "coordination:update: Updated thread ledger"),
        (Summary.MESSAGE_NAMED, "coordination:update: Named message in thread"),
    ],
)
def test_each_summary_has_its_subject(summary: Summary, subject: str) -> None:
    message = CommitMessage(summary, OXFORD)
    data = f"{subject}\n\nCare-Location: {OXFORD}\n".encode()
    assert render_commit_message(message) == data
    assert parse_commit_message(data) == message


def test_every_trailer_in_its_place() -> None:
    message = CommitMessage(
        Summary.MESSAGE_ADDED,
        OXFORD,
        (
            (COMMUNICATION_ID, THREAD),
            (MESSAGE_ID, MESSAGE),
            (CLIENT, "pharmacy app"),
            (CLIENT_IDENTIFIER, "urn:oid:1.2|50% é\nMessage-ID: x"),
            (CLIENT_DIGEST, "0f" * 32),
            (RESOURCE_ID, "A-1.b"),
            (IDENTIFIERS, encode_identifiers((BusinessIdentifier("urn:a|b", "1 %"), BusinessIdentifier("", "é")), "x")),
        ),
    )
    data = render_commit_message(message)
    assert data.decode() == (
        "coordination:update: Added message to thread\n"
        "\n"
        "Care-Location: Oxford University Hospitals\n"
        f"Communication-ID: {THREAD}\n"
        f"Message-ID: {MESSAGE}\n"
        "Client: pharmacy%20app\n"
        "Client-Identifier: urn:oid:1.2|50%25%20%C3%A9%0AMessage-ID:%20x\n"
        f"Client-Digest: {'0f' * 32}\n"
        "Resource-ID: A-1.b\n"
        "Identifiers: urn:a%7Cb|1%20%25 |%C3%A9\n"
    )
    assert parse_commit_message(data) == message


@given(commit_messages())
def test_messages_round_trip(message: CommitMessage) -> None:
    """So no two messages are written alike."""
    data = render_commit_message(message)
    assert parse_commit_message(data) == message
    assert len(data.decode().split("\n")) == 4 + len(message.trailers)


@pytest.mark.parametrize("location", [OXFORD, "Bücherei: Nord", "x", "Signed-off-by: Mallory", "--", "Message-ID: y"])
def test_git_sees_the_same_trailers(location: str) -> None:
    trailers = ((COMMUNICATION_ID, THREAD), (CLIENT_IDENTIFIER, "a\n\nMessage-ID: forged"))
    data = render_commit_message(CommitMessage(Summary.MESSAGE_ADDED, location, trailers))
    seen = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=data, capture_output=True, check=True
    ).stdout.decode()
    assert seen == (
        f"Care-Location: {location}\nCommunication-ID: {THREAD}\nClient-Identifier: a%0A%0AMessage-ID:%20forged\n"
    )


@given(identifiers)
def test_identifiers_of_clients_round_trip(identifier: str) -> None:
    encoded = encode_identifier(identifier, "client")
    assert encoded.isascii()
    assert encoded.isprintable()
    assert " " not in encoded
    assert decode_identifier(encoded, "client") == identifier


@given(st.text("%0aAFfxé ", min_size=1, max_size=12))
def test_only_what_would_be_encoded_is_decoded(encoded: str) -> None:
    try:
        identifier = decode_identifier(encoded, "client")
    except InvalidValueError:
        return
    assert encode_identifier(identifier, "client") == encoded


@pytest.mark.parametrize("encoded", ["", "%", "%2", "%zz", "%c3%a9", "%41", "%FF", "a b", "é", "a%"])
def test_other_encodings_are_refused(encoded: str) -> None:
    with pytest.raises(InvalidValueError, match="client"):
        decode_identifier(encoded, "client")


def test_identifiers_that_are_refused() -> None:
    assert len(encode_identifier("é" * MAX_IDENTIFIER, "client")) == 6 * MAX_IDENTIFIER
    with pytest.raises(InvalidValueError, match="client: is longer than 1,000 characters"):
        encode_identifier("é" * (MAX_IDENTIFIER + 1), "client")
    with pytest.raises(InvalidValueError, match="client: is empty"):
        encode_identifier("", "client")
    with pytest.raises(InvalidTextError, match="client: a lone surrogate at position 1"):
        encode_identifier("a\udc00", "client")


@given(business_identifiers)
def test_what_something_is_called_elsewhere_round_trips(called: tuple[BusinessIdentifier, ...]) -> None:
    encoded = encode_identifiers(called, "identifiers")
    assert encoded.isascii()
    assert encoded.isprintable()
    assert encoded.count("|") == len(called)
    assert decode_identifiers(encoded, "identifiers") == called
    naming = Naming(None, called)
    assert naming_in(dict(naming_trailers(naming))) == naming


@given(st.text("|%0aAF7Cxé ", min_size=1, max_size=12))
def test_only_what_would_be_encoded_is_read_as_identifiers(encoded: str) -> None:
    try:
        called = decode_identifiers(encoded, "identifiers")
    except InvalidValueError:
        return
    assert encode_identifiers(called, "identifiers") == encoded


@pytest.mark.parametrize(
    "encoded", ["", "|", "a", "a|", "a|b ", "a|b  c|d", "a|b a|b", "a|b|c", "a|%7c", "a b|c", "|%41", "a%|b"]
)
def test_other_forms_of_identifiers_are_refused(encoded: str) -> None:
    with pytest.raises(InvalidValueError, match="identifiers"):
        decode_identifiers(encoded, "identifiers")


@pytest.mark.parametrize(
    "called, fault",
    [
        ((), "are none"),
        (tuple(BusinessIdentifier("x", str(each)) for each in range(MAX_IDENTIFIERS + 1)), "are more than 20"),
        ((BusinessIdentifier("x", "1"),) * 2, "hold one twice"),
        ((BusinessIdentifier("x" * (MAX_IDENTIFIER_PART + 1), "1"),), "longer than 255"),
        ((BusinessIdentifier("x", "1" * (MAX_IDENTIFIER_PART + 1)),), "longer than 255"),
        ((BusinessIdentifier("x", ""),), "is empty"),
        ((BusinessIdentifier("x", "\ud800"),), "a lone surrogate"),
    ],
)
def test_identifiers_that_nothing_can_have(called: tuple[BusinessIdentifier, ...], fault: str) -> None:
    with pytest.raises(InvalidValueError, match=fault):
        encode_identifiers(called, "identifiers")


def test_who_says_nothing_names_nothing() -> None:
    assert naming_trailers(None) == naming_trailers(Naming()) == ()
    assert naming_in({}) is None


@pytest.mark.parametrize(
    "location, trailers, fault",
    [
        ("", (), "care_location: is empty"),
        ("Ward\nMessage-ID: x", (), "care_location: a line break (U+000A) at position 4"),
        (" x", (), "care_location: begins or ends with a space"),
        ("x", (("Reviewed-by", "x"),), "trailers: hold one that is unknown"),
        ("x", ((MESSAGE_ID, MESSAGE), (COMMUNICATION_ID, THREAD)), "trailers: hold one that is unknown"),
        ("x", ((MESSAGE_ID, MESSAGE), (MESSAGE_ID, MESSAGE)), "trailers: hold one that is unknown"),
        ("x", ((MESSAGE_ID, "x\ny"),), "Message-ID: is not a lower-case UUID v4"),
        ("x", ((COMMUNICATION_ID, "x"),), "Communication-ID: is not a time and a UUID v4"),
        ("x", ((CLIENT_DIGEST, "F" * 64),), "Client-Digest: is not 64 lower-case hex digits"),
        ("x", ((CLIENT, ""),), "Client: is empty"),
        ("x", ((RESOURCE_ID, ""),), "Resource-ID: is not 1 to 64 ASCII letters"),
        ("x", ((RESOURCE_ID, "a" * 65),), "Resource-ID: is not 1 to 64 ASCII letters"),
        ("x", ((RESOURCE_ID, "a/b"),), "Resource-ID: is not 1 to 64 ASCII letters"),
        ("x", ((RESOURCE_ID, "a\n"),), "Resource-ID: is not 1 to 64 ASCII letters"),
        ("x", ((RESOURCE_ID, "é"),), "Resource-ID: is not 1 to 64 ASCII letters"),
        ("x", ((IDENTIFIERS, "a|b\nMessage-ID: x"),), "Identifiers: is not encoded in the canonical way"),
    ],
)
def test_what_cannot_be_written(location: str, trailers: tuple[tuple[str, str], ...], fault: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        render_commit_message(CommitMessage(Summary.MESSAGE_ADDED, location, trailers))
    assert str(caught.value).startswith(fault)


GOOD = f"coordination:update: Added message to thread\n\nCare-Location: {OXFORD}\nMessage-ID: {MESSAGE}\nClient: a\n"


@pytest.mark.parametrize(
    "before, after, line, fault",
    [
        ("coordination:update", "coordination:create", 1, "does not say create for this summary"),
        ("coordination:", "", 1, "is not coordination:create: or coordination:update:"),
        ("Added message to thread", "Added a message", 1, "is none of Created coordination record"),
        ("\n\nCare", "\nCare", 2, "is not the empty line after the subject"),
        (GOOD, "coordination:update: Added message to thread\n", 2, "is not the empty line after the subject"),
        (GOOD, "coordination:update: Added message to thread\n\n", 3, "is not Care-Location"),
        ("Care-Location", "Location", 3, "is not Care-Location"),
        (f"Care-Location: {OXFORD}", "Care-Location: ", 3, "care_location: is empty"),
        (OXFORD, f"{OXFORD} ", 3, "care_location: begins or ends with a space"),
        (f"Message-ID: {MESSAGE}", f"Message-ID:{MESSAGE}", 4, "is no trailer, or is there twice, or not in its place"),
        (
            "Client: a\n",
            f"Client: a\nMessage-ID: {MESSAGE}\n",
            6,
            "is no trailer, or is there twice, or not in its place",
        ),
        ("Client: a\n", "Client: a\nClient: a\n", 6, "is no trailer, or is there twice, or not in its place"),
        ("Client: a\n", "Client: a\n\n", 6, "is no trailer, or is there twice, or not in its place"),
        ("Client: a\n", "Client: a b\n", 5, "Client: is not encoded in the canonical way"),
        ("Client: a\n", "Client: %FF\n", 5, "Client: is not UTF-8"),
        ("Client: a\n", "Client: a", 5, "does not end with a line feed"),
        (GOOD, "", 1, "does not end with a line feed"),
        ("Client: a", "Client: \udcff", 5, "is not UTF-8"),
    ],
)
def test_another_message_is_a_fault_of_a_line(before: str, after: str, line: int, fault: str) -> None:
    assert before in GOOD
    with pytest.raises(FormatError) as caught:
        parse_commit_message(GOOD.replace(before, after, 1).encode("utf-8", "surrogateescape"))
    assert fault in str(caught.value)
    assert caught.value.line == line
