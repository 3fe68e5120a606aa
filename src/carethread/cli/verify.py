"""`carethread verify`: what an independent check finds."""

from typing import Annotated

import typer

from carethread import Finding
from carethread.cli import exit_codes, options, output, session
from carethread.cli.application import new_noun
from carethread.cli.documents import FindingDocument, VerificationDocument
from carethread.cli.naming import find_record
from carethread.cli.progress import shown

app = new_noun("Check records independently of what wrote them.")


@app.command("verify")
def verify(
    record: Annotated[
        list[str] | None, typer.Argument(metavar="RECORD", help="Which records; all, if none is named.")
    ] = None,
    *,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Check records: every commit of their whole history, then journal and index against it.

    Each finding is one line: the record, its code, commit, file and line, and a sentence. With findings, the exit
    code is 6.

    Examples:
      carethread verify
      carethread verify 7f4c --json
    """
    with session.opened(data) as service:
        if record:
            wanted = [find_record(service, each).coordination_id for each in dict.fromkeys(record)]
        else:
            wanted = [each.coordination_id for each in service.records()]
        findings = []
        with shown("Verifying") as progress:
            for finding in service.verify(wanted, progress):
                findings.append(finding)
                if not as_json:
                    output.say(line(finding))
    if as_json:
        output.answer(VerificationDocument(len(wanted), tuple(FindingDocument.of(each) for each in findings)))
    else:
        output.say(summary(len(wanted), len(findings)))
    if findings:
        raise typer.Exit(exit_codes.INTEGRITY)


def line(finding: Finding) -> str:
    """Return a finding in one line."""
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    where = " ".join(part for part in (finding.record, finding.commit[:12], place) if part)
    return f"{where}: {finding.code}: {finding.sentence}"


def summary(records: int, findings: int) -> str:
    """Return how a check ended, in words."""
    checked = counted(records, "record")
    return f"Checked {checked}: {counted(findings, 'finding')}." if findings else f"Checked {checked}: nothing found."


def counted(number: int, noun: str) -> str:
    """Return `1 record`, `2 records`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
