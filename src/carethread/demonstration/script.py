"""What happens in the region: the threads, who opens them, and what is said and done in each. Read from `threads/`.

Everybody, and every thread and message that something refers to, has a short name. Times are read by `stage.time_of`.
"""

from importlib.resources import files
from typing import Literal

import msgspec
from msgspec import Struct, field

from carethread.errors import InvalidValueError
from carethread.record.model import Sensitivity, ThreadStatus


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that goes with a message; made from lines of text, or, a picture, from a curve's points."""

    name: str
    kind: Literal["pdf", "png", "txt", "csv"]
    lines: tuple[str, ...] = ()
    points: tuple[int, ...] = ()


class Spoken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is said: `by` whom, when, `for` which group, in answer to what.

    Attributes:
        at: when.
        by: who says it.
        group: for which organisation or team; `for` in the file.
        say: the body.
        files: what goes with it.
        name: what it is called here, if something refers to it.
        answers: the message it answers.
        corrects: the message it corrects.
    """

    at: str
    by: str
    group: str | None = field(name="for", default=None)
    say: str | None = None
    files: tuple[File, ...] = ()
    name: str | None = None
    answers: str | None = None
    corrects: str | None = None

    @property
    def speaks(self) -> bool:
        """Whether there is a message."""
        return self.say is not None or bool(self.files)


class Opened(Spoken, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a thread is opened: to whom, with whom else, who may read it, and who may take part."""

    to: tuple[str, ...]
    others: tuple[str, ...] = field(name="with", default=())
    continues: str | None = None
    sensitivity: Sensitivity = Sensitivity.STANDARD
    patients: bool = True
    externals: bool = True


class Refile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message that went into the wrong record is set right; `name` is what the thread in the right one is called."""

    message: str
    patient: str
    to: tuple[str, ...]
    readers: tuple[str, ...]
    name: str


class Look(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody looks at the thread.

    Attributes:
        outcome: what becomes of it: served, unknown to them, or served in an emergency.
        purpose: why an auditor looks, or what the emergency is.
    """

    outcome: Literal["served", "unknown", "emergency"] = "served"
    purpose: str = ""


class Step(Spoken, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happens in a thread: a message, a change, setting it aside, refiling, or a look.

    Attributes:
        thread: in which thread, if not in this one.
        kind: as what somebody acts who does not act as themselves; `as` in the file.
        to: whom the message is addressed to, if not those it goes to by itself.
        status: to what the thread's status changes.
        add: who takes part from now on.
        aside: the group for which it is set aside.
        refile: what is set right.
        look: how somebody looks at it.
    """

    thread: str | None = None
    kind: Literal["auditor", "steward"] | None = field(name="as", default=None)
    to: tuple[str, ...] = ()
    status: ThreadStatus | None = None
    add: tuple[str, ...] = ()
    aside: str | None = None
    refile: Refile | None = None
    look: Look | None = None

    @property
    def changes(self) -> bool:
        """Whether the thread's ledger changes."""
        return bool(self.add or self.status)

    def __post_init__(self) -> None:
        """One thing happens.

        Raises:
            ValueError: several do, or none.
        """
        happening = (self.speaks, self.changes, self.aside, self.refile, self.look)
        if sum(map(bool, happening)) != 1:
            raise ValueError("one thing happens in a step: a message, a change, aside, refile or look")


class Play(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thread: about whom, how it is opened, what happens then, and who has opened it since."""

    name: str
    patient: str
    read_by: tuple[str, ...] = ()
    opened: Opened
    then: tuple[Step, ...] = ()


class _Script(Struct, frozen=True, forbid_unknown_fields=True):
    thread: tuple[Play, ...]


def read_plays() -> tuple[Play, ...]:
    """Return all threads.

    Raises:
        InvalidValueError: a file is not in order.
    """
    folder = files("carethread.demonstration") / "threads"
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    return tuple(play for name in found for play in read_play(name, (folder / name).read_bytes()))


def read_play(name: str, content: bytes) -> tuple[Play, ...]:
    """Return the threads of one file.

    Raises:
        InvalidValueError: it is not in order.
    """
    try:
        return msgspec.toml.decode(content, type=_Script).thread
    except msgspec.DecodeError as error:
        raise InvalidValueError(name, str(error)) from error
