"""What a page of a thread says: what one may do there, how one speaks, who reads it."""

import pytest
from msgspec.structs import replace

from carethread import MessageContent, ThreadStatus, Visibility, errors
from carethread.access_log import Action, Outcome
from carethread.directory.model import Duty, Standing
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.actor import ActorKind, Caller, SystemClient
from carethread.policy.possible import Possible, Way
from carethread.policy.reading import Reach
from carethread.reads import (
    Banner,
    Conversation,
    Readers,
    banners,
    conversation,
    inbox,
    names,
    read_thread,
    readers_of,
    who_am_i,
)
from carethread.record.model import Policies, Role, Sensitivity
from carethread.store.inbox import Wanted
from carethread.writes import ThreadChange, change_thread, post_message, set_aside
from tests.access.logged import log, newly
from tests.region import Region, role

NOBODY = ParticipantId("00000000-0000-0000-0000-00000000dead")


def page(region: Region, who: str, thread: CommunicationId, after: int = 0) -> Conversation:
    return conversation(region.service, region.caller(who), thread, after=after)


def asked(region: Region, **more: object) -> CommunicationId:
    """Return a thread in which the pharmacy asks the clinic."""
    return region.open("A1", ("Clinic-B",), "Can you look at the list?", on_behalf_of="Pharmacy-A", **more)


def test_a_page_has_the_thread_and_its_patient(region: Region) -> None:
    thread = asked(region)
    found = page(region, "B1", thread)
    assert found.view == read_thread(region.service, region.caller("B1"), thread)
    assert found.entries == 1
    assert found.patients == (Banner(region.id("P1"), "John Doe", "1956-05-27", ()),)


def test_a_live_page_gets_what_is_new(region: Region) -> None:
    thread = asked(region)
    reply = post_message(region.service, region.caller("B1"), thread, MessageContent("Yes"))
    found = page(region, "A2", thread, after=1)
    assert [each.id for each in found.view.messages] == [reply]
    assert found.entries == 2
    assert found.possible.correct == {reply} & page(region, "A2", thread).possible.correct
    assert page(region, "A2", thread, after=2).view.messages == ()
    assert page(region, "A2", thread, after=99).view.messages == ()
    with pytest.raises(errors.InvalidValueError, match="after"):
        page(region, "A2", thread, after=-1)


def test_each_page_is_one_line_of_the_log_with_what_it_showed(region: Region) -> None:
    thread = asked(region)
    post_message(region.service, region.caller("B1"), thread, MessageContent("Yes"))
    (whole,) = newly(region, lambda: page(region, "A2", thread))
    (rest,) = newly(region, lambda: page(region, "A2", thread, after=1))
    for each, entries, detail in ((whole, 2, ""), (rest, 1, "entries after 1")):
        assert (each.action, each.outcome, each.detail) == (Action.SERVED, Outcome.DONE, detail)
        assert [(one.thread, one.entries) for one in each.served] == [(thread, entries)]
        assert [one.entry for one in each.entries] == [region.id("P1")]
        assert each.version == each.served[0].version


def test_a_page_counts_as_opened_unless_it_says_otherwise(region: Region) -> None:
    thread = asked(region)

    def unread() -> bool:
        return bool(inbox(region.service, region.caller("B1"), wanted=Wanted(unread=True)).lines)

    conversation(region.service, region.caller("B1"), thread, opens=False)
    assert unread()
    page(region, "B1", thread)
    assert not unread()
    # An auditor leaves no mark.
    found = conversation(region.service, region.auditor, thread)
    assert (found.possible, found.speaking, found.waiting) == (Possible(), (), frozenset())


@pytest.mark.parametrize("who", ["C1", "P2", "R2", "D1"])
def test_what_may_not_be_read_is_what_does_not_exist(region: Region, who: str) -> None:
    thread = asked(region)
    missing = CommunicationId("20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000")
    answers = []
    for each in (thread, missing):
        with pytest.raises(errors.UnknownThreadError) as refused:
            page(region, who, each)
        line = log(region)[-1]
        answers.append((str(refused.value).replace(each, "?"), line.outcome, line.detail, line.served, line.entries))
    assert answers[0] == answers[1]
    assert answers[0][1] is Outcome.UNKNOWN


