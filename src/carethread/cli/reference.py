"""Writes the reference documentation of the command line and of the settings, from what they are.

`python -m carethread.cli.reference > docs/cli.md` and `python -m carethread.cli.reference settings >
docs/settings.md`; the tests compare.
"""

import sys
import types
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import typer
from msgspec import Struct

from carethread.cli import application, demo_documents, documents, exit_codes, people_documents, token_documents
from carethread.settings import FILE_VARIABLE, documentation, variable

_WIDTH = 90

# What each command answers to `--json`, first where it answers something else with another option.
ANSWERS: dict[str, type[Struct]] = {
    "demo --text": demo_documents.DemonstrationDocument,
    "demo": demo_documents.RegionDocument,
    "record init": documents.RecordDocument,
    "record list": documents.RecordsDocument,
    "record show": documents.RecordDocument,
    "thread new": documents.RecordedDocument,
    "thread list": documents.ThreadsDocument,
    "thread show": documents.ThreadDocument,
    "thread close": documents.LedgerOfRecordDocument,
    "thread archive": documents.LedgerOfRecordDocument,
    "thread participants": documents.LedgerOfRecordDocument,
    "thread aside": people_documents.SetAsideDocument,
    "thread refile": people_documents.RefiledDocument,
    "thread emergency": documents.ThreadDocument,
    "message reply": documents.RecordedDocument,
    "message add": documents.RecordedDocument,
    "message correct": documents.RecordedDocument,
    "message show": documents.MessageOfRecordDocument,
    "ledger show": documents.LedgerOfRecordDocument,
    "ledger update": documents.LedgerOfRecordDocument,
    "directory load": documents.LoadedDocument,
    "directory show": documents.EntryDetailsDocument,
    "directory search": documents.EntriesDocument,
    "directory export": documents.ExportedDocument,
    "directory history": documents.VersionsDocument,
    "directory appoint": documents.AppointedDocument,
    "directory dismiss": documents.AppointedDocument,
    "client add": documents.ChangedClientDocument,
    "client list": documents.ClientsDocument,
    "client change": documents.ChangedClientDocument,
    "client revoke": documents.ChangedClientDocument,
    "client history": documents.ClientVersionsDocument,
    "token revoke": token_documents.RevokedTokenDocument,
    "token key": token_documents.TokenKeyDocument,
    "token": token_documents.TokenDocument,
    "serve": documents.ServingDocument,
    "inbox": people_documents.InboxDocument,
    "search": people_documents.SearchDocument,
    "access-log list": people_documents.AccessLogDocument,
    "access-log export": people_documents.ExportDocument,
    "access-log reconstruct": people_documents.ReconstructionDocument,
    "log": documents.HistoryDocument,
    "verify": documents.VerificationDocument,
    "flush": documents.OperationDocument,
    "rebuild": documents.OperationDocument,
    "backup": documents.OperationDocument,
    "restore": documents.OperationDocument,
}

_INTRODUCTION = """\
# The command line

Written by `python -m carethread.cli.reference > docs/cli.md` from the commands themselves; the tests compare.

A command is `carethread <noun> <verb>`. It answers on standard output, for people or, with `--json`, with one JSON
document. What goes wrong is one line on standard error, and an exit code.
"""

_RULES = """\
## Naming

A record is named by its id or by how that begins, as Git names commits: four characters or more, as long as only one
fits. Threads and messages of a record are named likewise; a thread also by the UUID at the end of its id, for all ids
of a day begin alike. Participants of a thread are named by their id, by how it begins, or by their name.

`--participant` and `--add` take `ROLE:ID:NAME`. Left out (`ROLE:NAME`), the id is made, and printed with the others.
Somebody who is known elsewhere must be given the id they have there.

With `--as PERSON`, a person of the directory acts, and sees and does what they may. They need name no record: THREAD is
the whole id or how its UUID begins, among their own threads; MESSAGE is the whole id, or its beginning after the
thread. People, organisations and teams are named as the directory knows them: by UUID, `Practitioner/A1`, or `A1`
where only one is called so; `organisation:`, `team:`, `person:` or `patient:` before it says which is meant. Auditors
and stewards, who have no inbox, give threads by their whole id.

## Who acts, and what is logged

Without `--as`, whoever has the data directory is trusted: they read every record, and write as whom they say. That is
for those who run an installation. What these commands show and record is in the access log as well, as an `operator`:
with the author of what was written, and without a name for what was shown, because nobody said one.

With `--as`, everything is asked of the policy and logged, before it is shown. `--auditor` with `--purpose`, or
`--steward`, acts as one who was appointed. What somebody may not read is answered like what does not exist.

Who may run the command, and as whom, the machine decides: `--as` proves nothing. Keep the data directory from those
who must not act as others.

## Bodies

The body of a message is what `--body` says, or is in a file, or comes from standard input, for which the file is
called `-`. Where none of these is given, standard input is a terminal and no attachment says it all, the editor that
`VISUAL` or `EDITOR` names is opened. If what was typed there cannot be recorded, it stays in a file only its owner
can read, and the error says where.

What `--body` says can be seen in the list of running processes for a moment. For what is not made up, use a file or
standard input.

The media type of an attachment follows from the ending of its name; `application/octet-stream`, if that is not
known.

## Doing it twice

A command that failed recorded nothing, with one exception: after `outcome-unknown`, nobody knows. `--identifier`
makes it safe to try again: the same command with the same identifier is recorded once, and answered alike. A command
that was answered is recorded, whatever happens to the process then.
"""

