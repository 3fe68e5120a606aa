"""What was promised to callers, and whether a data directory keeps it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from carethread import Communication, CoordinationService, CoordinationStatus, Ledger, Message, MessageType, Participant
from carethread.ids import CoordinationId
from tests.durability.callers import Place, Said, act, clinical_id, file_of, observer
from tests.durability.stock_git import check_repository

_ID = re.compile(r"^\*\*ID:\*\* `(.+)`", re.MULTILINE)
_TAG = re.compile(r"Caller ([0-9]+) entry ([0-9]+)\n")
_CAME_OR_WENT = re.compile(r"Caller ([0-9]+) \(clinician\) was (added to|removed from) the thread\.")


class Found(Struct, frozen=True):
    """An entry that is there: its caller, the number it gives itself (0 in a system entry), its id."""

    caller: int
    number: int
    id: str


class Answers(Struct, frozen=True):
    """Everything that a service answers about its records."""

    records: tuple[CoordinationStatus, ...]
    ledgers: dict[str, tuple[Ledger, ...]]
    communications: dict[Place, Communication]


def ask_everything(service: CoordinationService) -> Answers:
    """Read every record and every thread."""
    records = tuple(service.records())
    ledgers: dict[str, tuple[Ledger, ...]] = {}
    communications = {}
    for status in records:
        record = service.record(status.coordination_id)
        ledgers[status.coordination_id] = record.communications()
        for ledger in ledgers[status.coordination_id]:
            place = Place(status.coordination_id, ledger.communication_id)
            communications[place] = record.read_communication(ledger.communication_id)
    return Answers(records, ledgers, communications)


class Promises:
    """What callers attempted, and what was acknowledged to them, in the order they said it."""

    def __init__(self, places: Iterable[Place]) -> None:
        """Name the threads that were there before any caller."""
        self._places = frozenset(places)
        self._attempts: dict[tuple[int, int], Said] = {}
        self._kept: dict[tuple[int, int], Said] = {}

    def hear(self, said: Iterable[Said], counts: int | None = None) -> None:
        """Take down what callers said.

        Acknowledgements count only among the first `counts` lines: those that got out before the power went.
        """
        for line, each in enumerate(said):
            if each.number == 0:
                continue
            key = (each.caller, each.number)
            if each.result:
                assert key in self._attempts
                if counts is None or line < counts:
                    self._kept[key] = each
            elif not each.error:
                self._attempts[key] = each

    @property
    def acknowledged(self) -> int:
        """How much was acknowledged."""
        return len(self._kept)

    @property
    def unanswered(self) -> list[Said]:
        """What was attempted and never acknowledged: it is there, or it is not."""
        return [each for key, each in self._attempts.items() if key not in self._kept]

    # ── What the index answers ────────────────────────────────────────────────────────────────────────────────────────

    def check(self, service: CoordinationService) -> Answers:
        """Check that everything acknowledged is there once and in order, and that nothing is there by half."""
        answers = ask_everything(service)
        found: dict[tuple[int, Place], list[Found]] = defaultdict(list)
        for place, communication in answers.communications.items():
            for each in map(_recognise, communication.messages):
                found[each.caller, place].append(each)
        self._check_records(answers)
        self._check_threads(answers, found)
        self._check_entries(found)
        for place, communication in answers.communications.items():
            _check_observers(communication)
            self._check_attachments(place, communication)
        return answers

    def _check_records(self, answers: Answers) -> None:
        there = {str(status.clinical_id): status.coordination_id for status in answers.records}
        assert len(there) == len(answers.records)
        for key, attempt in self._attempts.items():
            if attempt.kind == "record":
                found = there.pop(clinical_id(attempt.caller, attempt.number), None)
                assert key not in self._kept or self._kept[key].result == found
        assert set(there.values()) == {CoordinationId(place.record) for place in self._places}

    def _check_threads(self, answers: Answers, found: dict[tuple[int, Place], list[Found]]) -> None:
        """Every thread was there before, or is one that an attempt made, with its opening message."""
        opened = {place for place in answers.communications if place not in self._places}
        assert opened.isdisjoint(self._places)
        assert self._places <= answers.communications.keys()
        for (caller, place), entries in list(found.items()):
            if place not in opened:
                continue
            assert len(entries) == 1, "an opened thread is its opening message"
            opened.remove(place)
            del found[caller, place]
            attempt = self._attempts[caller, entries[0].number]
            assert attempt.kind == "thread"
            assert attempt.record == place.record
            kept = self._kept.get((caller, entries[0].number))
            assert kept is None or kept.result == place.thread
            found[caller, Place(place.record, "")].append(Found(caller, entries[0].number, place.thread))
        assert not opened, "a thread has no opening message"

    def _check_entries(self, found: dict[tuple[int, Place], list[Found]]) -> None:
        """Each caller finds in each thread what was acknowledged, in order, and maybe what was not."""
        expected: dict[tuple[int, Place], list[Said]] = defaultdict(list)
        for attempt in self._attempts.values():
            if attempt.kind != "record":
                expected[attempt.caller, Place(attempt.record, attempt.thread)].append(attempt)
        assert found.keys() <= expected.keys()
        for key, attempts in expected.items():
            entries = sorted(found[key], key=lambda each: each.number) if not key[1].thread else found[key]
            self._check_row(attempts, entries)

    def _check_row(self, attempts: Sequence[Said], entries: Sequence[Found]) -> None:
        left = list(entries)
        for attempt in attempts:
            number = 0 if attempt.kind == "ledger" else attempt.number
            kept = self._kept.get((attempt.caller, attempt.number))
            if kept is None:
                if left and left[0].number == number:
                    left.pop(0)
                continue
            assert left, f"{attempt.tag} was acknowledged and is not there"
            assert left.pop(0) == Found(attempt.caller, number, kept.result), f"{attempt.tag} is not where it was"
        assert not left, "there is more than was attempted"

    def _check_attachments(self, place: Place, communication: Communication) -> None:
        for message in communication.messages:
            entry = _recognise(message)
            if message.type is MessageType.SYSTEM:
                continue
            attempt = self._attempts[entry.caller, entry.number]
            expected = [len(file_of(attempt))] if attempt.kind == "attachment" else []
            assert [each.size for each in message.attachments] == expected, place

    # ── What the repositories hold ────────────────────────────────────────────────────────────────────────────────────

    def check_everything(self, service: CoordinationService) -> None:
        """Check what the index answers, then the repositories, then an index made anew from them."""
        answers = self.check(service)
        service.flush()
        assert service.backlog().commits == 0
        self.check_repositories(service, answers)
        assert list(service.verify()) == []
        service.rebuild()
        assert ask_everything(service) == answers

    def check_repositories(self, service: CoordinationService, answers: Answers) -> None:
        """Check each repository with stock Git, and the files that lie open in it."""
        for status in answers.records:
            check_repository(service.record(status.coordination_id).path)
        for place, communication in answers.communications.items():
            folder = service.record(place.record).path / "communications" / place.thread
            written = (folder / "thread.md").read_text(encoding="utf-8")
            assert _ID.findall(written) == [each.id for each in communication.messages]
            for message in communication.messages:
                for each in message.attachments:
                    entry = _recognise(message)
                    content = (folder / "attachments" / f"{each.sha256}.txt").read_bytes()
                    assert content == file_of(Said("attachment", entry.caller, entry.number))

    # ── Going on ──────────────────────────────────────────────────────────────────────────────────────────────────

    def write_one_more(self, service: CoordinationService, caller: int) -> None:
        """Add a message to every thread that was there before any caller."""
        for number, place in enumerate(sorted(self._places, key=lambda place: place.thread), 1):
            attempt = Said("message", caller, number, place.record, place.thread)
            self.hear([attempt, replace(attempt, result=act(service, service.record(place.record), attempt))])

    def try_again(self, service: CoordinationService) -> None:
        """Ask again, under the same client identifier, for what was never answered: then it is there once."""
        for attempt in self.unanswered:
            if attempt.kind == "identified":
                result = act(service, service.record(attempt.record), attempt)
                messages = service.record(attempt.record).read_communication(attempt.thread).messages
                same = [each.id for each in messages if each.body.startswith(f"{attempt.tag}\n")]
                assert same == [result]


def _recognise(message: Message) -> Found:
    if message.type is MessageType.SYSTEM:
        told = _CAME_OR_WENT.fullmatch(message.body)
        assert told is not None, message.body
        return Found(int(told[1]), 0, message.id)
    tag = _TAG.match(message.body)
    assert tag is not None, message.body
    return Found(int(tag[1]), int(tag[2]), message.id)


def _check_observers(communication: Communication) -> None:
    """Whoever was added and not removed since takes part, and nobody else."""
    present: set[Participant] = set()
    for message in communication.messages:
        told = _CAME_OR_WENT.fullmatch(message.body)
        if told is not None:
            who = observer(int(told[1]))
            assert (who in present) == (told[2] == "removed from"), "a ledger change was lost or doubled"
            present ^= {who}
    assert present == set(communication.ledger.participants[2:])
