"""One address, and what answers there, for whom."""

from collections.abc import Callable
from enum import Enum, auto

from msgspec import Struct
from starlette.responses import Response

from carethread.web.visit import Visit

Handler = Callable[[Visit], Response]


class For(Enum):
    """Whom a page is for."""

    ANYBODY = auto()
    SIGNED_IN = auto()


class Page(Struct, frozen=True):
    """One address, and what answers there.

    Attributes:
        method: of HTTP.
        path: with names for its parts, as the router writes them.
        handler: answers.
        whom: whom it is for.
        again: of a form in which people type: answers when it was made in a session that is over, and another has
            begun since. It records nothing, and gives back what was typed.
    """

    method: str
    path: str
    handler: Handler
    whom: For = For.SIGNED_IN
    again: Handler | None = None
