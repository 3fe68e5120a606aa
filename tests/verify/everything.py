"""Records made through the library: one small enough to tamper with, one with whatever a record can hold."""

from functools import partial
from pathlib import Path

from carethread import (
    Addressing,
    AttachmentContent,
    Author,
    BusinessIdentifier,
    ClientIdentifier,
    CoordinationRecord,
    CoordinationService,
    LedgerUpdate,
    LifecycleState,
    MessageContent,
    Naming,
    Participant,
    Party,
    Policies,
    Sensitivity,
    StatusUpdate,
    ThreadStatus,
    Visibility,
)
from carethread.clock import Instant
from carethread.ids import CommunicationId, MessageId, ParticipantId
from tests.people import (
    ADDRESSED,
    ADDRESSING,
    ADMIN,
    CLINIC,
    CLINICAL_ID,
    GP,
    JANE,
    JOHN,
    MARY,
    PHARMACIST,
    PHARMACY,
    PLACE,
    SECOND_PHARMACIST,
    TEAM,
    TOM,
    Ticking,
    listed,
    mint_from,
    person,
    seeded_ids,
)

REPORT = AttachmentContent(b"%PDF-1.4 made up\n", "application/pdf", "x-ray report.pdf")
PICTURE = AttachmentContent(b"\x89PNG made up", "image/png", "chest [2].png")
CLIENT = "gateway"


class Scribe:
    """Writes one record, an hour and some milliseconds after the last thing it wrote."""

    def __init__(
        self, data_dir: Path, *, signing_key: Path | None = None, signing_certificate: Path | None = None
    ) -> None:
        """Begin a record in a new data directory."""
        self.clock = Ticking(step=0)
        self.service = CoordinationService.open(
            data_dir,
            name="Thames Valley Shared Care",
            domain="care.example",
            clock=self.clock,
            mint=partial(mint_from, seeded_ids(7)),
            flushes=False,
            signing_key=signing_key,
            signing_certificate=signing_certificate,
        )
        self.record: CoordinationRecord = self.service.initialise(JANE, PLACE, CLINICAL_ID)
        self._identifiers = 0

    def later(self) -> Author:
        """Let time go by."""
        self.clock.now += 3_601_007
        return JANE

    def open(
        self,
        author: Author,
        people: tuple[Participant, ...],
        content: MessageContent | None = None,
        *,
        addressing: Addressing | None = None,
        continues: CommunicationId | None = None,
        policies: Policies | None = None,
        is_named: bool = False,
    ) -> CommunicationId:
        """Open a thread; `is_named` says that the client calls it something."""
        self.later()
        return self.record.communication_create(
            author,
            PLACE,
            people,
            content,
            addressing=addressing,
            continues=continues,
            policies=policies,
            client_identifier=self._identifier() if is_named else None,
        )

    def say(
        self, author: Author, thread: CommunicationId, content: MessageContent, *, is_named: bool = False
    ) -> MessageId:
        """Add a message."""
        self.later()
        identifier = self._identifier() if is_named else None
        return self.record.add_message(author, PLACE, thread, content, client_identifier=identifier)

    def update(
        self, author: Author, thread: CommunicationId, update: LedgerUpdate, group: ParticipantId | None = None
    ) -> MessageId:
        """Change a ledger."""
        self.later()
        return self.record.update_communication_ledger(author, PLACE, thread, update, on_behalf_of=group)

    def set(self, update: StatusUpdate) -> None:
        """Change the record's status."""
        self.later()
        self.record.update_coordination_status(ADMIN, "Home of the record", update)

    def finish(self) -> Path:
        """Bring the repository up to date and return where it is."""
        self.record.flush()
        self.service.close()
        return self.record.path

    def _identifier(self) -> ClientIdentifier:
        self._identifiers += 1
        return ClientIdentifier(CLIENT, f"request {self._identifiers}")


def write_small(scribe: Scribe) -> None:
    """Write a dozen commits, enough to tamper with in every way."""
    first = scribe.open(JANE, listed(JANE, TOM, JOHN), MessageContent("Shortness of breath.\nPlease review."))
    asked = scribe.say(JANE, first, MessageContent("The report is attached.", attachments=(REPORT,)))
    scribe.say(TOM, first, MessageContent("No acute changes.", in_response_to=asked))
    scribe.say(JANE, first, MessageContent("The left side, not the right.", corrects=asked))
    scribe.update(JANE, first, LedgerUpdate(add_participants=listed(MARY)))
    question = MessageContent("Which dose?", on_behalf_of=PHARMACY.id)
    second = scribe.open(PHARMACIST, ADDRESSED, question, addressing=ADDRESSING, is_named=True)
    scribe.say(GP, second, MessageContent("5 mg once a day.", on_behalf_of=CLINIC.id))
    scribe.update(TOM, first, LedgerUpdate(status=ThreadStatus.CLOSED))
    third = scribe.open(TOM, listed(JANE, TOM), MessageContent("To go on with."), continues=first)
    scribe.set(StatusUpdate(lifecycle_state=LifecycleState.SUSPENDED))
    scribe.set(StatusUpdate(lifecycle_state=LifecycleState.ACTIVE))
    scribe.say(PHARMACIST, second, MessageContent("Thank you."), is_named=True)
    scribe.say(TOM, third, MessageContent("Seen again on Monday."))


