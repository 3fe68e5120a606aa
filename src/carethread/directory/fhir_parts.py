"""The parts that resources have in common: names, identifiers, periods, references."""

import re
from collections.abc import Sequence

from msgspec import UnsetType

from carethread.directory.draft import Reference
from carethread.directory.fhir_codes import CLINICAL_ID_SYSTEM
from carethread.directory.fhir_elements import FhirIdentifier, FhirPeriod, FhirReference, HumanName
from carethread.directory.fhir_periods import read_period
from carethread.directory.model import ALWAYS, EntryKind, Identifier, Period
from carethread.errors import DirectoryError, InvalidValueError
from carethread.ids import ClinicalId, parse_clinical_id

MAX_IDENTIFIERS = 100
MAX_TEXT = 1_000

FULL_URL = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|https?://[!-~]{1,500}", re.ASCII)
_RELATIVE = re.compile(r"(?P<kind>[A-Za-z]+)/[A-Za-z0-9.-]{1,64}", re.ASCII)
# Names that are no longer used say nothing about who somebody is now.
_FORMER = ("old", "maiden")


def one_line(text: str) -> str:
    """Return text with every run of white space as one space, and none at the ends."""
    return " ".join(text.split())


def spoken_name(names: tuple[HumanName, ...], path: str) -> str:
    """Return the name somebody goes by: the usual one, else the official, else the first that is in use."""
    current = [each for each in names if each.use not in _FORMER]
    for name in sorted(current, key=lambda each: {"usual": 0, "official": 1}.get(str(each.use), 2)):
        family = (name.family,) if isinstance(name.family, str) else ()
        text = one_line(name.text if isinstance(name.text, str) else " ".join((*name.prefix, *name.given, *family)))
        if text:
            return text
    raise DirectoryError(f"{path}.name", "is missing, or says nothing that is used now")


def identifiers_of(
    identifiers: tuple[FhirIdentifier, ...], path: str
) -> tuple[tuple[Identifier, ...], ClinicalId | None]:
    """Return the identifiers in use, each once, and the clinical id among them."""
    if len(identifiers) > MAX_IDENTIFIERS:
        raise DirectoryError(f"{path}.identifier", f"has more than {MAX_IDENTIFIERS}")
    kept: dict[Identifier, None] = {}
    clinical: ClinicalId | None = None
    for number, each in enumerate(identifiers):
        read = _identifier(each, f"{path}.identifier[{number}]")
        if read is None or each.use == "old":
            continue
        if read.system != CLINICAL_ID_SYSTEM:
            kept[read] = None
            continue
        try:
            said = parse_clinical_id(read.value)
        except InvalidValueError as error:
            raise DirectoryError(f"{path}.identifier[{number}].value", error.fault) from None
        if clinical not in (None, said):
            raise DirectoryError(f"{path}.identifier[{number}]", "a patient has one clinical id")
        clinical = said
    return tuple(kept), clinical


def _identifier(identifier: FhirIdentifier, path: str) -> Identifier | None:
    """Return an identifier; nothing where its system or its value is not said, for then it identifies nothing."""
    system, value = identifier.system, identifier.value
    if not isinstance(system, str) or not isinstance(value, str):
        return None
    for name, text in (("system", system), ("value", value)):
        if not text or len(text) > MAX_TEXT or not text.isprintable() or text != text.strip():
            raise DirectoryError(f"{path}.{name}", "is empty, too long, or holds what cannot be seen")
    return Identifier(system, value)


def period_of(period: FhirPeriod | UnsetType, path: str) -> Period:
    """Return a resource's period; always, if it has none."""
    if not isinstance(period, FhirPeriod):
        return ALWAYS
    start, end = (each if isinstance(each, str) else None for each in (period.start, period.end))
    return read_period(start, end, f"{path}.period")


def references(
    *found: tuple[str, FhirReference | UnsetType, str, tuple[EntryKind, ...]],
) -> tuple[tuple[str, Reference], ...]:
    """Return those references that are there. Of each: the entry's field, the value, where it stands, its kinds."""
    return tuple(
        (field, reference(value, path, kinds))
        for field, value, path, kinds in found
        if isinstance(value, FhirReference)
    )


def reference(named: FhirReference, path: str, kinds: tuple[EntryKind, ...]) -> Reference:
    """Return a reference, and the kinds it may have after what it says itself."""
    text = named.reference
    identifier = None
    if not isinstance(text, str):
        identifier = (
            _identifier(named.identifier, f"{path}.identifier")
            if isinstance(named.identifier, FhirIdentifier)
            else None
        )
        if identifier is None:
            raise DirectoryError(path, "names nothing: give reference, or identifier with system and value")
        text = ""
    elif FULL_URL.fullmatch(text) is None:
        relative = _RELATIVE.fullmatch(text)
        if relative is None:
            raise DirectoryError(f"{path}.reference", "is none of Type/id, urn:uuid:… and an absolute URL")
        kinds = _narrowed(kinds, relative["kind"], f"{path}.reference")
    if isinstance(named.type, str):
        kinds = _narrowed(kinds, named.type, f"{path}.type")
    return Reference(path, kinds, text, identifier)


def _narrowed(kinds: Sequence[EntryKind], said: str, path: str) -> tuple[EntryKind, ...]:
    found = tuple(each for each in kinds if each.value == said)
    if not found:
        raise DirectoryError(path, f"is none of {', '.join(kinds)}")
    return found
