"""The same edit, committed message by message with stock Git."""

import os
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.prose import bodies
from carethread.clock import format_instant, system_clock
from carethread.ids import random_uuid

_LEDGER = """\
communication_id: 20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000
status: open
created_at: 2026-01-11T14:35:22.045Z
last_updated_at: {now}
participants:
- participant_id: 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12
  role: clinician
  display_name: Dr Jane Smith
- participant_id: 77ab3f1e-5a4d-4c1b-9d2e-3e8f7a6b5c4d
  role: clinician
  display_name: Dr Tom Patel
visibility:
  sensitivity: standard
  restricted: false
policies:
  allow_patient_participation: true
  allow_external_organisations: true
"""
_ENTRY = """
---

## Message

**ID:** `{identifier}`{br}
**Type:** clinician{br}
**Timestamp:** {now}{br}
**Author ID:** `4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12`{br}
**Author:** Dr Jane Smith

{body}
"""
_DURABLE = ("-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync")
_WHO = {
    "GIT_AUTHOR_NAME": "Dr Jane Smith",
    "GIT_AUTHOR_EMAIL": "jane@care.invalid",
    "GIT_COMMITTER_NAME": "Carethread",
    "GIT_COMMITTER_EMAIL": "carethread@care.invalid",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class GitThread:
    """A thread in a SHA-256 repository of stock Git."""

    def __init__(self, folder: Path, messages: int) -> None:
        """Make the repository, with one commit that holds so many messages."""
        self._folder = folder
        self._environment = {"PATH": os.environ["PATH"], **_WHO}
        self._bodies = bodies(3, 100)
        self._dice = random.Random(3)
        self._git("init", "-q", "--object-format=sha256", "--initial-branch=main")
        for name, value in (("gc.auto", "0"), ("maintenance.auto", "false")):
            self._git("config", name, value)
        (folder / "thread.md").write_text("# Messages\n" + "".join(self._entry() for _ in range(messages)))
        (folder / "ledger.yaml").write_text(_LEDGER.format(now=format_instant(system_clock())))
        self._git("add", "thread.md", "ledger.yaml")
        self._git("commit", "-q", "-m", "coordination:create: Created thread")

    def append(self) -> None:
        """Add one message, durably: append to the thread, write the ledger, and one call of Git adds and commits."""
        with (self._folder / "thread.md").open("a", encoding="utf-8") as file:
            file.write(self._entry())
        (self._folder / "ledger.yaml").write_text(_LEDGER.format(now=format_instant(system_clock())))
        self._git(*_DURABLE, "commit", "-q", "-a", "-m", "coordination:update: Added message to thread")

    def _entry(self) -> str:
        now = format_instant(system_clock())
        return _ENTRY.format(br="  ", identifier=random_uuid(), now=now, body=self._dice.choice(self._bodies))

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self._folder, env=self._environment, check=True)


def commits_per_second(threads: list[GitThread], seconds: float, at_least: int = 3) -> float:
    """Let one caller append to each thread for so long; return how many commits a second they make together."""

    def call(thread: GitThread) -> int:
        done = 0
        while done < at_least or time.perf_counter() - began < seconds:
            thread.append()
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(len(threads)) as callers:
        done = sum(callers.map(call, threads))
    return done / (time.perf_counter() - began)
