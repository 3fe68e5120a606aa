"""A process that appends on demand: what several processes at once, or a slower disk, are measured with.

`python -m bench.worker DATA_DIR CALLERS SECONDS FIRST` opens a data directory, says "ready", waits for a line, and
answers with JSON. Its callers write to threads of their own, from number FIRST on.
"""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bench.conversation import Filled, Run, Spot, write
from carethread import CoordinationService

_GROWTH = 100


class Worker:
    """Such a process, seen from outside."""

    def __init__(
        self, data_dir: Path, callers: int, seconds: float, first: int = 0, environment: dict[str, str] | None = None
    ) -> None:
        """Start it, and wait until it is ready."""
        command = [sys.executable, "-m", "bench.worker", str(data_dir), str(callers), str(seconds), str(first)]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._process.stdout is None or self._process.stdout.readline() != "ready\n":
            raise RuntimeError("a worker did not start")

    def begin(self) -> None:
        """Let it write."""
        if self._process.stdin is not None:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()

    def result(self) -> Run:
        """Wait until it has done so."""
        answer, _ = self._process.communicate()
        return msgspec.json.decode(answer, type=Run)

    def __enter__(self) -> Self:
        """Use it in a `with` statement."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.communicate()


def main(data_dir: str, callers: str, seconds: str, first: str) -> None:
    """Be such a process."""
    with CoordinationService.open(data_dir, flushes=False) as service:
        spots = []
        for status in service.records():
            record = service.record(status.coordination_id)
            spots += [Spot(record, ledger.communication_id) for ledger in record.communications()]
        start = int(first) % len(spots)
        filled = Filled(service, spots[start:] + spots[:start])
        write(int(callers), filled.to_each_its_own(int(callers), _GROWTH), each=1)
        print("ready", flush=True)
        sys.stdin.readline()
        run = write(int(callers), filled.to_each_its_own(int(callers), _GROWTH), seconds=float(seconds))
    print(msgspec.json.encode(run).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
