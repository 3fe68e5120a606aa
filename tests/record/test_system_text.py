"""System entries: each fact of a ledger's change has one sentence, and no change goes without."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId
from carethread.record.commit_message import Summary
from carethread.record.ledger_check import check_ledger
from carethread.record.model import (
    Addressing,
    Ledger,
    Participant,
    Policies,
    Role,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.record.system_text import CHANGEABLE, describe, ledger_sentences, ledger_summary
from carethread.record.text import check_body
from tests.record.strategies import ledgers, participant_ids
from tests.record.test_ledger_yaml import CLINIC, JANE, JOHN, SEED, TOM

OPEN = replace(SEED, participants=(JANE, TOM))
ADDRESSED = replace(SEED, participants=(JANE, TOM, CLINIC), addressing=Addressing(JANE.id, (CLINIC.id,)))


@pytest.mark.parametrize(
    "before, after, sentences, summary",
    [
        (
            OPEN,
            replace(OPEN, participants=(JANE, TOM, JOHN)),
            ("John Doe (patient) was added to the thread.",),
            Summary.PARTICIPANTS_UPDATED,
        ),
        (
            replace(OPEN, participants=(JANE, TOM, JOHN)),
            replace(OPEN, participants=(JANE, JOHN, CLINIC)),
            (
                "Hill Surgery (organisation) was added to the thread.",
                "Dr Tom Patel (clinician) was removed from the thread.",
            ),
            Summary.PARTICIPANTS_UPDATED,
        ),
        (OPEN, replace(OPEN, status=ThreadStatus.CLOSED), ("The thread was closed.",), Summary.STATUS_UPDATED),
        (OPEN, replace(OPEN, status=ThreadStatus.ARCHIVED), ("The thread was archived.",), Summary.STATUS_UPDATED),
        (
            replace(OPEN, status=ThreadStatus.CLOSED),
            replace(OPEN, status=ThreadStatus.ARCHIVED),
            ("The thread was archived.",),
            Summary.STATUS_UPDATED,
        ),
        (
            OPEN,
            replace(OPEN, visibility=Visibility(Sensitivity.CONFIDENTIAL)),
            ("The sensitivity was changed from standard to confidential.",),
            Summary.VISIBILITY_UPDATED,
        ),
        (
            OPEN,
            replace(OPEN, visibility=Visibility(restricted=True)),
            ("The thread was restricted to named individuals.",),
            Summary.VISIBILITY_UPDATED,
        ),
        (
            replace(OPEN, visibility=Visibility(restricted=True)),
            OPEN,
            ("The restriction to named individuals was lifted.",),
            Summary.VISIBILITY_UPDATED,
        ),
        (
            OPEN,
            replace(OPEN, policies=Policies(allow_patient_participation=False, allow_external_organisations=False)),
            (
                "Participation of patients and their associates was disallowed.",
                "Participation of external organisations was disallowed.",
            ),
            Summary.POLICIES_UPDATED,
        ),
        (
            replace(OPEN, policies=Policies(allow_patient_participation=False)),
            OPEN,
            ("Participation of patients and their associates was allowed.",),
            Summary.POLICIES_UPDATED,
        ),
        (
            replace(ADDRESSED, addressing=None),
            ADDRESSED,
            (
                "The requester is Dr Jane Smith (clinician).",
                "The thread is addressed to Hill Surgery (organisation).",
            ),
            Summary.ADDRESSING_UPDATED,
        ),
        (
            ADDRESSED,
            replace(ADDRESSED, addressing=Addressing(JANE.id, (CLINIC.id, TOM.id), CLINIC.id)),
            (
                "Replies go to Hill Surgery (organisation).",
                "The thread is addressed to Hill Surgery (organisation), Dr Tom Patel (clinician).",
            ),
            Summary.ADDRESSING_UPDATED,
        ),
        (
            replace(ADDRESSED, addressing=Addressing(JANE.id, (CLINIC.id,), CLINIC.id)),
            ADDRESSED,
            ("Replies go to the requester.",),
            Summary.ADDRESSING_UPDATED,
        ),
        (
            OPEN,
            replace(
                OPEN,
                status=ThreadStatus.CLOSED,
                visibility=Visibility(Sensitivity.RESTRICTED, restricted=True),
                participants=(JANE, TOM, replace(JOHN, role=Role.PATIENT_ASSOCIATE)),
            ),
            (
                "John Doe (patient associate) was added to the thread.",
                "The thread was closed.",
                "The sensitivity was changed from standard to restricted.",
                "The thread was restricted to named individuals.",
            ),
            Summary.LEDGER_UPDATED,
        ),
    ],
)
def test_each_fact_has_its_sentence(
    before: Ledger, after: Ledger, sentences: tuple[str, ...], summary: Summary
) -> None:
    assert ledger_sentences(before, after) == sentences
    assert ledger_summary(before, after) is summary


@pytest.mark.parametrize(
    "before, after, field",
    [
        (OPEN, replace(OPEN, communication_id=CommunicationId("x")), "communication_id"),
        (OPEN, replace(OPEN, created_at=Instant(0)), "created_at"),
        (OPEN, replace(OPEN, continues=CommunicationId("x")), "continues"),
        (OPEN, replace(OPEN, last_updated_at=Instant(OPEN.last_updated_at - 1)), "last_updated_at"),
        (OPEN, replace(OPEN, participants=(JANE, replace(TOM, name="Tom"))), "participants"),
        (OPEN, replace(OPEN, participants=(JANE, replace(TOM, role=Role.PATIENT))), "participants"),
        (OPEN, replace(OPEN, participants=(TOM, JANE)), "participants"),
        (OPEN, replace(OPEN, participants=(JANE, JOHN, TOM)), "participants"),
        (replace(OPEN, status=ThreadStatus.CLOSED), OPEN, "status"),
        (replace(OPEN, status=ThreadStatus.ARCHIVED), OPEN, "status"),
        (replace(OPEN, status=ThreadStatus.ARCHIVED), replace(OPEN, status=ThreadStatus.CLOSED), "status"),
        (ADDRESSED, replace(ADDRESSED, addressing=None), "addressing.requester"),
        (ADDRESSED, replace(ADDRESSED, addressing=Addressing(TOM.id, (CLINIC.id,))), "addressing.requester"),
    ],
)
def test_a_change_no_sentence_tells_is_refused(before: Ledger, after: Ledger, field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        ledger_sentences(before, after)
    assert caught.value.field == field


def test_time_alone_is_no_fact() -> None:
    later = replace(OPEN, last_updated_at=Instant(OPEN.last_updated_at + 1))
    assert ledger_sentences(OPEN, later) == ()
    with pytest.raises(InvalidValueError, match="ledger: does not change"):
        ledger_summary(OPEN, later)


def test_every_field_is_either_fixed_or_told() -> None:
    """A new field is fixed until it gets its sentence, and a new part of these must get one, too."""
    assert set(Ledger.__struct_fields__) - CHANGEABLE == {"communication_id", "created_at", "continues"}
    assert Visibility.__struct_fields__ == ("sensitivity", "restricted")
    assert Policies.__struct_fields__ == ("allow_patient_participation", "allow_external_organisations")
    assert Addressing.__struct_fields__ == ("requester", "recipients", "reply_to")
    assert Participant.__struct_fields__ == ("id", "role", "name")


@st.composite
def changed(draw: st.DrawFn, before: Ledger) -> Ledger:
    """Draw what a ledger may become, or may not."""
    other = draw(ledgers())
    stays = tuple(each for each in before.participants if draw(st.booleans()))
    comes = tuple(replace(each, id=draw(participant_ids)) for each in other.participants if draw(st.booleans()))
    fields = {
        "status": other.status,
        "last_updated_at": Instant(before.last_updated_at + 1),
        "participants": stays + comes,
        "visibility": other.visibility,
        "policies": other.policies,
        "addressing": other.addressing,
        "continues": other.continues,
    }
    return replace(before, **{name: value for name, value in fields.items() if draw(st.booleans())})


@given(st.data())
def test_no_change_goes_unnoticed(data: st.DataObject) -> None:
    before = data.draw(ledgers())
    after = data.draw(changed(before))
    try:
        check_ledger(after)
        sentences = ledger_sentences(before, after)
    except InvalidValueError:
        return
    assert bool(sentences) is (replace(after, last_updated_at=before.last_updated_at) != before)
    text = "\n".join(sentences)
    if sentences:
        assert check_body(text) == text
        assert ledger_summary(before, after) in Summary
    for each in after.participants:
        if each not in before.participants:
            assert f"{describe(each)} was added to the thread." in sentences
