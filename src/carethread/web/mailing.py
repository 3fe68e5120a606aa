"""Telling those who asked for it by e-mail that there is something new: at least once, and nothing of what.

One process of an installation does it at a time. As with subscriptions nothing is queued: each person has a place in
the feed of what was recorded, which moves once they were told of everything before it. What they are to be told of, as
often as they want, is found anew from there by whoever sends next. Whether they may still read it, and have not in the
meantime, is asked right before a letter goes.
"""

import logging
import os
import random
import select
import threading
from collections.abc import Callable
from contextlib import ExitStack
from email.message import EmailMessage

from msgspec.structs import replace

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.ids import CommunicationId, ParticipantId
from carethread.policy.mailing import Mailing, MailStatus
from carethread.reads import New, Watch, is_still_new, mail_wishes, news
from carethread.web.letters import Letters
from carethread.web.mail_server import (
    AddressRefusedError,
    Connection,
    LetterRefusedError,
    MailError,
    MailServer,
    connected,
)
from carethread.web.mail_times import due_at
from carethread.web.words import Words
from carethread.writes import note_asked, note_mailed, note_not_mailed, note_passed, note_refused

_log = logging.getLogger(__name__)

# From here on a letter that cannot be sent is given up; the next one is tried anew.
GIVE_UP_MS = 24 * 60 * 60 * 1000
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15 * 60.0
# How long to wait before trying again, where a disk, a database or this program fails.
_TROUBLE_PAUSE_S = 5.0
# What cannot be looked at before another transaction ends is looked for again after this.
_HELD_BACK_S = 0.5
# What comes close together is looked at together. A letter takes longer than that to arrive.
_GATHER_S = 1.0
# So many changes are looked at before it is kept that they were nothing to tell; a restart begins after them.
_KEPT_AFTER = 1_000

# Whoever has read all of so many threads has been at their inbox.
_MOST_THREADS = 1_000


class _Waiting:
    """Somebody who is to be told, and by whose clock."""

    def __init__(self, of: Mailing, words: Words) -> None:
        self.of = of
        self.words = words
        self.place = of.place
        self.threads: set[CommunicationId] = set()
        self.first: Instant | None = None
        self.failures = 0
        self.not_before = Instant(0)

    def take(self, several: tuple[New, ...]) -> None:
        """Take in what is new."""
        self.first = several[0].at if self.first is None else self.first
        self.threads.update(each.thread for each in several[: _MOST_THREADS - len(self.threads)])

    def told(self) -> None:
        """Have nothing before them."""
        self.threads.clear()
        self.first = None
        self.failures = 0

    @property
    def due(self) -> Instant | None:
        """When a letter is to go."""
        if self.of.status is MailStatus.ASKED:
            return self.not_before
        if self.first is None:
            return None
        return max(self.not_before, due_at(self.of.wish, self.words.zone, self.first, self.of.mailed_at))


