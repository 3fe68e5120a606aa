"""What is done to a record, and what the checker must make of it: how a row of the table is made.

The record is that of `everything.write_small`: three threads. `first` is plain (Jane, Tom, John, later Mary), has an
attachment, an answer and a correction, and is closed. `second` is addressed, between a pharmacy and a clinic. `third`
takes up the first. The record was suspended once.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from carethread import (
    Author,
    Ledger,
    ThreadStatus,
)
from carethread.ids import CommunicationId
from tests.people import (
    MARY,
    listed,
    person,
)
from tests.verify.forger import Forger, ledger_path, thread_path

Tamper = Callable[[Forger], None]

STRANGER = Author(person(66), "Mallory")


class Forgery(Struct, frozen=True):
    """A kind of tampering. `codes` are those of all findings, each as often as it is found, sorted."""

    name: str
    tamper: Tamper
    codes: tuple[str, ...]


FORGERIES: list[Forgery] = []


def forgery(*codes: str) -> Callable[[Tamper], Tamper]:
    """Add a row: the function's name says what is done."""

    def add(tamper: Tamper) -> Tamper:
        FORGERIES.append(Forgery(tamper.__name__.replace("_", "-"), tamper, tuple(sorted(codes))))
        return tamper

    return add


def first(forger: Forger) -> CommunicationId:
    return forger.threads[0]


def second(forger: Forger) -> CommunicationId:
    return forger.threads[1]


def third(forger: Forger) -> CommunicationId:
    return forger.threads[2]


def attachment(forger: Forger) -> str:
    return next(path for path in forger.last.files if "/attachments/" in path)


def closed(ledger: Ledger) -> Ledger:
    return replace(ledger, status=ThreadStatus.CLOSED)


def with_mary(ledger: Ledger) -> Ledger:
    return replace(ledger, participants=ledger.participants + listed(MARY))


def forget_change(forger: Forger, thread: CommunicationId) -> None:
    """Let the last commit change nothing in a thread after all."""
    for path in (thread_path(thread), ledger_path(thread)):
        forger.last.files[path] = forger.steps[-2].files[path]
