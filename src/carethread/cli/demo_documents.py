"""What `carethread demo --json` answers: of the invented region, and of the two conversations."""

from msgspec import Struct

from carethread.cli.documents import FindingDocument, ServingDocument


class NamedDocument(Struct, frozen=True):
    """Somebody or something of the invented region, by its short name."""

    name: str
    id: str


class RegionDocument(Struct, frozen=True):
    """The invented region: where it is, whether it was made now, who and what is in it, and where it is served."""

    directory: str
    made: bool
    people: tuple[NamedDocument, ...]
    groups: tuple[NamedDocument, ...]
    threads: tuple[NamedDocument, ...]
    pages: str | None
    serving: ServingDocument | None


class DemonstrationDocument(Struct, frozen=True):
    """What the two conversations have recorded, and where that is, if it was kept."""

    directory: str | None
    coordination_id: str
    communication_ids: tuple[str, ...]
    commits: int
    findings: tuple[FindingDocument, ...]
