"""What a system entry says: one English sentence for each fact of the ledger that changed.

Normative, so that a checker can tell whether an entry says what happened. In this order:

| fact | sentence |
|---|---|
| a participant came; in the ledger's order | `Dr Tom Patel (clinician) was added to the thread.` |
| a participant went; in the ledger's order | `Dr Tom Patel (clinician) was removed from the thread.` |
| status | `The thread was closed.` or `The thread was archived.` |
| sensitivity | `The sensitivity was changed from standard to confidential.` |
| restriction | `The thread was restricted to named individuals.` or |
| | `The restriction to named individuals was lifted.` |
| policy on patients | `Participation of patients and their associates was allowed.` or `… was disallowed.` |
| policy on organisations | `Participation of external organisations was allowed.` or `… was disallowed.` |
| requester, where there was none | `The requester is Dr Jane Smith (clinician).` |
| reply-to | `Replies go to Riverside Pharmacy (organisation).` or `Replies go to the requester.` |
| recipients | `The thread is addressed to Hill Surgery (organisation), Dr Tom Patel (clinician).` |

Roles are written with spaces for underscores. An entry's body is its sentences, one per line.
"""

from collections.abc import Iterator

from carethread.errors import InvalidValueError
from carethread.record.commit_message import Summary
from carethread.record.model import Ledger, Participant, ThreadStatus

# Whatever else a ledger holds stays as it was when the thread was created.
CHANGEABLE = frozenset({"status", "last_updated_at", "participants", "addressing", "visibility", "policies"})

_STATUS = {
    (ThreadStatus.OPEN, ThreadStatus.CLOSED): "The thread was closed.",
    (ThreadStatus.OPEN, ThreadStatus.ARCHIVED): "The thread was archived.",
    (ThreadStatus.CLOSED, ThreadStatus.ARCHIVED): "The thread was archived.",
}
_POLICIES = {
    "allow_patient_participation": "Participation of patients and their associates",
    "allow_external_organisations": "Participation of external organisations",
}

_Facts = Iterator[tuple[Summary, str]]


def ledger_sentences(before: Ledger, after: Ledger) -> tuple[str, ...]:
    """Return what a system entry must say of this change; nothing if only `last_updated_at` moved.

    Both ledgers have passed `check_ledger`.

    Raises:
        InvalidValueError: they differ in something that may not change, or in a way no sentence tells.
    """
    return tuple(sentence for _, sentence in _facts(before, after))


def ledger_summary(before: Ledger, after: Ledger) -> Summary:
    """Return the summary of the commit that records this change.

    Raises:
        InvalidValueError: as `ledger_sentences`, or nothing changes that an entry would tell.
    """
    summaries = {summary for summary, _ in _facts(before, after)}
    if not summaries:
        raise InvalidValueError("ledger", "does not change")
    return summaries.pop() if len(summaries) == 1 else Summary.LEDGER_UPDATED


def describe(participant: Participant) -> str:
    """Return a participant's name and role in words: `Dr Tom Patel (clinician)`."""
    return f"{participant.name} ({participant.role.value.replace('_', ' ')})"


def _facts(before: Ledger, after: Ledger) -> _Facts:
    for field in Ledger.__struct_fields__:
        if field not in CHANGEABLE and getattr(before, field) != getattr(after, field):
            raise InvalidValueError(field, "may not change")
    if after.last_updated_at < before.last_updated_at:
        raise InvalidValueError("last_updated_at", "may not go back")
    if before.participants != after.participants:
        yield from _participants(before, after)
    if before.status is not after.status:
        sentence = _STATUS.get((before.status, after.status))
        if sentence is None:
            raise InvalidValueError("status", f"may not go from {before.status} to {after.status}")
        yield Summary.STATUS_UPDATED, sentence
    if before.visibility != after.visibility:
        yield from _visibility(before, after)
    for field, subject in _POLICIES.items():
        allowed = getattr(after.policies, field)
        if allowed is not getattr(before.policies, field):
            yield Summary.POLICIES_UPDATED, f"{subject} was {'allowed' if allowed else 'disallowed'}."
    if before.addressing != after.addressing:
        yield from _addressing(before, after)


def _participants(before: Ledger, after: Ledger) -> _Facts:
    old = {participant.id: participant for participant in before.participants}
    new = {participant.id: participant for participant in after.participants}
    stayed = [participant for participant in before.participants if participant.id in new]
    added = [participant for participant in after.participants if participant.id not in old]
    if list(after.participants) != stayed + added:
        raise InvalidValueError("participants", "who stay may not change name, role or order, and who come are last")
    for participant in added:
        yield Summary.PARTICIPANTS_UPDATED, f"{describe(participant)} was added to the thread."
    for participant in before.participants:
        if participant.id not in new:
            yield Summary.PARTICIPANTS_UPDATED, f"{describe(participant)} was removed from the thread."


def _visibility(before: Ledger, after: Ledger) -> _Facts:
    old, new = before.visibility, after.visibility
    if old.sensitivity is not new.sensitivity:
        sentence = f"The sensitivity was changed from {old.sensitivity.value} to {new.sensitivity.value}."
        yield Summary.VISIBILITY_UPDATED, sentence
    if old.restricted is not new.restricted:
        yield (
            Summary.VISIBILITY_UPDATED,
            "The thread was restricted to named individuals."
            if new.restricted
            else "The restriction to named individuals was lifted.",
        )


def _addressing(before: Ledger, after: Ledger) -> _Facts:
    old, new = before.addressing, after.addressing
    if new is None or (old is not None and old.requester != new.requester):
        raise InvalidValueError("addressing.requester", "may not change")
    people = {participant.id: describe(participant) for participant in after.participants}
    if old is None:
        yield Summary.ADDRESSING_UPDATED, f"The requester is {people[new.requester]}."
    if (None if old is None else old.reply_to) != new.reply_to:
        reply_to = "the requester" if new.reply_to is None else people[new.reply_to]
        yield Summary.ADDRESSING_UPDATED, f"Replies go to {reply_to}."
    if old is None or old.recipients != new.recipients:
        recipients = ", ".join([people[recipient] for recipient in new.recipients])
        yield Summary.ADDRESSING_UPDATED, f"The thread is addressed to {recipients}."