def test_what_the_sides_may_do(region: Region) -> None:
    thread = asked(region)
    first = page(region, "A1", thread).view.messages[0].id
    home = page(region, "A2", thread).possible
    assert home.post
    assert home.correct == {first}
    assert home.refile == {first}
    assert (home.add, home.add_others, home.close, home.archive, home.continues) == (True, True, True, True, False)
    # Nobody is named: nobody could read it.
    assert home.visibilities == {Visibility(Sensitivity.CONFIDENTIAL)}
    assert home.remove == frozenset()
    assert home.set_aside == {region.id("Pharmacy-A")}
    desk = page(region, "A9", thread).possible
    assert desk.correct == frozenset()
    assert desk.close
    clinic = page(region, "B1", thread).possible
    assert (clinic.add, clinic.add_others, clinic.close, clinic.archive) == (True, False, True, False)
    assert (clinic.correct, clinic.refile, clinic.visibilities, clinic.policies) == (frozenset(),) * 4
    front = page(region, "B9", thread).possible
    assert (front.post, front.add, front.close) == (True, False, False)


def test_what_is_possible_is_what_a_write_lets_through(region: Region) -> None:
    thread = asked(region)
    add = ThreadChange(add=region.ids("B2"))
    assert page(region, "B1", thread).possible.add
    change_thread(region.service, region.caller("B1"), thread, add)
    assert page(region, "A1", thread).possible.remove == region_ids(region, "B2")
    change_thread(region.service, region.caller("A1"), thread, ThreadChange(remove=region.ids("B2")))
    change_thread(region.service, region.caller("B1"), thread, ThreadChange(ThreadStatus.CLOSED))
    closed = page(region, "B1", thread).possible
    assert (closed.post, closed.close, closed.continues) == (False, False, True)
    assert closed.set_aside == frozenset()
    region.open("B1", ("Pharmacy-A",), continues=thread, on_behalf_of="Clinic-B")


def test_a_page_that_is_behind_changes_nothing(region: Region) -> None:
    thread, clinic = asked(region), region.id("Clinic-B")
    behind = page(region, "B1", thread).versions
    post_message(region.service, region.caller("A2"), thread, MessageContent("It is about the drops"))
    for change in (
        lambda: change_thread(
            region.service, region.caller("B1"), thread, ThreadChange(ThreadStatus.CLOSED), expected_version=behind
        ),
        # What came since would be set aside with the rest.
        lambda: set_aside(region.service, region.caller("B1"), thread, clinic, expected_version=behind),
    ):
        with pytest.raises(errors.VersionConflictError):
            change()
    found = page(region, "B1", thread)
    assert found.waiting == {clinic}
    set_aside(region.service, region.caller("B1"), thread, clinic, expected_version=found.versions)
    assert page(region, "B1", thread).waiting == frozenset()


def region_ids(region: Region, *names: str) -> frozenset[ParticipantId]:
    return frozenset(region.ids(*names))


def test_a_patient_takes_up_a_thread_where_the_installation_lets_them(region: Region) -> None:
    thread = region.open("P1", ("Clinic-B",))
    assert page(region, "P1", thread).possible.close
    change_thread(region.service, region.caller("P1"), thread, ThreadChange(ThreadStatus.CLOSED))
    for opens in (True, False):
        found = conversation(region.service, region.caller("P1"), thread, patient_side_opens=opens)
        assert found.possible.continues is opens


def test_how_one_speaks_and_to_whom_it_goes(region: Region) -> None:
    pharmacy, clinic = region.ids("Pharmacy-A", "Clinic-B")
    thread = asked(region)
    assert page(region, "A2", thread).speaking == (Way(pharmacy, (clinic,), is_default=True),)
    assert page(region, "B1", thread).speaking == (Way(clinic, (pharmacy,), is_default=True),)
    assert page(region, "X1", thread).speaking == (
        Way(pharmacy, (clinic,), is_default=False),
        Way(clinic, (pharmacy,), is_default=False),
    )


