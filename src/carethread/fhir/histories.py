"""Histories: every version of one thread or message; and of all of them, in the order in which they were recorded."""

from carethread.fhir.answers import Answer
from carethread.fhir.bounds import bound_to, check_within, patient_of_token
from carethread.fhir.bundling import history
from carethread.fhir.call import Call
from carethread.fhir.queries import CURSOR, MOST_COUNT, USUAL_COUNT, Pairs, bad, read_pairs
from carethread.fhir.searching import shown_message, shown_thread, within_limits
from carethread.fhir.shape import SHAPE
from carethread.reads import Kind, feed, message_resource_history, thread_resource_history

_KINDS = {"Communication": Kind.MESSAGE, "CommunicationRequest": Kind.THREAD}
_LONGEST_COUNT = 6


def of_message(call: Call) -> Answer:
    """Answer the versions of a message, newest first: each correction made one."""
    bound = bound_to(call, "history-instance")
    versions, names = message_resource_history(call.service, call.caller, call.route.id)
    check_within(call, bound, versions[0].patient, call.route.id)
    return history(call, [shown_message(call, each, names) for each in versions], total=len(versions))


def of_thread(call: Call) -> Answer:
    """Answer the versions of a thread, newest first."""
    bound = bound_to(call, "history-instance")
    found = thread_resource_history(call.service, call.caller, call.route.id)
    check_within(call, bound, found.versions[0].patient, call.route.id)
    return history(call, [shown_thread(call, each, found.names) for each in found.versions], total=len(found.versions))


def of_type(call: Call) -> Answer:
    """Answer what was recorded, oldest first, from a cursor on. The cursor can be kept, and asked with again."""
    bound = bound_to(call, "history-type")
    cursor, count, pairs = _asked(call)
    after = call.signer.open(call.asked.path, pairs, cursor)
    page = within_limits(
        lambda: feed(call.service, call.caller, _KINDS[call.support.type], after=after, count=count)
    )  # fmt: skip
    patient = None if bound is None else patient_of_token(call, bound)
    shown = [
        *(shown_message(call, each, page.names) for each in page.messages if patient in {None, each.patient}),
        *(shown_thread(call, each, page.names) for each in page.threads if patient in {None, each.patient}),
    ]
    return history(call, shown, pairs=pairs, after=page.after)


def _asked(call: Call) -> tuple[str, int, Pairs]:
    cursor, count = "", USUAL_COUNT
    heard = []
    for name, value in read_pairs(call.asked.query):
        if name == CURSOR:
            cursor = value
            continue
        if name == "_count" and value.isascii() and value.isdigit() and len(value) <= _LONGEST_COUNT and int(value):
            count = min(int(value), MOST_COUNT)
        elif name not in SHAPE:
            raise bad("not-supported", "a history takes _count and its own links", name)
        heard.append((name, value))
    return cursor, count, tuple(heard)
