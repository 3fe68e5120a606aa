"""The tables, once for SQLite and PostgreSQL.

Integer keys: a record's coordination id stands once, in `record`; every record-scoped table leads with `record_key`.
Threads are numbered within their record, entries within their thread, commits within their record: all from 1, in
the order of the repository's history, so that a rebuilt index equals one that followed along.

Instants are milliseconds UTC. UUIDs are 16 bytes, Git object ids 32.

Long because a schema is read in one place.

In SQLite, only tables of short rows go without row ids: a long row in the middle of such a tree splits pages and
spills over, and every page that is touched is written to the log. Measured, that was three times the bytes a message.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

# SQLite gives out keys for an INTEGER PRIMARY KEY only under that very name.
_KEY = BigInteger().with_variant(Integer, "sqlite")
# Ordered and searched by code point on both, so that ranges of it find prefixes.
_ORDERED = Text().with_variant(Text(collation="C"), "postgresql")

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
    Column("last_message", BigInteger, nullable=False),  # the position of the last entry that is no system entry
    Column("ledger", LargeBinary, nullable=False),  # ledger.yaml
    Column("tree_id", LargeBinary(32), nullable=False),
    Column("attachments", LargeBinary, nullable=False),  # the raw tree of attachments/, empty without any
    Column("continues", Text),  # the closed thread of this record that it takes up
    Column("versions", BigInteger, nullable=False),  # of its ledger: one at the beginning, one with each later entry
    Column("resource_id", Text),  # what its client called it first
    Column("identifiers", LargeBinary),  # JSON of model.BusinessIdentifier, each once, in the order of the record
)
Index(
    "thread_continues",
    thread.c.continues,
    sqlite_where=thread.c.continues.is_not(None),
    postgresql_where=thread.c.continues.is_not(None),
)

# For whoever reads everything. The same order as that of participations.
Index("thread_begun", thread.c.created_at, thread.c.communication_id)

message = Table(
    "message",
    metadata,
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("thread_no", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", LargeBinary(16), nullable=False, unique=True),
    # Where it stands among all messages: when it was sent in the high bits, so that a search walks them newest first.
    Column("search_key", BigInteger, nullable=False, unique=True),
    Column("corrects", LargeBinary(16)),  # the message it corrects, in this thread or in another of the record
    Column("recorded_at", BigInteger, nullable=False),  # its timestamp
    Column("seq", BigInteger, nullable=False),  # the commit that recorded it
    Column("entry", LargeBinary, nullable=False),  # its exact bytes in thread.md
    Column("resource_id", Text),  # as of a thread
    Column("identifiers", LargeBinary),
)

# In the order in which messages were recorded, with what finds them in the full text.
Index(
    "message_recorded",
    message.c.recorded_at,
    message.c.record_key,
    message.c.seq,
    message.c.position,
    message.c.search_key,
)
Index(
    "message_corrects",
    message.c.corrects,
    message.c.record_key,
    sqlite_where=message.c.corrects.is_not(None),
    postgresql_where=message.c.corrects.is_not(None),
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

# What clients chose to call threads and messages: each unique among its kind. Position 0 is the thread itself.
resource_name = Table(
    "resource_name",
    metadata,
    Column("kind", Text, primary_key=True),  # names.Kind
    Column("resource_id", Text, primary_key=True),
    Column("record_key", BigInteger, nullable=False),
    Column("thread_no", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("resource_name_record", resource_name.c.record_key)
# What they are called elsewhere: found by value, with or without its system.
resource_identifier = Table(
    "resource_identifier",
    metadata,
    Column("value", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("thread_no", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
Index("resource_identifier_record", resource_identifier.c.record_key)

# ── Who finds what: derived from the record like the tables above ─────────────────────────────────────────────────────

# One row per thread and participant. In the order in which an inbox lists them; moved with every entry.
participation = Table(
    "participation",
    metadata,
    Column("record_key", BigInteger, primary_key=True, autoincrement=False),
    Column("thread_no", BigInteger, primary_key=True, autoincrement=False),
    Column("participant_id", LargeBinary(16), primary_key=True),
    Column("reach", BigInteger, nullable=False),  # policy.Reach: who may read through this participant
    Column("archived", BigInteger, nullable=False),  # 0 or 1
    Column("activity", BigInteger, nullable=False),  # last_updated_at
    Column("created_at", BigInteger, nullable=False),
    Column("thread_uuid", LargeBinary(16), nullable=False),  # the UUID of the communication id; the same in any index
    Column("addressed", BigInteger, nullable=False),  # the position of the last message addressed to it, or 0
    Column("answered", BigInteger, nullable=False),  # the position of the last message from its side, or 0
    Column("waiting", BigInteger, nullable=False),  # 1: open, and addressed comes after answered
    Column("last_message", BigInteger, nullable=False),  # as in thread: so that a list is read from an index alone
    sqlite_with_rowid=False,
)
Index(
    "participation_shelf",
    participation.c.participant_id,
    participation.c.archived,
    participation.c.reach,
    participation.c.activity,
    participation.c.thread_uuid,
    participation.c.last_message,
)
# In the order in which threads began, which never changes: pages of it stand still.
Index(
    "participation_begun",
    participation.c.participant_id,
    participation.c.reach,
    participation.c.created_at,
    participation.c.thread_uuid,
)
Index(
    "participation_waiting",
    participation.c.participant_id,
    participation.c.reach,
    participation.c.activity,
    participation.c.thread_uuid,
    participation.c.addressed,
    participation.c.last_message,
    sqlite_where=participation.c.waiting == 1,
    postgresql_where=participation.c.waiting == 1,
)

# The words of messages, with the tokens of who may find them, are in each database's own kind of table, called
# `message_text`: see `text_index`.

# ── The directory: every version is kept; what is derived from the newest ones is rewritten with each ─────────────────

directory_entry = Table(
    "directory_entry",
    metadata,
    Column("entry_id", LargeBinary(16), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("fhir_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("active", BigInteger, nullable=False),  # 0 or 1
    Column("name", _ORDERED, nullable=False),  # empty where the kind has none
    Column("content", LargeBinary, nullable=False),  # JSON of directory.model.Entry
    UniqueConstraint("kind", "fhir_id", name="directory_entry_fhir_id"),
)
directory_version = Table(
    "directory_version",
    metadata,
    Column("entry_id", LargeBinary(16), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("recorded_by", Text, nullable=False),  # who: a person's or client's id, or the operator
    Column("content", LargeBinary, nullable=False),
)
directory_identifier = Table(
    "directory_identifier",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("entry_id", LargeBinary(16), nullable=False),
    sqlite_with_rowid=False,
)
Index("directory_identifier_entry", directory_identifier.c.entry_id)
# Some ask for a number and do not say whose numbers they are.
Index(
    "directory_identifier_value",
    directory_identifier.c.kind,
    directory_identifier.c.value,
    directory_identifier.c.system,
    directory_identifier.c.entry_id,
)
# Which entry names which, or did in an older version: a role its practitioner and organization, a team its members, a
# related person the patient. So that past versions are found too, rows stay; what an entry says itself decides.
directory_edge = Table(
    "directory_edge",
    metadata,
    Column("target_id", LargeBinary(16), primary_key=True),  # who is named
    Column("source_id", LargeBinary(16), primary_key=True),  # the entry that names them
    Column("relation", Text, primary_key=True),
    sqlite_with_rowid=False,
)
Index("directory_edge_source", directory_edge.c.source_id)
directory_word = Table(
    "directory_word",
    metadata,
    Column("word", _ORDERED, primary_key=True),  # of a name, without case and accents
    Column("entry_id", LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)
Index("directory_word_entry", directory_word.c.entry_id)
# Patients by clinical id: unique, so that a record has one patient. One row counts the changes of the whole directory.
directory_patient = Table(
    "directory_patient",
    metadata,
    Column("clinical_id", LargeBinary(16), primary_key=True),
    Column("entry_id", LargeBinary(16), nullable=False, unique=True),
    sqlite_with_rowid=False,
)
# Patients by date of birth, as it is written: a day, or less precise.
directory_born = Table(
    "directory_born",
    metadata,
    Column("born", _ORDERED, primary_key=True),
    Column("entry_id", LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)
Index("directory_born_entry", directory_born.c.entry_id)
directory_state = Table(
    "directory_state",
    metadata,
    Column("one", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
)
appointment = Table(
    "appointment",
    metadata,
    Column("person_id", LargeBinary(16), primary_key=True),
    Column("duty", Text, primary_key=True),  # auditor or steward
    Column("appointed_at", BigInteger, primary_key=True, autoincrement=False),
    Column("ended_at", BigInteger),
    Column("appointed_by", Text, nullable=False),
    Column("ended_by", Text),
)

# ── What changed, in the order of becoming durable ────────────────────────────────────────────────────────────────────

# One row for each commit that makes a version of a thread. Ids, not keys: cursors into it outlive an index. See
# `changes`, which alone gives out the first two numbers and reads by them.
change = Table(
    "change",
    metadata,
    Column("txid", BigInteger, primary_key=True, autoincrement=False),  # which transaction wrote it
    Column("change_no", BigInteger, primary_key=True, autoincrement=False),  # tells apart what one transaction wrote
    Column("at", BigInteger, nullable=False),
    Column("coordination_id", LargeBinary(16), nullable=False),
    Column("seq", BigInteger, nullable=False),  # the commit, by its number in the record
    Column("communication_id", Text, nullable=False),
    Column("thread_version", BigInteger, nullable=False),
    Column("message_id", LargeBinary(16)),  # the entry it added: none where a thread began without a message
    Column("corrects", LargeBinary(16)),  # what that entry corrects
    sqlite_with_rowid=False,
)
# One row: where the numbers of transactions begin in this database.
change_state = Table(
    "change_state",
    metadata,
    Column("one", BigInteger, primary_key=True, autoincrement=False),
    Column("base", BigInteger, nullable=False),
)
# ── Programs that may ask ─────────────────────────────────────────────────────────────────────────────────────────────

# One row counts the changes of both; each row says at which it was changed, so that a cache reads what is new.
client_state = Table(
    "client_state",
    metadata,
    Column("one", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
)
client = Table(
    "client",
    metadata,
    Column("client_id", Text, primary_key=True),  # what it is called in tokens
    Column("participant_id", LargeBinary(16), nullable=False, unique=True),
    Column("version", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # JSON of policy.clients.RegisteredClient
)
Index("client_generation", client.c.generation)
client_version = Table(
    "client_version",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
revoked_token = Table(
    "revoked_token",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),  # from then on nobody would take it anyway
    Column("generation", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=False),
    Column("revoked_by", Text, nullable=False),
)
Index("revoked_token_generation", revoked_token.c.generation)
Index("revoked_token_expires", revoked_token.c.expires_at)

# ── The access log, and what persons leave outside the record ─────────────────────────────────────────────────────────

# Ids, not keys: the log outlives an index and goes with a backup.
access_log = Table(
    "access_log",
    metadata,
    Column("entry_no", _KEY, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", LargeBinary(16), nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("acting_for", LargeBinary(16)),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("coordination_id", LargeBinary(16)),
    Column("communication_id", Text),
    Column("message_id", LargeBinary(16)),
    Column("version", LargeBinary, nullable=False),  # the record's commit, or empty
    Column("served", LargeBinary, nullable=False),  # JSON of access_log.Served, or empty
    Column("entries", LargeBinary, nullable=False),  # JSON of access_log.ServedEntry, or empty
    Column("query", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("access_log_at", access_log.c.at)
Index("access_log_actor", access_log.c.actor_id, access_log.c.entry_no)
Index("access_log_record", access_log.c.coordination_id, access_log.c.entry_no)

# How far a person had a thread before them when they last opened it.
opened_mark = Table(
    "opened_mark",
    metadata,
    Column("person_id", LargeBinary(16), primary_key=True),
    Column("thread_uuid", LargeBinary(16), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
# Up to which message a group has set a thread aside, and who did.
set_aside = Table(
    "set_aside",
    metadata,
    Column("group_id", LargeBinary(16), primary_key=True),
    Column("thread_uuid", LargeBinary(16), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("person_id", LargeBinary(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("set_aside_thread", set_aside.c.thread_uuid)
# What a person chose. Each further column is a field of policy.preferences.Preferences of the same name.
preference = Table(
    "preference",
    metadata,
    Column("person_id", LargeBinary(16), primary_key=True),
    Column("language", Text, nullable=False),
    Column("zone", Text, nullable=False),
    sqlite_with_rowid=False,
)

# ── Who wants to be told of what ──────────────────────────────────────────────────────────────────────────────────────

subscription = Table(
    "subscription",
    metadata,
    Column("subscription_id", LargeBinary(16), primary_key=True),
    Column("owner", LargeBinary(32), nullable=False),  # a person and a system client; zeros where there is none
    Column("client", Text, nullable=False),  # the program through which it was made, as tokens call it
    Column("criteria", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("headers", LargeBinary, nullable=False),  # JSON of policy.subscriptions.Headers: secrets
    Column("reason", Text, nullable=False),
    Column("ends_at", BigInteger),
    Column("status", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("place", Text, nullable=False),  # a cursor into `change`: its receiver was told of everything before
    Column("failing_since", BigInteger),
)
Index("subscription_owner", subscription.c.owner, subscription.c.subscription_id)
Index("subscription_status", subscription.c.status, subscription.c.subscription_id)
# Who wants an e-mail that says there is something new.
mailing = Table(
    "mailing",
    metadata,
    Column("person_id", LargeBinary(16), primary_key=True),
    Column("mailing_id", LargeBinary(16), nullable=False),  # of this address with this person
    Column("status", Text, nullable=False),
    Column("wish", LargeBinary, nullable=False),  # JSON of policy.mailing.MailWish: an address
    Column("asked_at", BigInteger),
    Column("place", Text, nullable=False),  # a cursor into `change`: they were told of everything before
    Column("mailed_at", BigInteger),
    Column("failing_since", BigInteger),
    Column("asked_times", BigInteger, nullable=False),
    Column("asked_since", BigInteger, nullable=False),
)

# ── What is kept for a while ──────────────────────────────────────────────────────────────────────────────────────────

# Files that wait for their message. In no backup: they are gone after a day.
upload = Table(
    "upload",
    metadata,
    Column("upload_id", LargeBinary(16), primary_key=True),
    Column("owner_id", LargeBinary(16), nullable=False),  # a person or a system client
    Column("media_type", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
Index("upload_owner", upload.c.owner_id, upload.c.at, upload.c.size)
Index("upload_at", upload.c.at)
# Who has signed in to the web application. In no backup: whoever restores one signs in again.
web_session = Table(
    "web_session",
    metadata,
    Column("session_id", LargeBinary(16), primary_key=True),
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of what the browser has
    Column("person_id", LargeBinary(16), nullable=False),
    Column("acting_for", LargeBinary(16)),  # an organisation or team
    Column("kind", Text),  # auditor or steward
    Column("purpose", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
    Column("idle", BigInteger, nullable=False),  # how long it may be left unused
    Column("ends_at", BigInteger, nullable=False),  # in any case
    Column("over_at", BigInteger, nullable=False),  # if it is not used any more
)
Index("web_session_person", web_session.c.person_id)
Index("web_session_over", web_session.c.over_at)
# What a person has begun to write, by where it belongs. Goes with a backup.
draft = Table(
    "draft",
    metadata,
    Column("person_id", LargeBinary(16), primary_key=True),
    Column("place", Text, primary_key=True),  # see `drafts`
    Column("version", BigInteger, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # JSON of policy.drafts.DraftContent
)
Index("draft_kept", draft.c.kept_at)
# PostgreSQL's backends that listen for what is recorded.
listener = Table("listener", metadata, Column("pid", BigInteger, primary_key=True, autoincrement=False))
