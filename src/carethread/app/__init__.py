"""The composition root: from settings to the parts, from these to one ASGI application, and to a server of it."""

from carethread.app.application import NO_PAGES, Application, Serve
from carethread.app.local import is_local
from carethread.app.server import bind, run, server_of

__all__ = ["NO_PAGES", "Application", "Serve", "bind", "is_local", "run", "server_of"]
