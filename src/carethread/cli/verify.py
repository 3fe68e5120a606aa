"""`carethread verify`: what an independent check finds."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from carethread import CoordinationService, Finding
from carethread.cli import exit_codes, library, options, output
from carethread.cli.application import new_noun
from carethread.cli.documents import FindingDocument, VerificationDocument
from carethread.cli.naming import find_record
from carethread.cli.progress import Progress, shown
from carethread.ids import CoordinationId
from carethread.settings import Settings

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

    Where the settings say whose signatures count (CARETHREAD_TRUSTED_CERTIFICATES, CARETHREAD_ALLOWED_SIGNERS), every
    commit must have one of these.

    Each finding is one line: the record, its code, commit, file and line, and a sentence. With findings, the exit
    code is 6.

    Examples:
      carethread verify
      carethread verify 7f4c --json
    """
    settings = library.read_settings(data)
    with library.opened(data) as service:
        if record:
            wanted = [find_record(service, each).coordination_id for each in dict.fromkeys(record)]
        else:
            wanted = [each.coordination_id for each in service.records()]
        findings = []
        with shown("Verifying") as progress:
            for finding in check(service, wanted, settings, progress):
                findings.append(finding)
                if not as_json:
                    output.say(line(finding))
    if as_json:
        output.answer(VerificationDocument(len(wanted), tuple(FindingDocument.of(each) for each in findings)))
    else:
        found = counted(len(findings), "finding") if findings else "nothing found"
        output.say(f"Checked {counted(len(wanted), 'record')}{signatures_too(settings)}: {found}.")
    if findings:
        raise typer.Exit(exit_codes.INTEGRITY)


def check(
    service: CoordinationService, wanted: Sequence[CoordinationId], settings: Settings, progress: Progress | None
) -> Iterator[Finding]:
    """Yield what a check finds, of signatures too where the settings say whose count."""
    return service.verify(
        wanted,
        progress,
        trusted_certificates=settings.trusted_certificates,
        allowed_signers=settings.allowed_signers,
    )


def line(finding: Finding) -> str:
    """Return a finding in one line."""
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    where = " ".join(part for part in (finding.record, finding.commit[:12], place) if part)
    return f"{where}: {finding.code}: {finding.sentence}"


def signatures_too(settings: Settings) -> str:
    """Return whether signatures are checked, in words that follow what is."""
    asked = settings.trusted_certificates is not None or settings.allowed_signers is not None
    return ", signatures too" if asked else ""


def counted(number: int, noun: str) -> str:
    """Return `1 record`, `2 records`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
