"""Plays the conversations of the region, each step as who does it: through `writes` and `reads`, in order of time.

A record takes nothing that is older than its newest commit, and threads of one patient go on beside each other. So all
steps of all threads are sorted first, and then played.
"""

from collections.abc import Iterator
from importlib.resources import files

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.demonstration.files import make_file
from carethread.demonstration.region import Region
from carethread.demonstration.script import Look, Play, Refile, Spoken, Step, read_plays
from carethread.demonstration.stage import Stage, time_of, within_minute
from carethread.directory.model import Duty
from carethread.errors import InvalidValueError, UnknownThreadError
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import open_in_emergency, read_thread
from carethread.record.model import MessageContent, Policies, Progress, Visibility
from carethread.writes import (
    Opening,
    Refiling,
    ThreadChange,
    change_thread,
    open_thread,
    post_message,
    refile,
    set_aside,
)

CLIENT = "carethread demo"
# When the directory learns what: who there is, and much later who has left.
_LEARNT = (("-30 mon 07:00", "people.json"), ("-6 fri 16:30", "departures.json"))
_DUTIES = {"helen": Duty.AUDITOR, "joost": Duty.STEWARD}
# Somebody who answers has had the thread before them for this long. Others come back to it some time later.
_READS_BEFORE_MS = 40_000
_READS_LATER_MS = 37 * 60_000
_GROUPS = ("Organization", "CareTeam")
_KINDS = ("Patient", "Practitioner", "RelatedPerson", *_GROUPS)


class Scene(Struct, frozen=True, order=True):
    """One thing that happens.

    Attributes:
        at: when.
        play: in which play.
        number: as which of its steps; 0 opens the thread.
        thread: in which thread, mostly that of the play.
        reader: who only reads the thread, before that step or after all of them.
    """

    at: Instant
    play: str
    number: int
    thread: str
    reader: str = ""


def build(service: CoordinationService, stage: Stage, progress: Progress | None = None) -> Region:
    """Record the region in an installation that knows nobody yet, opened with the stage's clock and ids.

    Args:
        service: the installation.
        stage: its clock and ids.
        progress: is told how much of it is done.

    Raises:
        CarethreadError: the script does what somebody may not do, or is not in order.
    """
    plays = {each.name: each for each in read_plays()}
    scenes = timetable(plays, stage.now)
    playing = _Playing(service, plays)
    waiting = [(time_of(at, stage.now), name) for at, name in _LEARNT]
    for number, scene in enumerate(scenes):
        while waiting and waiting[0][0] <= scene.at:
            at, name = waiting.pop(0)
            stage.enter_at(at, name)
            playing.learn(name)
        stage.enter_at(scene.at, f"{scene.play} {scene.number}")
        playing.play(scene)
        if progress is not None:
            progress(number + 1, len(scenes))
    return playing.region()


def timetable(plays: dict[str, Play], now: Instant) -> list[Scene]:
    """Return everything that happens, in the order of time.

    Raises:
        InvalidValueError: a thread goes back in time, or beyond `now`.
    """
    return sorted(scene for play in plays.values() for scene in _scenes(play, now))


def _scenes(play: Play, now: Instant) -> Iterator[Scene]:
    before, last_author = None, ""
    steps: tuple[Spoken, ...] = (play.opened, *play.then)
    for number, step in enumerate(steps):
        at = Instant(time_of(step.at, now, before) + within_minute(f"{play.name} {number}"))
        if not (before or 0) < at < now:
            raise InvalidValueError(f"{play.name} {number}", f"{step.at} is before what came before, or in the future")
        thread = (step.thread if isinstance(step, Step) else None) or play.name
        reads_at = Instant(at - _READS_BEFORE_MS)
        if before is not None and step.speaks and step.by != last_author and reads_at > before:
            yield Scene(reads_at, play.name, number, thread, step.by)
        yield Scene(at, play.name, number, thread)
        before = at
        if step.speaks:
            last_author = step.by
    for number, reader in enumerate(play.read_by):
        later = Instant((before or 0) + (number + 1) * _READS_LATER_MS)
        yield Scene(later, play.name, len(steps), play.name, reader)


