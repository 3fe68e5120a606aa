"""What drafts hold: references in every form, both dialects of links and of reply-to, moments, texts and files."""

import base64
import hashlib
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.fhir import types
from carethread.fhir.mapping.communication import read_communication
from carethread.fhir.mapping.drafts import MessageDraft, Named, ResourceRefusedError, ThreadDraft
from carethread.fhir.mapping.payload import binary_id, parse_binary_id
from carethread.fhir.mapping.request import read_request
from carethread.ids import MessageId
from carethread.record.model import BusinessIdentifier, Policies, Visibility
from tests.fhir.threads import M1, OURS, OZO, QUESTION, as_communication, as_request

BASE = "https://example.org/fhir"
DATA = b"%PDF-1.7"
INLINE = {"contentType": "application/pdf", "title": "list.pdf", "data": base64.b64encode(DATA).decode()}


def read(**change: Any) -> MessageDraft:
    return read_communication(as_communication(**change), base=BASE)


def opened(**change: Any) -> ThreadDraft:
    return read_request(as_request(**change), base=BASE)


def refusal(change: dict[str, Any]) -> list[str]:
    with pytest.raises(ResourceRefusedError) as caught:
        read(**change)
    return [each.expression.removeprefix("Communication.") for each in caught.value.issues]


def test_the_seeds_first_resource() -> None:
    at = "CommunicationRequest"
    assert opened(id="thread-pharmacy-to-clinic") == ThreadDraft(
        subject=Named(f"{at}.subject", "Patient", "123"),
        requester=Named(f"{at}.requester", "Practitioner", "A1"),
        recipients=(Named(f"{at}.recipient[0]", "Organization", "Clinic-B"),),
        reply_to=Named(f"{at}.sender", "Organization", "Pharmacy-A"),
        id="thread-pharmacy-to-clinic",
        text=QUESTION,
    )


def test_a_reply() -> None:
    at = "Communication"
    assert read(
        id="msg-2",
        inResponseTo=[{"reference": "Communication/msg-1"}],
        subject={"reference": "Patient/123"},
        identifier=[{"system": "urn:x", "value": "1"}] * 2,
        sent="2026-01-11T15:36:15.2349+01:00",
    ) == MessageDraft(
        thread=Named(f"{at}.basedOn[0]", "CommunicationRequest", "thread-pharmacy-to-clinic"),
        sender=Named(f"{at}.sender", "Practitioner", "B1"),
        id="msg-2",
        identifiers=(BusinessIdentifier("urn:x", "1"),),
        subject=Named(f"{at}.subject", "Patient", "123"),
        recipients=(Named(f"{at}.recipient[0]", "Organization", "Pharmacy-A"),),
        in_response_to=Named(f"{at}.inResponseTo[0]", "Communication", "msg-1"),
        sent=Instant(1_768_142_175_234),
        text="Yes, I'll review it today.",
    )


# ── Links to the thread ───────────────────────────────────────────────────────────────────────────────────────────────

ONE, OTHER, PROCEDURE = (
    {"reference": each} for each in ("CommunicationRequest/1", "CommunicationRequest/2", "Media/1")
)


@pytest.mark.parametrize(
    ("based_on", "part_of", "refused"),
    [
        ([ONE], None, None),
        (None, [ONE], None),
        ([ONE], [ONE], None),
        ([ONE], [{"reference": f"{BASE}/CommunicationRequest/1"}], None),
        (None, None, "basedOn"),
        ([ONE], [OTHER], "partOf[0]"),
        ([ONE, OTHER], None, "basedOn"),
        (None, [ONE, OTHER], "partOf"),
        ([ONE, ONE], None, "basedOn[1]"),
        ([ONE], [PROCEDURE], "partOf[0].reference"),
        ([PROCEDURE], [ONE], "basedOn[0].reference"),
    ],
)
def test_a_message_names_its_thread_in_either_way(based_on: Any, part_of: Any, refused: str | None) -> None:
    change = {"basedOn": based_on, "partOf": part_of}
    if refused is None:
        assert read(**change).thread.pair == ("CommunicationRequest", "1")
    else:
        assert refused in refusal(change)


