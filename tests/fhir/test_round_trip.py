"""Whatever a record can hold is shown as valid R4, and reads back as what was recorded."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carethread.fhir import types, validation
from carethread.fhir.errors import InvalidResourceError
from carethread.fhir.mapping import parts
from carethread.fhir.mapping.communication import communication, read_communication
from carethread.fhir.mapping.drafts import ResourceRefusedError, RuleIssue
from carethread.fhir.mapping.editing import read_request_change
from carethread.fhir.mapping.request import communication_request, read_request, recipients_of, requester_of
from carethread.fhir.mapping.same import same_message, same_opening
from carethread.fhir.types.primitives import fhir_name
from carethread.ids import ParticipantId
from carethread.record.model import (
    BusinessIdentifier,
    Ledger,
    Message,
    MessageType,
    Role,
    Sensitivity,
    Visibility,
)
from carethread.record.projection import MessageProjection, ThreadProjection
from carethread.record.rules import sent_time
from tests.fhir.threads import COMMUNICATION, PATIENT, REQUEST, SPOKEN
from tests.record import strategies as any_

_TYPES = {
    Role.CLINICIAN: "Practitioner",
    Role.CARE_ADMINISTRATOR: "Practitioner",
    Role.PATIENT: "Patient",
    Role.PATIENT_ASSOCIATE: "RelatedPerson",
    Role.ORGANISATION: "Organization",
    Role.CARE_TEAM: "CareTeam",
    Role.SYSTEM: "Device",
}
resource_ids = st.from_regex(r"[A-Za-z0-9.-]{1,64}", fullmatch=True)
identifiers = st.lists(
    st.builds(BusinessIdentifier, st.sampled_from(["urn:a", "https://b.example/c"]), any_.names),
    max_size=2,
    unique=True,
).map(tuple)


def _names(ledger: Ledger, patient: ParticipantId) -> dict[ParticipantId, str]:
    return {patient: f"Patient/{patient}"} | {
        each.id: f"{_TYPES[each.role]}/x{number}" for number, each in enumerate(ledger.participants)
    }


@st.composite
def threads(draw: st.DrawFn) -> tuple[ThreadProjection, dict[ParticipantId, str]]:
    # What is no member of R4's lists of recipients is no participant: a system never is one.
    ledger = draw(any_.ledgers())
    people = tuple(
        replace(each, role=Role.ORGANISATION) if each.role is Role.SYSTEM else each for each in ledger.participants
    )
    ledger = replace(ledger, participants=people)
    patient = PATIENT
    names = _names(ledger, patient)
    first = draw(st.none() | any_.messages())
    individuals = [each for each in people if each.role not in (Role.ORGANISATION, Role.CARE_TEAM)]
    if first is None or not individuals or first.type is MessageType.SYSTEM:
        opening = None
    else:
        requester = next(
            (each for each in people if ledger.addressing and each.id == ledger.addressing.requester), individuals[0]
        )
        opening = replace(first, author_id=requester.id, author_name=requester.name, corrects=None, in_response_to=None)
    projection = ThreadProjection(
        id=draw(resource_ids),
        ledger=ledger,
        record=draw(any_.coordination_ids),
        patient=patient,
        version=draw(st.integers(1, 10**6)),
        updated=ledger.last_updated_at,
        opening=opening,
        continues=None if ledger.continues is None else draw(st.none() | resource_ids),
        identifiers=draw(identifiers),
    )
    return projection, names


@st.composite
def messages(draw: st.DrawFn) -> tuple[MessageProjection, dict[ParticipantId, str]]:
    message: Message = draw(any_.messages())
    # Somebody is one thing: who writes is not addressed here, and nobody is the patient beside something else.
    group = message.on_behalf_of
    taken = {message.author_id} | ({group.id} if group else set())
    message = replace(message, to=tuple(each for each in message.to if each.id not in taken))
    if group is not None and group.id == message.author_id:
        message = replace(message, on_behalf_of=None)
    patient = PATIENT
    role = Role.PATIENT_ASSOCIATE if message.type is MessageType.PATIENT else Role.CLINICIAN
    if message.author_role is not None:
        role = message.author_role
    names = {patient: f"Patient/{patient}"}
    names |= {each.id: f"Organization/{each.id}" for each in message.to}
    if message.on_behalf_of is not None:
        names[message.on_behalf_of.id] = f"CareTeam/{message.on_behalf_of.id}"
    names[message.author_id] = f"{_TYPES[role]}/{message.author_id}"
    projection = MessageProjection(
        id=draw(resource_ids),
        message=message,
        record=draw(any_.coordination_ids),
        thread=draw(any_.communication_ids),
        thread_id=draw(resource_ids),
        patient=patient,
        visibility=draw(st.builds(Visibility, st.sampled_from(Sensitivity), st.booleans())),
        version=draw(st.integers(1, 100)),
        answers=None if message.in_response_to is None else draw(resource_ids),
        corrects=None if message.corrects is None else draw(resource_ids),
        corrected_by=tuple(draw(st.lists(resource_ids, max_size=2, unique=True))),
        identifiers=draw(identifiers),
    )
    return projection, names


def _who(names: dict[ParticipantId, str]) -> dict[tuple[str, str], ParticipantId]:
    return {(text.partition("/")[0], text.partition("/")[2]): each for each, text in names.items()}


def _parsed(resource: types.Communication | types.CommunicationRequest) -> Any:
    return validation.parse(validation.encode(resource), types=SPOKEN)


@given(messages())
def test_a_message_reads_back(drawn: tuple[MessageProjection, dict[ParticipantId, str]]) -> None:
    projection, names = drawn
    message, who = projection.message, _who(names)
    resource = _parsed(communication(projection, names))
    if message.type is MessageType.SYSTEM:
        # Nobody writes these but the server.
        with pytest.raises(ResourceRefusedError, match=r"^Communication\.category\[0\]\.coding\[0\]: [^;]*$"):
            read_communication(resource)
        return
    draft = read_communication(resource)
    assert draft.id == projection.id
    assert draft.thread.pair == ("CommunicationRequest", projection.thread_id)
    assert draft.identifiers == projection.identifiers
    assert draft.sent == sent_time(message)
    assert draft.text == message.body
    assert draft.subject is not None
    assert who[draft.subject.pair] == projection.patient
    assert who[draft.sender.pair] == message.author_id
    assert [who[each.pair] for each in draft.recipients] == [each.id for each in message.to]
    group = None if message.on_behalf_of is None else message.on_behalf_of.id
    # Both dialects name the team: they agree.
    assert (None if draft.on_behalf_of is None else who[draft.on_behalf_of.pair]) == group
    assert (None if draft.in_response_to is None else draft.in_response_to.id) == projection.answers
    assert (None if draft.corrects is None else draft.corrects.id) == projection.corrects
    assert draft.visibility is not None
    assert parts.security_code(draft.visibility) == parts.security_code(projection.visibility)
    assert same_message(draft, projection, who)


@given(threads())
def test_a_thread_reads_back(drawn: tuple[ThreadProjection, dict[ParticipantId, str]]) -> None:
    projection, names = drawn
    ledger, who = projection.ledger, _who(names)
    resource = _parsed(communication_request(projection, names))
    assert read_request_change(resource, projection, names).is_empty
    if requester_of(projection) is None or not recipients_of(projection):
        return
    draft = read_request(replace(resource, status="active"))
    assert (draft.id, draft.identifiers) == (projection.id, projection.identifiers)
    assert who[draft.subject.pair] == projection.patient
    assert who[draft.requester.pair] == requester_of(projection)
    assert tuple(who[each.pair] for each in draft.recipients) == recipients_of(projection)
    if ledger.addressing is not None:
        reply_to = None if ledger.addressing.reply_to == ledger.addressing.requester else ledger.addressing.reply_to
        assert (None if draft.reply_to is None else who[draft.reply_to.pair]) == reply_to
    takes_part = {who[each.pair] for each in (draft.requester, *draft.recipients, *draft.others)}
    takes_part |= set() if draft.reply_to is None else {who[draft.reply_to.pair]}
    assert takes_part == {each.id for each in ledger.participants}
    assert draft.policies == ledger.policies
    assert parts.security_code(draft.visibility) == parts.security_code(ledger.visibility)
    assert (None if draft.continues is None else draft.continues.id) == projection.continues
    assert draft.text == ("" if projection.opening is None else projection.opening.body)
    assert len(draft.attachments) == (0 if projection.opening is None else len(projection.opening.attachments))


@given(threads())
def test_the_opening_message_posted_again_is_known(drawn: tuple[ThreadProjection, dict[ParticipantId, str]]) -> None:
    projection, names = drawn
    opening = projection.opening
    if opening is None:
        return
    names |= {each.id: f"Organization/{each.id}" for each in opening.to if each.id not in names}
    if opening.on_behalf_of is not None and not names.get(opening.on_behalf_of.id, "").startswith("CareTeam"):
        opening = replace(opening, on_behalf_of=None)
        projection = replace(projection, opening=opening)
    role = names[opening.author_id].partition("/")[0]
    kind = MessageType.CLINICIAN if role == "Practitioner" else MessageType.PATIENT
    shown = MessageProjection(
        id="posted",
        message=replace(opening, type=kind),
        record=projection.record,
        thread=projection.ledger.communication_id,
        thread_id=projection.id,
        patient=projection.patient,
        visibility=projection.ledger.visibility,
    )
    draft = read_communication(_parsed(communication(shown, names)))
    assert same_opening(draft, projection, _who(names), wrote_before=False)


# ── Nothing of what was said stands in a refusal ──────────────────────────────────────────────────────────────────────

SECRET = "sertraline-50"
_values = st.sampled_from(
    [
        SECRET,
        {"text": SECRET},
        [{"text": SECRET}],
        {"reference": f"Practitioner/{SECRET}"},
        [{"reference": f"Group/{SECRET}"}],
        [{"reference": f"https://x.example/Patient/{SECRET}", "display": SECRET}],
        [{"system": f"urn:{SECRET}", "value": SECRET, "use": "old"}],
        [{"url": f"urn:{SECRET}", "valueString": SECRET}],
        [{"contentString": SECRET}, {"contentString": f"{SECRET}\u200b"}],
        [{"contentAttachment": {"title": f"{SECRET}\u200b", "url": f"https://{SECRET}", "contentType": SECRET}}],
        [{"coding": [{"system": f"urn:{SECRET}", "code": SECRET, "display": SECRET}]}],
        {"security": [{"code": SECRET}], "tag": [{"code": SECRET}]},
        "2026-01-01",
        "stat",
        True,
    ]
)


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    kind: dict[str, Any] = draw(st.sampled_from([REQUEST, COMMUNICATION]))
    fields = getattr(types, kind["resourceType"]).__struct_fields__
    named = [fhir_name(each) for each in fields]
    return kind | draw(st.dictionaries(st.sampled_from(named), _values, min_size=1, max_size=4))


def _issues(resource: dict[str, Any]) -> tuple[RuleIssue, ...]:
    try:
        found = validation.parse(msgspec.json.encode(resource), types=SPOKEN)
        if isinstance(found, types.Communication):
            read_communication(found)
        elif isinstance(found, types.CommunicationRequest):
            read_request(found)
    except InvalidResourceError:
        return ()
    except ResourceRefusedError as error:
        return error.issues
    return ()


@given(resources())
def test_no_refusal_repeats_what_was_said(resource: dict[str, Any]) -> None:
    for each in _issues(resource):
        assert SECRET not in f"{each.code}{each.expression}{each.text}{each.instead}"
        assert each.expression.startswith(str(resource["resourceType"]))
