"""Every read: look up who asks, ask the policy, log what is shown, answer. One function per use case.

Nothing else reads for a person. What may not be read is answered like what does not exist.
"""

from carethread.reads.auditing import Reconstruction, Visible, access_log, reconstruct
from carethread.reads.finding import find_thread
from carethread.reads.lists import InboxLine, Page, inbox, patient_threads, unattended_groups, unread_count
from carethread.reads.looking import Hits, Looking, search
from carethread.reads.operating import log_operator, served_thread
from carethread.reads.thread import (
    Correction,
    ThreadView,
    open_in_emergency,
    read_attachment,
    read_message,
    read_thread,
)
from carethread.reads.uploads import own_upload
from carethread.store.access import Filter
from carethread.store.inbox import Aside, Wanted
from carethread.store.search import Hit

__all__ = [
    "Aside",
    "Correction",
    "Filter",
    "Hit",
    "Hits",
    "InboxLine",
    "Looking",
    "Page",
    "Reconstruction",
    "ThreadView",
    "Visible",
    "Wanted",
    "access_log",
    "find_thread",
    "inbox",
    "log_operator",
    "open_in_emergency",
    "own_upload",
    "patient_threads",
    "read_attachment",
    "read_message",
    "read_thread",
    "reconstruct",
    "search",
    "served_thread",
    "unattended_groups",
    "unread_count",
]
