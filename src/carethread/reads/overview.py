"""Everything that a page of an inbox needs, in one snapshot and with one line of the log."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from carethread.access_log import Action
from carethread.coordination import CoordinationService
from carethread.ids import ParticipantId
from carethread.policy.actor import Caller
from carethread.policy.drafts import ThreadAbout, Unfinished
from carethread.reads.banners import Banner, known_patients
from carethread.reads.drafting import drafts_in
from carethread.reads.lists import Page, about, count_unread, described, page_in
from carethread.store.asking import Asking, Shown, answer, line
from carethread.store.inbox import Wanted


class Overview(Struct, frozen=True):
    """A list of threads with what a page says around it.

    Attributes:
        page: the list, or a part of it.
        patients: those of its threads, and those about whom somebody begins one, as far as whoever asks may know of
            them.
        unread: how many threads are unread, of each inbox that was asked about; as `unread_count` counts.
        unfinished: where they have begun to write, if that was asked for, as `drafts` returns it.
    """

    page: Page
    patients: Mapping[ParticipantId, Banner]
    unread: Mapping[ParticipantId | None, int]
    unfinished: tuple[Unfinished, ...]


def overview(
    service: CoordinationService,
    caller: Caller,
    *,
    of: ParticipantId | None = None,
    wanted: Wanted | None = None,
    patient: ParticipantId | None = None,
    after: str = "",
    count: int = 50,
    counted: Sequence[ParticipantId | None] = (),
    with_drafts: bool = False,
) -> Overview:
    """Return threads, newest activity first, with everything that a page of them needs.

    Args:
        service: the installation.
        caller: who asks.
        of: as in `inbox`.
        wanted: likewise.
        patient: likewise; they are among `patients` too, as far as whoever asks may know of them.
        after: likewise.
        count: likewise.
        counted: of which inboxes unread threads are counted: as `of`.
        with_drafts: whether to say where they have begun to write.

    Raises:
        NotMemberError: `of` or one of `counted` is a group of which they are no active member.
        InvalidValueError: `after` or `count` is not in order.
        NotAllowedError: drafts are asked for, by a system, or by somebody as auditor or steward.
    """
    choice = wanted or Wanted()
    around = [*(["unread counts"] if counted else []), *(["drafts"] if with_drafts else [])]
    asked = replace(line(caller, Action.LISTED), acting_for=of, detail=", ".join([described(choice), *around]))
    asked = replace(asked, query=about(patient))
    archive = service.archive
    custodian = archive.installation.custodian.id

    def work(asking: Asking) -> tuple[Overview, Shown]:
        page, served = page_in(asking, custodian, of, choice, patient, after, count)
        unread = {each: count_unread(asking, custodian, each) for each in counted}
        unfinished = drafts_in(asking, caller) if with_drafts else ()
        known = {each for one in page.lines for each in one.patients}
        known.update(() if patient is None else (patient,))
        known.update(each.place.patient for each in unfinished if isinstance(each.place, ThreadAbout))
        patients, entries = known_patients(asking, custodian, sorted(known))
        return Overview(page, patients, unread, unfinished), Shown(replace(asked, served=served, entries=entries))

    return answer(archive, asked, caller, work)
