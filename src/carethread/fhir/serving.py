"""From a request to its answer, in a thread: routed, recognised, done."""

from collections.abc import Mapping
from typing import Any

from carethread.coordination import CoordinationService
from carethread.fhir.answers import Answer, of_value
from carethread.fhir.asked import Asked, check_accepts, read_preferences
from carethread.fhir.batches import batch
from carethread.fhir.call import Call, Meanings, Options
from carethread.fhir.capability import capability_statement
from carethread.fhir.doing import INTERACTIONS
from carethread.fhir.encoding import Encoded
from carethread.fhir.interactions import Interaction
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.paging import Signer
from carethread.fhir.queries import bad, read_pairs
from carethread.fhir.recognising import Recogniser
from carethread.fhir.routing import Service, find_route
from carethread.fhir.shape import SHAPE, Shape, read_shape
from carethread.fhir.validating import validate

_WHOLE = Shape()
# Those that read the parameters of the address themselves.
_WITH_PARAMETERS = frozenset({Interaction.SEARCH, Interaction.HISTORY_TYPE, Service.VALIDATE})


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
        shape = _shape(asked)
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
        if route.what not in _WITH_PARAMETERS:
            _check_no_parameters(call)
        if route.what is Service.BATCH:
            return batch(call, self.done)
        if not isinstance(route.what, Interaction) or route.support is None:
            return validate(call)
        return INTERACTIONS[route.support.type, route.what](call)

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


def _accept(asked: Asked) -> str:
    # R4: what the address says of the format wins over the header.
    return "" if b"_format=" in asked.query else asked.header("accept")


def _shape(asked: Asked) -> Shape:
    if b"_" not in asked.query:
        return _WHOLE
    pairs = read_pairs(asked.query)
    return read_shape({name: value for name, value in pairs if name in SHAPE and value})
