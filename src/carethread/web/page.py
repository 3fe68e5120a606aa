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
    """One address, and what answers there."""

    method: str
    path: str
    handler: Handler
    whom: For = For.SIGNED_IN