def test_a_message_answers_one() -> None:
    both = [{"reference": "Communication/1"}, {"reference": "Communication/2"}]
    assert refusal({"inResponseTo": both}) == ["inResponseTo"]


# ── References ────────────────────────────────────────────────────────────────────────────────────────────────────────

BSN = {"system": "urn:bsn", "value": "999"}


@pytest.mark.parametrize(
    ("reference", "pair"),
    [
        ({"reference": "Practitioner/B1"}, ("Practitioner", "B1")),
        ({"reference": "Practitioner/B1", "type": "Practitioner", "display": "X"}, ("Practitioner", "B1")),
        ({"reference": f"{BASE}/Practitioner/B1"}, ("Practitioner", "B1")),
        ({"type": "Practitioner", "identifier": BSN}, ("Practitioner", "urn:bsn|999")),
    ],
)
def test_a_reference_that_is_taken(reference: Any, pair: tuple[str, str]) -> None:
    assert read(sender=reference).sender.pair == pair
    draft = read(recipient=[reference])
    assert draft.recipients[0].pair == pair
    assert draft.recipients[0] in draft.references()


@pytest.mark.parametrize(
    ("reference", "expression"),
    [
        ({"reference": "https://elsewhere.org/fhir/Practitioner/B1"}, "sender.reference"),
        ({"reference": "urn:uuid:550e8400-e29b-41d4-a716-446655440000"}, "sender.reference"),
        ({"reference": "Practitioner/B1/_history/2"}, "sender.reference"),
        ({"reference": f"{BASE}/Practitioner/B1/_history/2"}, "sender.reference"),
        ({"reference": "Practitioner?identifier=1"}, "sender.reference"),
        ({"reference": "#p"}, "sender.reference"),
        ({"display": "Dr B"}, "sender"),
        ({"identifier": BSN}, "sender.type"),
        ({"type": "Practitioner", "identifier": {"value": "999"}}, "sender.identifier"),
        ({"type": "Practitioner", "identifier": {"system": "urn:bsn"}}, "sender.identifier"),
        ({"type": "Practitioner", "identifier": {**BSN, "use": "old"}}, "sender.identifier.use"),
        ({"type": "Organization", "identifier": BSN}, "sender.type"),
        ({"reference": "Practitioner/B1", "identifier": BSN}, "sender.identifier"),
        ({"reference": "Practitioner/B1", "extension": [{"url": "urn:x", "valueCode": "x"}]}, "sender.extension"),
        ({"reference": "Practitioner/B1", "id": "x"}, "sender.id"),
    ],
)
def test_a_reference_that_is_refused(reference: Any, expression: str) -> None:
    # A contained resource has been refused before.
    communication = as_communication(sender=None)
    with pytest.raises(ResourceRefusedError) as caught:
        read_communication(replace(communication, sender=convert(reference, types.Reference)), base=BASE)
    assert [each.expression for each in caught.value.issues] == [f"Communication.{expression}"]


def test_without_an_address_of_its_own_no_url_is_the_servers() -> None:
    sender = {"reference": f"{BASE}/Practitioner/B1"}
    with pytest.raises(ResourceRefusedError):
        read_communication(as_communication(sender=sender))


def test_an_identifier_needs_no_type_where_only_one_can_be_meant() -> None:
    assert read(subject={"identifier": BSN}).subject == Named(
        "Communication.subject", "Patient", identifier=BusinessIdentifier("urn:bsn", "999")
    )


def test_nobody_is_named_twice() -> None:
    clinic = {"reference": "Organization/Clinic-B"}
    assert refusal({"recipient": [clinic, clinic]}) == ["recipient[1]"]


# ── Where replies go ──────────────────────────────────────────────────────────────────────────────────────────────────


def team(url: str, name: str = "CareTeam/1") -> dict[str, Any]:
    return {"url": url, "valueReference": {"reference": name}}


