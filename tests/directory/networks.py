"""Small directories made at random, with cycles, gaps, and everything that may be out of force."""

from hypothesis import strategies as st

from carethread.clock import Instant
from carethread.directory.memberships import Entries
from carethread.directory.model import (
    CareTeam,
    Entry,
    Organization,
    Patient,
    Period,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    Standing,
    TeamMember,
)
from carethread.ids import ClinicalId, ParticipantId

NOW = Instant(1_000)
PROFESSIONAL = (Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR)


def some_id(kind: str, number: int) -> ParticipantId:
    """Return the id of an entry; the kind makes the first digits, to be recognised in a failing example."""
    return ParticipantId(f"{kind}{number:06x}-0000-4000-8000-000000000000")


ORGANIZATIONS = [some_id("0a", each) for each in range(3)]
PRACTITIONERS = [some_id("0b", each) for each in range(3)]
ROLES = [some_id("0c", each) for each in range(4)]
PATIENTS = [some_id("0d", each) for each in range(4)]
RELATED = [some_id("0e", each) for each in range(3)]
TEAMS = [some_id("0f", each) for each in range(4)]
EVERYONE = [*ORGANIZATIONS, *PRACTITIONERS, *ROLES, *PATIENTS, *RELATED, *TEAMS]

_active = st.sampled_from([True, True, True, False])
_bound = st.sampled_from([None, None, None, Instant(999), Instant(1_000), Instant(1_001)])
_period = st.builds(Period, _bound, _bound)
_patient = st.sampled_from([None, *PATIENTS])


def _member() -> st.SearchStrategy[TeamMember]:
    standing = st.sampled_from([None, *PROFESSIONAL])
    return st.builds(TeamMember, st.sampled_from(EVERYONE), standing, _period)


def _entry(at: ParticipantId) -> st.SearchStrategy[Entry]:
    same = {"id": st.just(at), "fhir_id": st.just(at), "active": _active}
    if at in ORGANIZATIONS:
        return st.builds(Organization, name=st.just("Organisation"), **same)
    if at in PRACTITIONERS:
        return st.builds(Practitioner, name=st.just("Practitioner"), **same)
    if at in ROLES:
        return st.builds(
            PractitionerRole,
            practitioner=st.sampled_from(PRACTITIONERS),
            organization=st.sampled_from(ORGANIZATIONS),
            standing=st.sampled_from(PROFESSIONAL),
            period=_period,
            **same,
        )
    if at in PATIENTS:
        clinical = st.just(ClinicalId(at))
        return st.builds(Patient, name=st.just("Patient"), clinical_id=clinical, replaced_by=_patient, **same)
    if at in RELATED:
        return st.builds(
            RelatedPerson, name=st.just("Related"), patient=st.sampled_from(PATIENTS), period=_period, **same
        )
    return st.builds(
        CareTeam,
        name=st.just("Team"),
        members=st.lists(_member(), max_size=5).map(tuple),
        patient=_patient,
        period=_period,
        **same,
    )


@st.composite
def networks(draw: st.DrawFn) -> Entries:
    """Return a directory; some entries that others name are not there."""
    there = draw(st.lists(st.sampled_from(EVERYONE), min_size=8, unique=True))
    return {each: draw(_entry(each)) for each in there}