def test_on_whom_it_waits(region: Region) -> None:
    thread = asked(region)
    clinic = region.ids("Clinic-B")
    assert page(region, "B1", thread).waiting == set(clinic)
    assert page(region, "A1", thread).waiting == frozenset()
    set_aside(region.service, region.caller("B2"), thread, clinic[0])
    found = page(region, "B1", thread)
    assert found.waiting == frozenset()
    assert [each.person for each in found.view.asides] == [region.id("B2")]
    post_message(region.service, region.caller("A1"), thread, MessageContent("Today, please"))
    assert page(region, "B1", thread).waiting == set(clinic)


# ── Who reads it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _readers(region: Region, thread: CommunicationId) -> Readers:
    view = read_thread(region.service, region.auditor, thread)
    found = readers_of(region.service, view.ledger, view.patients)
    assert found == conversation(region.service, region.auditor, thread).readers
    return found


def _reach(region: Region, found: Readers) -> dict[str, Reach]:
    return {region.name(each.group.id): each.reach for each in found.groups}


def test_who_reads_it(region: Region) -> None:
    thread = asked(region, others=("C1",))
    found = _readers(region, thread)
    # A1 opened it for the pharmacy: they read it as its member.
    assert [region.name(each.id) for each in found.individuals] == ["C1"]
    assert _reach(region, found) == {"Pharmacy-A": Reach.EVERY_MEMBER, "Clinic-B": Reach.EVERY_MEMBER}
    assert (found.patient, found.related_persons) == (False, False)
    narrower = ThreadChange(visibility=Visibility(Sensitivity.CONFIDENTIAL))
    change_thread(region.service, region.caller("A1"), thread, narrower)
    assert set(_reach(region, _readers(region, thread)).values()) == {Reach.CLINICIANS}


def test_whether_the_patients_side_reads_it(region: Region) -> None:
    by_name = _readers(region, region.open("B1", ("P1",)))
    assert (by_name.patient, by_name.related_persons) == (True, False)
    relative = _readers(region, region.open("B1", ("R1",)))
    assert (relative.patient, relative.related_persons) == (False, True)
    team = region.open("B1", ("Network-P1",))
    assert (_readers(region, team).patient, _readers(region, team).related_persons) == (True, True)
    out = ThreadChange(policies=Policies(allow_patient_participation=False))
    change_thread(region.service, region.caller("B1"), team, out)
    assert (_readers(region, team).patient, _readers(region, team).related_persons) == (False, False)


def test_a_merged_patient_reads_it_under_either_entry(region: Region) -> None:
    thread = region.open("B1", ("P2",), patient="P2")
    link = [{"other": {"reference": "Patient/P1"}, "type": "replaced-by"}]
    region.load({"resourceType": "Patient", "id": "P2", "active": False, "name": [{"text": "Jane Roe"}], "link": link})
    assert _readers(region, thread).patient
    found = page(region, "B1", thread)
    assert [region.name(each.id) for each in found.patients] == ["P1", "P2"]
    assert found.patients[1].replaced_by == region.id("P1")
    assert not found.patients[1].active


# ── Who somebody is ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_a_professional_is(region: Region) -> None:
    found = who_am_i(region.service, region.caller("C1"))
    assert (found.name, found.kind, found.active) == ("Dr Cas Citroen", ActorKind.PRACTITIONER, True)
    assert [(region.name(each.id), each.role) for each in found.groups] == [
        ("Hospital-C", Role.ORGANISATION),
        ("Network-P2", Role.CARE_TEAM),
        ("Pain", Role.CARE_TEAM),
        ("Wounds", Role.CARE_TEAM),
    ]
    assert {each.standings for each in found.groups} == {frozenset({Standing.CLINICIAN})}
    assert [each.patient for each in found.groups] == [None, region.id("P2"), None, None]
    assert (found.duties, found.patients) == (frozenset(), ())
    # It is of nobody but themselves.
    assert newly(region, lambda: who_am_i(region.service, region.caller("C1"))) == []


