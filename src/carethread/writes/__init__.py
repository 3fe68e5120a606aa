"""Every write for a person: look up who acts, ask the policy under the record's lock, record, log. One per use case.

What is refused is logged too. Whoever may not read a thread gets the answer of one that does not exist.
"""

from carethread.directory.versions import WrittenEntry
from carethread.writes.changing import ThreadChange, change_thread, set_aside
from carethread.writes.directory import write_entry
from carethread.writes.drafting import discard_draft, keep_draft
from carethread.writes.mailing import (
    confirm_mail,
    end_mail,
    end_mail_to,
    keep_mail_wish,
    note_asked,
    note_mailed,
    note_not_mailed,
    note_passed,
    note_refused,
)
from carethread.writes.naming import name_message
from carethread.writes.opening import Opening, open_thread
from carethread.writes.posting import post_message, post_to
from carethread.writes.preferring import keep_preferences
from carethread.writes.refiling import Refiled, Refiling, refile
from carethread.writes.sessions import (
    begin_session,
    change_session,
    end_session,
    end_sessions_of,
    rotate_session,
)
from carethread.writes.subscriptions import (
    change_subscription,
    end_subscription,
    note_failed,
    note_told,
    subscribe,
)
from carethread.writes.together import Unless, create_unless, together
from carethread.writes.trying import log_refused, log_tried, tried
from carethread.writes.uploading import keep_upload

__all__ = [
    "Opening",
    "Refiled",
    "Refiling",
    "ThreadChange",
    "Unless",
    "WrittenEntry",
    "begin_session",
    "change_session",
    "change_subscription",
    "change_thread",
    "confirm_mail",
    "create_unless",
    "discard_draft",
    "end_mail",
    "end_mail_to",
    "end_session",
    "end_sessions_of",
    "end_subscription",
    "keep_draft",
    "keep_mail_wish",
    "keep_preferences",
    "keep_upload",
    "log_refused",
    "log_tried",
    "name_message",
    "note_asked",
    "note_failed",
    "note_mailed",
    "note_not_mailed",
    "note_passed",
    "note_refused",
    "note_told",
    "open_thread",
    "post_message",
    "post_to",
    "refile",
    "rotate_session",
    "set_aside",
    "subscribe",
    "together",
    "tried",
    "write_entry",
]
