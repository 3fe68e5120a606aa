"""`COORDINATION_STATUS.yaml` from version to version."""

from carethread.errors import FormatError, IllegalTransitionError
from carethread.record import rules
from carethread.record.model import CoordinationStatus, StatusUpdate
from carethread.record.status_yaml import parse_status, render_status
from carethread.record.transitions import STATUS_PATH
from carethread.verify.codes import Code
from carethread.verify.report import Report


def read_status(data: bytes, report: Report) -> CoordinationStatus | None:
    """Read a version of the file, or report why it cannot be."""
    try:
        status = parse_status(data)
    except FormatError as error:
        report.add(Code.STATUS_MALFORMED, f"Line {error.line}: {error.fault}.", STATUS_PATH, error.line)
        return None
    if render_status(status) != data:
        report.add(Code.STATUS_MALFORMED, "The status would be written otherwise for what it says.", STATUS_PATH)
        return None
    return status


def check_first_status(status: CoordinationStatus, report: Report) -> None:
    """A record begins active and open to everything."""
    if status != CoordinationStatus(status.coordination_id, status.clinical_id, status.custodian):
        report.add(Code.STATUS_TRANSITION, "The record did not begin active and open.", STATUS_PATH)


def check_status_change(before: CoordinationStatus, after: CoordinationStatus, report: Report) -> None:
    """The lifecycle goes its way, and a record remains the same patient's and the same custodian's."""
    for field in ("coordination_id", "clinical_id"):
        if getattr(before, field) != getattr(after, field):
            report.add(Code.STATUS_IDENTITY, f"{field} changed, and never may.", STATUS_PATH)
    if before.custodian != after.custodian:
        report.add(Code.STATUS_CUSTODIAN, "The custodian changed, and never may.", STATUS_PATH)
    try:
        rules.check_status_update(before, StatusUpdate(lifecycle_state=after.lifecycle_state))
    except IllegalTransitionError as error:
        report.add(Code.STATUS_TRANSITION, f"There is no such step: {error}.", STATUS_PATH)
