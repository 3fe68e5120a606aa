"""Callers of the library, in a process of their own: what a server's rates are put beside.

python -m bench.library DATA_DIR CALLERS SECONDS RECORDED|POSTED < spots

The spots come as MessagePack. Whoever calls writes to all of them in turns, once before it is measured. How many
messages a second became durable goes to standard output.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.prose import bodies
from carethread import Author, CoordinationService, MessageContent
from carethread.ids import CommunicationId, CoordinationId, ParticipantId
from carethread.policy.actor import Caller
from carethread.writes import post_message

RECORDED, POSTED = "add_message", "post_message"
_TIMEOUT_S = 120


class Spot(Struct, frozen=True):
    """A thread, and somebody who may write to it: `number` is that of their place in the region."""

    number: int
    person: ParticipantId
    name: str
    record: CoordinationId
    thread: CommunicationId


def rate(data_dir: Path, spots: Sequence[Spot], how: str, callers: int, seconds: float, *, core: int) -> float:
    """Let so many callers write for so long, on one core; return messages a second."""
    command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", "bench.library"]
    done = subprocess.run(
        [*command, str(data_dir), str(callers), str(seconds), how],
        input=msgspec.msgpack.encode(spots),
        capture_output=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return float(done.stdout)


def _posted(service: CoordinationService, spot: Spot, content: MessageContent) -> None:
    post_message(service, Caller(spot.person), spot.thread, content)


def _recorded(service: CoordinationService, spot: Spot, content: MessageContent) -> None:
    service.record(spot.record).add_message(Author(spot.person, spot.name), "Oxford", spot.thread, content)


_HOW: dict[str, Callable[[CoordinationService, Spot, MessageContent], None]] = {RECORDED: _recorded, POSTED: _posted}


def _write(
    service: CoordinationService, shares: Sequence[Sequence[Spot]], how: str, seconds: float | None
) -> float:  # fmt: skip
    """Let each caller write to its share: once, or as long as said; return messages a second."""
    contents = [MessageContent(each) for each in bodies(4, 200)]
    done = [0] * len(shares)
    until = None if seconds is None else time.perf_counter() + seconds

    def call(caller: int) -> None:
        share = shares[caller]
        while done[caller] < len(share) if until is None else time.perf_counter() < until:
            number = done[caller]
            _HOW[how](service, share[number % len(share)], contents[(number * 7 + caller) % len(contents)])
            done[caller] += 1

    began = time.perf_counter()
    running = [threading.Thread(target=call, args=(caller,)) for caller in range(len(shares))]
    for each in running:
        each.start()
    for each in running:
        each.join()
    return sum(done) / (time.perf_counter() - began)


def main(data_dir: str, callers: str, seconds: str, how: str) -> None:
    """Do what the command line says."""
    spots = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Spot])
    shares = [spots[caller :: int(callers)] for caller in range(int(callers))]
    with CoordinationService.open(data_dir, flushes=False) as service:
        _write(service, shares, how, None)
        print(_write(service, shares, how, float(seconds)))


if __name__ == "__main__":
    main(*sys.argv[1:])
