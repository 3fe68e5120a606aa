"""The statements of the hot path, written with SQLAlchemy Core and compiled once per dialect.

They run on the driver's own cursor: measured, that carries one and a half times the messages.
Parameters go by name.
"""

from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    Dialect,
    Executable,
    Integer,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from carethread.store.schema import identifier, journal, message, participation, record, thread

p = bindparam
# Written out: a plain 0 would become a parameter of its own.
ZERO = literal_column("0", Integer)
ONE = literal_column("1", Integer)

RECORD_COLUMNS = (
    record.c.record_key,
    record.c.coordination_id,
    record.c.head_seq,
    record.c.head_commit,
    record.c.last_instant,
    record.c.status,
)
THREAD_COLUMNS = (
    thread.c.thread_no,
    thread.c.communication_id,
    thread.c.entries,
    thread.c.ledger,
    thread.c.tree_id,
    thread.c.attachments,
    thread.c.last_message,
    thread.c.versions,
)

find_record = select(*RECORD_COLUMNS).where(record.c.coordination_id == p("coordination_id"))
lock_record = find_record.with_for_update()
find_clinical = select(record.c.coordination_id).where(
    record.c.clinical_id == p("clinical_id"), record.c.custodian_id == p("custodian_id")
)
list_records = (
    select(*RECORD_COLUMNS)
    .where(record.c.coordination_id > p("after"))
    .order_by(record.c.coordination_id)
    .limit(p("count"))
    .offset(ZERO)
)
insert_record = insert(record).returning(record.c.record_key)
update_record = (
    update(record)
    .where(record.c.record_key == p("key"))
    .values(
        head_seq=p("new_seq"),
        head_commit=p("new_commit"),
        last_instant=p("new_instant"),
        status=p("new_status"),
        pending_since=case(
            (record.c.head_seq == record.c.synced_seq, p("now", type_=BigInteger)), else_=record.c.pending_since
        ),
    )
)

insert_journal = insert(journal)
read_journal = (
    select(journal.c.seq, journal.c.commit_id, journal.c.commit_object, journal.c.changes)
    .where(journal.c.record_key == p("key"), journal.c.seq > p("after"), journal.c.seq <= p("upto"))
    .order_by(journal.c.seq)
)
size_journal = (
    select(journal.c.seq, func.length(journal.c.changes))
    .where(journal.c.record_key == p("key"), journal.c.seq > p("after"))
    .order_by(journal.c.seq)
    .limit(p("count"))
    .offset(ZERO)
)
prune_journal = delete(journal).where(journal.c.record_key == p("key"), journal.c.seq <= p("new_seq"))
mark_synced = (
    update(record)
    .where(record.c.record_key == p("key"), record.c.synced_seq < p("new_seq"))
    .values(synced_seq=p("new_seq"), pending_since=p("now", type_=BigInteger))
)
list_pending = (
    select(
        record.c.record_key, record.c.coordination_id, record.c.synced_seq, record.c.head_seq, record.c.pending_since
    )
    .where(record.c.head_seq > record.c.synced_seq)
    .order_by(record.c.pending_since, record.c.record_key)
    .limit(p("count"))
    .offset(ZERO)
)
find_pending = select(record.c.record_key, record.c.synced_seq, record.c.head_seq).where(
    record.c.coordination_id == p("coordination_id")
)
count_pending = select(
    func.coalesce(func.sum(record.c.head_seq - record.c.synced_seq), ZERO), func.min(record.c.pending_since)
).where(record.c.head_seq > record.c.synced_seq)

insert_thread = insert(thread)
update_thread = (
    update(thread)
    .where(thread.c.record_key == p("key"), thread.c.thread_no == p("no"))
    .values(
        status=p("new_status"),
        last_updated_at=p("new_updated"),
        entries=p("new_entries"),
        last_message=p("new_last_message"),
        ledger=p("new_ledger"),
        tree_id=p("new_tree"),
        attachments=p("new_attachments"),
        versions=p("new_versions"),
    )
)
find_thread = select(*THREAD_COLUMNS).where(
    thread.c.communication_id == p("communication_id"), thread.c.record_key == p("key")
)
list_trees = (
    select(thread.c.communication_id, thread.c.tree_id)
    .where(thread.c.record_key == p("key"))
    .order_by(thread.c.communication_id)
)
list_ledgers = select(thread.c.ledger).where(thread.c.record_key == p("key")).order_by(thread.c.communication_id)

insert_message = insert(message)
read_entries = (
    select(message.c.entry)
    .where(message.c.record_key == p("key"), message.c.thread_no == p("no"))
    .order_by(message.c.position)
)
find_message = (
    select(message.c.entry, thread.c.ledger)
    .join_from(
        message, thread, (thread.c.record_key == message.c.record_key) & (thread.c.thread_no == message.c.thread_no)
    )
    .where(message.c.message_id == p("message_id"), message.c.record_key == p("key"))
)

list_search_keys = (
    select(message.c.position, message.c.search_key)
    .where(message.c.record_key == p("key"), message.c.thread_no == p("no"))
    .order_by(message.c.position)
)

insert_participation = insert(participation)
move_participation = (
    update(participation)
    .where(
        participation.c.record_key == p("key"),
        participation.c.thread_no == p("no"),
        participation.c.participant_id == p("participant"),
    )
    .values(
        activity=p("new_activity"),
        addressed=p("new_addressed"),
        answered=p("new_answered"),
        waiting=p("new_waiting"),
        last_message=p("new_last_message"),
    )
)
delete_participations = delete(participation).where(
    participation.c.record_key == p("key"), participation.c.thread_no == p("no")
)
read_turns = select(participation.c.participant_id, participation.c.addressed, participation.c.answered).where(
    participation.c.record_key == p("key"), participation.c.thread_no == p("no")
)

insert_identifier = insert(identifier)
find_identifier = select(identifier.c.digest, identifier.c.result).where(
    identifier.c.record_key == p("key"), identifier.c.client == p("client"), identifier.c.value == p("value")
)


@lru_cache(maxsize=256)
def compiled(statement: Executable, dialect: Dialect) -> str:
    """Return a statement as text for the driver of a dialect."""
    # Inserts compile to all columns of their table; a record's key is given by the database.
    columns = None
    if statement is insert_record:
        columns = [each.name for each in record.columns if each.name != "record_key"]
    return str(statement.compile(dialect=dialect, column_keys=columns))  # type: ignore[attr-defined]
