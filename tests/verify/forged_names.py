"""Names that are forged: what a client is said to call something. See `forgery.py`."""

from carethread import LifecycleState
from carethread.ids import CommunicationId, MessageId
from carethread.record.commit_message import COMMUNICATION_ID, IDENTIFIERS, MESSAGE_ID, RESOURCE_ID, Summary
from tests.people import ADMIN, JANE, TOM, listed
from tests.verify.forger import STATUS, Forger
from tests.verify.forgery import closed, first, forgery, third
from tests.verify.histories import Step


def name(forger: Forger, thread: CommunicationId, message: str, *trailers: tuple[str, str]) -> Step:
    """Add a commit that names a message and is right in itself."""
    given = trailers or ((RESOURCE_ID, "forged"),)
    known = ((COMMUNICATION_ID, thread), (MESSAGE_ID, MessageId(message)))
    return forger.commit(Summary.MESSAGE_NAMED, JANE, forger.now(), (*known, *given))


def opening(forger: Forger, thread: CommunicationId) -> str:
    return forger.messages(thread)[0].id


@forgery()
def a_message_is_named_and_nothing_is_wrong(forger: Forger) -> None:
    name(forger, third(forger), opening(forger, third(forger)), (RESOURCE_ID, "a"), (IDENTIFIERS, "urn:x|1"))
    name(forger, third(forger), opening(forger, third(forger)), (RESOURCE_ID, "b"))
    name(forger, first(forger), opening(forger, first(forger)), (IDENTIFIERS, "urn:x|1"))
    thread = forger.open(JANE, listed(JANE))
    forger.last.message += "Resource-ID: a\n"
    forger.say(JANE, thread).message += "Resource-ID: c\n"


@forgery("commit-name")
def a_message_that_is_not_there_is_named(forger: Forger) -> None:
    name(forger, third(forger), str(forger.mint()))


@forgery("commit-name")
def a_message_of_another_thread_is_named(forger: Forger) -> None:
    name(forger, third(forger), opening(forger, first(forger)))


@forgery("commit-name")
def a_system_entry_is_named(forger: Forger) -> None:
    forger.change(TOM, third(forger), closed)
    name(forger, third(forger), forger.messages(third(forger))[-1].id)


@forgery("commit-name")
def a_message_is_named_and_called_nothing(forger: Forger) -> None:
    step = name(forger, third(forger), opening(forger, third(forger)))
    step.message = step.message.replace("Resource-ID: forged\n", "")


@forgery("commit-scope")
def a_name_is_that_of_no_message(forger: Forger) -> None:
    step = name(forger, third(forger), opening(forger, third(forger)))
    step.message = "\n".join(line for line in step.message.split("\n") if not line.startswith(MESSAGE_ID))


@forgery("commit-name")
def a_message_has_the_resource_id_of_another(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += "Resource-ID: one\n"
    forger.say(TOM, third(forger)).message += "Resource-ID: one\n"


@forgery("commit-name")
def a_message_is_named_like_another(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += "Resource-ID: one\n"
    name(forger, third(forger), opening(forger, third(forger)), (RESOURCE_ID, "one"))


@forgery("commit-name")
def two_threads_have_the_same_resource_id(forger: Forger) -> None:
    for _ in range(2):
        forger.open(JANE, listed(JANE))
        forger.last.message += "Resource-ID: one\n"


@forgery("commit-name")
def a_change_of_a_ledger_has_a_resource_id(forger: Forger) -> None:
    forger.change(TOM, third(forger), closed).message += "Resource-ID: one\n"


@forgery("commit-name")
def a_status_has_identifiers(forger: Forger) -> None:
    forger.set_status(ADMIN, record_queryable=False).message += "Identifiers: urn:x|1\n"


@forgery("commit-message")
def a_resource_id_is_malformed(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += "Resource-ID: a/b\n"


@forgery("commit-message")
def identifiers_are_malformed(forger: Forger) -> None:
    forger.say(TOM, third(forger)).message += "Identifiers: urn:x|1|2\n"


@forgery("record-not-writable")
def a_message_is_named_while_the_record_is_suspended(forger: Forger) -> None:
    forger.set_status(ADMIN, lifecycle_state=LifecycleState.SUSPENDED)
    name(forger, third(forger), opening(forger, third(forger)))


@forgery("commit-name", "commit-subject", "commit-trailer", "commit-trailer")
def a_naming_changes_the_status(forger: Forger) -> None:
    forger.set_status(ADMIN, record_queryable=False)
    status = forger.last.files[STATUS]
    del forger.steps[-1]
    step = name(forger, third(forger), opening(forger, third(forger)))
    step.files[STATUS] = status
