"""What a client asks for, before it is known whom its references mean: drafts; and why it cannot be had: issues."""

from msgspec import Struct

from carethread.clock import Instant
from carethread.errors import CarethreadError
from carethread.ids import ParticipantId
from carethread.record.model import BusinessIdentifier, Policies, ThreadStatus, Visibility


class RuleIssue(Struct, frozen=True):
    """Why a resource is refused: it says what the record will not hear.

    Attributes:
        code: of https://hl7.org/fhir/R4/valueset-issue-type.html, such as `business-rule` or `not-supported`.
        expression: the FHIRPath of what is refused, such as `Communication.payload[1].content.url`.
        text: why, in one sentence. Neither this nor `instead` holds anything that the resource said.
        instead: what to do, in one sentence.
    """

    code: str
    expression: str
    text: str
    instead: str


class ResourceRefusedError(CarethreadError):
    """A valid resource says what the record will not hear; `issues` has all that is wrong with it, at least one."""

    code = "resource-refused"

    def __init__(self, issues: tuple[RuleIssue, ...]) -> None:
        """Hold the issues, in the order of the elements."""
        super().__init__("; ".join(f"{each.expression}: {each.text}" for each in issues))
        self.issues = issues


class Named(Struct, frozen=True):
    """A reference, and where it stands.

    Attributes:
        expression: its FHIRPath, such as `Communication.recipient[0]`.
        type: the resource type, such as `Organization`.
        id: the resource id; empty where an identifier names it.
        identifier: what it is called outside.
    """

    expression: str
    type: str
    id: str = ""
    identifier: BusinessIdentifier | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """Type and id; of one named by an identifier, type and `system|value`. No id holds a `|`."""
        if self.identifier is None:
            return self.type, self.id
        return self.type, f"{self.identifier.system}|{self.identifier.value}"


class AttachmentDraft(Struct, frozen=True):
    """A file that a message is to carry: here, or uploaded before.

    Attributes:
        expression: its FHIRPath, such as `Communication.payload[1].content`.
        data: its bytes, where they came with the message.
        binary: else the id of the Binary that has them: an upload, or the file of a recorded message sent back.
        media_type: in lower case, without parameters; always there with `data`.
        file_name: its title; always there with `data`.
        size: in bytes, where the client says so. With `data`, it has been compared.
        sha1: of the content, where the client says so. With `data`, it has been compared.
    """

    expression: str
    data: bytes | None = None
    binary: str = ""
    media_type: str | None = None
    file_name: str | None = None
    size: int | None = None
    sha1: bytes | None = None


class MessageDraft(Struct, frozen=True, kw_only=True):
    """What a Communication asks to have recorded.

    Attributes:
        thread: a CommunicationRequest.
        sender: an individual.
        id: the resource id it came with.
        identifiers: what its client calls it besides.
        subject: the patient, where it says so: must be the record's.
        recipients: empty where they are to follow from the sender's side.
        on_behalf_of: an Organization or CareTeam; left out, it follows from the thread.
        in_response_to: a Communication of the same thread.
        corrects: a Communication. A correction goes where the original went.
        sent: when it was sent, if it says so.
        text: as the record takes it; empty where there are attachments alone.
        attachments: in their order.
        visibility: what it says that the visibility of its thread is; must be so (`check_visibility`).
    """

    thread: Named
    sender: Named
    id: str | None = None
    identifiers: tuple[BusinessIdentifier, ...] = ()
    subject: Named | None = None
    recipients: tuple[Named, ...] = ()
    on_behalf_of: Named | None = None
    in_response_to: Named | None = None
    corrects: Named | None = None
    sent: Instant | None = None
    text: str = ""
    attachments: tuple[AttachmentDraft, ...] = ()
    visibility: Visibility | None = None

    def references(self) -> tuple[Named, ...]:
        """Return everything it names."""
        single = (self.thread, self.subject, self.sender, self.on_behalf_of, self.in_response_to, self.corrects)
        return (*(each for each in single if each is not None), *self.recipients)


class ThreadDraft(Struct, frozen=True, kw_only=True):
    """What a CommunicationRequest asks to have opened.

    Attributes:
        subject: the patient it is about.
        requester: the individual who opens it.
        recipients: whom it is addressed to, at least one, each once.
        reply_to: where replies go, if not to the requester. An Organization or CareTeam is whom it is opened for.
        others: who takes part without being asked.
        id: the resource id it came with.
        identifiers: what its client calls it besides.
        policies: who may become a participant.
        visibility: who among the members of groups may read.
        continues: the closed CommunicationRequest it takes up.
        text: the first message, as the record takes it; empty where there is none, or attachments alone.
        attachments: those of the first message.
    """

    subject: Named
    requester: Named
    recipients: tuple[Named, ...]
    reply_to: Named | None = None
    others: tuple[Named, ...] = ()
    id: str | None = None
    identifiers: tuple[BusinessIdentifier, ...] = ()
    policies: Policies = Policies()
    visibility: Visibility = Visibility()
    continues: Named | None = None
    text: str = ""
    attachments: tuple[AttachmentDraft, ...] = ()

    @property
    def has_message(self) -> bool:
        """Whether it is opened with a message."""
        return bool(self.text or self.attachments)

    def references(self) -> tuple[Named, ...]:
        """Return everything it names."""
        single = (self.subject, self.requester, self.reply_to, self.continues)
        return (*(each for each in single if each is not None), *self.recipients, *self.others)


class ThreadEdit(Struct, frozen=True, kw_only=True):
    """What a CommunicationRequest that is sent back asks to have changed; what is left out stays.

    Attributes:
        version: the version that was edited, as the body's `meta.versionId` says it.
        status: where the thread is to go. The record refuses to go back.
        add: who is to take part, and does not yet.
        remove: who is to take part no longer.
        recipients: whom the thread is addressed to from now on: those who take part by their participant id, those of
            `add` as they are named. `None` where that stays, and in a plain thread.
        visibility: who among the members of groups may read.
        policies: who may become a participant.
    """

    version: str | None = None
    status: ThreadStatus | None = None
    add: tuple[Named, ...] = ()
    remove: tuple[ParticipantId, ...] = ()
    recipients: tuple[ParticipantId | Named, ...] | None = None
    visibility: Visibility | None = None
    policies: Policies | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        stays = (self.status, self.recipients, self.visibility, self.policies) == (None,) * 4
        return stays and not self.add and not self.remove
