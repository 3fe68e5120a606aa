"""Someone who writes to one thread while things go wrong around them."""

from msgspec.structs import replace

from carethread import CoordinationService
from tests.durability.callers import Said, act, make_places
from tests.durability.promises import Promises
from tests.durability.stock_git import git


class Scene:
    """A service with one thread, and someone who writes to it."""

    def __init__(self, service: CoordinationService) -> None:
        """Make the thread."""
        self.service = service
        (self._place,) = make_places(service, records=1, threads=1)
        self.promises = Promises([self._place])
        self.path = service.record(self._place.record).path
        self._number = 0

    def write(self, times: int = 1) -> None:
        """Add messages."""
        for _ in range(times):
            self._number += 1
            attempt = Said("message", 1, self._number, self._place.record, self._place.thread)
            self.promises.hear([attempt])
            result = act(self.service, self.service.record(attempt.record), attempt)
            self.promises.hear([replace(attempt, result=result)])

    def check_nothing_by_half(self) -> None:
        """Check that what was acknowledged is there, and what was refused is not."""
        answers = self.promises.check(self.service)
        assert len(answers.communications[self._place].messages) == self.promises.acknowledged
        if (self.path / ".git/refs/heads/main").exists():
            git(self.path, "fsck", "--full", "--strict", "--no-progress")
