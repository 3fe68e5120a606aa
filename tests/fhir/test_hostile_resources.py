"""Resources and Bundles of somebody who means harm: refused, quickly, and with nothing left behind."""

import json
from collections.abc import Iterator

import pytest

from tests.fhir.wire import FHIR_JSON, QUICK_S, ask, opened, post, written
from tests.installation import Installation, Json, message, thread


@pytest.fixture(autouse=True)
def _nothing_broke(installation: Installation) -> Iterator[None]:
    yield
    with installation.client("A1") as client:
        answer = client.get("/Organization/Pharmacy-A", timeout=QUICK_S)
    assert answer.status_code == 200


# ── JSON that is none, or meant to be read in two ways ────────────────────────────────────────────────────────────────

_OPEN = json.dumps(thread())[:-1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"CommunicationRequest"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        (_OPEN + ',"extension":[{"extension":').encode(),
        (_OPEN + ',"extension":' + '[{"url":"urn:x","extension":' * 5000 + "[]" + "}]" * 5000 + "}").encode(),
        (_OPEN + ',"status":"completed"}').encode(),
        (_OPEN + ',"sender":{"reference":"Practitioner/A1"}}').encode(),
        (_OPEN + r',"\u0073tatus":"completed"}').encode(),
        (_OPEN + ',"x":NaN}').encode(),
        (_OPEN + ',"x":-Infinity}').encode(),
        (_OPEN + f',"x":1e{"9" * 400}}}').encode(),
        (_OPEN + f',"x":{"9" * 100_000}}}').encode(),
        (_OPEN + r',"note":[{"text":"\ud800"}]}').encode(),
        _OPEN.encode() + b',"note":[{"text":"\xff"}]}',
        _OPEN.encode() + b',"note":[{"text":"\x00"}]}',
        b"\xef\xbb\xbf" + _OPEN.encode() + b"}",
        (_OPEN + "}").encode("utf-16"),
        (_OPEN + "} {}").encode(),
        (_OPEN + ",}").encode(),
        (_OPEN + ',"__proto__":{"status":"completed"}}').encode(),
        (_OPEN + ',"resourceType":"Communication"}').encode(),
        (_OPEN.replace("CommunicationRequest", "Patient") + "}").encode(),
        (_OPEN.replace("CommunicationRequest", "../Patient") + "}").encode(),
    ],
    ids=range(27),
)
def test_what_is_no_resource_is_refused(installation: Installation, body: bytes) -> None:
    heard = post(installation, body)
    assert heard.status == 400
    assert heard.issues
    assert heard.seconds < QUICK_S


def test_nothing_sent_is_said_again(installation: Installation) -> None:
    """What is wrong with it is said by place, not by content: an answer may end in somebody's log."""
    secret = "Jane is HIV positive"
    for change in ({"status": secret}, {secret: 1}, {"subject": {"reference": secret}}, {"authoredOn": secret}):
        heard = post(installation, json.dumps(thread(**change)).encode())
        assert heard.status == 400
        assert secret not in heard.body.decode()


@pytest.mark.parametrize(
    "content_type",
    [
        "", "text/plain", "text/html", "application/xml", "application/fhir+xml", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded", "application/json-patch+json", "application/json; charset=utf-16",
        "application/fhir+json; fhirVersion=5.0", "application/fhir+json, text/plain", "application/" + "j" * 5000,
    ],
)  # fmt: skip
def test_a_body_says_what_it_is(installation: Installation, content_type: str) -> None:
    heard = post(installation, json.dumps(thread()).encode(), content_type=content_type)
    assert (heard.status, heard.issues[0]["code"]) == (415, "not-supported")


@pytest.mark.parametrize("content_type", ["", FHIR_JSON, "text/plain"])
def test_a_search_by_post_is_a_form(installation: Installation, content_type: str) -> None:
    heard = post(installation, b"_count=1", to="Communication/_search", content_type=content_type)
    assert heard.status == 415


