"""Which function does which interaction. What the table claims is here, and nothing else: the tests compare."""

from collections.abc import Mapping

from carethread.fhir import audits, binaries, entries, histories, messages, searching, subscriptions, threads
from carethread.fhir.call import Interact
from carethread.fhir.interactions import Interaction
from carethread.fhir.table import DIRECTORY

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
