"""Style sheets and scripts: a few files, in memory, under an address that changes with them."""

import gzip
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from carethread.errors import ConfigurationError

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"


class Static:
    """The files as they are sent. `digest` is part of their address, so that browsers keep them for ever."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        """Read them all.

        Raises:
            ConfigurationError: they have not been built.
        """
        found = {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.suffix in _TYPES}
        if not found:
            raise ConfigurationError(
                "the style sheets and scripts of the web application have not been built: run `make assets`, which "
                "needs Node.js with npm; or install carethread from a wheel, which contains them"
            )
        self.digest = sha256(b"".join(found[name] for name in sorted(found))).hexdigest()[:16]
        self._files = {name: (data, gzip.compress(data, 9, mtime=0)) for name, data in found.items()}

    def url(self, name: str) -> str:
        """Return the address of a file."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"

    def compressed_sizes(self) -> dict[str, int]:
        """Return how many bytes of each file travel."""
        return {name: len(packed) for name, (_, packed) in self._files.items()}

    def answer(self, request: Request) -> Response:
        """Send a file."""
        found = self._files.get(request.path_params["name"])
        if found is None or request.path_params["digest"] != self.digest:
            return PlainTextResponse("Not found", 404)
        plain, packed = found
        headers = {"cache-control": _FOR_EVER, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            plain = packed
        return Response(plain, headers=headers, media_type=_TYPES[Path(request.path_params["name"]).suffix])
