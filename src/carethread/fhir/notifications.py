"""Notifications of an installation: whichever of its processes has the watch serves the subscriptions that it keeps."""

import logging
import os
import select
import threading
from collections.abc import Callable, Sequence

from carethread.clock import Instant
from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError, UnknownSubscriptionError
from carethread.fhir.notifying import Due, Notifier, Sends, Standing, report
from carethread.fhir.outcome import RefusedError
from carethread.fhir.watching import read_criteria
from carethread.fhir.webhooks import Notification, Reach, Sender
from carethread.policy.subscriptions import Status, Subscription
from carethread.reads import Watch, active_subscriptions, matches
from carethread.writes import end_subscription, note_failed, note_told

_log = logging.getLogger(__name__)
# How long to wait before trying again, where a disk, a database or this program fails.
_TROUBLE_PAUSE_S = 5.0


class StoredPost:
    """The subscriptions that an installation keeps, as `notifying.Post` has them."""

    def __init__(self, service: CoordinationService, base: str) -> None:
        """Serve an installation; `base` is its FHIR base, below which absolute references in criteria are its own."""
        self._service = service
        self._base = base
        self._known: dict[tuple[str, int], Subscription] = {}

    def active(self) -> Sequence[Standing]:
        """Return the subscriptions that are to be served."""
        found = active_subscriptions(self._service)
        self._known = {(each.id, each.version): each for each in found}
        return [
            Standing(
                each.id,
                each.version,
                Notification(each.endpoint, each.headers.pairs),
                failing_since=each.failing_since,
                until=each.end,
            )
            for each in found
        ]

    def due(self, standing: Standing, place: str | None) -> Due:
        """Return what comes after a place. Criteria that are not understood any more end their subscription."""
        of = self._of(standing)
        after = of.place if place is None else place
        try:
            watched = read_criteria(of.criteria, self._base)
            found = matches(self._service, of, watched.kind, watched.criteria, after)
        except (RefusedError, InvalidValueError) as error:
            end_subscription(self._service, of, Status.ERROR, f"the criteria are not understood: {error}")
            return Due((), after, is_end=True)
        return Due(found.places, found.place, found.is_end, found.looked_at, found.is_held_back)

    def told(self, standing: Standing, place: str) -> None:
        """Keep that its receiver has taken everything up to a place."""
        note_told(self._service, self._of(standing), place)

    def failed(self, standing: Standing, at: Instant) -> None:
        """Keep that its receiver fails, since that instant if it did not before."""
        note_failed(self._service, self._of(standing), at)

    def give_up(self, standing: Standing, reason: str) -> None:
        """End a subscription with status `error`."""
        end_subscription(self._service, self._of(standing), Status.ERROR, reason)

    def end(self, standing: Standing) -> None:
        """End a subscription whose time is over."""
        end_subscription(self._service, self._of(standing), Status.OFF)

    def _of(self, standing: Standing) -> Subscription:
        found = self._known.get((standing.id, standing.version))
        if found is None:
            raise UnknownSubscriptionError(f"subscription {standing.id} is not served any more")
        return found


class Notifications:
    """Serves the subscriptions of an installation, when it is this process's turn: from `start` to `stop`."""

    def __init__(
        self,
        service: CoordinationService,
        allowed: frozenset[Reach],
        *,
        base: str,
        sender: Callable[[], Sends] | None = None,
        pause: Callable[[int], float] | None = None,
    ) -> None:
        """Take what it needs; `start` begins.

        Args:
            service: the installation, which must stay open until `stop`.
            allowed: where endpoints may lie beside the public network.
            base: the address of the FHIR base, as clients know it.
            sender: makes what sends notifications; left out, a `Sender`.
            pause: how many seconds to wait after so many failures in a row.
        """
        self._service = service
        self._post = StoredPost(service, base)
        self._sender = sender or (lambda: Sender(allowed))
        self._pause = pause
        self._over, self._ends = os.pipe()
        self._thread = threading.Thread(target=self._run, name="carethread-notifications", daemon=True)

    def start(self) -> None:
        """Begin, as soon as no other process of the installation does it."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and let another process have its turn. What was being sent is sent again by whoever has it."""
        os.write(self._ends, b".")
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._over)
        os.close(self._ends)

    def _run(self) -> None:
        while not self._is_over(0):
            try:
                self._have_watch()
            except Exception as error:  # noqa: BLE001 - it is said, and tried again: nobody else would
                report("notifications wait", error)
            # Where it ended by itself, not at once again.
            self._is_over(_TROUBLE_PAUSE_S)

    def _is_over(self, seconds: float) -> bool:
        return bool(select.select([self._over], [], [], seconds)[0])

    def _have_watch(self) -> None:
        watch = self._service.archive.watch()
        try:
            if watch.take(self._over):
                self._serve(watch)
        finally:
            watch.leave()

    def _serve(self, watch: Watch) -> None:
        """Serve until it is over, the watch is lost, or what serves has ended by itself."""
        ended, ends = os.pipe()

        def end() -> None:
            os.write(ends, b".")

        notifier = Notifier(
            self._post,
            self._service.archive.waking.listen,
            self._sender,
            clock=self._service.archive.clock,
            pause=self._pause,
            on_end=end,
        )
        _log.info("this process sends the notifications")
        try:
            notifier.start()
            lost = watch.fileno()
            watched = [self._over, ended] if lost is None else [self._over, ended, lost]
            while True:
                ready, _, _ = select.select(watched, [], [])
                if self._over in ready or ended in ready or not watch.is_kept():
                    return
        finally:
            notifier.stop()
            os.close(ended)
            os.close(ends)
