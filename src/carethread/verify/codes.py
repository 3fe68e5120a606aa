"""What the checker can find: one stable code for each kind of fault."""

from enum import StrEnum


class Code(StrEnum):
    """The code of a finding. A code may be added; none changes its meaning."""

    GIT_UNREADABLE = "git-unreadable"
    GIT_CONFIG = "git-config"
    GIT_HEAD = "git-head"
    GIT_REF = "git-ref"
    GIT_DETOUR = "git-detour"
    GIT_PACK = "git-pack"
    GIT_OBJECT_MISSING = "git-object-missing"
    GIT_OBJECT_DAMAGED = "git-object-damaged"

    HISTORY_EMPTY = "history-empty"
    HISTORY_MERGE = "history-merge"
    HISTORY_TIME = "history-time"
    HISTORY_FUTURE = "history-future"
    HISTORY_KNOWN = "history-known"

    COMMIT_MALFORMED = "commit-malformed"
    COMMIT_MESSAGE = "commit-message"
    COMMIT_SUBJECT = "commit-subject"
    COMMIT_TRAILER = "commit-trailer"
    COMMIT_SCOPE = "commit-scope"
    COMMIT_AUTHOR = "commit-author"
    COMMIT_COMMITTER = "commit-committer"
    COMMIT_TIME = "commit-time"
    COMMIT_CLIENT = "commit-client"
    COMMIT_NAME = "commit-name"

    SIGNATURE_MISSING = "signature-missing"
    SIGNATURE_INVALID = "signature-invalid"

    TREE_MALFORMED = "tree-malformed"
    TREE_PATH = "tree-path"
    TREE_MODE = "tree-mode"
    TREE_MISSING = "tree-missing"
    TREE_ATTRIBUTES = "tree-attributes"

    STATUS_MALFORMED = "status-malformed"
    STATUS_IDENTITY = "status-identity"
    STATUS_CUSTODIAN = "status-custodian"
    STATUS_TRANSITION = "status-transition"

    RECORD_NOT_WRITABLE = "record-not-writable"

    THREAD_ID = "thread-id"
    THREAD_DUPLICATE = "thread-duplicate"
    THREAD_REWRITTEN = "thread-rewritten"
    THREAD_MALFORMED = "thread-malformed"
    THREAD_ENTRIES = "thread-entries"
    THREAD_NOT_OPEN = "thread-not-open"

    MESSAGE_DUPLICATE = "message-duplicate"
    MESSAGE_TIME = "message-time"
    MESSAGE_AUTHOR = "message-author"
    MESSAGE_GROUP = "message-group"
    MESSAGE_RECIPIENTS = "message-recipients"
    MESSAGE_ANSWER = "message-answer"
    MESSAGE_CORRECTION = "message-correction"
    MESSAGE_SENT = "message-sent"

    ATTACHMENT_MISSING = "attachment-missing"
    ATTACHMENT_CONTENT = "attachment-content"
    ATTACHMENT_SIZE = "attachment-size"
    ATTACHMENT_UNREFERENCED = "attachment-unreferenced"

    LEDGER_MALFORMED = "ledger-malformed"
    LEDGER_CREATED = "ledger-created"
    LEDGER_TIME = "ledger-time"
    LEDGER_CHANGE = "ledger-change"
    LEDGER_UNTOLD = "ledger-untold"
    LEDGER_SENTENCE = "ledger-sentence"
    LEDGER_RULE = "ledger-rule"

    WORKTREE_FILE = "worktree-file"