def test_who_is_two_things_in_one_group(region: Region) -> None:
    region.load(role("A9", "Pharmacy-A", "pharmacist", id="A9-too"))
    (group,) = who_am_i(region.service, region.caller("A9")).groups
    assert group.standings == {Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR}


def test_who_the_patients_side_is(region: Region) -> None:
    patient, relative = (who_am_i(region.service, region.caller(each)) for each in ("P1", "R1"))
    for found in (patient, relative):
        assert [each.name for each in found.patients] == ["John Doe"]
        assert [region.name(each.id) for each in found.groups] == ["Network-P1"]
    assert (patient.kind, relative.kind) == (ActorKind.PATIENT, ActorKind.RELATED_PERSON)


def test_who_acts_as_an_auditor_is_somebody_too(region: Region) -> None:
    found = who_am_i(region.service, region.auditor)
    assert (found.kind, found.duties) == (ActorKind.PRACTITIONER, frozenset({Duty.AUDITOR}))
    with pytest.raises(errors.NotAllowedError):
        who_am_i(region.service, replace(region.caller("A1"), kind=ActorKind.STEWARD))


def test_who_is_not_active_or_not_there(region: Region) -> None:
    region.load({"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]})
    found = who_am_i(region.service, region.caller("A1"))
    assert (found.active, found.groups) == (False, ())
    with pytest.raises(errors.UnknownPersonError):
        who_am_i(region.service, Caller(NOBODY))


def test_a_program_that_names_nobody_is_a_member_of_what_it_is_bound_to(region: Region) -> None:
    system = SystemClient(NOBODY, "EHR", frozenset(region.ids("Pharmacy-A")))
    found = who_am_i(region.service, Caller(None, system=system))
    assert (found.kind, found.id) == (ActorKind.CLIENT, system.id)
    assert [region.name(each.id) for each in found.groups] == ["Pharmacy-A"]


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_are_those_one_may_know_of(region: Region) -> None:
    wanted = region.ids("A1", "Clinic-B", "P2", "Wounds", "P1")
    everybody = names(region.service, region.caller("B1"), (*wanted, NOBODY, wanted[0]))
    assert set(everybody.values()) == {"Anna Visser", "Hill Clinic", "Jane Roe", "Wound Team", "John Doe"}
    assert [each.entry for each in log(region)[-1].entries] == list(wanted)
    own = names(region.service, region.caller("P1"), wanted)
    assert own == {region.id("Clinic-B"): "Hill Clinic", region.id("P1"): "John Doe"}
    assert {each.entry for each in log(region)[-1].entries} == set(own)


def test_a_role_has_no_name(region: Region) -> None:
    role_id = region.service.directory.find("PractitionerRole/A1-at-Pharmacy-A").id
    assert names(region.service, region.caller("B1"), (role_id,)) == {}


def test_banners_are_of_patients(region: Region) -> None:
    wanted = region.ids("P1", "P2", "A1")
    found = banners(region.service, region.caller("B1"), wanted)
    assert found == {
        region.id("P1"): Banner(region.id("P1"), "John Doe", "1956-05-27", ()),
        region.id("P2"): Banner(region.id("P2"), "Jane Roe", "1956-05-27", ()),
    }
    assert set(banners(region.service, region.caller("R2"), wanted)) == {region.id("P2")}


def test_names_of_what_is_no_id_or_of_too_many(region: Region) -> None:
    for asked_for in ((ParticipantId("x"),), tuple(ParticipantId(f"{n:08x}{NOBODY[8:]}") for n in range(1_001))):
        with pytest.raises(errors.InvalidValueError, match="ids"):
            names(region.service, region.caller("B1"), asked_for)
