"""What a condition says of an entry that is before one."""

import pytest

from carethread.clock import Instant
from carethread.directory.criteria import EntryClause, EntryField, Span
from carethread.directory.matching import holds
from carethread.directory.model import Patient
from carethread.ids import ClinicalId, ParticipantId

_ID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("within", [True, False])
def test_a_patient_whose_date_of_birth_is_not_known_was_born_at_no_time(within: bool) -> None:
    patient = Patient(ParticipantId(_ID), "P1", "John Doe", ClinicalId(_ID))
    clause = EntryClause(EntryField.BIRTH_DATE, (Span(Instant(0), None, within=within),))
    assert not holds(clause, patient, Instant(0), {})
    assert holds(EntryClause(clause.field, clause.values, negated=True), patient, Instant(0), {})
