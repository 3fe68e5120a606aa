"""The systems, codes and extensions that resources carry: ours, and those of others that we speak.

Ours stand below one canonical base, and in the implementation guide under the same addresses. The directory's own
code systems keep their names (`carethread.directory.fhir_codes`).
"""

from carethread.record.model import MessageType, Sensitivity

CANONICAL = "https://carethread.example/fhir"
STRUCTURES = f"{CANONICAL}/StructureDefinition"
CODE_SYSTEMS = f"{CANONICAL}/CodeSystem"

# ── Extensions ────────────────────────────────────────────────────────────────────────────────────────────────────────

# Of a CommunicationRequest: where replies go, when that is a care team. R4's `sender` cannot be one.
SENDER_CARE_TEAM = f"{STRUCTURES}/sender-care-team"
# The same, as existing Dutch clients have it; since their 0.9.0 also of a Communication: the team it is written for.
OZO_SENDER_CARE_TEAM = "http://ozoverbindzorg.nl/fhir/StructureDefinition/ozo-sender-careteam"
# Of a CommunicationRequest: who takes part without being asked; once for each.
PARTICIPANT = f"{STRUCTURES}/participant"
# Of a CommunicationRequest: who may become a participant. Its parts follow.
POLICIES = f"{STRUCTURES}/policies"
ALLOW_PATIENT_PARTICIPATION = "allow-patient-participation"
ALLOW_EXTERNAL_ORGANISATIONS = "allow-external-organisations"
# Of a Communication: the organisation or team it is written for.
ON_BEHALF_OF = f"{STRUCTURES}/on-behalf-of"
# Of a Communication: the message it corrects; and, of that one, its corrections, once for each.
CORRECTS = f"{STRUCTURES}/corrects"
CORRECTED_BY = f"{STRUCTURES}/corrected-by"

# ── Codes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

# What a message is.
MESSAGE_CATEGORY = f"{CODE_SYSTEMS}/message-category"
MESSAGE_CATEGORIES = {
    MessageType.CLINICIAN: "Written by a professional",
    MessageType.PATIENT: "Written by the patient or somebody close to them",
    MessageType.SYSTEM: "Tells of a change to the thread",
    MessageType.CORRECTION: "Corrects another message",
}

# What has become of a thread or message.
TAG = f"{CODE_SYSTEMS}/tag"
ARCHIVED = "archived"
CORRECTED = "corrected"
TAGS = {ARCHIVED: "The thread is archived", CORRECTED: "There is a correction of this message"}

# https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SECURITY_CODES = {Sensitivity.STANDARD: "N", Sensitivity.CONFIDENTIAL: "R", Sensitivity.RESTRICTED: "V"}
SECURITY_DISPLAYS = {"N": "normal", "R": "restricted", "V": "very restricted"}

# https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html: part of a resource was left out when it was served.
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
SUBSETTED = "SUBSETTED"

# ── Of AuditEvents ────────────────────────────────────────────────────────────────────────────────────────────────────

# https://terminology.hl7.org/CodeSystem-audit-entity-type.html, https://terminology.hl7.org/CodeSystem-object-role.html
AUDIT_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
# https://dicom.nema.org/medical/dicom/current/output/html/part16.html#chapter_D
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
# https://terminology.hl7.org/CodeSystem-v3-ActReason.html
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
# What was done, in the access log's own words; and as what somebody asked.
ACCESS_ACTION = f"{CODE_SYSTEMS}/access-action"
ACTOR_KIND = f"{CODE_SYSTEMS}/actor-kind"
# Identifiers: of a request, and of whoever the directory does not have.
REQUEST_ID = "urn:carethread:request-id"
PARTICIPANT_ID = "urn:carethread:participant"