# ── Elements that cost ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "element",
    [
        '"payload":[{"contentAttachment":{"contentType":"text/plain","data":"' + "AAAA" + " " * 200_000 + '!"}}]',
        '"payload":[{"contentAttachment":{"contentType":"text/plain","data":"' + "A" * 200_000 + '!"}}]',
        '"payload":[{"contentAttachment":{"contentType":"text/plain","data":"' + "AAA= " * 40_000 + '!"}}]',
        '"payload":[{"contentString":"' + " " * 200_000 + r'\u0001"}]',
        '"authoredOn":"2026-01-01T00:00:00.' + "0" * 200_000 + 'x"',
        '"language":"' + "a " * 100_000 + ' "',
        '"language":"' + "a-" * 100_000 + ' "',
        '"id":"' + "a" * 200_000 + '!"',
        '"implicitRules":"' + "a" * 200_000 + ' b"',
        '"meta":{"versionId":"' + "1" * 200_000 + '!"}',
        '"subject":{"reference":"' + "Patient/" * 20_000 + '"}',
        '"subject":{"reference":"http://' + "a/" * 100_000 + '"}',
        '"identifier":[{"system":"urn:' + ":" * 200_000 + '\\n","value":"x"}]',
        '"extension":[' + ",".join(['{"url":"urn:x"}'] * 15_000) + "]",
        '"recipient":[' + ",".join(['{"reference":"Patient/P1"}'] * 8_000) + "]",
        '"contained":[' + ",".join(['{"resourceType":"Patient","id":"x"}'] * 6_000) + "]",
        "" + ",".join(f'"x{number}":1' for number in range(20_000)),
    ],
    ids=range(17),
)
def test_no_element_takes_long_to_refuse(installation: Installation, element: str) -> None:
    name = element.partition(":")[0].strip('"')
    whole = {each: value for each, value in thread().items() if each != name}
    body = (json.dumps(whole)[:-1] + "," + element + "}").encode()
    heard = post(installation, body)
    assert heard.status in {400, 422}
    assert heard.issues
    assert heard.seconds < QUICK_S


# ── Somebody else's name ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sender", ["Practitioner/A2", "Practitioner/B1", "Patient/P1", "RelatedPerson/R1"])
def test_nobody_writes_in_another_name(installation: Installation, sender: str) -> None:
    to = opened(installation)
    forged = message(to, "Forged", sender={"reference": sender})
    for line, body in (
        ("POST /fhir/Communication", forged),
        ("PUT /fhir/Communication/forged-message", {**forged, "id": "forged-message"}),
        ("POST /fhir/CommunicationRequest", thread(requester={"reference": sender})),
        ("PUT /fhir/CommunicationRequest/forged", thread(id="forged", requester={"reference": sender})),
    ):
        heard = ask(installation, line, f"Content-Type: {FHIR_JSON}", body=json.dumps(body).encode())
        assert (heard.status, heard.issues[0]["code"]) == (403, "forbidden")
    assert written(installation, to) == 1


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_nor_in_a_bundle(installation: Installation, kind: str) -> None:
    to = opened(installation)
    forged = message(to, "Forged", sender={"reference": "Practitioner/A2"})
    entries = [
        {"resource": each, "request": {"method": "POST", "url": "Communication"}}
        for each in (message(to, "Mine"), forged)
    ]
    body = {"resourceType": "Bundle", "type": kind, "entry": entries}
    heard = ask(installation, "POST /fhir", f"Content-Type: {FHIR_JSON}", body=json.dumps(body).encode())
    if kind == "transaction":
        assert (heard.status, heard.issues[0]["code"]) == (403, "forbidden")
        assert written(installation, to) == 1
    else:
        answered = [each["response"]["status"][:3] for each in json.loads(heard.body)["entry"]]
        assert answered == ["201", "403"]
        assert written(installation, to) == 2