_SETTINGS = f"""\
# Settings

Written by `python -m carethread.cli.reference settings > docs/settings.md` from the settings themselves; the tests
compare.

Every setting is an environment variable. It may also stand in a TOML file, which `{FILE_VARIABLE}` names:

```toml
data = "/var/lib/carethread"
installation_name = "Thames Valley Shared Care"
```

The environment wins over the file, an option on the command line over both. A path in the file is relative to the
file, a path in the environment to the working directory. A file with a key that is no setting is refused.

| setting | variable | meaning | example |
|---|---|---|---|
"""


def command_line() -> str:
    """Return the reference of the command line, in Markdown."""
    return "\n".join(_command_line_parts())


def settings() -> str:
    """Return the reference of the settings, in Markdown."""
    rows = (
        f"| `{name}` | `{variable(name)}` | {each.meaning} | `{each.example}` |\n"
        for name, each in documentation().items()
    )
    return _SETTINGS + "".join(rows)


def commands() -> Iterator[tuple[str, Any, Any]]:
    """Yield the name of every command, the command and a context to ask for its help; nouns before their verbs."""
    root = typer.main.get_command(application.application)
    context = typer.Context(root, info_name=application.PROGRAM, terminal_width=_WIDTH)
    yield "", root, context
    for noun, _, _ in application.COMMANDS:
        loaded = application.load(noun)
        inner = typer.Context(loaded, info_name=noun, parent=context)
        yield noun, loaded, inner
        for verb, command in getattr(loaded, "commands", {}).items():
            yield f"{noun} {verb}", command, typer.Context(command, info_name=verb, parent=inner)


def _command_line_parts() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## Exit codes\n\n| code | meaning |\n|---|---|"
    yield from (f"| {code} | {meaning} |" for code, meaning in exit_codes.MEANINGS.items())
    yield "\nWith `--json`, standard error holds one JSON object then: `error`, with `code` (stable words such as"
    yield "`unknown-record`), `message`, `remedy` (or `null`) and `exit_code`.\n"
    yield _RULES
    yield "## Commands\n"
    for name, command, context in commands():
        title = f"carethread {name}".rstrip()
        yield f"### {title}\n\n```text"
        yield "\n".join(each.rstrip() for each in command.get_help(context).strip().split("\n"))
        yield "```\n"
        for answering, document in ANSWERS.items():
            option = answering.removeprefix(name).strip()
            if answering == name or (name and option.startswith("--")):
                yield f"With `{f'{option} --json'.strip()}`: {_link(document)}.\n"
    yield "## JSON documents\n"
    yield "Keys stay as they are; others may be added. Times are UTC, such as `2026-01-11T14:36:15.234Z`."
    for document in _documents():
        yield f"\n### {_name(document)}\n\n{document.__doc__}\n\n| key | value |\n|---|---|"
        yield from (f"| `{key}` | {_kind(kind)} |" for key, kind in get_type_hints(document).items())
    yield ""


def _documents() -> list[type[Struct]]:
    return [
        each
        for module in (demo_documents, documents, people_documents, token_documents)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Struct) and each.__module__ == module.__name__
    ]


def _name(document: type[Struct]) -> str:
    return document.__name__.removesuffix("Document")


def _link(document: type[Struct]) -> str:
    return f"[{_name(document)}](#{_name(document).lower()})"


def _kind(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_kind(each) for each in get_args(kind))
    if get_origin(kind) is tuple:
        return f"list of {_kind(get_args(kind)[0])}"
    words = {str: "text", int: "number", bool: "`true` or `false`", types.NoneType: "`null`"}
    return words.get(kind) or _link(kind)


def main(arguments: list[str]) -> None:
    """Print one of the references."""
    print(settings() if arguments == ["settings"] else command_line(), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
