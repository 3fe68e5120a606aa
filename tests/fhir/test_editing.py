"""What a CommunicationRequest that is sent back changes: one row for each change to what was served."""

from collections.abc import Callable
from typing import Any

import pytest

from carethread.fhir import types
from carethread.fhir.mapping.drafts import Named, ResourceRefusedError, ThreadEdit
from carethread.fhir.mapping.editing import addressing_of, read_request_change
from carethread.fhir.mapping.request import communication_request
from carethread.ids import ParticipantId
from carethread.record.model import (
    Addressing,
    Attachment,
    BusinessIdentifier,
    Policies,
    Sensitivity,
    ThreadStatus,
    Visibility,
)
from carethread.record.projection import ThreadProjection
from tests.fhir.threads import (
    A1,
    A2,
    B1,
    CLINIC,
    CONFIDENTIALITY,
    DAUGHTER,
    EARLIER,
    M1,
    NAMES,
    OURS,
    OZO,
    PATIENT,
    PEOPLE,
    PHARMACY,
    TEAM,
    THREAD,
    as_json,
    opening,
    parsed,
    thread,
)

Served = dict[str, Any]
Change = Callable[[Served], object]
AT = "CommunicationRequest"
ARCHIVED_TAG = {"system": "https://carethread.example/fhir/CodeSystem/tag", "code": "archived"}


def edited(current: ThreadProjection, change: Change, **more: Any) -> ThreadEdit:
    served = as_json(communication_request(current, NAMES))
    change(served)
    resource = parsed(served)
    assert isinstance(resource, types.CommunicationRequest)
    return read_request_change(resource, current, NAMES, **more)


def refusal(current: ThreadProjection, change: Change, **more: Any) -> list[str]:
    with pytest.raises(ResourceRefusedError) as caught:
        edited(current, change, **more)
    return [each.expression.removeprefix(f"{AT}.") for each in caught.value.issues]


def nothing(served: Served) -> None:
    pass


def put(name: str, value: Any) -> Change:
    return lambda served: served.update({name: value})


def without(*names: str) -> Change:
    return lambda served: [served.pop(name, None) for name in names]


def both(*changes: Change) -> Change:
    return lambda served: [change(served) for change in changes]


def refs(*texts: str) -> list[dict[str, str]]:
    return [{"reference": each} for each in texts]


def recipients(*texts: str) -> Change:
    return put("recipient", refs(*texts))


def others(*texts: str) -> Change:
    """Name these, and no others, as participants who are not asked."""

    def change(served: Served) -> None:
        kept = [each for each in served["extension"] if each["url"] != f"{OURS}/participant"]
        named = [{"url": f"{OURS}/participant", "valueReference": each} for each in refs(*texts)]
        served["extension"] = [*named, *kept]

    return change


def label(*codes: str) -> Change:
    return lambda served: served["meta"].update(
        security=[{"system": CONFIDENTIALITY, "code": code} for code in codes] or None
    )


def policies(patients: bool, externals: bool) -> Change:
    def change(served: Served) -> None:
        for each in served["extension"]:
            if each["url"] == f"{OURS}/policies":
                each["extension"][0]["valueBoolean"] = patients
                each["extension"][1]["valueBoolean"] = externals

    return change


WITH_TEAM = {
    "participants": tuple(PEOPLE[each] for each in (A1, TEAM, CLINIC, DAUGHTER)),
    "addressing": Addressing(A1, (CLINIC,), TEAM),
}
PLAIN = {"participants": tuple(PEOPLE[each] for each in (A1, B1, PATIENT)), "addressing": None}
PERSONAL = {
    "participants": tuple(PEOPLE[each] for each in (A1, A2, CLINIC)),
    "addressing": Addressing(A1, (CLINIC,), A2),
}
OWN = {"participants": tuple(PEOPLE[each] for each in (A1, CLINIC)), "addressing": Addressing(A1, (CLINIC,))}
EVERY_KIND: list[dict[str, Any]] = [
    {},
    WITH_TEAM,
    PLAIN,
    PERSONAL,
    OWN,
    {"opening": None},
    {"opening": opening(body="", attachments=(Attachment("ab" * 32, "x/y", 3, "f"),))},
    {"status": ThreadStatus.CLOSED},
    {"status": ThreadStatus.ARCHIVED},
    {"continues": EARLIER, "shown_continues": "earlier"},
    {"continues": EARLIER},
    {"identifiers": (BusinessIdentifier("urn:x", "1"),)},
    {"policies": Policies(False, False)},
    {"visibility": Visibility(Sensitivity.CONFIDENTIAL)},
    {"visibility": Visibility(Sensitivity.CONFIDENTIAL, restricted=True)},
    {"participants": (PEOPLE[PHARMACY],), "addressing": None, "opening": None},
]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_what_was_served_changes_nothing(kind: dict[str, Any]) -> None:
    edit = edited(thread(**kind), nothing)
    assert edit.is_empty
    assert edit.version == "3"


