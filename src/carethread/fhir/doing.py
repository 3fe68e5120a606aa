"""Which function does which interaction. What the table claims is here, and nothing else: the tests compare."""

from collections.abc import Mapping

from carethread.fhir import audits, binaries, entries, histories, messages, searching, subscriptions, threads
from carethread.fhir.answers import Answer
from carethread.fhir.call import Call, Interact
from carethread.fhir.interactions import Interaction
from carethread.fhir.queries import bad, read_pairs
from carethread.fhir.shape import SHAPE
from carethread.fhir.table import DIRECTORY

# Those that read the parameters of the address themselves.
_WITH_PARAMETERS = frozenset({Interaction.SEARCH, Interaction.HISTORY_TYPE})

_OF_DIRECTORY: Mapping[Interaction, Interact] = {
    Interaction.READ: entries.read,
    Interaction.VREAD: entries.vread,
    Interaction.CREATE: entries.create,
    Interaction.UPDATE: entries.update,
    Interaction.HISTORY_INSTANCE: entries.of_entry,
    Interaction.SEARCH: entries.search,
}

INTERACTIONS: Mapping[tuple[str, Interaction], Interact] = {
    ("Communication", Interaction.READ): messages.read,
    ("Communication", Interaction.VREAD): messages.vread,
    ("Communication", Interaction.CREATE): messages.create,
    ("Communication", Interaction.UPDATE): messages.update,
    ("Communication", Interaction.HISTORY_INSTANCE): histories.of_message,
    ("Communication", Interaction.HISTORY_TYPE): histories.of_type,
    ("Communication", Interaction.SEARCH): searching.messages,
    ("CommunicationRequest", Interaction.READ): threads.read,
    ("CommunicationRequest", Interaction.VREAD): threads.vread,
    ("CommunicationRequest", Interaction.CREATE): threads.create,
    ("CommunicationRequest", Interaction.UPDATE): threads.update,
    ("CommunicationRequest", Interaction.HISTORY_INSTANCE): histories.of_thread,
    ("CommunicationRequest", Interaction.HISTORY_TYPE): histories.of_type,
    ("CommunicationRequest", Interaction.SEARCH): searching.threads,
    ("AuditEvent", Interaction.READ): audits.read,
    ("AuditEvent", Interaction.SEARCH): audits.search,
    ("Subscription", Interaction.READ): subscriptions.read,
    ("Subscription", Interaction.CREATE): subscriptions.create,
    ("Subscription", Interaction.UPDATE): subscriptions.update,
    ("Subscription", Interaction.SEARCH): subscriptions.search,
    ("Binary", Interaction.READ): binaries.read,
    ("Binary", Interaction.CREATE): binaries.create,
    **{(each.type, what): interact for each in DIRECTORY for what, interact in _OF_DIRECTORY.items()},
}


def interact(call: Call) -> Answer:
    """Do the interaction that a request asks for.

    Raises:
        CarethreadError: it is refused.
    """
    what = call.route.what
    assert isinstance(what, Interaction)  # noqa: S101 - whatever is none is done elsewhere
    if what not in _WITH_PARAMETERS:
        _check_no_parameters(call)
    return INTERACTIONS[call.support.type, what](call)


def _check_no_parameters(call: Call) -> None:
    """Nothing in the address is passed over: to some clients, `POST Type?identifier=…` is a conditional create."""
    unknown = [name for name, _ in read_pairs(call.asked.query) if name not in SHAPE]
    if unknown and not call.preferences.lenient:
        raise bad(
            "not-supported",
            "this interaction takes no such parameter",
            *unknown,
            instead="Leave it out. A condition of a create stands in the header If-None-Exist.",
        )
