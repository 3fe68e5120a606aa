"""PURE: the one table of what the gateway can be asked. What is not in it is refused, and nowhere claimed.

R4's parameters have R4's names and kinds; those that are ours are marked.
"""

from carethread.fhir.interactions import Interaction, Kind, Parameter, Reverse, Support
from carethread.fhir.profiles import PROFILES

INDIVIDUALS = ("Practitioner", "RelatedPerson", "Patient")
GROUPS = ("Organization", "CareTeam")
EVERYBODY = (*INDIVIDUALS, *GROUPS)

_BY_IDENTIFIER = frozenset({"identifier"})
_STRING = frozenset({"exact", "contains"})

_ID = Parameter("_id", Kind.TOKEN, "The resource's id.")
_LAST_UPDATED = Parameter("_lastUpdated", Kind.DATE, "When the resource last changed.")
_TAG = Parameter("_tag", Kind.TOKEN, "A tag in `meta.tag`, such as `archived` or `corrected`.")
_SECURITY = Parameter("_security", Kind.TOKEN, "Who may read: a code of v3-Confidentiality, `N`, `R` or `V`.")


def _reference(
    name: str,
    meaning: str,
    *targets: str,
    identifier: bool = False,
    chains: tuple[tuple[str, str], ...] = (),
    own: bool = False,
) -> Parameter:
    modifiers = _BY_IDENTIFIER if identifier else frozenset[str]()
    return Parameter(name, Kind.REFERENCE, meaning, targets, modifiers, chains, own)


def _by_identifier(*targets: str) -> tuple[tuple[str, str], ...]:
    return tuple((each, "identifier") for each in targets)


_OF_THREAD = tuple(("CommunicationRequest", each) for each in ("recipient", "requester", "sender", "status"))
_SUBJECT = "The patient it is about."

COMMUNICATION = Support(
    type="Communication",
    interactions=(
        Interaction.READ, Interaction.VREAD, Interaction.CREATE, Interaction.UPDATE, Interaction.HISTORY_INSTANCE,
        Interaction.HISTORY_TYPE, Interaction.SEARCH,
    ),
    meaning=(
        "A message of a thread, or a system entry. Messages never change: a correction is another message. PUT "
        "creates one under an id that is not in use; the same PUT again finds it."
    ),
    parameters=(
        _ID, _LAST_UPDATED, _TAG, _SECURITY,
        Parameter("_content", Kind.STRING, "Words of the message."),
        _reference("based-on", "The thread.", "CommunicationRequest", chains=_OF_THREAD),
        _reference("part-of", "The thread, for clients that link by it.", "CommunicationRequest", chains=_OF_THREAD),
        _reference("subject", _SUBJECT, "Patient", identifier=True, chains=_by_identifier("Patient")),
        _reference("patient", _SUBJECT, "Patient", identifier=True, chains=_by_identifier("Patient")),
        _reference("sender", "Who wrote it.", *INDIVIDUALS, identifier=True, chains=_by_identifier(*INDIVIDUALS)),
        _reference(
            "recipient", "To whom it went.", *EVERYBODY, identifier=True, chains=_by_identifier(*EVERYBODY)
        ),
        Parameter("sent", Kind.DATE, "When it was sent."),
        Parameter("status", Kind.TOKEN, "Always `completed`."),
        Parameter("category", Kind.TOKEN, "What kind of entry it is: clinician, patient, system, correction."),
        Parameter("identifier", Kind.TOKEN, "What its client calls it."),
        _reference("in-response-to", "The message it answers.", "Communication", own=True),
        _reference("corrects", "The message it corrects.", "Communication", own=True),
    ),
    includes=("based-on", "part-of", "sender", "recipient", "subject"),
    revincludes=(("Communication", "corrects"),),
    sorts=("sent", "-sent", "_lastUpdated", "-_lastUpdated"),
    conditional_create=True,
    update_creates=True,
    profiles=PROFILES["Communication"],
)  # fmt: skip

COMMUNICATION_REQUEST = Support(
    type="CommunicationRequest",
    interactions=(
        Interaction.READ, Interaction.VREAD, Interaction.CREATE, Interaction.UPDATE, Interaction.HISTORY_INSTANCE,
        Interaction.HISTORY_TYPE, Interaction.SEARCH,
    ),
    meaning=(
        "A thread. Its payload is its first message, which is found as a Communication as well. PUT creates one "
        "under an id that is not in use; later it changes status, recipients, policies and visibility, and says "
        "which version it changes."
    ),
    parameters=(
        _ID, _LAST_UPDATED, _TAG, _SECURITY,
        _reference("requester", "Who opened it.", *INDIVIDUALS, identifier=True, chains=_by_identifier(*INDIVIDUALS)),
        _reference(
            "sender", "Where replies go.", *INDIVIDUALS, "Organization", identifier=True,
            chains=_by_identifier(*INDIVIDUALS, "Organization"),
        ),
        _reference("sender-care-team", "The team to which replies go.", "CareTeam", identifier=True, own=True),
        _reference(
            "recipient", "To whom it is addressed.", *EVERYBODY, identifier=True, chains=_by_identifier(*EVERYBODY)
        ),
        _reference("subject", _SUBJECT, "Patient", identifier=True, chains=_by_identifier("Patient")),
        _reference("patient", _SUBJECT, "Patient", identifier=True, chains=_by_identifier("Patient")),
        Parameter("status", Kind.TOKEN, "`active` while it is open, else `completed`."),
        Parameter("authored", Kind.DATE, "When it was opened."),
        Parameter("identifier", Kind.TOKEN, "What its client calls it."),
    ),
    reverse=(Reverse("Communication", "based-on", "sender"),),
    includes=("requester", "sender", "recipient", "subject"),
    revincludes=(("Communication", "based-on"),),
    sorts=("authored", "-authored", "_lastUpdated", "-_lastUpdated"),
    conditional_create=True,
    update_creates=True,
    profiles=PROFILES["CommunicationRequest"],
)  # fmt: skip

