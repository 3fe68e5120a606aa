"""Files that wait for their message: for whom, for how long, and how many."""

import json
from uuid import UUID

import pytest

from carethread import AttachmentContent, MessageContent, errors
from carethread.access_log import Action
from carethread.policy.actor import Caller, SystemClient
from carethread.reads import own_upload, read_attachment
from carethread.store import access, uploads
from carethread.store.uploads import KEPT_MS, owner_of
from carethread.writes import keep_upload, post_message
from tests.people import Ticking
from tests.region import Region, role

PDF = AttachmentContent(b"%PDF", "application/pdf", "letter.pdf")


def test_a_file_is_kept_and_goes_with_a_message(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    upload = keep_upload(service, a1, PDF)
    assert str(UUID(upload)) == upload
    thread = region.open("A1", ("Clinic-B",), on_behalf_of="Pharmacy-A")
    content = MessageContent("See", attachments=(own_upload(service, a1, upload),))
    message = post_message(service, a1, thread, content)
    assert read_attachment(service, region.caller("B1"), message, 1)[1] == b"%PDF"
    with service.archive.database.read() as connection:
        lines = list(access.lines(connection, access.Filter(actor=region.id("A1"))))
    assert [(each.action, each.detail) for each in lines if "upload" in each.query] == [
        (Action.WRITTEN, "upload"),
        (Action.SERVED, "upload"),
    ]
    assert json.loads(lines[0].query) == {"upload": upload}


@pytest.mark.parametrize("given", ["no-uuid", "", "urn:uuid:7f4c2e9d-4b0a-4f3a-9a2c-0e9a6b5d1c88"])
def test_what_is_no_id(region: Region, given: str) -> None:
    with pytest.raises(errors.UnknownUploadError):
        own_upload(region.service, region.caller("A1"), given)


def test_nobody_else_finds_it(region: Region) -> None:
    upload = keep_upload(region.service, region.caller("A1"), PDF)
    for other in ("A2", "B1", "P1"):
        with pytest.raises(errors.UnknownUploadError):
            own_upload(region.service, region.caller(other), upload)


def test_a_system_clients_file_is_its_own(region: Region) -> None:
    """Whomever it asks for; and the person finds it nowhere else."""
    client = SystemClient(region.id("Wounds"), "Pharmacy system", frozenset(region.ids("Pharmacy-A")))
    alone, naming = Caller(None, system=client), Caller(region.id("A1"), system=client)
    upload = keep_upload(region.service, alone, PDF)
    assert own_upload(region.service, naming, upload) == PDF
    with pytest.raises(errors.UnknownUploadError):
        own_upload(region.service, region.caller("A1"), upload)


def test_nobody_keeps_nothing(region: Region) -> None:
    with pytest.raises(errors.PurposeError):
        owner_of(Caller(None))


@pytest.mark.parametrize(
    "file",
    [
        AttachmentContent(b"", "application/pdf", "letter.pdf"),
        AttachmentContent(b"x", "Application/PDF", "letter.pdf"),
        AttachmentContent(b"x", "application/pdf", "letter\n.pdf"),
        AttachmentContent(bytes(25 * 1024 * 1024 + 1), "application/pdf", "letter.pdf"),
    ],
)
def test_what_no_message_could_hold(region: Region, file: AttachmentContent) -> None:
    with pytest.raises(errors.InvalidValueError):
        keep_upload(region.service, region.caller("A1"), file)


def test_who_is_not_active_keeps_nothing(region: Region) -> None:
    region.load({"resourceType": "Practitioner", "id": "A1", "active": False, "name": [{"text": "Anna Visser"}]})
    with pytest.raises(errors.InactiveError):
        keep_upload(region.service, region.caller("A1"), PDF)
    region.load(role("A2", "Pharmacy-A", "pharmacist", active=False))
    keep_upload(region.service, region.caller("A2"), PDF)


def test_gone_after_a_day(region: Region) -> None:
    service, a1 = region.service, region.caller("A1")
    upload = keep_upload(service, a1, PDF)
    clock = service.archive.clock
    assert isinstance(clock, Ticking)
    clock.now += KEPT_MS
    with pytest.raises(errors.UnknownUploadError):
        own_upload(service, a1, upload)
    later = keep_upload(service, a1, PDF)
    with service.archive.database.read() as connection:
        rows = connection._cursor.execute("SELECT upload_id FROM upload").fetchall()
    assert [UUID(bytes=bytes(row[0])) for row in rows] == [UUID(later)]


@pytest.mark.parametrize("bound", ["MOST_UPLOADS", "MOST_UPLOAD_BYTES"])
def test_as_much_as_anybody_may(region: Region, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service, a1 = region.service, region.caller("A1")
    monkeypatch.setattr(uploads, bound, {"MOST_UPLOADS": 2, "MOST_UPLOAD_BYTES": 9}[bound])
    keep_upload(service, a1, PDF)
    keep_upload(service, a1, PDF)
    with pytest.raises(errors.TooMuchError):
        keep_upload(service, a1, PDF)
    keep_upload(service, region.caller("A2"), PDF)
    clock = service.archive.clock
    assert isinstance(clock, Ticking)
    clock.now += KEPT_MS
    keep_upload(service, a1, PDF)
