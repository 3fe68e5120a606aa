"""What is around the interactions: what is claimed, who looks at the log, files, validation, limits, health."""

import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from carethread import CoordinationService
from carethread.directory.model import Duty
from carethread.fhir.capability import definition
from carethread.fhir.doing import INTERACTIONS
from carethread.fhir.interactions import Kind
from carethread.fhir.table import TABLE
from carethread.fhir.types.search_parameters import OFFICIAL_PARAMETERS
from carethread.fhir.validation import issues
from tests.fhir.served import SEED, Served, good, ids, issue, served
from tests.fhir.test_writing import message, ref, thread

PROGRAM = str(Path(sys.executable).with_name("carethread"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("serving")) as made:
        yield made


@pytest.fixture(scope="module")
def doctor(server: Served) -> httpx.Client:
    return server.as_("Practitioner/B1")


@pytest.fixture(scope="module")
def opened(server: Served) -> str:
    return str(good(server.as_("Practitioner/A1").post("/CommunicationRequest", json=thread()), 201)["id"])


# ── What is claimed ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_in_the_table_is_done_and_nothing_else() -> None:
    assert set(INTERACTIONS) == {(each.type, what) for each in TABLE for what in each.interactions}


def test_parameters_are_those_of_r4_or_ours() -> None:
    official = {(each.base, each.name): each for each in OFFICIAL_PARAMETERS}
    for support in TABLE:
        for parameter in support.parameters:
            if parameter.own:
                assert (support.type, parameter.name) not in official
                assert definition(support.type, parameter).startswith("https://carethread.example/fhir/")
                continue
            found = official.get((support.type, parameter.name)) or official[("Resource", parameter.name)]
            assert found.type == parameter.kind.value
            assert set(parameter.targets) <= set(found.targets)
            assert definition(support.type, parameter) == found.url


def test_the_capabilities_are_valid_and_need_no_token(server: Served) -> None:
    answer = httpx.get(f"{server.base}/metadata")
    found = good(answer)
    assert issues(answer.content, types=frozenset({"CapabilityStatement"})) == ()
    assert {each["type"] for each in found["rest"][0]["resource"]} == {each.type for each in TABLE}
    assert found["implementation"]["url"] == server.base


EXAMPLES = {Kind.DATE: "ge2000", Kind.REFERENCE: "x", Kind.STRING: "x", Kind.TOKEN: "x", Kind.URI: "urn:x"}


def test_each_claim_is_true(server: Served, doctor: httpx.Client) -> None:
    """Walk the CapabilityStatement, and ask for each thing it claims."""
    auditor = appointed(server)
    for claimed in good(doctor.get("/metadata"))["rest"][0]["resource"]:
        kind = claimed["type"]
        asking = auditor if kind == "AuditEvent" else doctor
        done = {each["code"] for each in claimed["interaction"]}
        for code, method, address, expected in (
            ("read", "GET", f"/{kind}/nothing", {404}),
            ("vread", "GET", f"/{kind}/nothing/_history/1", {404}),
            ("history-instance", "GET", f"/{kind}/nothing/_history", {404}),
            ("history-type", "GET", f"/{kind}/_history", {200}),
            ("search-type", "GET", f"/{kind}", {200}),
            ("create", "POST", f"/{kind}", {400}),
            ("update", "PUT", f"/{kind}/nothing", {400}),
        ):
            status = asking.request(method, address, content=b"{}" if method != "GET" else None).status_code
            assert status in (expected if code in done else {404, 405}), (kind, code, status)
        parameters = {each["name"]: Kind(each["type"]) for each in claimed.get("searchParam", ())}
        for name, form in parameters.items():
            value = "true" if name == "active" else EXAMPLES[form]
            assert asking.get(f"/{kind}", params={name: value}).status_code == 200, (kind, name)
        for name in claimed.get("searchInclude", ()):
            good(asking.get(f"/{kind}?_include={name}"))
        for name in claimed.get("searchRevInclude", ()):
            good(asking.get(f"/{kind}?_revinclude={name}"))
        for each in claimed.get("operation", ()):
            assert good(asking.post(f"/{kind}/${each['name']}", content=b"{}"))["resourceType"] == "OperationOutcome"


def test_the_description_lists_every_interaction(server: Served) -> None:
    found = good(httpx.get(server.base.replace("/fhir", "/openapi.json")))
    operations = {each["operationId"] for path in found["paths"].values() for each in path.values()}
    assert {f"{what.value}-{each.type}" for each in TABLE for what in each.interactions} <= operations
    assert len(operations) == sum(len(path) for path in found["paths"].values())


def test_where_tokens_are_given_is_said_if_it_is_known(server: Served) -> None:
    issue(httpx.get(f"{server.base}/.well-known/smart-configuration"), 404)


# ── The log ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def appointed(server: Served) -> httpx.Client:
    """Return an auditor who says why they look."""
    person = server.service.directory.find("Practitioner/B2")
    server.service.directory.appoint(person.id, Duty.AUDITOR, by="tests")
    token = server.token("Practitioner/B2")
    return server.asking({"authorization": f"Bearer {token}", "carethread-purpose": "Yearly audit"})


def test_an_auditor_sees_what_was_done(server: Served, doctor: httpx.Client, opened: str) -> None:
    made = good(
        doctor.post("/Communication", json=message(opened, text="Seen."), headers={"x-request-id": "request-77"}), 201
    )  # fmt: skip
    doctor.get("/Communication/forbidden-thing")
    doctor.get("/Communication?sender=Practitioner/B1")
    auditor = appointed(server)
    found = good(auditor.get(f"/AuditEvent?entity=Communication/{made['id']}&action=C"))
    (event,) = (each["resource"] for each in found["entry"])
    assert event["agent"][0]["who"]["reference"] == "Practitioner/B1"
    whats = [each.get("what", {}).get("reference") for each in event["entity"]]
    assert "Patient/123" in whats
    assert f"Communication/{made['id']}" in whats
    assert any(each.get("what", {}).get("identifier", {}).get("value") == "request-77" for each in event["entity"])
    assert good(auditor.get(f"/AuditEvent/{event['id']}")) == event
    searches = good(auditor.get("/AuditEvent?agent=Practitioner/B1&action=E"))
    queries = [base64.b64decode(one["query"]).decode() for each in searches["entry"]
               for one in each["resource"]["entity"] if "query" in one]  # fmt: skip
    assert "Communication?sender=Practitioner/B1" in " ".join(queries) or "sender=Practitioner/B1" in " ".join(queries)
    unknown = good(auditor.get("/AuditEvent?agent=Practitioner/B1&outcome=4"))
    assert unknown["entry"]
    assert "entry" not in good(auditor.get("/AuditEvent?agent=Practitioner/nobody"))
    assert "entry" not in good(auditor.get("/AuditEvent?patient=Patient/nobody"))
    assert "entry" not in good(auditor.get("/AuditEvent?entity=Communication/nothing"))
    assert "entry" not in good(auditor.get("/AuditEvent?date=lt2000"))
    assert good(auditor.get("/AuditEvent?patient=Patient/123&_count=1"))["link"][1]["relation"] == "next"


def test_nobody_else_sees_the_log(server: Served, doctor: httpx.Client) -> None:
    assert issue(doctor.get("/AuditEvent"), 403)["code"] == "forbidden"
    token = server.token("Practitioner/B1")
    asking = server.asking({"authorization": f"Bearer {token}", "carethread-purpose": "I am curious"})
    issue(asking.get("/AuditEvent"), 403)
    issue(asking.get("/Communication"), 403)


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_uploaded_sent_and_read(server: Served, doctor: httpx.Client, opened: str) -> None:
    content = b"%PDF-1.4 not really"
    answer = doctor.post("/Binary", content=content, headers={"content-type": "application/pdf"})
    upload = good(answer, 201)["id"]
    assert answer.headers["location"] == f"{server.base}/Binary/{upload}"
    own = doctor.get(f"/Binary/{upload}", headers={"accept": "application/pdf"})
    assert own.content == content
    issue(server.as_("Practitioner/A1").get(f"/Binary/{upload}"), 404)
    attachment = {"contentType": "application/pdf", "url": f"Binary/{upload}", "title": 'scan "1".pdf'}
    made = good(doctor.post("/Communication", json=message(opened, payload=[{"contentAttachment": attachment}])), 201)
    url = made["payload"][0]["contentAttachment"]["url"]
    read = server.as_("Practitioner/A1").get(f"/{url}", headers={"accept": "*/*"})
    assert read.content == content
    assert read.headers["content-type"] == "application/pdf"
    assert read.headers["content-disposition"] == "attachment; filename*=UTF-8''scan%20%221%22.pdf"
    assert read.headers["x-content-type-options"] == "nosniff"
    as_resource = good(server.as_("Practitioner/A1").get(f"/{url}", headers={"accept": "application/fhir+json"}))
    assert base64.b64decode(as_resource["data"]) == content
    issue(server.as_("RelatedPerson/123-daughter").get(f"/{url}"), 404)


def test_a_file_may_come_as_a_resource(doctor: httpx.Client) -> None:
    body = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"x").decode()}
    good(doctor.post("/Binary", json=body), 201)
    issue(doctor.post("/Binary", json=body | {"securityContext": ref("Patient/123")}), 422)
    issue(doctor.post("/Binary", json={"resourceType": "Binary", "contentType": "text/plain"}), 400)


