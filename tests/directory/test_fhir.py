"""Reading FHIR: what is taken, what is told, what is refused and where, and that nothing else ever happens."""

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from carethread.directory import fhir
from carethread.directory.draft import Draft
from carethread.directory.fhir import read_bundle, read_resource
from carethread.directory.model import Identifier, Period, Standing
from carethread.errors import CarethreadError, DirectoryError
from carethread.store import directory_load
from carethread.store.database import Connection, Database
from tests.directory.conftest import SEED
from tests.directory.resources import (
    CLINICAL,
    HL7,
    OWN,
    REGISTER,
    Json,
    bundle,
    code,
    identifier,
    organization,
    patient,
    practitioner,
    reference,
    related,
    resource,
    role,
    team,
)
from tests.people import Ticking, mint_from, seeded_ids

UUID = "11111111-2222-4333-8444-555555555555"


def read(one: Json) -> Draft:
    (draft,) = read_resource(msgspec.json.encode(one)).drafts
    assert read_bundle(bundle(one)).drafts == (msgspec.structs.replace(draft, **_moved(draft)),)
    return draft


def _moved(draft: Draft) -> dict[str, Any]:
    """Return what is different where the same resource stands in a bundle: its paths."""

    def moved(found: Any) -> Any:
        return msgspec.structs.replace(found, path="entry[0]." + found.path)

    return {
        "path": f"entry[0].{draft.path}",
        "references": tuple((field, moved(each)) for field, each in draft.references),
        "members": tuple(msgspec.structs.replace(each, member=moved(each.member)) for each in draft.members),
    }


def refused(one: Json) -> str:
    with pytest.raises(DirectoryError) as caught:
        read_resource(msgspec.json.encode(one))
    assert str(caught.value) == f"{caught.value.path}: {caught.value.fault}"
    return str(caught.value)


# ── What is taken ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "names, spoken",
    [
        ([{"text": " Ann \n Lee "}], "Ann Lee"),
        (
            [{"prefix": ["Dr.", "Prof."], "given": ["Ann", "B."], "family": "Lee", "suffix": ["MBE"]}],
            "Dr. Prof. Ann B. Lee",
        ),
        ([{"text": "First"}, {"text": "Second"}], "First"),
        ([{"use": "nickname", "text": "Annie"}, {"use": "official", "text": "Ann Lee"}], "Ann Lee"),
        ([{"use": "official", "text": "Ann Lee"}, {"use": "usual", "text": "Ann Bee"}], "Ann Bee"),
        ([{"use": "old", "text": "Ann Old"}, {"family": "Lee"}], "Lee"),
        ([{"use": "usual"}, {"use": "official", "text": "Ann Lee"}], "Ann Lee"),
    ],
)
def test_names(names: list[Json], spoken: str) -> None:
    assert read(resource("Practitioner", "ann", name=names)).name == spoken


@pytest.mark.parametrize(
    "codes, standing",
    [
        ([code(OWN, "clinician")], Standing.CLINICIAN),
        ([code(OWN, "care_administrator"), code(HL7, "doctor")], Standing.CARE_ADMINISTRATOR),
        ([code(HL7, "doctor")], Standing.CLINICIAN),
        ([code(HL7, "researcher"), code(HL7, "nurse")], Standing.CLINICIAN),
        ([code(HL7, "pharmacist")], Standing.CLINICIAN),
        ([code(HL7, "ict")], Standing.CARE_ADMINISTRATOR),
        ([code("http://snomed.info/sct", "doctor")], Standing.CARE_ADMINISTRATOR),
        ([{"text": "doctor"}], Standing.CARE_ADMINISTRATOR),
        ([], Standing.CARE_ADMINISTRATOR),
    ],
)
def test_what_a_role_makes_of_its_codes(codes: list[Json], standing: Standing) -> None:
    assert read(role(code=codes)).standing is standing


def test_a_team_takes_codes_of_our_own_alone() -> None:
    participant = [
        {"member": reference("Practitioner/a"), "role": [code(HL7, "doctor")]},
        {"member": reference("Practitioner/b"), "role": [code(OWN, "care_administrator")], "period": {"start": "2026"}},
    ]
    first, second = read(team(participant=participant)).members
    assert (first.standing, second.standing) == (None, Standing.CARE_ADMINISTRATOR)
    assert second.period.start is not None


@pytest.mark.parametrize("status, active", [("active", True), ("proposed", False), ("inactive", False), (None, True)])
def test_the_status_of_a_team(status: str | None, active: bool) -> None:
    assert read(resource("CareTeam", "team", name="Team", status=status)).active is active