# ── Status ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "said", "wanted"),
    [
        ("open", "active", None),
        ("open", "completed", ThreadStatus.CLOSED),
        ("open", "revoked", ThreadStatus.ARCHIVED),
        # Going back is asked for, and for the record to refuse.
        ("closed", "active", ThreadStatus.OPEN),
        ("closed", "completed", None),
        ("closed", "revoked", ThreadStatus.ARCHIVED),
        ("archived", "active", ThreadStatus.OPEN),
        ("archived", "completed", None),
        ("archived", "revoked", None),
    ],
)
def test_status(now: str, said: str, wanted: ThreadStatus | None) -> None:
    edit = edited(thread(status=ThreadStatus(now)), put("status", said))
    assert edit.status is wanted
    assert edit.is_empty is (wanted is None)


@pytest.mark.parametrize("status", ["draft", "on-hold", "entered-in-error", "unknown"])
def test_a_status_that_a_thread_does_not_have(status: str) -> None:
    assert refusal(thread(), put("status", status)) == ["status"]


def test_draft_means_open_where_the_installation_has_it_so() -> None:
    assert edited(thread(), put("status", "draft"), draft_opens=True).is_empty


@pytest.mark.parametrize(("now", "status", "taken"), [
    ("open", "active", False), ("open", "completed", False), ("closed", "completed", False),
    ("open", "revoked", True), ("archived", "completed", True),
])  # fmt: skip
def test_a_tag_archives_nothing(now: str, status: str, taken: bool) -> None:
    change = both(put("status", status), lambda served: served["meta"].update(tag=[ARCHIVED_TAG]))
    if taken:
        edited(thread(status=ThreadStatus(now)), change)
    else:
        assert refusal(thread(status=ThreadStatus(now)), change) == ["meta.tag"]


# ── Visibility and policies ───────────────────────────────────────────────────────────────────────────────────────────

STANDARD, CONFIDENTIAL, RESTRICTED = (Visibility(each) for each in Sensitivity)
BOTH_WORDS = Visibility(Sensitivity.CONFIDENTIAL, restricted=True)


@pytest.mark.parametrize(
    ("now", "codes", "wanted"),
    [
        (STANDARD, (), None),
        (STANDARD, ("N",), None),
        (STANDARD, ("R",), CONFIDENTIAL),
        (STANDARD, ("V",), RESTRICTED),
        (CONFIDENTIAL, (), None),
        (CONFIDENTIAL, ("N",), STANDARD),
        (CONFIDENTIAL, ("R",), None),
        (RESTRICTED, ("V",), None),
        (RESTRICTED, ("R",), CONFIDENTIAL),
        # What `restricted: true` covers stays as it is while the label does; another label lifts both.
        (BOTH_WORDS, (), None),
        (BOTH_WORDS, ("V",), None),
        (BOTH_WORDS, ("R",), CONFIDENTIAL),
        (BOTH_WORDS, ("N",), STANDARD),
    ],
)
def test_visibility(now: Visibility, codes: tuple[str, ...], wanted: Visibility | None) -> None:
    change: Change = label(*codes) if codes else lambda served: served["meta"].pop("security")
    assert edited(thread(visibility=now), change).visibility == wanted


def test_policies() -> None:
    assert edited(thread(), policies(True, False)).policies == Policies(True, False)
    assert edited(thread(), policies(True, True)).policies is None
    assert edited(thread(policies=Policies(False, False)), policies(True, True)).policies == Policies()


# ── What stays ────────────────────────────────────────────────────────────────────────────────────────────────────────