# ── Validation ────────────────────────────────────────────────────────────────────────────────────────────────────────


def severities(answer: httpx.Response) -> list[str]:
    return [each["severity"] for each in good(answer)["issue"]]


def test_a_resource_is_validated_without_being_recorded(doctor: httpx.Client, opened: str) -> None:
    assert severities(doctor.post("/Communication/$validate", json=message(opened))) == ["information"]
    assert severities(doctor.post("/Communication/$validate?mode=create", json=message(opened))) == ["information"]
    wrong = message(opened) | {"priority": "urgent", "status": "preparation"}
    assert severities(doctor.post("/Communication/$validate", json=wrong)) == ["error", "error"]
    assert severities(doctor.post("/Communication/$validate", json={"resourceType": "Patient"})) == ["error"]
    assert severities(doctor.post("/$validate", json=thread())) == ["information"]
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": message(opened)}]}
    assert severities(doctor.post("/Communication/$validate", json=wrapped)) == ["information"]
    issue(doctor.post("/$validate", json={"resourceType": "Task"}), 400)
    issue(doctor.post("/$validate", content=b"{"), 400)
    assert severities(doctor.post("/$validate?profile=x", json=thread())) == ["error"]
    issue(doctor.post("/$validate?mode=delete", json=thread()), 400)
    issue(doctor.post("/$validate", json={"resourceType": "Parameters"}), 400)
    issue(doctor.post("/$validate", json={"resourceType": "Parameters", "parameter": [{"name": "x"}]}), 400)


