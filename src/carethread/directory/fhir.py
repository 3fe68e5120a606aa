"""Reads a FHIR R4 Bundle into drafts. What is not understood is refused, with the path where it stands."""

import re
from functools import lru_cache
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct, UnsetType

from carethread.directory.draft import Bundle, Draft
from carethread.directory.fhir_elements import BundleEntry, BundleRequest, FhirBundle, NotKept, Resource
from carethread.directory.fhir_parts import FULL_URL
from carethread.directory.fhir_resources import draft_of
from carethread.directory.model import EntryKind
from carethread.errors import DirectoryError

# Enough for half a million small entries. Measured, a load takes eleven times as much memory.
MAX_BUNDLE_BYTES = 128 * 1024 * 1024
MAX_RESOURCE_BYTES = 4 * 1024 * 1024

_T = TypeVar("_T")
_FIELD = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)

_bundle: msgspec.json.Decoder[FhirBundle] = msgspec.json.Decoder(FhirBundle)
_entry: msgspec.json.Decoder[BundleEntry] = msgspec.json.Decoder(BundleEntry)
_resource: msgspec.json.Decoder[Resource] = msgspec.json.Decoder(Resource)


def read_bundle(data: bytes) -> Bundle:
    """Read a Bundle of type transaction or collection, in JSON.

    Raises:
        DirectoryError: it is none, is too large or nested too deeply, or holds what the directory does not take.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise DirectoryError("Bundle", f"is larger than {MAX_BUNDLE_BYTES >> 20} MiB")
    bundle = _decoded(_bundle, data, "Bundle")
    if bundle.type not in ("transaction", "collection"):
        raise DirectoryError("Bundle.type", "is none of transaction, collection")
    drafts = []
    not_kept: set[str] = set()
    for number, raw in enumerate(bundle.entry):
        path = f"entry[{number}]"
        entry = _decoded(_entry, bytes(raw), path)
        if len(bytes(entry.resource)) > MAX_RESOURCE_BYTES:
            raise DirectoryError(f"{path}.resource", f"is larger than {MAX_RESOURCE_BYTES >> 20} MiB")
        resource = _decoded(_resource, bytes(entry.resource), f"{path}.resource")
        draft = draft_of(resource, f"{path}.resource", _full_url(entry, path))
        if bundle.type == "transaction":
            _check_request(entry.request, draft, f"{path}.request")
        not_kept |= _not_kept(resource)
        drafts.append(draft)
    return Bundle(tuple(drafts), tuple(sorted(not_kept)))


def read_resource(data: bytes) -> Bundle:
    """Read one resource, in JSON, as `read_bundle` reads many. Paths begin with `resource`.

    Raises:
        DirectoryError: it is larger, or nested more deeply, or another than the directory takes.
    """
    if len(data) > MAX_RESOURCE_BYTES:
        raise DirectoryError("resource", f"is larger than {MAX_RESOURCE_BYTES >> 20} MiB")
    resource = _decoded(_resource, data, "resource")
    return Bundle((draft_of(resource, "resource", ""),), tuple(sorted(_not_kept(resource))))


def _decoded(decoder: "msgspec.json.Decoder[_T]", data: bytes, path: str) -> _T:
    """Decode, and say in our words what is wrong: nothing of what stands in the JSON but the names of elements."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _in_our_words(str(error), path, "Bundle" if path == "Bundle" else ", ".join(EntryKind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DirectoryError(path, "is not JSON in UTF-8") from None
    except RecursionError:
        raise DirectoryError(path, "is nested too deeply") from None


def _in_our_words(message: str, path: str, types: str) -> DirectoryError:
    fault, _, inner = message.partition(" - at `$")
    inner = inner.removesuffix("`")
    where = path + inner
    field = _FIELD.fullmatch(fault)
    if field is not None and field["what"] == "missing required":
        return DirectoryError(f"{where}.{field['name']}", "is missing")
    if field is not None:
        name = field["name"] if _plain(field["name"]) else "…"
        return DirectoryError(f"{where}.{name}", "is no element that is taken here")
    if inner.endswith(".resourceType"):
        return DirectoryError(where, f"is none of {types}")
    return DirectoryError(where, f"is not what it should be: {fault[:1].lower()}{fault[1:]}")


def _plain(name: str) -> bool:
    return re.fullmatch(r"_?[A-Za-z]{1,64}", name, re.ASCII) is not None


def _full_url(entry: BundleEntry, path: str) -> str:
    if not isinstance(entry.full_url, str):
        return ""
    if FULL_URL.fullmatch(entry.full_url) is None:
        raise DirectoryError(f"{path}.fullUrl", "is neither urn:uuid: and a lower-case UUID nor an absolute URL")
    return entry.full_url


def _check_request(request: BundleRequest | UnsetType, draft: Draft, path: str) -> None:
    if not isinstance(request, BundleRequest):
        raise DirectoryError(path, "is missing, in a transaction")
    wanted = {"POST": draft.kind.value, "PUT": f"{draft.kind.value}/{draft.fhir_id}" if draft.fhir_id else None}
    if request.method not in wanted:
        raise DirectoryError(f"{path}.method", "is none of POST, PUT: entries are deactivated, never deleted")
    if request.url != wanted[request.method]:
        raise DirectoryError(f"{path}.url", "is not the resource's type, with PUT followed by / and its id")


@lru_cache
def _elements_not_kept(kind: type[Struct]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a kind of resource that are not kept, and how each is told."""
    tag = kind.__struct_config__.tag
    found = (each for each in msgspec.structs.fields(kind) if each.type == NotKept)
    return tuple((each.name, f"{tag}.{each.encode_name}") for each in found)


def _not_kept(resource: Struct) -> set[str]:
    return {told for field, told in _elements_not_kept(type(resource)) if isinstance(getattr(resource, field), Raw)}
