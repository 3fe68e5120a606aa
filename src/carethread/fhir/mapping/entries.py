"""Entries of the directory, with their version."""

from typing import Any

from carethread.clock import Instant, format_instant
from carethread.directory.fhir_write import write_resource
from carethread.directory.model import Entry
from carethread.fhir.mapping.parts import Names


def entry_resource(entry: Entry, version: int, recorded_at: Instant, names: Names) -> dict[str, Any]:
    """Return an entry as a resource, as JSON.

    Args:
        entry: the entry, as that version has it.
        version: its number, from 1 on.
        recorded_at: when that version was recorded.
        names: every entry that it names.
    """
    meta = {"versionId": str(version), "lastUpdated": format_instant(recorded_at)}
    resource = write_resource(entry, names)
    return {"resourceType": resource.pop("resourceType"), "id": resource.pop("id"), "meta": meta, **resource}
