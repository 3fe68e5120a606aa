"""Ask a server over HTTP from a process of its own: so many connections, each with one request at a time.

python -m bench.load PORT CONNECTIONS SECONDS < requests

The requests come as MessagePack, each as the bytes that go over the wire; they are sent in turns. What was measured
goes to standard output as JSON: see `Load`.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from statistics import median, quantiles
from typing import cast

import httptools
import msgspec
import uvloop
from msgspec import Struct

_TIMEOUT_S = 60


class Load(Struct, frozen=True):
    """What a server did: how much it answered, at which rate, in how many milliseconds, and how much it refused."""

    answered: int
    rate: float
    p50_ms: float
    p99_ms: float
    refused: int


def load(port: int, requests: Sequence[bytes], connections: int, seconds: float, *, core: int | None = None) -> Load:
    """Ask a server on this machine for some time; return what it did.

    Args:
        port: where it listens on 127.0.0.1.
        requests: what is asked, in turns.
        connections: how many ask at once.
        seconds: for how long.
        core: the processor core that asking may take; left out, any.

    Raises:
        RuntimeError: the server closed a connection or answered nothing.
    """
    command = [sys.executable, "-m", "bench.load", str(port), str(connections), str(seconds)]
    if core is not None:
        command = ["taskset", "--cpu-list", str(core), *command]
    done = subprocess.run(
        command, input=msgspec.msgpack.encode(list(requests)), capture_output=True, check=False, timeout=_TIMEOUT_S
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return msgspec.json.decode(done.stdout, type=Load)


class _Connection(asyncio.Protocol):
    """Sends one request after the other until the time is over."""

    def __init__(self, requests: Iterator[bytes], until: float, took: list[float], refused: list[int]) -> None:
        self._requests = requests
        self._until = until
        self._took = took
        self._refused = refused
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._began = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports write, and are no subclass of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        self._began = time.perf_counter()
        if self._began > self._until:
            self.done.set_result(None)
            self._transport.close()
            return
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._took.append((time.perf_counter() - self._began) * 1000)
        status = self._parser.get_status_code()
        if status >= 400:  # noqa: PLR2004 - HTTP's own
            self._refused.append(status)
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


async def _run(port: int, requests: list[bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    refused: list[int] = []
    turns = cycle(requests)
    began = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(turns, began + seconds, took, refused), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(each.done for _, each in made))
    rate = len(took) / (time.perf_counter() - began)
    return Load(len(took), rate, median(took), _p99(took), len(refused))


def _p99(took: list[float]) -> float:
    """Return what all but one in a hundred took less than; of a few, which is less than the longest."""
    return quantiles(took, n=100, method="inclusive")[98] if len(took) > 1 else took[0]


def main() -> None:
    """Do what the command line says."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    requests = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[bytes])
    found = uvloop.run(_run(port, requests, connections, seconds))
    sys.stdout.buffer.write(msgspec.json.encode(found))
    sys.stdout.flush()
    # Connections that are still closing are nobody's business any more.
    os._exit(0)


if __name__ == "__main__":
    main()