class Mailer:
    """Sends the letters of an installation, when it is this process's turn: from `start` to `stop`."""

    def __init__(
        self,
        service: CoordinationService,
        server: MailServer,
        letters: Letters,
        *,
        zone: str,
        languages: tuple[str, ...],
        pause: Callable[[int], float] | None = None,
    ) -> None:
        """Take what it needs; `start` begins.

        Args:
            service: the installation, which must stay open until `stop`.
            server: where letters are handed over.
            letters: what they say.
            zone: by whose clock whoever has not chosen one is told.
            languages: those that are offered, the first to whoever has not chosen one.
            pause: how many seconds to wait after so many failures in a row.
        """
        self._service = service
        self._server = server
        self._letters = letters
        self._zone = zone
        self._languages = languages
        self._pause = pause or _pause
        self._waiting: dict[ParticipantId, _Waiting] = {}
        self._looked_at = 0
        self._failures = 0
        self._not_before = Instant(0)
        self._over, self._ends = os.pipe()
        self._thread = threading.Thread(target=self._run, name="carethread-mailing", daemon=True)

    def start(self) -> None:
        """Begin, as soon as no other process of the installation does it."""
        self._thread.start()

    def stop(self) -> None:
        """Let the letter that is being sent go, then stop, and let another process have its turn."""
        os.write(self._ends, b".")
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._over)
        os.close(self._ends)

    # ── Whose turn it is ──────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while not self._is_over(0):
            try:
                self._have_watch()
            except Exception as error:  # noqa: BLE001 - it is said, and tried again: nobody else would
                _report("no e-mail is sent for now", error)
                self._is_over(_TROUBLE_PAUSE_S)

    def _is_over(self, seconds: float) -> bool:
        return bool(select.select([self._over], [], [], seconds)[0])

    def _have_watch(self) -> None:
        watch = self._service.archive.watch("mailing")
        try:
            if watch.take(self._over):
                _log.info("this process sends the e-mail")
                self._serve(watch)
        finally:
            watch.leave()

    def _serve(self, watch: Watch) -> None:
        """Serve until it is over or the watch is lost."""
        self._waiting, self._looked_at = {}, 0
        listener = self._service.archive.waking.listen()
        try:
            seconds: float | None = 0.0
            while watch.is_kept():
                lost = watch.fileno()
                watched = [self._over, listener.fileno(), *([] if lost is None else [lost])]
                ready, _, _ = select.select(watched, [], [], seconds)
                if self._over in ready:
                    return
                if listener.fileno() in ready:
                    if self._is_over(_GATHER_S):
                        return
                    listener.wait(0)
                seconds = self._round()
        finally:
            listener.close()

    # ── One round ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _round(self) -> float | None:
        """Find out what there is to tell, and send what is due; return after how many seconds to look again."""
        self._keep_up()
        is_held_back = self._look()
        now = self._service.archive.clock()
        if now >= self._not_before:
            self._send_due(now)
        self._pass_over()
        now = self._service.archive.clock()
        dues = [max(due, self._not_before) for each in self._waiting.values() if (due := each.due) is not None]
        pauses = [max(0.0, (each - now) / 1000) for each in dues]
        return min([*pauses, *([_HELD_BACK_S] if is_held_back else [])], default=None)

    def _keep_up(self) -> None:
        """Wait for whom something is to be sent, and for nobody else."""
        wanted: dict[ParticipantId, _Waiting] = {}
        for each in mail_wishes(self._service):
            if each.status is MailStatus.ASKED and each.asked_at is not None:
                continue
            known = self._waiting.get(each.person)
            if known is None or (known.of.id, known.of.status) != (each.id, each.status):
                known = _Waiting(each, self._words(each))
            known.of, known.words = each, self._words(each)
            wanted[each.person] = known
        self._waiting = wanted

    def _words(self, of: Mailing) -> Words:
        language, zone = of.preferences.language, of.preferences.zone
        language = language if language in self._languages else self._languages[0]
        try:
            return Words(language, zone or self._zone)
        except (ValueError, KeyError):
            # This machine knows no such zone any more.
            return Words(language, self._zone)

    def _look(self) -> bool:
        """Find out for whom something is new; say whether there is more, which cannot be looked at yet."""
        places = {person: each.place for person, each in self._waiting.items() if each.of.status is MailStatus.ON}
        while places and not self._is_over(0):
            found = news(self._service, places)
            for person, several in found.of.items():
                self._waiting[person].take(several)
            places = dict(found.places)
            for person, place in places.items():
                self._waiting[person].place = place
            self._looked_at += found.looked_at
            if found.is_end:
                return found.is_held_back
        return False

    def _pass_over(self) -> None:
        """Keep where those stand who are to be told nothing, from time to time."""
        if self._looked_at < _KEPT_AFTER:
            return
        passed = {each.of: each.place for each in self._waiting.values() if each.first is None and each.place}
        note_passed(self._service, passed)
        self._looked_at = 0

    # ── Sending ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _send_due(self, now: Instant) -> None:
        due = [each for each in self._waiting.values() if (at := each.due) is not None and at <= now]
        with ExitStack() as stack:
            connection: Connection | None = None
            for number, each in enumerate(due):
                if self._is_over(0):
                    return
                letter = self._letter(each)
                if letter is None:
                    self._passed(each)
                    continue
                try:
                    connection = connection or stack.enter_context(connected(self._server))
                    connection.send(letter, each.of.wish.address)
                except AddressRefusedError:
                    self._refused(each)
                except LetterRefusedError as error:
                    self._failed(each, error)
                except MailError as error:
                    self._failures += 1
                    self._not_before = self._after(self._failures)
                    _log.warning("no e-mail can be sent for now: %s", error)
                    self._note_failing(due[number:])
                    return
                else:
                    self._failures = 0
                    self._sent(each)

    def _letter(self, to: _Waiting) -> EmailMessage | None:
        """Return what is to be sent; nothing, if they have seen it all meanwhile, or may not any more."""
        at = self._service.archive.clock()
        if to.of.status is MailStatus.ASKED:
            return self._letters.confirmation(to.of, to.words, at)
        if is_still_new(self._service, to.of.person, to.threads):
            return self._letters.something_new(to.of, to.words, at)
        return None

    def _sent(self, to: _Waiting) -> None:
        if to.of.status is MailStatus.ASKED:
            note_asked(self._service, to.of)
            del self._waiting[to.of.person]
            return
        note_mailed(self._service, to.of, to.place)
        to.of = replace(to.of, mailed_at=self._service.archive.clock(), failing_since=None)
        to.told()

    def _passed(self, to: _Waiting) -> None:
        note_passed(self._service, {to.of: to.place})
        to.of = replace(to.of, failing_since=None)
        to.told()

    def _refused(self, to: _Waiting) -> None:
        _log.warning("the address of %s was refused: nothing more is sent there", to.of.person)
        note_refused(self._service, to.of)
        del self._waiting[to.of.person]

    def _failed(self, to: _Waiting, error: MailError) -> None:
        to.failures += 1
        to.not_before = self._after(to.failures)
        _log.warning("a letter for %s has to wait: %s", to.of.person, error)
        self._note_failing([to])

    def _after(self, failures: int) -> Instant:
        return Instant(self._service.archive.clock() + int(self._pause(failures) * 1000))

    def _note_failing(self, several: list[_Waiting]) -> None:
        """Keep since when letters wait, and give up those that have waited for too long."""
        now = self._service.archive.clock()
        new = [each for each in several if each.of.failing_since is None]
        note_not_mailed(self._service, [each.of for each in new])
        for each in new:
            each.of = replace(each.of, failing_since=now)
        for each in several:
            if each.of.failing_since is None or now - each.of.failing_since < GIVE_UP_MS:
                continue
            if each.of.status is MailStatus.ASKED:
                self._refused(each)
            else:
                self._passed(each)


def _report(what: str, error: Exception) -> None:
    """Say what went wrong; of what nobody expected, all that is known."""
    _log.warning("%s: %s", what, error, exc_info=None if isinstance(error, CarethreadError) else error)


def _pause(failures: int) -> float:
    """Return how long to wait after so many failures in a row: twice as long each time, and not all at once."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads, and keeps nothing secret
