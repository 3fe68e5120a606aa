"""Every read: look up who asks, ask the policy, log what is shown, answer. One function per use case.

Nothing else reads for a person. What may not be read is answered like what does not exist.
"""

from carethread.directory.likeness import Alike
from carethread.directory.versions import EntryPage, EntryProjection
from carethread.git.signatures import SignatureKind
from carethread.policy.drafts import CorrectionOf, Draft, DraftContent, DraftPlace, ReplyIn, ThreadAbout, Unfinished
from carethread.policy.possible import Possible, Way
from carethread.policy.preferences import Preferences
from carethread.policy.sessions import Acting, Session
from carethread.reads.addressees import Addressee, AddresseePage, Place, chosen_addressees, find_addressees
from carethread.reads.auditing import AccessPage, Reconstruction, Visible, access_log, access_page, reconstruct
from carethread.reads.banners import Banner, banners, names
from carethread.reads.conversation import Conversation, conversation
from carethread.reads.criteria import (
    Between,
    ByIdentifier,
    Clause,
    Criteria,
    Field,
    Include,
    Kind,
    MessageOrder,
    Ref,
    ThreadOrder,
    Token,
    Total,
)
from carethread.reads.directory import current_rights, entry_history, read_entry, search_entries
from carethread.reads.drafting import drafts, read_draft
from carethread.reads.finding import find_thread
from carethread.reads.following import (
    Following,
    Happening,
    HappeningKind,
    Since,
    happened_since,
    last_cursor,
    may_see,
)
from carethread.reads.found import FeedPage, MessagePage, Names, ThreadHistory, ThreadPage
from carethread.reads.lists import (
    InboxLine,
    Page,
    deserted_threads,
    inbox,
    patient_threads,
    place_of,
    unattended_groups,
    unread_count,
)
from carethread.reads.looking import Hits, Looking, search
from carethread.reads.mailing import New, News, is_still_new, mail_wish, mail_wishes, news
from carethread.reads.meaning import check_criteria
from carethread.reads.myself import Myself, OwnGroup, who_am_i
from carethread.reads.operating import log_operator, served_thread
from carethread.reads.overview import Overview, overview
from carethread.reads.past import Deed, Past, Step, thread_history
from carethread.reads.patients import LookAlike, PatientHit, PatientPage, find_patients, look_alikes
from carethread.reads.preferring import preferences
from carethread.reads.readers import GroupReader, Readers, readers_of
from carethread.reads.resources import (
    feed,
    message_resource,
    message_resource_history,
    message_resource_version,
    resolve,
    thread_resource,
    thread_resource_history,
    thread_resource_version,
)
from carethread.reads.searching import search_messages, search_threads
from carethread.reads.sessions import session
from carethread.reads.signing_in import person_of_claim
from carethread.reads.subscriptions import (
    Matches,
    SubscriptionPage,
    active_subscriptions,
    matches,
    read_subscription,
    search_subscriptions,
)
from carethread.reads.thread import (
    Correction,
    ThreadView,
    open_attachment_in_emergency,
    open_in_emergency,
    read_attachment,
    read_message,
    read_thread,
)
from carethread.reads.uploads import own_upload
from carethread.reads.written import (
    BeforeWriting,
    before_writing,
    message_written_to,
    written_message,
    written_thread,
)
from carethread.store.access import Entity, Filter
from carethread.store.clients import ClientChange, ClientVersion, CurrentRights
from carethread.store.inbox import Aside, Wanted
from carethread.store.search import Hit
from carethread.store.watch import Watch

__all__ = [
    "AccessPage",
    "Acting",
    "Addressee",
    "AddresseePage",
    "Alike",
    "Aside",
    "Banner",
    "BeforeWriting",
    "Between",
    "ByIdentifier",
    "Clause",
    "ClientChange",
    "ClientVersion",
    "Conversation",
    "Correction",
    "CorrectionOf",
    "Criteria",
    "CurrentRights",
    "Deed",
    "Draft",
    "DraftContent",
    "DraftPlace",
    "Entity",
    "EntryPage",
    "EntryProjection",
    "FeedPage",
    "Field",
    "Filter",
    "Following",
    "GroupReader",
    "Happening",
    "HappeningKind",
    "Hit",
    "Hits",
    "InboxLine",
    "Include",
    "Kind",
    "LookAlike",
    "Looking",
    "Matches",
    "MessageOrder",
    "MessagePage",
    "Myself",
    "Names",
    "New",
    "News",
    "Overview",
    "OwnGroup",
    "Page",
    "Past",
    "PatientHit",
    "PatientPage",
    "Place",
    "Possible",
    "Preferences",
    "Readers",
    "Reconstruction",
    "Ref",
    "ReplyIn",
    "Session",
    "SignatureKind",
    "Since",
    "Step",
    "SubscriptionPage",
    "ThreadAbout",
    "ThreadHistory",
    "ThreadOrder",
    "ThreadPage",
    "ThreadView",
    "Token",
    "Total",
    "Unfinished",
    "Visible",
    "Wanted",
    "Watch",
    "Way",
    "access_log",
    "access_page",
    "active_subscriptions",
    "banners",
    "before_writing",
    "check_criteria",
    "chosen_addressees",
    "conversation",
    "current_rights",
    "deserted_threads",
    "drafts",
    "entry_history",
    "feed",
    "find_addressees",
    "find_patients",
    "find_thread",
    "happened_since",
    "inbox",
    "is_still_new",
    "last_cursor",
    "log_operator",
    "look_alikes",
    "mail_wish",
    "mail_wishes",
    "matches",
    "may_see",
    "message_resource",
    "message_resource_history",
    "message_resource_version",
    "message_written_to",
    "names",
    "news",
    "open_attachment_in_emergency",
    "open_in_emergency",
    "overview",
    "own_upload",
    "patient_threads",
    "person_of_claim",
    "place_of",
    "preferences",
    "read_attachment",
    "read_draft",
    "read_entry",
    "read_message",
    "read_subscription",
    "read_thread",
    "readers_of",
    "reconstruct",
    "resolve",
    "search",
    "search_entries",
    "search_messages",
    "search_subscriptions",
    "search_threads",
    "served_thread",
    "session",
    "thread_history",
    "thread_resource",
    "thread_resource_history",
    "thread_resource_version",
    "unattended_groups",
    "unread_count",
    "who_am_i",
    "written_message",
    "written_thread",
]
