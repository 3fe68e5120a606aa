"""Changing a thread's ledger: what several commands do."""

from carethread import Author, CoordinationRecord, CoordinationService, LedgerUpdate
from carethread.cli import library, output
from carethread.cli.documents import LedgerDocument, LedgerOfRecordDocument
from carethread.cli.naming import find_participants
from carethread.cli.views import show_message
from carethread.ids import CommunicationId


def change_ledger(
    service: CoordinationService,
    record: CoordinationRecord,
    thread_id: CommunicationId,
    author: Author,
    care_location: str,
    on_behalf_of: str | None,
    update: LedgerUpdate,
    *,
    as_json: bool,
) -> None:
    """Change a thread's ledger and show the system entry that tells of it.

    Raises:
        CarethreadError: as `CoordinationRecord.update_communication_ledger`.
    """
    named = () if on_behalf_of is None else (on_behalf_of,)
    group = next(iter(find_participants(record, thread_id, named, "on-behalf-of")), None)
    message_id = record.update_communication_ledger(author, care_location, thread_id, update, on_behalf_of=group)

    def tell() -> None:
        ledger, message = record.read_message(message_id)
        if as_json:
            output.answer(LedgerOfRecordDocument(record.coordination_id, message_id, LedgerDocument.of(ledger)))
        else:
            show_message(message)

    library.settle_operator(service, record, author, "ledger", tell, thread=thread_id, message=message_id)
