"""Where findings are collected: one place knows the record and the commit that is being judged."""

from carethread.record.finding import Finding
from carethread.verify.codes import Code


class Report:
    """The findings made since they were last taken."""

    def __init__(self, record: str) -> None:
        """Name the record."""
        self.record = record
        self.commit = b""
        self._number = 0
        self._found: list[Finding] = []
        self._runs: dict[Code, tuple[str, int]] = {}

    def begin(self, commit: bytes) -> None:
        """Go on to the next commit: what is added from here on is found in it."""
        self.commit = commit
        self._number += 1

    def add(self, code: Code, sentence: str, path: str = "", line: int = 0) -> None:
        """Report a fault of the commit that is being judged."""
        self._found.append(Finding(self.record, code.value, sentence, self.commit.hex(), path, line))

    def add_once(self, code: Code, sentence: str) -> None:
        """Report a fault at the first of a run of commits that all have it."""
        before = self._runs.get(code)
        self._runs[code] = sentence, self._number
        if before is None or before[0] != sentence or before[1] + 1 < self._number:
            self.add(code, sentence)

    def take(self) -> list[Finding]:
        """Return what was found since the last time."""
        found = self._found
        self._found = []
        return found
