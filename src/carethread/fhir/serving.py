"""From a request to its answer, in a thread: routed, recognised, done."""

from collections.abc import Mapping
from typing import Any

from carethread.coordination import CoordinationService
from carethread.errors import CarethreadError
from carethread.fhir.answers import Answer, of_value
from carethread.fhir.asked import Asked, check_accepts, read_preferences
from carethread.fhir.bundles import batch, single
from carethread.fhir.call import Call, Meanings, Options
from carethread.fhir.capability import capability_statement
from carethread.fhir.encoding import Encoded
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.paging import Signer
from carethread.fhir.queries import shape_of
from carethread.fhir.recognising import Recogniser
from carethread.fhir.routing import Service, find_route
from carethread.fhir.submitted import BATCH, read_submitted
from carethread.fhir.transactions import transaction
from carethread.writes import log_refused


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
        route = find_route(asked.method, asked.path)
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
        return self.done(call)

    def done(self, call: Call) -> Answer:
        """Do what somebody who is recognised asks."""
        route = call.route
        if route.support is None or route.support.type != "Binary":
            check_accepts(_accept(call.asked))
        if route.what is not Service.BATCH:
            return single(call)
        try:
            submitted = read_submitted(call)
        except CarethreadError as error:
            log_refused(call.service, call.caller, error)
            raise
        return batch(call, submitted) if submitted.type == BATCH else transaction(call, submitted)

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