def write_everything(scribe: Scribe) -> None:
    """Write whatever a record can hold."""
    write_small(scribe)
    plain = scribe.open(ADMIN, (*listed(ADMIN, JANE, JOHN, MARY), TEAM))
    _converse(scribe, plain)
    _name(scribe, plain)
    _change(scribe, plain)
    _address(scribe)
    scribe.set(StatusUpdate(record_open=False, record_queryable=False))
    scribe.update(ADMIN, plain, LedgerUpdate(add_participants=listed(SECOND_PHARMACIST)))
    scribe.set(StatusUpdate(record_open=True))
    archived = scribe.open(JANE, listed(JANE))
    scribe.update(JANE, archived, LedgerUpdate(status=ThreadStatus.ARCHIVED))
    scribe.set(StatusUpdate(record_modifiable=False))
    scribe.set(StatusUpdate(lifecycle_state=LifecycleState.CLOSED))


def _converse(scribe: Scribe, thread: CommunicationId) -> None:
    first = scribe.say(ADMIN, thread, MessageContent("# No heading\n\n    and code,\n\n*stars*"))
    scribe.say(JOHN, thread, MessageContent("", attachments=(PICTURE, REPORT)))
    scribe.say(MARY, thread, MessageContent("The same file again.", attachments=(PICTURE,)))
    sent = Instant(scribe.clock.now + 3_000_000)
    via = Party(person(900), "Ward system <7>".replace("<7>", "7"))
    scribe.say(JANE, thread, MessageContent("By way of the ward.", sent=sent, via=via, in_response_to=first))
    named = scribe.say(JANE, thread, MessageContent("To two of you.", recipients=(JOHN.id, MARY.id)))
    scribe.say(JANE, thread, MessageContent("To both again.", corrects=named, recipients=(MARY.id, JOHN.id)))
    scribe.say(GP, thread, MessageContent("From the team.", on_behalf_of=TEAM.id), is_named=True)
    scribe.clock.now -= 3_601_007
    scribe.say(JOHN, thread, MessageContent("At the same instant."))


def _name(scribe: Scribe, plain: CommunicationId) -> None:
    called = Naming("conversation-1", (BusinessIdentifier("urn:oid:1.2.3", "50% | é"), BusinessIdentifier("", "c 1")))
    scribe.later()
    thread = scribe.record.communication_create(JANE, PLACE, listed(JANE, TOM), MessageContent("First."), naming=called)
    scribe.later()
    answer = Naming("conversation-1", (BusinessIdentifier("https://his.example/messages", "9"),))
    scribe.record.add_message(TOM, PLACE, thread, MessageContent("Second."), naming=answer)
    first = scribe.record.read_communication(thread).messages[0].id
    for naming in (Naming("first", called.identifiers), Naming("also.first")):
        scribe.later()
        scribe.record.name_message(JANE, PLACE, first, naming)
    scribe.say(ADMIN, plain, MessageContent("And on as before."))


def _change(scribe: Scribe, thread: CommunicationId) -> None:
    confidential = Visibility(Sensitivity.CONFIDENTIAL, restricted=True)
    scribe.update(ADMIN, thread, LedgerUpdate(visibility=confidential))
    scribe.update(GP, thread, LedgerUpdate(visibility=Visibility()), TEAM.id)
    scribe.update(JANE, thread, LedgerUpdate(remove_participants=(MARY.id,), add_participants=listed(TOM)))
    addressing = Addressing(ADMIN.id, (JANE.id, TEAM.id))
    scribe.update(ADMIN, thread, LedgerUpdate(addressing=addressing))
    scribe.say(JOHN, thread, MessageContent("From neither side."))
    home = Addressing(ADMIN.id, (JANE.id,), TEAM.id)
    scribe.update(ADMIN, thread, LedgerUpdate(addressing=home, policies=Policies(allow_external_organisations=False)))
    scribe.update(
        ADMIN,
        thread,
        LedgerUpdate(
            remove_participants=(JOHN.id,),
            policies=Policies(allow_patient_participation=False, allow_external_organisations=False),
        ),
    )
    scribe.update(ADMIN, thread, LedgerUpdate(status=ThreadStatus.CLOSED))
    scribe.update(ADMIN, thread, LedgerUpdate(visibility=confidential))
    scribe.update(ADMIN, thread, LedgerUpdate(status=ThreadStatus.ARCHIVED))


def _address(scribe: Scribe) -> None:
    thread = scribe.open(PHARMACIST, ADDRESSED, addressing=ADDRESSING)
    asked = scribe.say(SECOND_PHARMACIST, thread, MessageContent("Once more?", on_behalf_of=PHARMACY.id))
    scribe.say(SECOND_PHARMACIST, thread, MessageContent("Twice?", on_behalf_of=PHARMACY.id, corrects=asked))
    wrong = scribe.say(GP, thread, MessageContent("Yes.", on_behalf_of=CLINIC.id, in_response_to=asked))
    scribe.update(PHARMACIST, thread, LedgerUpdate(status=ThreadStatus.CLOSED))
    late = MessageContent("No.", on_behalf_of=CLINIC.id, corrects=wrong)
    people = (*listed(GP), CLINIC)
    scribe.open(GP, people, late, continues=thread, policies=Policies(allow_patient_participation=False))
