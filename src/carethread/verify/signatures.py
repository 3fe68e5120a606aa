"""The signatures of a record's commits, held to whom somebody trusts."""

from carethread.git.objects import split_signature
from carethread.git.signatures import SignatureError, Trust, check_signature
from carethread.verify.codes import Code
from carethread.verify.report import Report


def check_commit_signature(raw: bytes, trust: Trust, report: Report) -> None:
    """Report a commit that is not signed, or not by anybody trusted; of a run of such commits, the first."""
    payload, armor = split_signature(raw)
    if armor is None:
        report.add_once(Code.SIGNATURE_MISSING, "The commit is not signed.")
        return
    try:
        check_signature(payload, armor, trust)
    except SignatureError as error:
        report.add_once(Code.SIGNATURE_INVALID, f"The signature does not count: {error}.")
