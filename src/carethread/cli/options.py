"""The options and arguments that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

from carethread.record.model import INDIVIDUAL_ROLES, Role

_INDIVIDUALS = ", ".join(role.value for role in Role if role in INDIVIDUAL_ROLES)

# ── What is meant ─────────────────────────────────────────────────────────────────────────────────────────────────────

RecordArgument = Annotated[str, typer.Argument(metavar="RECORD", help="The record's id, or how it begins.")]
# Left out with --as: then what stands first is what comes next.
RecordIfNotAsArgument = Annotated[
    str | None, typer.Argument(metavar="RECORD", help="The record's id, or how it begins. Not needed with --as.")
]
ThreadIfNotAsArgument = Annotated[
    str | None, typer.Argument(metavar="THREAD", help="The thread's id, or how it or its UUID begins.")
]
MessageIfNotAsArgument = Annotated[
    str | None, typer.Argument(metavar="MESSAGE", help="The message's id; where it stands is named, how it begins.")
]
ThreadArgument = Annotated[str, typer.Argument(metavar="THREAD", help="The thread's id, or how it begins.")]
MessageArgument = Annotated[str, typer.Argument(metavar="MESSAGE", help="The message's id, or how it begins.")]

# ── Everywhere ────────────────────────────────────────────────────────────────────────────────────────────────────────

# As text: an empty one, from a variable that is not set, must not come to mean the working directory.
DataOption = Annotated[
    str | None, typer.Option("--data", metavar="DIRECTORY", help="The data directory.  [env var: CARETHREAD_DATA]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]

# ── Who acts, and where ───────────────────────────────────────────────────────────────────────────────────────────────

_AUTHOR_ID = typer.Option(
    "--author-id", metavar="UUID", envvar="CARETHREAD_AUTHOR_ID", show_envvar=True, help="Who acts."
)
_AUTHOR_NAME = typer.Option(
    "--author-name", metavar="NAME", envvar="CARETHREAD_AUTHOR_NAME", show_envvar=True, help="Their name."
)
_CARE_LOCATION = typer.Option(
    "--care-location", metavar="PLACE", envvar="CARETHREAD_CARE_LOCATION", show_envvar=True, help="Where that happens."
)
AuthorIdOption = Annotated[str, _AUTHOR_ID]
AuthorNameOption = Annotated[str, _AUTHOR_NAME]
CareLocationOption = Annotated[str, _CARE_LOCATION]
# For a command that need not be told: it only changes something if asked, or a person acts with --as.
AuthorIdIfChangedOption = Annotated[str | None, _AUTHOR_ID]
AuthorNameIfChangedOption = Annotated[str | None, _AUTHOR_NAME]
CareLocationIfChangedOption = Annotated[str | None, _CARE_LOCATION]
AuthorRoleOption = Annotated[
    str,
    typer.Option(
        "--author-role",
        metavar="ROLE",
        envvar="CARETHREAD_AUTHOR_ROLE",
        show_envvar=True,
        help=f"Their role: {_INDIVIDUALS}.",
    ),
]
DEFAULT_ROLE = Role.CLINICIAN.value

# ── A message ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BodyFileArgument = Annotated[
    str | None, typer.Argument(metavar="FILE", help="A file with the body, or - for standard input.")
]
BodyOption = Annotated[str | None, typer.Option("--body", metavar="TEXT", help="The body itself.")]
OnBehalfOfOption = Annotated[
    str | None,
    typer.Option("--on-behalf-of", metavar="PARTICIPANT", help="The organisation or team the author writes for."),
]
AttachOption = Annotated[
    list[Path] | None, typer.Option("--attach", metavar="FILE", help="A file to go with it. Repeatable.")
]
SentOption = Annotated[
    str | None,
    typer.Option("--sent", metavar="TIME", help="When it was sent, such as 2026-01-11T14:36:15.234Z."),
]
ClientOption = Annotated[
    str, typer.Option("--client", metavar="NAME", help="The client whose identifier --identifier is.")
]
IdentifierOption = Annotated[
    str | None,
    typer.Option(
        "--identifier",
        metavar="TEXT",
        help="What the client calls this. Given again, nothing is recorded twice and the answer is the same.",
    ),
]
DEFAULT_CLIENT = "carethread-cli"

# ── A thread ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ParticipantOption = Annotated[
    list[str] | None,
    typer.Option(
        "--participant",
        metavar="ROLE:[ID:]NAME",
        help="Who takes part besides the author. Without an id, one is made. Repeatable.",
    ),
]
AddOption = Annotated[
    list[str] | None,
    typer.Option(
        "--add",
        metavar="ROLE:[ID:]NAME",
        help="Who is to take part from now on; with --as, an entry of the directory. Repeatable.",
    ),
]
RemoveOption = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="PARTICIPANT", help="Who is to take part no longer. Repeatable."),
]
AddressedToOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="PARTICIPANT", help="Whom the thread is addressed to. Repeatable."),
]
ReplyToOption = Annotated[
    str | None, typer.Option("--reply-to", metavar="PARTICIPANT", help="Where replies go. Needs --to.")
]
_SENSITIVITY = typer.Option(
    "--sensitivity", metavar="WORD", help="Who reads for a group: standard, confidential or restricted."
)
SensitivityOption = Annotated[str, _SENSITIVITY]
SensitivityIfChangedOption = Annotated[str | None, _SENSITIVITY]
RestrictedOption = Annotated[
    bool | None, typer.Option("--restricted/--not-restricted", help="Named individuals alone read it, or no longer.")
]
PatientsOption = Annotated[
    bool | None, typer.Option("--patients/--no-patients", help="Whether patients and their associates may take part.")
]
ExternalsOption = Annotated[
    bool | None,
    typer.Option("--external-organisations/--no-external-organisations", help="Whether other organisations may."),
]
