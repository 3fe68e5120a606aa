"""Whatever the library records, in whatever order, the checker has nothing to say of it.

Calls are drawn so that most are allowed: people of the thread write to people of the thread. What the library refuses,
it does not record.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from carethread import (
    Addressing,
    AttachmentContent,
    Author,
    Ledger,
    LedgerUpdate,
    LifecycleState,
    Message,
    MessageContent,
    Participant,
    Policies,
    Sensitivity,
    StatusUpdate,
    ThreadStatus,
    Visibility,
)
from carethread.clock import Instant
from carethread.errors import ConflictError, InvalidValueError, NotFoundError, RuleError
from carethread.ids import ParticipantId
from carethread.record.model import GROUP_ROLES, INDIVIDUAL_ROLES
from carethread.verify import Counts, verify_record
from tests.people import ADMIN, CLINIC, GP, JANE, JOHN, MARY, PHARMACIST, PHARMACY, PLACE, TEAM, TOM, listed
from tests.verify.everything import Scribe

AUTHORS = {each.id: each for each in (JANE, TOM, JOHN, MARY, ADMIN, PHARMACIST, GP)}
PEOPLE = (*listed(*AUTHORS.values()), PHARMACY, CLINIC, TEAM)
FILES = (
    AttachmentContent(b"one", "text/plain", "one.txt"),
    AttachmentContent(b"one", "image/png", "one [1].png"),
    AttachmentContent(b"two", "x-unknown/type", "two"),
)
REFUSED = (RuleError, InvalidValueError, NotFoundError, ConflictError)


class Chance:
    """Calls a record's functions as chance has it."""

    def __init__(self, scribe: Scribe, seed: int) -> None:
        self.scribe = scribe
        self.record = scribe.record
        self.random = random.Random(seed)
        self.recorded = 0

    def step(self) -> None:
        """Do one thing, if that is allowed."""
        self.scribe.clock.now += self.random.choice([0, 1, 999, 60_000])
        threads = self.record.communications()
        does = (
            self.open
            if not threads
            else self.random.choices([self.open, self.say, self.change, self.set], [2, 10, 5, 1])[0]
        )
        try:
            does(threads)
        except REFUSED:
            return
        self.recorded += 1

    def maybe(self, likely: float, values: Any) -> Any:
        """Choose one of the values, or none."""
        return self.random.choice(list(values)) if values and self.random.random() < likely else None

    def some(self, most: int, values: Any) -> tuple[Any, ...]:
        """Choose up to so many."""
        return tuple(self.random.sample(list(values), min(len(values), self.random.randint(1, most))))

    def open(self, threads: tuple[Ledger, ...]) -> None:
        author = self.random.choice(list(AUTHORS.values()))
        # With fewer, there may be nobody left to write to.
        people = tuple(dict.fromkeys((*listed(author, JANE, TOM), *self.some(5, PEOPLE))))
        self.record.communication_create(
            author,
            PLACE,
            people,
            self.content(people, (), 0) if self.random.random() < 0.5 else None,
            addressing=self.addressing(author.id, people) if self.random.random() < 0.4 else None,
            continues=self.maybe(0.3, [each.communication_id for each in threads]),
            visibility=self.visibility(),
            policies=self.policies(),
        )

    def say(self, threads: tuple[Ledger, ...]) -> None:
        ledger = self.random.choice(threads)
        messages = self.record.read_communication(ledger.communication_id).messages
        author = self.author(ledger)
        self.record.add_message(
            author, PLACE, ledger.communication_id, self.content(ledger.participants, messages, 0.4)
        )

    def change(self, threads: tuple[Ledger, ...]) -> None:
        ledger = self.random.choice(threads)
        people = ledger.participants
        update = LedgerUpdate(
            status=self.maybe(0.1, [ThreadStatus.CLOSED, ThreadStatus.ARCHIVED]),
            add_participants=self.some(2, [each for each in PEOPLE if each not in people]) if self.chance(0.4) else (),
            remove_participants=self.some(1, [each.id for each in people[3:]]) if self.chance(0.3) else (),
            visibility=self.visibility() if self.chance(0.3) else None,
            policies=self.policies() if self.chance(0.3) else None,
            addressing=self.addressing(self.requester(ledger), people) if self.chance(0.2) else None,
        )
        group = self.maybe(0.2, [each.id for each in people if each.role in GROUP_ROLES])
        self.record.update_communication_ledger(
            self.author(ledger), PLACE, ledger.communication_id, update, on_behalf_of=group
        )

    def set(self, _: tuple[Ledger, ...]) -> None:
        is_active = self.record.status().lifecycle_state is LifecycleState.ACTIVE
        update = StatusUpdate(
            lifecycle_state=self.maybe(0.3, [LifecycleState.SUSPENDED]) if is_active else LifecycleState.ACTIVE,
            record_open=self.random.random() < 0.8,
            record_modifiable=self.random.random() < 0.9,
        )
        self.record.update_coordination_status(ADMIN, PLACE, update)

    def chance(self, likely: float) -> bool:
        """Say yes or no."""
        return self.random.random() < likely

    def author(self, ledger: Ledger) -> Author:
        """Choose somebody of the thread, most of the time."""
        names = [each.id for each in ledger.participants if each.role in INDIVIDUAL_ROLES]
        return AUTHORS[self.maybe(0.9, names) or self.random.choice(list(AUTHORS))]

    def requester(self, ledger: Ledger) -> ParticipantId:
        """Return who it is, or somebody."""
        return self.author(ledger).id if ledger.addressing is None else ledger.addressing.requester

    def content(self, people: tuple[Participant, ...], messages: tuple[Message, ...], refers: float) -> MessageContent:
        """Make something to say."""
        everybody = [each.id for each in people]
        earlier = [each.id for each in messages]
        back = self.random.choice([0, 1, 10**4, 10**8])
        return MessageContent(
            body="".join(self.random.choices("ab*_# \n-`<>&é\u202f1.", k=30)) + ".",
            corrects=self.maybe(refers / 2, earlier),
            in_response_to=self.maybe(refers, earlier),
            on_behalf_of=self.maybe(0.3, [each.id for each in people if each.role in GROUP_ROLES]),
            recipients=self.some(3, everybody) if self.chance(0.2) else (),
            attachments=(self.random.choice(FILES),) if self.chance(0.3) else (),
            sent=Instant(self.scribe.clock.now - back) if self.chance(0.3) else None,
        )

    def addressing(self, requester: ParticipantId, people: tuple[Participant, ...]) -> Addressing:
        """Choose who is asked, and who answers."""
        everybody = [each.id for each in people]
        return Addressing(requester, self.some(2, everybody), self.maybe(0.6, everybody))

    def visibility(self) -> Visibility:
        """Choose who may read."""
        return Visibility(self.random.choice(list(Sensitivity)), restricted=self.chance(0.3))

    def policies(self) -> Policies:
        """Choose who may take part."""
        return Policies(allow_patient_participation=self.chance(0.8), allow_external_organisations=self.chance(0.9))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_a_sequence_of_calls_makes_a_record_in_order(seed: int, tmp_path: Path, soaking: bool) -> None:
    for round_ in range(40 if soaking else 1):
        chance = Chance(Scribe(tmp_path / str(round_)), 1_000 * seed + round_)
        for _ in range(60):
            chance.step()
        counts = Counts()
        assert list(verify_record(chance.scribe.finish(), counts=counts)) == []
        assert counts.commits == chance.recorded + 1
        assert chance.recorded > 1
