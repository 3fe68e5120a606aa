"""`carethread inbox`: the threads a person has, in the order of their last activity."""

from typing import Annotated

import typer

from carethread import CoordinationService
from carethread.cli import library, options, output, views
from carethread.cli.application import new_noun
from carethread.cli.documents import LedgerDocument, MessageDocument, PartyDocument
from carethread.cli.people import GROUPS, find_entry, name_of
from carethread.cli.people_documents import InboxDocument, InboxLineDocument
from carethread.cli.person import AsPersonOption, AuditorOption, PurposeOption, StewardOption, caller_of
from carethread.errors import InvalidValueError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.policy.actor import Caller
from carethread.reads import InboxLine, Wanted, inbox, unattended_groups, unread_count
from carethread.record.model import Message

_MOST_UNREAD = 100
# Who takes part, and the last message.
_CUT = (3, 6)
_SHORT = 8
_UUID_LENGTH = 36

AfterOption = Annotated[
    str, typer.Option("--after", metavar="PLACE", help="Where to go on, as the page before says.", show_default=False)
]
CountOption = Annotated[int, typer.Option("--count", metavar="N", help="How many at most, up to 200.")]

app = new_noun("Show the threads a person has.")


@app.command("inbox")
def show(
    *,
    as_person: AsPersonOption,
    of: Annotated[
        str | None,
        typer.Option("--of", metavar="GROUP", help="`me`, or an organisation or team; left out, all of them."),
    ] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Those that wait on you, or on that group.")] = False,
    unread: Annotated[bool, typer.Option("--unread", help="Those you have not opened since the last message.")] = False,
    archived: Annotated[bool, typer.Option("--archived", help="Those that are archived, and no others.")] = False,
    counts: Annotated[bool, typer.Option("--counts", help="Only how many are unread.")] = False,
    unattended: Annotated[
        bool, typer.Option("--unattended", help="Organisations and teams whose inbox nobody has any more.")
    ] = False,
    count: CountOption = 50,
    after: AfterOption = "",
    auditor: AuditorOption = False,
    steward: StewardOption = False,
    purpose: PurposeOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show your threads, and those of your organisations and teams, newest activity first.

    THREAD is the beginning of the thread's id, which all other commands take. Waiting are open threads in which
    something addressed to you came after your side's last message; `carethread thread aside` takes one off. Unread is
    for you alone: that you open a thread changes nothing for your colleagues.

    Examples:
      carethread inbox --as A1
      carethread inbox --as A1 --of organisation:Pharmacy-A --waiting
      carethread inbox --as N2 --steward --unattended
    """
    if sum((waiting, unread, archived, counts, unattended)) > 1:
        raise InvalidValueError("inbox", "takes one of --waiting, --unread, --archived, --counts and --unattended")
    with library.opened(data) as service:
        caller = caller_of(service, as_person, auditor=auditor, steward=steward, purpose=purpose)
        if unattended:
            _show_unattended(service, caller, after, count, as_json=as_json)
            return
        group = None
        if of is not None:
            group = caller.person if of == "me" else find_entry(service, of, GROUPS, "of").id
        if counts:
            _show_count(unread_count(service, caller, of=group), as_json=as_json)
            return
        wanted = Wanted(archived=archived, waiting=waiting, unread=unread)
        page = inbox(service, caller, of=group, wanted=wanted, after=after, count=count)
        if as_json:
            output.answer(
                InboxDocument(tuple(_document(service, each) for each in page.lines), after=page.after or None)
            )
            return
        if not page.lines:
            output.say("Nothing more." if after else "Nothing here.")
            return
        output.fitted(
            ("", "THREAD", "PATIENT", "WITH", "LAST ACTIVITY", "STATUS", "LAST MESSAGE"),
            (_row(service, caller, each) for each in page.lines),
            _CUT,
        )
        if any(each.is_unread for each in page.lines):
            output.say("", "● unread")
        say_more(page.after)


def say_more(after: str) -> None:
    """Say how to ask for what follows, if there is more."""
    if after:
        output.say("", f"There is more: give the same command with --after {after}")


def _show_count(count: int, *, as_json: bool) -> None:
    if as_json:
        output.answer(InboxDocument(unread=count))
    else:
        output.say(f"{count} unread" if count < _MOST_UNREAD else f"{_MOST_UNREAD} unread, or more")


def _show_unattended(service: CoordinationService, caller: Caller, after: str, count: int, *, as_json: bool) -> None:
    place = parse_participant_id(after, "after") if after else None
    groups, following = unattended_groups(service, caller, after=place, count=count)
    if as_json:
        named = tuple(PartyDocument(each, name_of(service, each)) for each in groups)
        output.answer(InboxDocument(groups=named, after=following))
        return
    if groups:
        output.table(("ORGANISATION OR TEAM", "ID"), ((name_of(service, each), each) for each in groups))
    else:
        output.say("Every inbox has somebody.")
    say_more(following or "")


def _row(service: CoordinationService, caller: Caller, line: InboxLine) -> tuple[str, ...]:
    others = (each.name for each in line.ledger.participants if each.id not in {caller.person, *line.patients})
    return (
        "●" if line.is_unread else "",
        line.ledger.communication_id[-_UUID_LENGTH:][:_SHORT],
        _patients(service, line.patients),
        ", ".join(others),
        views.at_minute(line.ledger.last_updated_at),
        line.ledger.status.value,
        "" if line.last is None else one_line(line.last),
    )


def one_line(message: Message) -> str:
    """Return who wrote a message, and how it begins."""
    begins = next((each for each in message.body.split("\n") if each.strip()), "")
    return f"{message.author_name}: {' '.join(begins.split())}"


def _patients(service: CoordinationService, patients: frozenset[ParticipantId]) -> str:
    return " / ".join(dict.fromkeys(name_of(service, each) for each in sorted(patients)))


def _document(service: CoordinationService, line: InboxLine) -> InboxLineDocument:
    return InboxLineDocument(
        line.record,
        tuple(PartyDocument(each, name_of(service, each)) for each in sorted(line.patients)),
        line.is_unread,
        LedgerDocument.of(line.ledger),
        None if line.last is None else MessageDocument.of(line.last),
    )