def test_identifiers_in_use_are_taken_each_once() -> None:
    found = read(
        patient(
            identifier=[
                identifier("7"),
                identifier("7"),
                {"use": "old", **identifier("6")},
                {"value": "no system"},
                {"system": REGISTER},
                identifier(UUID, CLINICAL),
                identifier(UUID, CLINICAL),
            ]
        )
    )
    assert found.identifiers == (Identifier(REGISTER, "7"),)
    assert found.clinical_id == UUID


@pytest.mark.parametrize(
    "start, end, period",
    [
        ("1970-01-01", "1970-01-01", Period(0, 86_400_000)),  # type: ignore[arg-type]
        ("1970", "1970", Period(0, 365 * 86_400_000)),  # type: ignore[arg-type]
        ("1970-01", "1970-02", Period(0, 59 * 86_400_000)),  # type: ignore[arg-type]
        ("1970-12", "1970-12", Period(334 * 86_400_000, 365 * 86_400_000)),  # type: ignore[arg-type]
        ("1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z", Period(1_000, 2_000)),  # type: ignore[arg-type]
        ("1970-01-01T01:00:00.5+01:00", "1969-12-31T23:30:00.501-00:30", Period(500, 502)),  # type: ignore[arg-type]
        ("1969-12-31", None, Period(-86_400_000, None)),  # type: ignore[arg-type]
        (None, "9999", Period()),
        (None, "9999-12", Period()),
        (None, "9999-12-31", Period()),
        (None, "9999-12-31T23:59:59.999-14:00", Period()),
        ("0001-01-01T00:00:00+14:00", None, Period()),
        (None, None, Period()),
    ],
)
def test_periods(start: str | None, end: str | None, period: Period) -> None:
    found = {name: value for name, value in (("start", start), ("end", end)) if value is not None}
    assert read(role(period=found)).period == period


@pytest.mark.parametrize(
    "period, said",
    [
        ({"start": "2026-13"}, "period.start: is not a date or time that exists"),
        ({"end": "2026-02-30"}, "period.end: is not a date or time that exists"),
        ({"start": "2026-1-1"}, "period.start: is not a date or time such as"),
        ({"start": "2026-01-01T10:00:00"}, "period.start: is not a date or time such as"),
        ({"start": "2026-01-01T24:00:00Z"}, "period.start: is not a date or time that exists"),
        ({"start": "2026-01-01T10:00:00+15:00"}, "period.start: is not a date or time that exists"),
        ({"start": "0000"}, "period.start: is not a date or time that exists"),
        ({"start": "2026-01-02", "end": "2026-01-01"}, "period: ends before it begins"),
        ({"start": "9999-12-31T23:59:59-14:00"}, "period: lies outside the years"),
        ({"end": "0001-01-01T00:00:00+14:00"}, "period: lies outside the years"),
        ({"start": 2026}, "period.start: is not what it should be: expected `str`, got `int`"),
    ],
)
def test_periods_that_are_none(period: Json, said: str) -> None:
    assert refused(role(period=period)).startswith(f"resource.{said}")


