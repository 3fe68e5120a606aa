"""What a form brought: its fields and files, bounded."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from carethread.errors import InvalidValueError

# More than any of our forms has.
_MOST_FIELDS = 400
_MOST_FILES = 20
# Of what is not a file. The longest body of a message, as browsers encode it, and some to spare.
_LARGEST_FIELD = 2 * 1024 * 1024
_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")


class UploadedFile(Struct, frozen=True):
    """A file as it came: the browser's word for its name and type."""

    name: str
    content_type: str
    data: bytes


class Form(Struct, frozen=True):
    """The fields of a form, in their order, and its files."""

    fields: Mapping[str, tuple[str, ...]] = {}
    files: tuple[UploadedFile, ...] = ()

    def text(self, name: str) -> str:
        """Return the one value of a field; empty where it did not come. Line ends are as the record has them."""
        values = self.fields.get(name, ())
        return values[0].replace("\r\n", "\n") if values else ""

    def line(self, name: str) -> str:
        """Return the one value without what stands around it."""
        return self.text(name).strip()

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a field, such as ticked boxes."""
        return tuple(each for each in self.fields.get(name, ()) if each)

    def is_ticked(self, name: str) -> bool:
        """Say whether a box was ticked."""
        return bool(self.every(name))


class TooLargeError(InvalidValueError):
    """A form, or a file of it, is larger than this installation takes."""

    code = "invalid-value"


async def read_form(request: Request, largest_upload: int) -> Form:
    """Return what a form brought.

    Raises:
        TooLargeError: it is too large, or has too many fields or files.
        InvalidValueError: it is no form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise InvalidValueError("form", "is none")
    limit = largest_upload + _LARGEST_FIELD
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > limit:
        raise TooLargeError("form", "is too large, or does not say how large it is")
    try:
        parsed = await request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD)
    except HTTPException as error:
        raise InvalidValueError("form", "cannot be read") from error
    fields: dict[str, list[str]] = {}
    files = []
    try:
        for name, value in parsed.multi_items():
            if isinstance(value, UploadFile):
                # A field for files that was left empty comes as a file without a name.
                if value.filename:
                    files.append(UploadedFile(value.filename, value.content_type or "", await value.read()))
            else:
                fields.setdefault(name, []).append(value)
    finally:
        await parsed.close()
    return Form({name: tuple(values) for name, values in fields.items()}, tuple(files))


def is_same_site(request: Request, base: str) -> bool:
    """Say whether a request that changes something came from one of our own pages, as far as the browser tells."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    parts = urlsplit(base)
    return origin == f"{parts.scheme}://{parts.netloc}"


def local_path(text: str) -> str:
    """Return a path of this site; its first page for whatever is anything else."""
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or not text.startswith("/") or text.startswith(("//", "/\\")):
        return "/"
    return text if text.isprintable() and " " not in text else "/"
