"""Everything that a page of a thread needs, in one snapshot and with one line of the log."""

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, ParticipantId, parse_communication_id
from carethread.policy.actor import Caller
from carethread.policy.possible import Around, Possible, Way, possible, ways_of
from carethread.policy.standing import groups_of
from carethread.reads.banners import Banner, banners_in
from carethread.reads.readers import Readers, readers_in
from carethread.reads.thread import ThreadView, opening, readable, serving, view_of
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.inbox import waiting_on
from carethread.store.people import known
from carethread.store.threads import status_of


class Conversation(Struct, frozen=True):
    """A thread with what a page says of it.

    Attributes:
        view: the thread, with the messages that were asked for.
        entries: how many messages it has in all.
        versions: how many versions it has had: what `change_thread` and `set_aside` take as the expected one.
        patients: those of its record: whoever stands for them now first, then those merged into them.
        possible: what whoever asks may do; of messages, what of those in `view`.
        speaking: the ways in which they can speak, in the order of the ledger, themselves first. A closed thread
            has them too: `possible.post` says whether it takes messages.
        readers: who can read it.
        waiting: the groups of theirs on which it waits, and that have not set it aside since.
    """

    view: ThreadView
    entries: int
    versions: int
    patients: tuple[Banner, ...]
    possible: Possible
    speaking: tuple[Way, ...]
    readers: Readers
    waiting: frozenset[ParticipantId]


def conversation(
    service: CoordinationService,
    caller: Caller,
    thread_id: CommunicationId | str,
    *,
    opens: bool = True,
    after: int = 0,
    patient_side_opens: bool = True,
) -> Conversation:
    """Return a thread with everything that a page of it needs.

    Args:
        service: the installation.
        caller: who asks.
        thread_id: which thread.
        opens: whether it counts as opened by whoever asks, as far as it goes now.
        after: how many messages they have already: only those after them are returned.
        patient_side_opens: whether this installation lets patients and related persons open threads.

    Raises:
        UnknownThreadError: there is no such thread, or they may not read it: the answer is the same.
        InvalidValueError: `after` is less than 0.
    """
    wanted = parse_communication_id(thread_id, "thread_id")
    detail = f"entries after {after}" if after else ""
    asked = replace(line(caller, Action.SERVED), thread=wanted)
    archive = service.archive

    def work(asking: Asking) -> tuple[Conversation, Shown]:
        if after < 0:
            raise InvalidValueError("after", "is less than 0")
        connection, actor = asking.connection, asking.actor
        stored, about = readable(connection, actor, wanted, asking.at)
        view = view_of(asking, stored, about, after)
        patients, shown = banners_in(connection, about.patients)
        around = Around(
            status=status_of(connection, stored),
            installation=archive.installation.custodian.id,
            company=known(connection, (each.id for each in stored.ledger.participants), asking.at),
            patient_side_opens=patient_side_opens,
        )
        found = Conversation(
            view=view,
            entries=stored.entries,
            versions=stored.versions,
            patients=patients,
            possible=possible(actor, about, around, view.messages),
            speaking=ways_of(actor, about),
            readers=readers_in(connection, about, asking.at),
            waiting=waiting_on(connection, stored.key, stored.number).intersection(groups_of(actor, about)),
        )
        line_of_log = replace(serving(asked, stored, len(view.messages)), detail=detail, entries=shown)
        return found, Shown(line_of_log, opening(caller, stored, asking.at) if opens else ())

    return answer(archive, asked, caller, work)