_DIRECTORY = (
    Interaction.READ, Interaction.VREAD, Interaction.CREATE, Interaction.UPDATE, Interaction.HISTORY_INSTANCE,
    Interaction.SEARCH,
)  # fmt: skip
_IDENTIFIER = Parameter("identifier", Kind.TOKEN, "What it is called outside.")
_ACTIVE = Parameter("active", Kind.TOKEN, "Whether it is in use: `true` or `false`.")


def _text(name: str, meaning: str) -> Parameter:
    return Parameter(name, Kind.STRING, meaning, modifiers=_STRING)


def _entry(type_name: str, meaning: str, *parameters: Parameter) -> Support:
    return Support(
        type=type_name,
        interactions=_DIRECTORY,
        meaning=meaning,
        parameters=(_ID, _LAST_UPDATED, _IDENTIFIER, *parameters),
        conditional_create=True,
        update_creates=True,
    )


DIRECTORY = (
    _entry(
        "Organization",
        "An organisation; its members share one inbox.",
        _ACTIVE,
        _text("name", "How its name, or an alias of it, begins."),
        _reference("partof", "The organisation it is a part of.", "Organization"),
    ),
    _entry(
        "Practitioner",
        "A professional.",
        _ACTIVE,
        _text("name", "How a part of the name begins."),
    ),
    _entry(
        "PractitionerRole",
        "Who works where, as what. It makes its practitioner a member of its organisation.",
        _ACTIVE,
        _reference("practitioner", "Who works there.", "Practitioner"),
        _reference("organization", "Where.", "Organization"),
    ),
    _entry(
        "RelatedPerson",
        "Somebody close to a patient.",
        _ACTIVE,
        _text("name", "How a part of the name begins."),
        _reference("patient", "The patient.", "Patient"),
    ),
    _entry(
        "Patient",
        "A patient. Their first thread begins their record.",
        _ACTIVE,
        _text("name", "How a part of the name begins."),
        Parameter("birthdate", Kind.DATE, "When they were born."),
        _reference("link", "Another entry for the same patient.", "Patient"),
    ),
    _entry(
        "CareTeam",
        "A patient's team, or one of an organisation. Its members share one inbox.",
        Parameter("status", Kind.TOKEN, "Whether it is `active`, and what else R4 knows."),
        _reference("participant", "A member.", "Practitioner", "PractitionerRole", "RelatedPerson", "Patient",
                   "Organization", "CareTeam"),
        _reference("patient", "Whose team it is.", "Patient"),
    ),
)  # fmt: skip

BINARY = Support(
    type="Binary",
    interactions=(Interaction.READ, Interaction.CREATE),
    meaning=(
        "A file: of a message, under the rule of its thread; or uploaded, to go with a message that its own sender "
        "posts within a day."
    ),
    validates=False,
)

SUBSCRIPTION = Support(
    type="Subscription",
    interactions=(Interaction.READ, Interaction.CREATE, Interaction.UPDATE, Interaction.SEARCH),
    meaning=(
        "Who wants to be notified of what: an empty POST to an endpoint (`rest-hook` without payload) for each message "
        "or thread that is new or changed, fulfils the criteria and may be read by whoever subscribed. `requested` is "
        "`active` at once; `off` ends it; `requested` after `error` goes on where it stopped."
    ),
    parameters=(
        _ID,
        _LAST_UPDATED,
        Parameter("status", Kind.TOKEN, "`active`, `error` or `off`."),
        Parameter("criteria", Kind.STRING, "How its criteria begin.", modifiers=_STRING),
        Parameter("url", Kind.URI, "Its endpoint."),
    ),
)

AUDIT_EVENT = Support(
    type="AuditEvent",
    interactions=(Interaction.READ, Interaction.SEARCH),
    meaning="A line of the access log, for auditors, who say why they look in the header `Carethread-Purpose`.",
    parameters=(
        _ID,
        _reference("agent", "Who asked.", *INDIVIDUALS, "Organization"),
        _reference("entity", "What was shown or written.", "Communication", "CommunicationRequest", "Patient"),
        _reference("patient", "The patient it is about.", "Patient"),
        Parameter("date", Kind.DATE, "When that was."),
        Parameter("action", Kind.TOKEN, "What was done: `C`, `R`, `U` or `E`."),
        Parameter("outcome", Kind.TOKEN, "How it ended: `0` done, `4` nothing there, `8` refused."),
    ),
)

TABLE = (COMMUNICATION_REQUEST, COMMUNICATION, *DIRECTORY, SUBSCRIPTION, BINARY, AUDIT_EVENT)
BY_TYPE = {each.type: each for each in TABLE}
