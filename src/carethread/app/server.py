"""The HTTP server: uvicorn on uvloop and httptools, with a bound on what stands before a request's body."""

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from carethread.app.application import Application
from carethread.errors import ConfigurationError

# Request line and headers, in bytes. The gateway says more exactly what is too much; this is against endless ones.
LARGEST_HEAD = 128 * 1024
# How long what was begun may take when the server stops.
GRACE_S = 30
_KEEP_ALIVE_S = 65
_BACKLOG = 2048


class BoundedProtocol(HttpToolsProtocol):
    """HTTP that gives up on whoever sends headers without end."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._in_head = True
        self._head = 0
        self._has_ended = False

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the head has grown too large."""
        self._has_ended = False
        super().data_received(data)
        # What came with the end of a message is of that message: it may be a long body.
        if self._in_head and not self._has_ended:
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self.send_400_response("The headers are too large.")

    def on_headers_complete(self) -> None:
        """Go on with the body."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Go on with the next head."""
        super().on_message_complete()
        self._in_head, self._head, self._has_ended = True, 0, True


class _Server(uvicorn.Server):
    """A server that ends like a program that did its work when it is told to stop."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; whoever only listens is not waited for."""
        self._application.begin_to_stop()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM; what was begun is finished. In another thread, there are no signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, kept in before.items():
                signal.signal(each, kept)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes any that is free.

    Raises:
        ConfigurationError: it cannot; the message says what to do.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror}; name another with --host and --port"
        ) from error
    listening.setblocking(False)  # noqa: FBT003 - as the standard library has it
    return listening


def server_of(application: Application) -> uvicorn.Server:
    """Return a server that is not begun yet."""
    return _Server(
        uvicorn.Config(
            application,
            loop="uvloop",
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            backlog=_BACKLOG,
        ),
        application,
    )


def run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, or until it `should_exit`; finish what was begun."""
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listening]))
