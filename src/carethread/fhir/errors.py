"""What is wrong with a FHIR resource, in the words of an OperationOutcome."""

from msgspec import Struct

from carethread.errors import CarethreadError


class Issue(Struct, frozen=True):
    """One fault.

    Attributes:
        code: of https://hl7.org/fhir/R4/valueset-issue-type.html.
        expression: FHIRPath of where it is, such as `Communication.payload[0].content`.
        text: for people. Nothing that stands in the resource stands in it.
    """

    code: str
    expression: str
    text: str


class InvalidResourceError(CarethreadError):
    """JSON that is no valid resource of FHIR R4; `issues` say why."""

    code = "invalid-resource"

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        """Take what is wrong: at least one."""
        super().__init__("; ".join(f"{each.expression}: {each.text}" for each in issues))
        self.issues = issues
