"""A receiver of notifications on this machine, and what it was sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE_S = 60.0


class Receiver:
    """Takes notifications, or fails to: each with its path, headers and body, in the order in which they came."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.at: list[float] = []
        self.refused = 0
        self.status = 200
        self.news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with receiver.news:
                    status = receiver.status
                    if status == 200:
                        receiver.at.append(time.monotonic())
                        receiver.taken.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                    else:
                        receiver.refused += 1
                    receiver.news.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Whoever notifies may die while it does."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def paths(self) -> list[str]:
        with self.news:
            return [path for path, _, _ in self.taken]

    def until(self, so: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(so, PATIENCE_S), (self.taken, self.refused)

    def until_taken(self, count: int) -> None:
        self.until(lambda: len(self.taken) >= count)

    def fail(self, status: int = 503) -> None:
        with self.news:
            self.status = status

    def recover(self) -> None:
        self.fail(200)

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        made.close()