# ── What is refused ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "one, said",
    [
        ({"resourceType": "Group", "id": "x"}, "resource.resourceType: is none of Organization, "),
        ({"id": "x"}, "resource.resourceType: is missing"),
        (resource("Organization", "x"), "resource.name: is missing"),
        (resource("Practitioner", "x"), "resource.name: is missing"),
        (resource("Practitioner", "x", name=[]), "resource.name: is missing, or says"),
        (resource("Practitioner", "x", name=[{"use": "old", "text": "A"}]), "resource.name: is missing, or says"),
        (organization(name=None), "resource.name: is missing"),
        (organization(name=7), "resource.name: is not what it should be: expected `str`, got `int`"),
        (organization(active="yes"), "resource.active: is not what it should be"),
        (organization("has space"), "resource.id: is not 1 to 64"),
        (organization("x" * 65), "resource.id: is not 1 to 64"),
        (organization(contained=[]), "resource.contained: is no element that is taken here"),
        (organization(implicitRules="x"), "resource.implicitRules: is no element"),
        (organization(modifierExtension=[]), "resource.modifierExtension: is no element"),
        (organization() | {"very secret": 1}, "resource.…: is no element"),
        (organization(partOf={}), "resource.partOf: names nothing"),
        (organization(partOf={"display": "Somewhere"}), "resource.partOf: names nothing"),
        (organization(partOf={"identifier": {"value": "7"}}), "resource.partOf: names nothing"),
        (organization(partOf=reference("Practitioner/a")), "resource.partOf.reference: is none of Organization"),
        (organization(partOf=reference("Organization/a/_history/1")), "resource.partOf.reference: is none of Type/id"),
        (organization(partOf=reference("#a")), "resource.partOf.reference: is none of Type/id"),
        (organization(partOf=reference("urn:uuid:X")), "resource.partOf.reference: is none of Type/id"),
        (
            organization(partOf={"reference": "Organization/a", "type": "Patient"}),
            "resource.partOf.type: is none of Organization",
        ),
        (organization(identifier=[identifier("")]), "resource.identifier[0].value: is empty, too long"),
        (organization(identifier=[identifier("a\u0000b")]), "resource.identifier[0].value: is empty, too long"),
        (organization(identifier=[identifier("a", " b")]), "resource.identifier[0].system: is empty, too long"),
        (organization(identifier=[identifier(str(n)) for n in range(101)]), "resource.identifier: has more than 100"),
        (organization(identifier=[identifier(UUID, CLINICAL)]), "resource.identifier: only a patient has"),
        (patient(identifier=[identifier("7", CLINICAL)]), "resource.identifier[0].value: is not 8-4-4-4-12"),
        (
            patient(identifier=[identifier(UUID, CLINICAL), identifier(UUID.replace("1", "2"), CLINICAL)]),
            "resource.identifier[1]: a patient has one clinical id",
        ),
        (patient(birthDate="27-05-1956"), "resource.birthDate: is not a date such as"),
        (patient(birthDate="1956-02-30"), "resource.birthDate: is not a date or time that exists"),
        (patient(link=[{"type": "same", "other": reference("Patient/a")}]), "resource.link[0].type: is none of"),
        (patient(link=[{"type": "replaced-by"}]), "resource.link[0].other: is missing"),
        (
            patient(link=[{"type": "replaced-by", "other": reference(f"Patient/{each}")} for each in "ab"]),
            "resource.link: says more than once",
        ),
        (resource("PractitionerRole", "x", practitioner=reference("a")), "resource.organization: is missing"),
        (resource("RelatedPerson", "x", name=[{"text": "A"}]), "resource.patient: is missing"),
        (role(code=[code(OWN, "chief")]), "resource.code[0].coding[0].code: is none of clinician, care_administrator"),
        (role(code=[{"coding": [{"system": OWN}]}]), "resource.code[0].coding[0].code: is none of"),
        (
            role(code=[code(OWN, "clinician"), code(OWN, "care_administrator")]),
            "resource.code[1].coding[0]: says another standing",
        ),
        (team(status="open"), "resource.status: is none of proposed, active"),
        (team(managingOrganization=[reference("Organization/a")] * 2), "resource.managingOrganization: names more"),
        (team(participant=[{}]), "resource.participant[0].member: is missing"),
        (team(participant=[{"member": reference("Group/a")}]), "resource.participant[0].member.reference: is none of"),
        (team(participant=[{"modifierExtension": []}]), "resource.participant[0].modifierExtension"),
    ],
)  # fmt: skip
def test_resources_that_are_refused(one: Json, said: str) -> None:
    assert refused(one).startswith(said)


def test_elements_that_are_not_kept_are_told() -> None:
    found = read_bundle(bundle(practitioner(photo=[], telecom=[{}]), organization(meta={}, address=None)))
    assert found.not_kept == ("Organization.meta", "Practitioner.photo", "Practitioner.telecom")
    assert read_resource(msgspec.json.encode(related(text={}, extension=[]))).not_kept == (
        "RelatedPerson.extension",
        "RelatedPerson.text",
    )


@pytest.mark.parametrize(
    "data, said",
    [
        (b"", "Bundle: is not JSON"),
        (b"\xff", "Bundle: is not JSON"),
        (b'{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"\xff"}]}', "is not JSON"),
        (b"[]", "Bundle: is not what it should be: expected `object`, got `array`"),
        (b"[" * 100_000, "Bundle: "),
        (b'{"resourceType":"Bundle","type":"collection","meta":' + b"[" * 100_000, "Bundle: is nested too deeply"),
        (b'{"resourceType":"Patient"}', "Bundle.resourceType: is none of Bundle"),
        (b'{"resourceType":"Bundle"}', "Bundle.type: is missing"),
        (bundle(type="searchset"), "Bundle.type: is none of transaction, collection"),
        (bundle(total=0), "Bundle.total: is no element"),
        (bundle({"resource": []}), "entry[0].resource: is not what"),
        (bundle({"resource": practitioner(), "fullUrl": "ann"}), "entry[0].fullUrl: is neither"),
        (bundle({"resource": practitioner(), "fullUrl": 7}), "entry[0].fullUrl: is not what"),
        (bundle({"resource": practitioner(), "search": {}}), "entry[0].search: is no element"),
        (bundle(practitioner(), practitioner(name="<", active=7)), "entry[1].resource.active: is not what"),
    ],
)
def test_bundles_that_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(DirectoryError) as caught:
        read_bundle(data)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "request_, said",
    [
        ({"method": "POST", "url": "Practitioner"}, None),
        ({"method": "PUT", "url": "Practitioner/ann"}, None),
        ({"method": "PUT", "url": "Practitioner?identifier=7"}, "entry[0].request.url: is not the resource's type"),
        ({"method": "POST", "url": "Practitioner/ann"}, "entry[0].request.url"),
        ({"method": "DELETE", "url": "Practitioner/ann"}, "entry[0].request.method: is none of POST, PUT"),
        ({"method": "POST", "url": "Practitioner", "ifNoneExist": "x"}, "entry[0].request.ifNoneExist: is no element"),
        (None, "entry[0].request: is missing"),
    ],
)
def test_transactions(request_: Json | None, said: str | None) -> None:
    entry = {"resource": practitioner()} | ({} if request_ is None else {"request": request_})
    data = bundle(entry, type="transaction")
    if said is None:
        assert len(read_bundle(data).drafts) == 1
        return
    with pytest.raises(DirectoryError) as caught:
        read_bundle(data)
    assert str(caught.value).startswith(said)