MEANINGS: dict[Code, str] = {
    Code.GIT_UNREADABLE: "There is no readable SHA-256 repository where the record should be.",
    Code.GIT_CONFIG: "`.git/config` does not say SHA-256, or sends Git elsewhere.",
    Code.GIT_HEAD: "`HEAD` does not name the branch `main`.",
    Code.GIT_REF: "There is a branch, tag or other ref that does not belong to a record, or `main` is malformed.",
    Code.GIT_DETOUR: "Alternates, grafts, replace refs, a shallow history or a hook let Git show something else.",
    Code.GIT_PACK: "A pack or its index is damaged, truncated, or does not match its checksum.",
    Code.GIT_OBJECT_MISSING: "An object that the history needs is not there.",
    Code.GIT_OBJECT_DAMAGED: "An object cannot be read, has another id than its content, or is of the wrong kind.",
    Code.HISTORY_EMPTY: "The branch `main` has no commit.",
    Code.HISTORY_MERGE: "A commit has more than one parent.",
    Code.HISTORY_TIME: "A commit, or the instant it records, is earlier than the one before it.",
    Code.HISTORY_FUTURE: "A commit is more than a day ahead of the clock of the machine that checks.",
    Code.HISTORY_KNOWN: "A commit that the record is known to have had is not in its history.",
    Code.COMMIT_MALFORMED: "A commit object is not in canonical form, has foreign headers, or a time zone but UTC.",
    Code.COMMIT_MESSAGE: "A commit message is not in canonical form; the care location may be missing.",
    Code.COMMIT_SUBJECT: "A commit's subject says something else than what the commit does.",
    Code.COMMIT_TRAILER: "A commit's trailers name another thread or message than the commit changes.",
    Code.COMMIT_SCOPE: "A commit changes nothing that is recorded, or more than one thing.",
    Code.COMMIT_AUTHOR: "A commit's author is not who wrote the entry, or not written as people are.",
    Code.COMMIT_COMMITTER: "A commit's committer is not the custodian, or changes its domain.",
    Code.COMMIT_TIME: "A commit's times differ from each other, or from what the commit records.",
    Code.COMMIT_CLIENT: "A client's identifier was used before, or stands where none can.",
    Code.COMMIT_NAME: "A resource id was given out before, or what a commit names is not there or has no name from it.",
    Code.SIGNATURE_MISSING: "A commit is not signed, and every one must be.",
    Code.SIGNATURE_INVALID: "A commit's signature does not verify, or not with a trusted key.",
    Code.TREE_MALFORMED: "A directory object is not in canonical form.",
    Code.TREE_PATH: "There is a file or directory that has no place in a record.",
    Code.TREE_MODE: "A file is executable, a link, or a directory, where a plain file must be, or the reverse.",
    Code.TREE_MISSING: "A file or directory was deleted or renamed, or was never there.",
    Code.TREE_ATTRIBUTES: "`.gitattributes` is missing from the first commit or does not say `* -text`.",
    Code.STATUS_MALFORMED: "`COORDINATION_STATUS.yaml` is not in canonical form.",
    Code.STATUS_IDENTITY: "The coordination id or clinical id changed, or is not that of the record's directory.",
    Code.STATUS_CUSTODIAN: "The custodian changed.",
    Code.STATUS_TRANSITION: "The record's lifecycle took a step there is not, or did not begin active and open.",
    Code.RECORD_NOT_WRITABLE: "Something was recorded while the record was suspended, closed, or not open to it.",
    Code.THREAD_ID: "A thread's id is not the one in its ledger, or not of the time it was created.",
    Code.THREAD_DUPLICATE: "Two threads have the same UUID.",
    Code.THREAD_REWRITTEN: "The old bytes of `thread.md` are not the beginning of the new ones.",
    Code.THREAD_MALFORMED: "What was appended to `thread.md` is not a separator and an entry in canonical form.",
    Code.THREAD_ENTRIES: "A commit appended more than one entry.",
    Code.THREAD_NOT_OPEN: "A message was appended to a closed or archived thread.",
    Code.MESSAGE_DUPLICATE: "A message id was used before in this record.",
    Code.MESSAGE_TIME: "An entry is earlier than the one before it in its thread.",
    Code.MESSAGE_AUTHOR: "An author takes no part, speaks for nobody who does, or has another role in the ledger.",
    Code.MESSAGE_GROUP: "The name of the group written for is not the one in the ledger.",
    Code.MESSAGE_RECIPIENTS: "`To` is missing, out of place, or names somebody otherwise than the ledger.",
    Code.MESSAGE_ANSWER: "An entry answers a message that is not before it in its thread.",
    Code.MESSAGE_CORRECTION: "An entry corrects what may not be corrected from there, or goes to others.",
    Code.MESSAGE_SENT: "An entry was sent before what it answers.",
    Code.ATTACHMENT_MISSING: "An entry names an attachment that is not there under the name it must have.",
    Code.ATTACHMENT_CONTENT: "An attachment's name is not the SHA-256 of its content.",
    Code.ATTACHMENT_SIZE: "An attachment has another size than its entry says.",
    Code.ATTACHMENT_UNREFERENCED: "A commit adds an attachment that its entry does not name.",
    Code.LEDGER_MALFORMED: "`ledger.yaml` is not in canonical form, or contradicts itself.",
    Code.LEDGER_CREATED: "A new thread's ledger is not open, or its times are not those of its creation.",
    Code.LEDGER_TIME: "`last_updated_at` is not the time of the change.",
    Code.LEDGER_CHANGE: "A ledger changed in a way there is not: a name in place, a status back, an id.",
    Code.LEDGER_UNTOLD: "A ledger changed without a system entry in the same commit.",
    Code.LEDGER_SENTENCE: "A system entry says something else than what changed.",
    Code.LEDGER_RULE: "A ledger breaks a rule: policies, participants, addressing, or the thread it continues.",
    Code.WORKTREE_FILE: "A file that lies open beside `.git` is not what the last commit holds.",
}