STAYS: list[tuple[dict[str, Any], Change, str]] = [
    ({}, put("id", "another"), "id"),
    ({}, put("identifier", [{"system": "urn:x", "value": "2"}]), "identifier"),
    ({"identifiers": (BusinessIdentifier("urn:x", "1"),)}, without("identifier"), "identifier"),
    ({}, put("replaces", refs("CommunicationRequest/x")), "replaces"),
    ({"continues": EARLIER, "shown_continues": "earlier"}, without("replaces"), "replaces"),
    # Whoever may not read it is not told by a guess that it is right.
    ({"continues": EARLIER}, put("replaces", refs(f"CommunicationRequest/{EARLIER}")), "replaces"),
    ({}, put("subject", {"reference": "Patient/124"}), "subject"),
    ({}, put("subject", {"reference": f"Patient/{A1}"}), "subject"),
    ({}, without("subject"), "subject"),
    ({}, put("requester", {"reference": "Practitioner/A2"}), "requester"),
    ({}, put("requester", {"reference": f"RelatedPerson/{A1}"}), "requester"),
    ({}, without("requester"), "requester"),
    ({}, put("payload", [{"contentString": "Something else"}]), "payload"),
    ({}, without("payload"), "payload"),
    ({"opening": None}, put("payload", [{"contentString": "Something"}]), "payload"),
    ({"opening": None}, put("payload", [{"contentAttachment": {"url": f"Binary/{M1}.1"}}]), "payload"),
    ({}, put("sender", {"reference": "Organization/Clinic-B"}), "sender"),
    ({}, put("sender", {"reference": "Practitioner/A1"}), "sender"),
    ({}, without("sender"), "sender"),
    (OWN, put("sender", {"reference": "Practitioner/A2"}), "sender"),
    (PERSONAL, without("sender"), "sender"),
    (PERSONAL, put("sender", {"reference": "Practitioner/A1"}), "sender"),
    (PLAIN, put("sender", {"reference": "Practitioner/B1"}), "sender"),
    (WITH_TEAM, put("sender", {"reference": "Practitioner/A2"}), "sender"),
    (WITH_TEAM, lambda served: served["extension"].__delitem__(slice(0, 2)), "sender"),
    (
        {},
        lambda served: served["extension"].append({"url": OZO, "valueReference": {"reference": "CareTeam/Team-1"}}),
        "extension[2].value",
    ),
    ({}, put("priority", "urgent"), "priority"),
]


@pytest.mark.parametrize(("kind", "change", "expression"), STAYS)
def test_what_does_not_change(kind: dict[str, Any], change: Change, expression: str) -> None:
    assert expression in refusal(thread(**kind), change)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ({}, put("authoredOn", "1999-01-01")),
        ({}, without("authoredOn", "meta", "id")),
        ({}, put("id", THREAD)),
        ({}, put("subject", {"reference": f"Patient/{PATIENT}"})),
        ({}, put("requester", {"reference": f"Practitioner/{A1}"})),
        ({}, put("sender", {"reference": f"Organization/{PHARMACY}", "display": "As it likes"})),
        (OWN, put("sender", {"reference": "Practitioner/A1"})),
        (WITH_TEAM, put("sender", {"reference": "Practitioner/A1"})),
        (WITH_TEAM, lambda served: served["extension"].pop(0)),
        (WITH_TEAM, lambda served: served["extension"].pop(1)),
        ({"continues": EARLIER, "shown_continues": "e"}, put("replaces", refs(f"CommunicationRequest/{EARLIER}"))),
        # Clients that keep no extensions.
        ({}, without("extension")),
        (WITH_TEAM, without("extension")),
        ({"policies": Policies(False, False)}, without("extension")),
        # Who takes part anyway may be named as such.
        ({}, others("RelatedPerson/D1", "Practitioner/A1", "Organization/Pharmacy-A", "Organization/Clinic-B")),
    ],
)
def test_what_says_the_same(kind: dict[str, Any], change: Change) -> None:
    assert edited(thread(**kind), change).is_empty


def test_whom_an_identifier_means_is_for_others_to_say() -> None:
    change = put("requester", {"type": "Practitioner", "identifier": {"system": "urn:big", "value": "1"}})
    assert refusal(thread(), change) == ["requester"]
    assert edited(thread(), change, who={("Practitioner", "urn:big|1"): A1}).is_empty