def test_put_needs_an_id() -> None:
    entry = {"resource": practitioner(None), "request": {"method": "PUT", "url": "Practitioner/None"}}
    with pytest.raises(DirectoryError, match=r"request\.url"):
        read_bundle(bundle(entry, type="transaction"))


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    one = msgspec.json.encode(organization())
    monkeypatch.setattr(fhir, "MAX_RESOURCE_BYTES", len(one) - 1)
    with pytest.raises(DirectoryError, match=r"^resource: is larger than 0 MiB"):
        read_resource(one)
    with pytest.raises(DirectoryError, match=r"^entry\[0\]\.resource: is larger"):
        read_bundle(bundle(organization()))
    monkeypatch.setattr(fhir, "MAX_BUNDLE_BYTES", 1)
    with pytest.raises(DirectoryError, match=r"^Bundle: is larger"):
        read_bundle(bundle())


# ── Mutations of what is valid ────────────────────────────────────────────────────────────────────────────────────────

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_json = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
_near = st.sampled_from(
    ["Practitioner/A1", "Organization/Region", "Patient/123", "urn:uuid:" + UUID, UUID, "active", "2026", "", "A1", OWN]
)  # fmt: skip


def _places(value: Any, holders: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield everything that stands in an object or list, as holder and key."""
    if isinstance(value, dict | list):
        holders.append(value)
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(inner, holders)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    made = copy.deepcopy(msgspec.json.decode(SEED))
    made["entry"] = draw(st.permutations(made["entry"]))[: draw(st.integers(1, 16))]
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(made, []))
        if not places:
            # Everything was taken out.
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "near", "copy", "remove", "add"])):
            case "replace":
                holder[key] = draw(_json)
            case "near":
                holder[key] = draw(_near)
            case "copy":
                other, where = draw(st.sampled_from(places))
                holder[key] = copy.deepcopy(other[where])
            case "remove":
                del holder[key]
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(["id", "period", "link", "contained"]) | st.text())] = draw(_json)
            case _:
                holder.append(draw(_json))
    return msgspec.json.encode(made)


def _read_or_refused(data: bytes) -> DirectoryError | None:
    try:
        read_bundle(data)
    except DirectoryError as error:
        return error
    return None


@settings(max_examples=300)
@given(_mutated())
def test_a_mutated_bundle_is_refused_in_our_words_or_read(data: bytes) -> None:
    error = _read_or_refused(data)
    event("read" if error is None else "refused")
    assert error is None or error.path.startswith(("entry[", "Bundle"))
    assert len(str(error)) < 400


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(SEED) - 1), st.binary(max_size=3)), min_size=1, max_size=4))
def test_mutated_bytes_are_refused_in_our_words_or_read(mutations: list[tuple[int, bytes]]) -> None:
    data = bytearray(SEED)
    for position, new in mutations:
        data[position : position + len(new) + 1] = new
    error = _read_or_refused(bytes(data))
    assert error is None or error.path.startswith(("entry[", "Bundle"))


class _EnoughError(CarethreadError):
    """Rolls back what a test has loaded."""


def _load_and_roll_back(connection: Connection, data: bytes) -> None:
    ids = seeded_ids()
    directory_load.load(connection, read_bundle(data), Ticking()(), lambda: mint_from(ids), by="test")
    raise _EnoughError


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("empty")
    database = Database(f"sqlite:///{folder / 'a.sqlite'}", folder)
    database.prepare()
    yield database
    database.close()


@settings(max_examples=150)
@given(data=_mutated())
def test_what_is_read_is_loaded_or_refused_in_our_words(empty: Database, data: bytes) -> None:
    with pytest.raises((DirectoryError, _EnoughError)) as caught, empty.write() as connection:
        _load_and_roll_back(connection, data)
    event(caught.type.__name__)