@pytest.mark.parametrize(
    ("sender", "extensions", "reply_to"),
    [
        (None, [], None),
        ("Practitioner/A1", [], None),
        ("Practitioner/A2", [], ("Practitioner", "A2")),
        ("RelatedPerson/1", [], ("RelatedPerson", "1")),
        ("Patient/1", [], ("Patient", "1")),
        ("Organization/Pharmacy-A", [], ("Organization", "Pharmacy-A")),
        (None, [team(f"{OURS}/sender-care-team")], ("CareTeam", "1")),
        (None, [team(OZO)], ("CareTeam", "1")),
        (None, [team(OZO), team(f"{OURS}/sender-care-team")], ("CareTeam", "1")),
        ("Practitioner/A1", [team(OZO)], ("CareTeam", "1")),
    ],
)
def test_reply_to_in_either_dialect(sender: str | None, extensions: Any, reply_to: Any) -> None:
    draft = opened(sender=None if sender is None else {"reference": sender}, extension=extensions or None)
    assert (None if draft.reply_to is None else draft.reply_to.pair) == reply_to


@pytest.mark.parametrize("sender", ["Practitioner/A2", "Organization/Pharmacy-A", "Patient/1"])
def test_replies_go_to_one_place(sender: str) -> None:
    with pytest.raises(ResourceRefusedError) as caught:
        opened(sender={"reference": sender}, extension=[team(OZO)])
    assert [each.expression for each in caught.value.issues] == ["CommunicationRequest.sender"]


@pytest.mark.parametrize(
    "extensions",
    [[team(f"{OURS}/on-behalf-of")], [team(OZO)], [team(f"{OURS}/on-behalf-of"), team(OZO)]],
)
def test_a_message_for_a_team_in_either_dialect(extensions: Any) -> None:
    draft = read(extension=extensions)
    assert draft.on_behalf_of is not None
    assert draft.on_behalf_of.pair == ("CareTeam", "1")


def test_a_correction() -> None:
    draft = read(extension=[team(f"{OURS}/corrects", "Communication/wrong")])
    assert draft.corrects == Named("Communication.extension[0].value", "Communication", "wrong")


# ── What else a thread says ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_thread_with_everything() -> None:
    policies = {
        "url": f"{OURS}/policies",
        "extension": [{"url": "allow-external-organisations", "valueBoolean": False}],
    }
    draft = opened(
        extension=[policies, team(f"{OURS}/participant", "RelatedPerson/1"), team(f"{OURS}/participant", "Patient/1")],
        replaces=[{"reference": "CommunicationRequest/earlier"}],
        payload=None,
    )
    assert draft.policies == Policies(allow_external_organisations=False)
    assert [each.pair for each in draft.others] == [("RelatedPerson", "1"), ("Patient", "1")]
    assert draft.continues is not None
    assert draft.continues.pair == ("CommunicationRequest", "earlier")
    assert not draft.has_message
    assert {each.type for each in draft.references()} == {
        "Patient",
        "Practitioner",
        "Organization",
        "RelatedPerson",
        "CommunicationRequest",
    }
    assert opened().visibility == Visibility()
    assert opened().has_message


def test_a_draft_opens_where_the_installation_lets_it() -> None:
    draft = as_request(status="draft")
    assert read_request(draft, draft_opens=True) == read_request(as_request())
    with pytest.raises(ResourceRefusedError):
        read_request(draft)
    with pytest.raises(ResourceRefusedError):
        read_request(as_request(status="on-hold"), draft_opens=True)


# ── Texts and files ───────────────────────────────────────────────────────────────────────────────────────────────────


def files(*attachments: dict[str, Any]) -> dict[str, Any]:
    return {"payload": [{"contentAttachment": each} for each in attachments]}


