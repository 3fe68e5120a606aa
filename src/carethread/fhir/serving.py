"""From a request to its answer, in a thread: routed, recognised, done."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.fhir.answers import Answer, of_value
from carethread.fhir.asked import Asked, check_accepts, read_preferences
from carethread.fhir.bundles import batch, single
from carethread.fhir.call import Call, Meanings, Options
from carethread.fhir.capability import capability_statement
from carethread.fhir.encoding import Encoded
from carethread.fhir.noting import note_refused, note_unroutable
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.paging import Signer
from carethread.fhir.queries import shape_of
from carethread.fhir.recognising import Recogniser
from carethread.fhir.refusals import AccessError
from carethread.fhir.routing import Service, find_route
from carethread.fhir.submitted import BATCH, read_submitted
from carethread.fhir.transactions import transaction


class Serving:
    """Answers requests. Thread-safe."""

    def __init__(
        self,
        service: CoordinationService,
        recogniser: Recogniser,
        signer: Signer,
        options: Options,
        smart: Mapping[str, Any] | None,
    ) -> None:
        """Serve an installation; `smart` says where tokens are given, if that is known."""
        self._service = service
        self._recogniser = recogniser
        self._signer = signer
        self._options = options
        self._smart = smart
        self._encoded = Encoded()
        self._meanings = Meanings()

    def check(self, asked: Asked) -> None:
        """Somebody we know asks.

        Raises:
            AccessError: nobody does.
        """
        self._recogniser.check(asked)

    def answer(self, asked: Asked) -> Answer:
        """Answer a request.

        Raises:
            CarethreadError: it is refused; `outcome.refused` says how.
        """
        try:
            route = find_route(asked.method, asked.path)
        except CarethreadError as error:
            self._note(asked, error)
            raise
        shape = shape_of(asked.query)
        if route.what is Service.METADATA:
            check_accepts(_accept(asked))
            return of_value(capability_statement(self._options), pretty=shape.pretty)
        if route.what is Service.SMART:
            return self._configuration()
        token, caller = self._recogniser.recognise(asked)
        call = Call(
            self._service,
            self._options,
            self._signer,
            self._encoded,
            self._meanings,
            asked,
            route,
            read_preferences(asked.header("prefer")),
            shape,
            token,
            caller,
        )
        try:
            return _done(call)
        except CarethreadError as error:
            note_refused(call, error)
            raise

    def _note(self, asked: Asked, error: CarethreadError) -> None:
        """Log that somebody we know asked for what there is not."""
        with suppress(AccessError):
            _, caller = self._recogniser.recognise(asked)
            note_unroutable(self._service, caller, asked, error)

    def _configuration(self) -> Answer:
        if self._smart is None:
            raise RefusedError(
                404,
                Issue(
                    code="not-found",
                    text="where tokens for this server are given is not known to it",
                    instead="Name a token endpoint in the file of issuers.",
                ),
            )
        return Answer(body=of_value(self._smart).body, media_type="application/json")


def _accept(asked: Asked) -> str:
    # R4: what the address says of the format wins over the header.
    return "" if b"_format=" in asked.query else asked.header("accept")


def _done(call: Call) -> Answer:
    if call.route.support is None or call.route.support.type != "Binary":
        check_accepts(_accept(call.asked))
    if call.route.what is not Service.BATCH:
        return single(call)
    submitted = read_submitted(call)
    return batch(call, submitted) if submitted.type == BATCH else transaction(call, submitted)
