"""One authenticated request, and what it may use: what every interaction is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from msgspec import Struct

from carethread.coordination import CoordinationService
from carethread.fhir.answers import Answer
from carethread.fhir.asked import Asked, Preferences
from carethread.fhir.encoding import Encoded
from carethread.fhir.interactions import Support
from carethread.fhir.paging import Signer
from carethread.fhir.routing import Route
from carethread.fhir.shape import Shape
from carethread.fhir.token import Token
from carethread.fhir.webhooks import Reach
from carethread.ids import CommunicationId, MessageId, ParticipantId
from carethread.policy.actor import Caller

Meant = ParticipantId | CommunicationId | MessageId
_REMEMBERED = 50_000


class Options(Struct, frozen=True, kw_only=True):
    """What an installation decides about its gateway.

    Attributes:
        base: the address of the FHIR base, as clients know it, without a slash at its end.
        version: of the program, for the CapabilityStatement.
        software_date: when this process began, as a FHIR instant, for the same.
        name: what the installation is called.
        largest_body: of a request, in bytes.
        threads: how many requests are worked on at once.
        most_waiting: how many more may wait; beyond, they are sent away.
        patients_open_threads: whether patients and related persons may open threads.
        accepts_drafts: whether a CommunicationRequest with status `draft` is taken as `active`, and a Communication
            without a status as `completed`.
        reach: where endpoints of subscriptions may lie beside the public network.
    """

    base: str
    version: str
    software_date: str
    name: str = "Carethread"
    largest_body: int = 40 * 1024 * 1024
    threads: int = 32
    most_waiting: int = 512
    patients_open_threads: bool = True
    accepts_drafts: bool = False
    reach: frozenset[Reach] = frozenset()


class Meanings:
    """What references meant: a name that is once given means the same for ever. Thread-safe."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[tuple[str, str], Meant] = {}

    def find(self, pair: tuple[str, str]) -> Meant | None:
        """Return what a reference is known to mean."""
        return self._known.get(pair)

    def keep(self, found: Mapping[tuple[str, str], Meant]) -> None:
        """Remember what was looked up by id: identifiers may go from one to another."""
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.update((pair, each) for pair, each in found.items() if "|" not in pair[1])


@dataclass(frozen=True, slots=True)
class Call:
    """A request of somebody who was recognised. `is_inside` says that what it does may be taken back as a whole."""

    service: CoordinationService
    options: Options
    signer: Signer
    encoded: Encoded
    meanings: Meanings
    asked: Asked
    route: Route
    preferences: Preferences
    shape: Shape
    token: Token
    caller: Caller
    is_inside: bool = False

    def within(self, service: CoordinationService) -> "Call":
        """Return the same request inside work of several steps, which may yet be taken back."""
        # Nor is it remembered how a version looks that may be taken back: another may have its number, and its instant.
        return replace(self, service=service, encoded=Encoded(), is_inside=True)

    @property
    def base(self) -> str:
        """The address of the FHIR base, as clients know it."""
        return self.options.base

    @property
    def support(self) -> Support:
        """What the table says of the type that is asked about."""
        if self.route.support is None:  # pragma: no cover - only interactions with a type are given a call
            raise AssertionError
        return self.route.support


Interact = Callable[[Call], Answer]