def _bundle(kind: str, *entries: str) -> bytes:
    return f'{{"resourceType":"Bundle","type":"{kind}","entry":[{",".join(entries)}]}}'.encode()


def _entry(resource: str, url: str = "CommunicationRequest", more: str = "") -> str:
    return f'{{{more}"resource":{resource},"request":{{"method":"POST","url":"{url}"}}}}'


_URN = '"fullUrl":"urn:uuid:3b2f0a44-6d3c-4a57-9a5f-0c2f3f6f7a10",'
_TWICE = json.dumps(message("x", "x", basedOn=[{"reference": _URN[11:-2]}]))[:-1] + ',"status":"completed"}'
_REFERS = '"extension":[{"url":"urn:x","valueReference":{"reference":"urn:uuid:3b2f0a44-6d3c-4a57-9a5f-0c2f3f6f7a10"}}]'


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize(
    "entries",
    [
        [_entry(_OPEN + ',"extension":' + '[{"url":"urn:x","extension":' * depth + "[]" + "}]" * depth + "}")]
        for depth in (30, 100, 300, 480, 900, 5000)
    ]
    + [
        [_entry(json.dumps(thread()))] * 300,
        [_entry(json.dumps(thread()), more=_URN), _entry(_TWICE, url="Communication")],
        [_entry(json.dumps(thread()), more=_URN)] * 2,
        [_entry(_OPEN + f",{_REFERS}}}", more=_URN)],
        [_entry("null")],
        [_entry("[]")],
        [_entry('"x"')],
        [_entry("{}", url="../../etc/passwd")],
        [_entry("{}", url="http://evil.example/fhir/Communication")],
        [_entry("{}", url="")],
        [_entry("{}", url="metadata")],
        [_entry(_bundle("batch").decode(), url="Bundle")],
        ['{"request":{"method":"GET","url":"Communication?_content=' + "a" * 5000 + '"}}'],
        ['{"request":{"method":"GET","url":"Communication?' + "&".join(["_id=x"] * 300) + '"}}'],
        ['{"request":{"method":"GET","url":"Communication/%ff"}}'],
        ['{"request":{"method":"GET","url":"Communication/a\\r\\nX-Evil: 1"}}'],
        ['{"request":{"method":"GET","url":"Communication/\\u0000"}}'],
        ['{"request":{"method":"GET","url":"Communication?_id=\\ud83d"}}'],
        ['{"request":{"method":"DELETE","url":"Communication/x"}}'],
        ['{"request":{"method":"PATCH","url":"Communication/x"}}'],
        ['{"request":{"method":"TRACE","url":"Communication/x"}}'],
        ['{"request":{"method":"POST","url":"Communication","ifNoneExist":"\\u20ac=1"}}'],
        ['{"request":{"method":"PUT","url":"CommunicationRequest/x","ifMatch":"\\u0660"}}'],
        ["{}"],
        ["null"],
    ],
    ids=range(31),
)  # fmt: skip
def test_a_bundle_that_means_harm_does_none(installation: Installation, entries: list[str], kind: str) -> None:
    heard = post(installation, _bundle(kind, *entries), to="")
    assert heard.seconds < QUICK_S
    if heard.status == 200:
        answered = json.loads(heard.body)["entry"]
        assert kind == "batch"
        assert {each["response"]["status"][0] for each in answered} <= {"2", "4"}
        assert "4" in {each["response"]["status"][0] for each in answered}
    else:
        assert 400 <= heard.status < 500
        assert heard.issues


@pytest.mark.parametrize(
    "change",
    [
        {"sender": {"reference": "Organization/Clinic-B"}},
        {"sender": {"reference": "Organization/Hospital-C"}},
    ],
)
def test_nobody_speaks_for_an_organisation_that_is_not_theirs(installation: Installation, change: Json) -> None:
    heard = post(installation, json.dumps(thread(**change)).encode())
    assert heard.status == 403
    assert heard.issues