# ── The directory ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_directory_is_read_and_written_by_who_manages_it(server: Served, doctor: httpx.Client) -> None:
    hub = server.system()
    body = {"resourceType": "Organization", "id": "New-C", "active": True, "name": "Apotheek Nieuw"}
    made = hub.put("/Organization/New-C", json=body)
    assert (good(made, 201)["id"], made.headers["etag"]) == ("New-C", 'W/"1"')
    issue(doctor.put("/Organization/New-C", json=body | {"name": "Mine"}), 403)
    issue(hub.put("/Organization/New-C", json=body | {"name": "Other"}), 428)
    changed = hub.put("/Organization/New-C", json=body | {"name": "Other"}, headers={"if-match": 'W/"1"'})
    assert good(changed)["name"] == "Other"
    issue(hub.put("/Organization/New-C", json=body, headers={"if-match": 'W/"1"'}), 412)
    issue(hub.put("/Organization/New-D", json=body), 400)
    assert good(doctor.get("/Organization/New-C/_history/1"))["name"] == "Apotheek Nieuw"
    history = good(doctor.get("/Organization/New-C/_history"))
    assert [each["resource"]["name"] for each in history["entry"]] == ["Other", "Apotheek Nieuw"]
    assert ids(good(doctor.get("/Organization?name=other"))) == ["New-C"]
    assert ids(good(doctor.get("/Organization?name:exact=Other"))) == ["New-C"]
    assert ids(good(doctor.get("/Organization?name:contains=the&active=true"))) == ["New-C"]
    assert ids(good(doctor.get("/PractitionerRole?practitioner=Practitioner/A1"))) == ["A1-at-Pharmacy-A"]
    assert ids(good(doctor.get("/PractitionerRole?organization=Clinic-B&practitioner=B1"))) == ["B1-at-Clinic-B"]
    assert good(doctor.get("/Practitioner?identifier=https://example.org/fhir/register|REG-1001"))["total"] == 1
    assert "entry" not in good(doctor.get("/Patient?birthdate=lt1800"))
    once = {"if-none-exist": "name:exact=Other"}
    assert good(hub.post("/Organization", json=body, headers=once))["id"] == "New-C"


def test_what_is_not_kept_is_refused_or_left_out(server: Served) -> None:
    hub = server.system()
    body = {"resourceType": "Organization", "active": True, "name": "Full", "alias": ["F"]}
    found = issue(hub.post("/Organization", json=body), 422)
    assert "alias" in found["expression"][0]
    assert "alias" not in good(hub.post("/Organization", json=body, headers={"prefer": "handling=lenient"}), 201)


