"""From a request to who asks: the token checked, its client and person looked up."""

from carethread.coordination import CoordinationService
from carethread.errors import InvalidValueError
from carethread.fhir.asked import Asked
from carethread.fhir.callers import caller_of
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.token import Token
from carethread.fhir.tokens import Tokens
from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.actor import Caller, SystemClient
from carethread.reads import current_rights, resolve
from carethread.record.text import check_name

PURPOSE = "carethread-purpose"


class Recogniser:
    """Says who asks. Thread-safe. What it remembers, it asks the directory's registry about each time."""

    def __init__(self, service: CoordinationService, tokens: Tokens) -> None:
        """Check tokens, and look their people up in the directory."""
        self._service = service
        self._tokens = tokens
        # A FHIR id means the same person for ever; whether they are active is asked by whatever they do.
        self._people: dict[tuple[str, str], ParticipantId] = {}

    def check(self, asked: Asked) -> None:
        """Somebody we know asks.

        Raises:
            AccessError: nobody does.
        """
        self._tokens.check(asked.header("authorization") or None)

    def recognise(self, asked: Asked) -> tuple[Token, Caller]:
        """Return the token, and who asks with it.

        Raises:
            AccessError: nobody we know.
            RefusedError: what they say of themselves cannot be kept.
        """
        token = self._tokens.check(asked.header("authorization") or None)
        purpose = asked.header(PURPOSE)
        if purpose:
            try:
                check_name(purpose, PURPOSE)
            except InvalidValueError as error:
                raise RefusedError(
                    400, Issue(code="value", text=error.fault, expression=("Carethread-Purpose",))
                ) from error
        caller = caller_of(
            token,
            find_person=self._person,
            find_client=self._client,
            purpose=purpose,
            request_id=asked.request_id,
        )
        return token, caller

    def _person(self, kind: str, fhir_id: str) -> ParticipantId | None:
        found = self._people.get((kind, fhir_id))
        if found is None:
            meant = resolve(self._service, [(kind, fhir_id)]).get((kind, fhir_id))
            if meant is None:
                return None
            found = self._people[kind, fhir_id] = parse_participant_id(meant)
        return found

    def _client(self, token: Token) -> SystemClient | None:
        found = current_rights(self._service).client(token.client)
        return None if found is None or not found.active else found.system


def is_revoked(service: CoordinationService, token: Token) -> bool:
    """Say whether a token, or the client it was given to, counts no more: asked for each request."""
    rights = current_rights(service)
    client = rights.client(token.client)
    return rights.is_revoked(token.id) or (client is not None and not client.active)