def test_addresses_of_this_server_are_its_own() -> None:
    change = put("subject", {"reference": "https://example.org/fhir/Patient/123"})
    assert edited(thread(), change, base="https://example.org/fhir/").is_empty


# ── Who takes part ────────────────────────────────────────────────────────────────────────────────────────────────────

B1_ASKED = Named(f"{AT}.recipient[1]", "Practitioner", "B1")
B1_JOINS = Named(f"{AT}.extension[0].value", "Practitioner", "B1")
STRANGER = Named(f"{AT}.recipient[1]", "Organization", "new")
KEPT = "RelatedPerson/D1"


@pytest.mark.parametrize(
    ("kind", "change", "add", "remove", "asked"),
    [
        ({}, recipients("Organization/Clinic-B", "Practitioner/B1"), (B1_ASKED,), (), (CLINIC, B1_ASKED)),
        ({}, recipients("Organization/Clinic-B", "Organization/new"), (STRANGER,), (), (CLINIC, STRANGER)),
        # Who takes part already, and is asked from now on.
        ({}, both(recipients("Organization/Clinic-B", KEPT), others()), (), (), (CLINIC, DAUGHTER)),
        # For the record to refuse: whoever is asked stays asked.
        ({}, recipients("Organization/Pharmacy-A"), (), (CLINIC,), (PHARMACY,)),
        ({}, both(recipients("Organization/Pharmacy-A"), others(KEPT, "Organization/Clinic-B")), (), (), (PHARMACY,)),
        ({}, others(), (), (DAUGHTER,), None),
        ({}, others("Practitioner/B1"), (B1_JOINS,), (DAUGHTER,), None),
        ({}, others("Practitioner/B1", KEPT), (B1_JOINS,), (), None),
        ({}, others("Practitioner/B1", "Practitioner/B1", KEPT), (B1_JOINS,), (), None),
        (
            {},
            both(recipients("Organization/Clinic-B", "Practitioner/B1"), others("Practitioner/B1", KEPT)),
            (B1_ASKED,),
            (),
            (CLINIC, B1_ASKED),
        ),
        # A body without policies that names participants means what it says.
        ({}, both(others("Practitioner/B1"), lambda served: served["extension"].pop()), (B1_JOINS,), (DAUGHTER,), None),
        # A client that keeps no extensions takes nobody out.
        (
            {},
            both(without("extension"), recipients("Organization/Clinic-B", "Practitioner/B1")),
            (B1_ASKED,),
            (),
            (CLINIC, B1_ASKED),
        ),
        # A plain thread stays plain.
        (PLAIN, recipients("Practitioner/B1"), (), (PATIENT,), None),
        (
            PLAIN,
            recipients("Patient/123", "Organization/new", "Practitioner/B1"),
            (STRANGER,),
            (),
            None,
        ),
        (PLAIN, both(without("extension"), recipients("Patient/123")), (), (B1,), None),
    ],
)
def test_who_takes_part(
    kind: dict[str, Any],
    change: Change,
    add: tuple[Named, ...],
    remove: tuple[ParticipantId, ...],
    asked: tuple[ParticipantId | Named, ...] | None,
) -> None:
    edit = edited(thread(**kind), change)
    assert (edit.add, edit.remove, edit.recipients) == (add, remove, asked)


def test_the_order_of_recipients_says_nothing() -> None:
    several = thread(
        participants=tuple(PEOPLE[each] for each in (A1, CLINIC, B1)), addressing=Addressing(A1, (CLINIC, B1))
    )
    assert edited(several, recipients("Practitioner/B1", "Organization/Clinic-B")).is_empty


def test_an_addressing_from_an_edit() -> None:
    edit = edited(thread(), recipients("Organization/Clinic-B", "Practitioner/B1"))
    assert addressing_of(edit, thread(), {("Practitioner", "B1"): B1}) == Addressing(A1, (CLINIC, B1), PHARMACY)
    assert addressing_of(edited(thread(), nothing), thread(), {}) is None


def test_everything_at_once() -> None:
    change = both(put("status", "completed"), label("R"), policies(True, False), others())
    assert edited(thread(), change) == ThreadEdit(
        version="3",
        status=ThreadStatus.CLOSED,
        remove=(DAUGHTER,),
        visibility=CONFIDENTIAL,
        policies=Policies(allow_external_organisations=False),
    )
