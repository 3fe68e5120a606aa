"""The tables, once for SQLite and PostgreSQL.

Integer keys: a record's coordination id stands once, in `record`; every record-scoped table leads with `record_key`.
Threads are numbered within their record, entries within their thread, commits within their record: all from 1, in
the order of the repository's history, so that a rebuilt index equals one that followed along.

Instants are milliseconds UTC. UUIDs are 16 bytes, Git object ids 32.

In SQLite, only tables of short rows go without row ids: a long row in the middle of such a tree splits pages and
spills over, and every page that is touched is written to the log. Measured, that was three times the bytes a message.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

# SQLite gives out keys for an INTEGER PRIMARY KEY only under that very name.
_KEY = BigInteger().with_variant(Integer, "sqlite")

record = Table(
    "record",
    metadata,
    Column("record_key", _KEY, primary_key=True),
    Column("coordination_id", LargeBinary(16), nullable=False, unique=True),
    Column("clinical_id", LargeBinary(16), nullable=False),
    Column("custodian_id", LargeBinary(16), nullable=False),
    Column("status", LargeBinary, nullable=False),  # COORDINATION_STATUS.yaml
    Column("head_seq", BigInteger, nullable=False),  # commits acknowledged
    Column("head_commit", LargeBinary(32), nullable=False),
    Column("last_instant", BigInteger, nullable=False),
    Column("synced_seq", BigInteger, nullable=False),  # commits in the repository on disk
    Column("pending_since", BigInteger, nullable=False),  # when the oldest commit not yet there was acknowledged
    # One record a patient, whatever copies of other installations' records are kept here.
    UniqueConstraint("clinical_id", "custodian_id", name="record_clinical_id"),
)
# What is still to be materialised, oldest first. Partial, so that it is as small as the backlog.
Index(
    "record_pending",
    record.c.pending_since,
    sqlite_where=record.c.head_seq > record.c.synced_seq,
    postgresql_where=record.c.head_seq > record.c.synced_seq,
)

journal = Table(
    "journal",
    metadata,
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("commit_id", LargeBinary(32), nullable=False),
    Column("commit_object", LargeBinary, nullable=False),
    Column("changes", LargeBinary, nullable=False),  # MessagePack of git.repository.FileChange
)

thread = Table(
    "thread",
    metadata,
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("thread_no", BigInteger, primary_key=True, autoincrement=False),
    Column("communication_id", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("ledger", LargeBinary, nullable=False),  # ledger.yaml
    Column("tree_id", LargeBinary(32), nullable=False),
    Column("attachments", LargeBinary, nullable=False),  # the raw tree of attachments/, empty without any
)

message = Table(
    "message",
    metadata,
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("thread_no", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", LargeBinary(16), nullable=False, unique=True),
    Column("seq", BigInteger, nullable=False),  # the commit that recorded it
    Column("entry", LargeBinary, nullable=False),  # its exact bytes in thread.md
)

# What clients call their messages and threads, so that a retry finds what it made before.
identifier = Table(
    "identifier",
    metadata,
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("client", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),  # of what was asked
    Column("result", Text, nullable=False),  # the communication or message id it made
    sqlite_with_rowid=False,
)
