"""`ledger.yaml` and `COORDINATION_STATUS.yaml`: one form each, which every YAML parser reads alike."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from msgspec.structs import replace

from carethread.clock import Instant, format_instant, parse_instant
from carethread.errors import FormatError, InvalidValueError
from carethread.ids import ClinicalId, CommunicationId, CoordinationId, ParticipantId
from carethread.record.ledger_yaml import parse_ledger, render_ledger, split_last_updated, with_last_updated
from carethread.record.model import (
    Addressing,
    CoordinationStatus,
    Custodian,
    Ledger,
    LifecycleState,
    Participant,
    Role,
    Sensitivity,
    Visibility,
)
from carethread.record.status_yaml import parse_status, render_status
from carethread.store.ledgers import stored_ledger
from tests.record.strategies import instants, ledgers, statuses

VECTORS = Path(__file__).parent.parent / "vectors" / "format"
JANE = Participant(ParticipantId("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12"), Role.CLINICIAN, "Dr Jane Smith")
TOM = Participant(ParticipantId("a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3"), Role.CLINICIAN, "Dr Tom Patel")
JOHN = Participant(ParticipantId("9b7c6d5e-4f3a-2b1c-0e8d-7f6a5b4c3d2e"), Role.PATIENT, "John Doe")
CLINIC = Participant(ParticipantId("77ab0000-0000-0000-0000-000000000002"), Role.ORGANISATION, "Hill Surgery")
SEED = Ledger(
    communication_id=CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000"),
    created_at=parse_instant("2026-01-11T14:35:22.045Z"),
    last_updated_at=parse_instant("2026-01-11T15:10:04.912Z"),
    participants=(JANE, TOM, JOHN),
)
ADDRESSED = replace(
    SEED,
    participants=(JANE, TOM, CLINIC),
    addressing=Addressing(JANE.id, (CLINIC.id, TOM.id), CLINIC.id),
    continues=CommunicationId("20260102T000000.000Z-550e8400-e29b-41d4-a716-446655440001"),
    visibility=Visibility(Sensitivity.RESTRICTED, restricted=True),
)
STATUS = CoordinationStatus(
    CoordinationId("7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88"),
    ClinicalId("a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12"),
    Custodian(ParticipantId("5b1f0000-0000-0000-0000-000000000005"), "Thames Valley Shared Care"),
)


def plain_value(ledger: Ledger) -> dict[str, Any]:
    """Return what a parser that guesses no types should see."""
    value: dict[str, Any] = {
        "communication_id": ledger.communication_id,
        "status": ledger.status.value,
        "created_at": format_instant(ledger.created_at),
        "last_updated_at": format_instant(ledger.last_updated_at),
        "participants": [
            {"participant_id": each.id, "role": each.role.value, "display_name": each.name}
            for each in ledger.participants
        ],
    }
    if ledger.addressing is not None:
        value["addressing"] = {"requester": ledger.addressing.requester}
        if ledger.addressing.reply_to is not None:
            value["addressing"]["reply_to"] = ledger.addressing.reply_to
        value["addressing"]["recipients"] = list(ledger.addressing.recipients)
    if ledger.continues is not None:
        value["continues"] = ledger.continues
    value["visibility"] = {
        "sensitivity": ledger.visibility.sensitivity.value,
        "restricted": str(ledger.visibility.restricted).lower(),
    }
    value["policies"] = {
        "allow_patient_participation": str(ledger.policies.allow_patient_participation).lower(),
        "allow_external_organisations": str(ledger.policies.allow_external_organisations).lower(),
    }
    return value


def test_the_seeds_ledger_is_written_byte_for_byte() -> None:
    data = (VECTORS / "ledger" / "seed.yaml").read_bytes()
    assert render_ledger(SEED) == data
    assert parse_ledger(data) == SEED


def test_every_key_in_its_place() -> None:
    assert render_ledger(ADDRESSED).decode() == (
        "communication_id: 20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000\n"
        "status: open\n"
        "created_at: 2026-01-11T14:35:22.045Z\n"
        "last_updated_at: 2026-01-11T15:10:04.912Z\n"
        "participants:\n"
        "- participant_id: 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12\n"
        "  role: clinician\n"
        "  display_name: Dr Jane Smith\n"
        "- participant_id: a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3\n"
        "  role: clinician\n"
        "  display_name: Dr Tom Patel\n"
        "- participant_id: 77ab0000-0000-0000-0000-000000000002\n"
        "  role: organisation\n"
        "  display_name: Hill Surgery\n"
        "addressing:\n"
        "  requester: 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12\n"
        "  reply_to: 77ab0000-0000-0000-0000-000000000002\n"
        "  recipients:\n"
        "  - 77ab0000-0000-0000-0000-000000000002\n"
        "  - a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3\n"
        "continues: 20260102T000000.000Z-550e8400-e29b-41d4-a716-446655440001\n"
        "visibility:\n"
        "  sensitivity: restricted\n"
        "  restricted: true\n"
        "policies:\n"
        "  allow_patient_participation: true\n"
        "  allow_external_organisations: true\n"
    )


@given(ledgers(), instants)
def test_ledgers_round_trip_and_every_parser_reads_them(ledger: Ledger, instant: Instant) -> None:
    """So no two ledgers are written alike."""
    data = render_ledger(ledger)
    assert parse_ledger(data) == ledger
    assert yaml.load(data, yaml.BaseLoader) == plain_value(ledger)  # noqa: S506  # the safest there is
    guessed = yaml.safe_load(data)
    assert [each["display_name"] for each in guessed["participants"]] == [each.name for each in ledger.participants]
    assert with_last_updated(data, ledger.last_updated_at) == data
    if instant >= ledger.created_at:
        assert with_last_updated(data, instant) == render_ledger(replace(ledger, last_updated_at=instant))
    settled = render_ledger(replace(ledger, last_updated_at=ledger.created_at))
    assert split_last_updated(data) == (settled, ledger.last_updated_at)
    assert stored_ledger(data) == ledger


@given(statuses)
def test_statuses_round_trip_and_every_parser_reads_them(status: CoordinationStatus) -> None:
    data = render_status(status)
    assert parse_status(data) == status
    guessed = yaml.safe_load(data)
    assert guessed == {
        "coordination_id": status.coordination_id,
        "clinical_id": status.clinical_id,
        "custodian": {"id": status.custodian.id, "name": status.custodian.name},
        "status": {
            "lifecycle_state": status.lifecycle_state.value,
            "record_open": status.record_open,
            "record_queryable": status.record_queryable,
            "record_modifiable": status.record_modifiable,
        },
    }


def test_a_status_as_it_stands_in_a_record() -> None:
    data = (VECTORS / "status" / "active.yaml").read_bytes()
    assert render_status(STATUS) == data
    assert parse_status(data) == STATUS
    numeric = replace(STATUS, coordination_id=CoordinationId("1" * 32), lifecycle_state=LifecycleState.CLOSED)
    assert render_status(numeric).startswith(b'coordination_id: "' + b"1" * 32 + b'"\n')


@pytest.mark.parametrize(
    "before, after, fault",
    [
        ("7f4c", '"7f4c', "line 1: coordination_id: is not written in the canonical way"),
        ("7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88", "1" * 32, "line 1: coordination_id: is not written in the canonical way"),
        ("7f4c", "7F4C", "line 1: coordination_id: is not 32 lower-case hex digits"),
        ("a4f91c6d", "", "line 2: clinical_id: is not 8-4-4-4-12 lower-case hex digits"),
        ("name: Thames", 'name: "Thames', "line 5: custodian.name: is not a text in double quotes"),
        ("name: Thames Valley Shared Care", 'name: "Thames\\u0009Valley"', "line 5: custodian.name: a tab (U+0009)"),
        ("custodian:", "custodian: {}", "line 3: custodian: is not in the form it must have"),
        ("active", "asleep", "line 7: status.lifecycle_state: is none of active, suspended, closed"),
        ("record_open: true", "record_open: yes", "line 8: status.record_open: is neither true nor false"),
        ("  record_queryable: true\n", "", "line 9: status.record_queryable: is missing"),
        ("record_modifiable: true\n", "record_modifiable: true\nmore: x\n", "line 11: more: is unknown"),
    ],
)
def test_another_status_is_a_fault_with_its_path(before: str, after: str, fault: str) -> None:
    text = render_status(STATUS).decode()
    assert before in text
    with pytest.raises(FormatError) as caught:
        parse_status(text.replace(before, after, 1).encode())
    assert str(caught.value).startswith(f"COORDINATION_STATUS.yaml, {fault}")


@pytest.mark.parametrize(
    "before, after, fault",
    [
        ("status: open\n", "", "line 2: status: is missing"),
        ("status: open", 'status: "open"', "line 2: status: is none of open, closed, archived"),
        ("status: open", "status: &a open", "line 2: status: is none of open, closed, archived"),
        ("status: open", "status: reopened", "line 2: status: is none of open, closed, archived"),
        ("20260111T", "20261311T", "line 1: communication_id: is not a time that exists"),
        ("04.912Z", "04.912", "line 4: last_updated_at: is not a UTC time"),
        ("15:10:04.912Z", "14:35:22.044Z", "line 4: last_updated_at: is before created_at"),
        ("role: organisation", "role: org", "line 13: participants[2].role: is none of clinician"),
        ("Hill Surgery", "No", "line 14: participants[2].display_name: is not written in the canonical way"),
        ("Hill Surgery", '" Hill"', "line 14: participants[2].display_name: begins or ends with a space"),
        ("Hill Surgery", '"<b>"', "line 14: participants[2].display_name: a pointed bracket (U+003C)"),
        ("Hill Surgery", "*jane", "line 14: participants[2].display_name: is not written in the canonical way"),
        ("  role: organisation\n", "", "line 13: participants[2].role: is missing"),
        (
            "- participant_id: 77ab",
            "- participant_id: 4F",
            "line 12: participants[2].participant_id: is not 8-4-4-4-12",
        ),
        (CLINIC.id, JANE.id, "line 12: participants[2].participant_id: is there twice"),
        ("  requester: 4f8c2a1d-9e3b", "  requester: 4f8c2a1d-9e3c", "line 16: addressing.requester: takes no part"),
        ("  role: clinician", "  role: care_team", "line 16: addressing.requester: is not an individual"),
        ("  reply_to: 77ab", "  reply_to: 77ac", "line 17: addressing.reply_to: takes no part"),
        ("  - 77ab", "  - 77ac", "line 19: addressing.recipients[0]: takes no part"),
        (
            "  - a1d3c5e7-f9b2-4680-b2d4-f6e8c0a9d1e3",
            f"  - {CLINIC.id}",
            "line 20: addressing.recipients[1]: is there twice",
        ),
        (
            "continues: 20260102T000000.000Z",
            "continues: 20260102T000000Z",
            "line 21: continues: is not a time and a UUID",
        ),
        (
            "20260102T000000.000Z-550e8400-e29b-41d4-a716-446655440001",
            SEED.communication_id,
            "line 21: continues: is the thread",
        ),
        ("sensitivity: restricted", "sensitivity: secret", "line 23: visibility.sensitivity: is none of standard"),
        ("restricted: true", "restricted: True", "line 24: visibility.restricted: is neither true nor false"),
        ("visibility:\n", "visibility:\n  note: hello\n", "line 23: visibility.note: is unknown"),
        ("policies:\n", "policies: # rules\n", "line 25: policies: is not in the form it must have"),
    ],
)
def test_another_ledger_is_a_fault_with_its_path(before: str, after: str, fault: str) -> None:
    text = render_ledger(ADDRESSED).decode()
    assert before in text
    with pytest.raises(FormatError) as caught:
        parse_ledger(text.replace(before, after, 1).encode())
    assert str(caught.value).startswith(f"ledger.yaml, {fault}")


@pytest.mark.parametrize(
    "ledger, field",
    [
        (replace(SEED, last_updated_at=Instant(SEED.created_at - 1)), "last_updated_at"),
        (replace(SEED, participants=()), "participants"),
        (replace(SEED, participants=(JANE,) * 101), "participants"),
        (replace(SEED, participants=(JANE, JANE)), "participants[1].participant_id"),
        (replace(SEED, participants=(JANE, replace(TOM, name="a\nb"))), "participants[1].display_name"),
        (replace(SEED, addressing=Addressing(CLINIC.id, (JANE.id,))), "addressing.requester"),
        (replace(ADDRESSED, addressing=Addressing(CLINIC.id, (JANE.id,))), "addressing.requester"),
        (replace(SEED, addressing=Addressing(JANE.id, (JANE.id,), CLINIC.id)), "addressing.reply_to"),
        (replace(SEED, addressing=Addressing(JANE.id, ())), "addressing.recipients"),
        (replace(SEED, addressing=Addressing(JANE.id, (TOM.id, CLINIC.id))), "addressing.recipients[1]"),
        (replace(SEED, addressing=Addressing(JANE.id, (TOM.id, TOM.id))), "addressing.recipients[1]"),
        (replace(SEED, continues=SEED.communication_id), "continues"),
    ],
)
def test_a_ledger_that_contradicts_itself_is_not_written(ledger: Ledger, field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        render_ledger(ledger)
    assert caught.value.field == field