class _Playing:
    """What has become of the names so far, and how each step is done."""

    def __init__(self, service: CoordinationService, plays: dict[str, Play]) -> None:
        self._service = service
        self._plays = plays
        self._people: dict[str, ParticipantId] = {}
        self._groups: dict[str, ParticipantId] = {}
        self._threads: dict[str, CommunicationId] = {}
        self._messages: dict[str, MessageId] = {}

    def region(self) -> Region:
        """Return the region as far as it was played."""
        return Region(self._people, self._groups, self._threads, self._messages)

    def learn(self, name: str) -> None:
        """Load a Bundle of people into the directory; appoint those who have a duty, once they are known."""
        bundle = (files("carethread.demonstration") / name).read_bytes()
        directory = self._service.directory
        directory.load(bundle, by=CLIENT)
        for entry in msgspec.json.decode(bundle)["entry"]:
            kind, short = entry["resource"]["resourceType"], entry["resource"]["id"]
            if kind in _KINDS:
                known = self._groups if kind in _GROUPS else self._people
                known[short] = directory.find(f"{kind}/{short}").id
        for short, duty in _DUTIES.items():
            directory.appoint(f"Practitioner/{short}", duty, by=CLIENT)

    def play(self, scene: Scene) -> None:
        """Do one thing."""
        play = self._plays[scene.play]
        if scene.reader:
            read_thread(self._service, self._caller(scene.reader), self._threads[scene.thread])
        elif scene.number == 0:
            self._open(play)
        else:
            self._do(play.then[scene.number - 1], self._threads[scene.thread])

    def _do(self, step: Step, thread: CommunicationId) -> None:
        caller = self._caller(step.by, step.kind)
        if step.look is not None:
            self._look(caller, thread, step.look)
        elif step.refile is not None:
            self._refile(caller, step.refile)
        elif step.aside is not None:
            set_aside(self._service, caller, thread, self._groups[step.aside])
        elif step.changes:
            change_thread(self._service, caller, thread, ThreadChange(status=step.status, add=self._all(step.add)))
        else:
            content = replace(self._content(step), recipients=self._all(step.to))
            said = post_message(self._service, caller, thread, content)
            self._named(step, said)

    def _open(self, play: Play) -> None:
        opened = play.opened
        caller = self._caller(opened.by)
        opening = Opening(
            patient=self._people[play.patient],
            recipients=self._all(opened.to),
            on_behalf_of=None if opened.group is None else self._groups[opened.group],
            others=self._all(opened.others),
            message=self._content(opened) if opened.speaks else None,
            visibility=Visibility(opened.sensitivity),
            policies=Policies(opened.patients, opened.externals),
            continues=None if opened.continues is None else self._threads[opened.continues],
        )
        thread = open_thread(self._service, caller, opening)
        self._threads[play.name] = thread
        if opened.name is not None:
            self._named(opened, read_thread(self._service, caller, thread).messages[0].id)

    def _content(self, spoken: Spoken) -> MessageContent:
        return MessageContent(
            spoken.say or "",
            corrects=None if spoken.corrects is None else self._messages[spoken.corrects],
            in_response_to=None if spoken.answers is None else self._messages[spoken.answers],
            on_behalf_of=None if spoken.group is None else self._groups[spoken.group],
            attachments=tuple(make_file(each) for each in spoken.files),
        )

    def _refile(self, caller: Caller, wanted: Refile) -> None:
        done = refile(
            self._service,
            caller,
            Refiling(
                self._messages[wanted.message],
                self._people[wanted.patient],
                recipients=self._all(wanted.to),
                readers=self._all(wanted.readers),
            ),
        )
        self._threads[wanted.name] = done.thread

    def _look(self, caller: Caller, thread: CommunicationId, look: Look) -> None:
        if look.outcome == "emergency":
            open_in_emergency(self._service, caller, thread, look.purpose)
            return
        try:
            read_thread(self._service, replace(caller, purpose=look.purpose), thread)
        except UnknownThreadError:
            if look.outcome == "served":
                raise
        else:
            if look.outcome == "unknown":
                raise InvalidValueError("look", f"{caller.person} reads {thread}, and should not")

    def _caller(self, name: str, kind: str | None = None) -> Caller:
        return Caller(self._people[name], None if kind is None else ActorKind(kind), client=CLIENT)

    def _all(self, names: tuple[str, ...]) -> tuple[ParticipantId, ...]:
        return tuple(self._groups[each] if each in self._groups else self._people[each] for each in names)

    def _named(self, spoken: Spoken, message: MessageId) -> None:
        if spoken.name is not None:
            self._messages[spoken.name] = message
