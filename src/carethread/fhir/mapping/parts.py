"""What resources have in common when they go out."""

from collections.abc import Iterable, Mapping

from carethread.clock import Instant, format_instant
from carethread.fhir import types
from carethread.fhir.mapping import terms
from carethread.ids import ParticipantId
from carethread.record.model import BusinessIdentifier, Sensitivity, Visibility

# Everybody who is named, by id: their `Type/fhir-id`. Whom the directory does not have is `Type-by-role/uuid`.
Names = Mapping[ParticipantId, str]


def reference(text: str, display: str | None = None) -> types.Reference:
    """Return a reference to `Type/id`. Its type stands beside, since some clients' profiles want it."""
    return types.Reference(reference=text, type=text.partition("/")[0], display=display)


def reference_extension(url: str, text: str, display: str | None = None) -> types.Extension:
    """Return an extension whose value is a reference."""
    return types.Extension(url=url, value_reference=reference(text, display))


def identifiers(found: Iterable[BusinessIdentifier]) -> tuple[types.Identifier, ...]:
    """Return business identifiers."""
    return tuple(types.Identifier(system=each.system, value=each.value) for each in found)


def meta(version: int, updated: Instant, visibility: Visibility | None, tag: str | None) -> types.Meta:
    """Return what a resource says of itself."""
    return types.Meta(
        version_id=str(version),
        last_updated=format_instant(updated),
        security=() if visibility is None else (_label(security_code(visibility)),),
        tag=() if tag is None else (types.Coding(system=terms.TAG, code=tag, display=terms.TAGS[tag]),),
    )


def security_code(visibility: Visibility) -> str:
    """Return the label that says who may read: N, R or V. `restricted: true` shows as V, whatever it covers."""
    return terms.SECURITY_CODES[Sensitivity.RESTRICTED if visibility.restricted else visibility.sensitivity]


def _label(code: str) -> types.Coding:
    return types.Coding(system=terms.CONFIDENTIALITY, code=code, display=terms.SECURITY_DISPLAYS[code])
