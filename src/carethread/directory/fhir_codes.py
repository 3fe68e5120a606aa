"""The codes and systems that mean something to the directory; all others mean nothing."""

from carethread.directory.fhir_elements import CodeableConcept
from carethread.directory.model import Standing
from carethread.errors import DirectoryError

# How somebody stands in an organisation or team: `clinician` or `care_administrator`.
STANDING_SYSTEM = "urn:carethread:standing"
STANDING_CODES = {each.value: each for each in (Standing.CLINICIAN, Standing.CARE_ADMINISTRATOR)}
# The clinical id of a patient, among the identifiers.
CLINICAL_ID_SYSTEM = "urn:carethread:clinical-id"
# https://terminology.hl7.org/CodeSystem-practitioner-role.html. Its other codes do not say clinical work.
ROLE_SYSTEM = "http://terminology.hl7.org/CodeSystem/practitioner-role"
CLINICAL_ROLES = frozenset({"doctor", "nurse", "pharmacist"})


def said_standing(concepts: tuple[CodeableConcept, ...], path: str) -> Standing | None:
    """Return the standing that a code of our own system says, if there is one.

    Raises:
        DirectoryError: there are two different ones, or it is none we know.
    """
    found: Standing | None = None
    for number, concept in enumerate(concepts):
        for place, coding in enumerate(concept.coding):
            if coding.system != STANDING_SYSTEM:
                continue
            here = f"{path}[{number}].coding[{place}]"
            standing = STANDING_CODES.get(coding.code) if isinstance(coding.code, str) else None
            if standing is None:
                raise DirectoryError(f"{here}.code", f"is none of {', '.join(STANDING_CODES)}")
            if found not in (None, standing):
                raise DirectoryError(here, "says another standing than the code before it")
            found = standing
    return found


def role_standing(concepts: tuple[CodeableConcept, ...], path: str) -> Standing:
    """Return how whoever holds a role with these codes stands in its organisation: with the least right, if in doubt.

    Raises:
        DirectoryError: the codes of our own system contradict each other or are none we know.
    """
    said = said_standing(concepts, path)
    if said is not None:
        return said
    clinical = any(
        coding.system == ROLE_SYSTEM and coding.code in CLINICAL_ROLES
        for concept in concepts
        for coding in concept.coding
    )
    return Standing.CLINICIAN if clinical else Standing.CARE_ADMINISTRATOR