# ── HTTP ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_answer_has_an_id_and_is_not_kept(doctor: httpx.Client) -> None:
    answer = doctor.get("/Communication", headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    other = doctor.get("/Communication", headers={"x-request-id": "not one!"})
    assert other.headers["x-request-id"] not in {"not one!", ""}
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


def test_a_head_has_no_body(doctor: httpx.Client) -> None:
    answer = doctor.head("/Communication")
    assert (answer.status_code, answer.content) == (200, b"")


def test_other_formats_are_not_acceptable(doctor: httpx.Client) -> None:
    issue(doctor.get("/Communication", headers={"accept": "application/fhir+xml"}), 406)
    issue(doctor.get("/Communication?_format=xml"), 406)
    good(doctor.get("/Communication?_format=json", headers={"accept": "application/fhir+xml"}))


def test_limits(server: Served, doctor: httpx.Client) -> None:
    issue(doctor.get("/Communication?_content=" + "x" * 9000), 414)
    issue(doctor.get("/Communication", headers={"x-long": "x" * 33_000}), 431)
    issue(doctor.get("/Communication?" + "&".join(["_id=1"] * 41)), 400)
    issue(doctor.post("/Communication", content=b"{" + b'"x":[' * 5000), 400)

    def chunks() -> Iterator[bytes]:
        for _ in range(45):
            yield b"x" * 1024 * 1024

    assert doctor.post("/Communication", content=chunks()).status_code == 413
    # A large body is read for nobody we do not know.
    nobody = server.asking({"authorization": "Bearer x"})
    assert nobody.post("/Communication", content=b"x" * 300_000).status_code == 401


def test_paths_lead_nowhere_else(server: Served) -> None:
    for path in ("/fhir/../healthz", "/fhir/%2e%2e/healthz", "/fhir/Communication/%2e%2e%2f", "/fhir//", "/nothing"):
        with socket.create_connection(("127.0.0.1", int(server.base.split(":")[2].split("/")[0]))) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while part := raw.recv(65536):
                answer += part
        assert answer.split(b" ", 2)[1] in {b"401", b"404", b"405"}, path


def test_headers_without_end_are_cut_off(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", int(server.base.split(":")[2].split("/")[0]))) as raw:
        raw.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n")
        answer = b""
        for number in range(4000):
            try:
                raw.sendall(f"X-{number}: {'y' * 1000}\r\n".encode())
            except OSError:
                break
        else:
            pytest.fail("it read on and on")
        try:
            answer = raw.recv(100)
        except OSError:
            answer = b"HTTP/1.1 400"
    assert b" 400" in answer or not answer


def test_health(server: Served) -> None:
    for path in ("healthz", "readyz"):
        assert httpx.get(server.base.replace("fhir", path)).status_code == 200


# ── The command ───────────────────────────────────────────────────────────────────────────────────────────────────────


def carethread(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, *arguments, "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_serves_and_stops_when_told(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    assert carethread(folder, "directory", "load", str(SEED)).returncode == 0
    token = carethread(folder, "token", "--as", "Practitioner/A1", "--scope", "user/*.cruds").stdout.strip()
    command = [PROGRAM, "serve", "--port", "0", "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().split()[1]
        until = time.monotonic() + 20
        while True:
            try:
                good(httpx.get(f"{base}/metadata"))
                break
            except httpx.TransportError:
                assert time.monotonic() < until
                time.sleep(0.05)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
        made = good(httpx.post(f"{base}/CommunicationRequest", json=thread(), headers=headers), 201)
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    shown = carethread(folder, "verify", "--json")
    assert (shown.returncode, json.loads(shown.stdout)["findings"]) == (0, [])
    assert made["id"]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--host", "0.0.0.0"], "give --base-url"),  # noqa: S104 - what is refused
        (["--base-url", "http://care.example/fhir"], "https"),
        (["--base-url", "care.example"], "such as https://care.example/fhir"),
        (["--port", "99999"], "from 0 to 65535"),
        (["--host", "192.0.2.1", "--base-url", "https://care.example/fhir"], "name another with --host and --port"),
    ],
)
def test_it_does_not_start_where_a_remedy_is_known(tmp_path: Path, arguments: list[str], remedy: str) -> None:
    with CoordinationService.open(tmp_path, flushes=False) as service:
        service.directory.load(SEED.read_bytes(), by="tests")
    answer = carethread(tmp_path, "serve", *arguments)
    assert answer.returncode == 2
    assert remedy in answer.stderr


def test_it_does_not_make_a_data_directory(tmp_path: Path) -> None:
    answer = carethread(tmp_path / "nothing", "serve")
    assert answer.returncode == 2
    assert not (tmp_path / "nothing").exists()