def test_a_text_and_files_in_any_order() -> None:
    mixed = [
        {"contentAttachment": INLINE},
        {"contentString": "  \nLook. \r\n"},
        {"contentAttachment": {"url": "Binary/u1"}},
    ]
    draft = read(payload=mixed)
    assert draft.text == "Look."
    first, second = draft.attachments
    assert (first.data, first.media_type, first.file_name) == (DATA, "application/pdf", "list.pdf")
    assert first.expression == "Communication.payload[0].content"
    assert (second.binary, second.data, second.file_name) == ("u1", None, None)
    assert read(**files(INLINE)).text == ""


@pytest.mark.parametrize(
    "attachment",
    [
        INLINE,
        {**INLINE, "contentType": "Application/PDF"},
        {**INLINE, "size": 8, "hash": base64.b64encode(hashlib.sha1(DATA, usedforsecurity=False).digest()).decode()},
        {"url": f"{BASE}/Binary/u1"},
        {"url": "Binary/u1", "contentType": "application/pdf", "title": "list.pdf", "size": 8},
        {"url": f"Binary/{M1}.1", "creation": "2026-01-11T14:36:12.045Z"},
    ],
)
def test_a_file_that_is_taken(attachment: Any) -> None:
    (draft,) = read(**files(attachment)).attachments
    assert draft.media_type in (None, "application/pdf")


@pytest.mark.parametrize(("media_type", "name"), [("application/pdf", "attachment-1.pdf"), ("x/y", "attachment-1.bin")])
def test_a_file_without_a_name_gets_one(media_type: str, name: str) -> None:
    (draft,) = read(**files({"contentType": media_type, "data": INLINE["data"]})).attachments
    assert draft.file_name == name


@pytest.mark.parametrize(
    ("attachment", "element"),
    [
        ({"contentType": "application/pdf", "title": "x"}, ""),
        ({**INLINE, "url": "Binary/1"}, ".url"),
        ({"url": "https://elsewhere.org/x.pdf"}, ".url"),
        ({"url": "https://elsewhere.org/fhir/Binary/1"}, ".url"),
        ({"url": "Binary/1/_history/1"}, ".url"),
        ({"url": "DocumentReference/1"}, ".url"),
        ({**INLINE, "language": "nl"}, ".language"),
        ({**INLINE, "creation": "2026-01-01"}, ".creation"),
        ({"url": "Binary/u1", "creation": "2026-01-01"}, ".creation"),
        ({**INLINE, "contentType": "text/plain; charset=utf-8"}, ".contentType"),
        ({**INLINE, "contentType": "pdf"}, ".contentType"),
        ({**INLINE, "title": "a\tb"}, ".title"),
        ({**INLINE, "title": "x" * 201}, ".title"),
        ({**INLINE, "size": 9}, ".size"),
        ({**INLINE, "hash": base64.b64encode(b"x" * 20).decode()}, ".hash"),
    ],
)
def test_a_file_that_is_refused(attachment: Any, element: str) -> None:
    assert refusal(files(attachment)) == [f"payload[0].content{element}"]


@pytest.mark.parametrize(
    ("payload", "expression"),
    [
        ([{"contentString": "one"}, {"contentString": "two"}], "payload[1].content"),
        ([{"contentReference": {"reference": "Observation/1"}}], "payload[0].content"),
        ([{"contentString": "\u200b"}], "payload[0].content"),
        ([{"contentString": "x" * 100_001}], "payload[0].content"),
        ([{"contentString": "x", "extension": [{"url": "urn:x", "valueCode": "y"}]}], "payload[0].extension"),
    ],
)
def test_a_payload_that_is_refused(payload: Any, expression: str) -> None:
    assert refusal({"payload": payload}) == [expression]


@pytest.mark.parametrize("number", [1, 9, 10, 20, 99])
def test_the_id_of_a_file_says_message_and_number(number: int) -> None:
    assert parse_binary_id(binary_id(M1, number)) == (M1, number)


@pytest.mark.parametrize("text", ["", M1, f"{M1}.", f"{M1}.0", f"{M1}.01", f"{M1}.100", f"{M1}.1.1", f"x{M1}.1", "a.1"])
def test_the_id_of_something_else(text: str) -> None:
    assert parse_binary_id(text) is None
    assert MessageId(text) == text
