"""Every read: look up who asks, ask the policy, log what is shown, answer. One function per use case.

Nothing else reads for a person. What may not be read is answered like what does not exist.
"""

from carethread.reads.auditing import Reconstruction, Visible, access_log, reconstruct
from carethread.reads.lists import InboxLine, Page, inbox, patient_threads, unattended_groups, unread_count
from carethread.reads.looking import Hits, Looking, search
from carethread.reads.thread import ThreadView, open_in_emergency, read_attachment, read_message, read_thread

__all__ = [
    "Hits",
    "InboxLine",
    "Looking",
    "Page",
    "Reconstruction",
    "ThreadView",
    "Visible",
    "access_log",
    "inbox",
    "open_in_emergency",
    "patient_threads",
    "read_attachment",
    "read_message",
    "read_thread",
    "reconstruct",
    "search",
    "unattended_groups",
    "unread_count",
]
