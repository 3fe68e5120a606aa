"""What somebody may do in a thread now: every answer is that of the check which will be asked again when they do it.

Where a check is about somebody who is to be added, an invented colleague, who is a member of every group that takes
part and of every group of the actor's, or an invented stranger, who is a member of nothing, stands for them.
"""

from msgspec import Struct

from carethread.ids import MessageId, ParticipantId
from carethread.record.model import Policies, Visibility


class Possible(Struct, frozen=True, kw_only=True):
    """What is possible now. What is said of a message is said of those that were asked about.

    Attributes:
        post: write a message, in at least one of the ways of speaking.
        correct: which messages they may correct.
        add: add a colleague.
        add_others: add somebody who is no colleague of theirs.
        remove: which participants they may remove.
        visibilities: to which visibilities they may change it; the one it has is not among them.
        policies: to which policies they may change it; likewise.
        close: close it.
        archive: archive it.
        continues: open a thread that takes this one up.
        set_aside: for which of their groups they may set it aside.
        refile: which messages they may file again in another patient's record.
    """

    post: bool = False
    correct: frozenset[MessageId] = frozenset()
    add: bool = False
    add_others: bool = False
    remove: frozenset[ParticipantId] = frozenset()
    visibilities: frozenset[Visibility] = frozenset()
    policies: frozenset[Policies] = frozenset()
    close: bool = False
    archive: bool = False
    continues: bool = False
    set_aside: frozenset[ParticipantId] = frozenset()
    refile: frozenset[MessageId] = frozenset()


class Way(Struct, frozen=True):
    """A way in which somebody can speak in a thread.

    Attributes:
        on_behalf_of: the group they write for; `None` for themselves.
        to: whom a message goes to that names nobody: empty in a plain thread, where it goes to everyone; `None` if
            nothing tells, so that it must be said.
        is_default: this is for whom they write who do not say. Of several ways, none may be.
    """

    on_behalf_of: ParticipantId | None
    to: tuple[ParticipantId, ...] | None
    is_default: bool
