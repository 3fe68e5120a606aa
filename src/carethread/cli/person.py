"""A person of the directory who acts at the command line: what follows goes by what they may."""

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from carethread import CoordinationService
from carethread.cli.options import DEFAULT_CLIENT
from carethread.cli.people import PEOPLE, find_entry, find_taking_part
from carethread.errors import ConfigurationError, InvalidValueError
from carethread.ids import (
    CommunicationId,
    MessageId,
    ParticipantId,
    parse_communication_id,
    parse_message_id,
    random_uuid,
)
from carethread.policy.actor import ActorKind, Caller
from carethread.reads import find_thread, read_thread

AS_VARIABLE = "CARETHREAD_AS"

_AS = typer.Option(
    "--as",
    metavar="PERSON",
    envvar=AS_VARIABLE,
    show_envvar=True,
    help="The person of the directory who acts: a UUID, Practitioner/A1 or A1. What they may do is all that happens.",
)
AsOption = Annotated[str | None, _AS]
# For what only a person can do.
AsPersonOption = Annotated[str, _AS]
AuditorOption = Annotated[bool, typer.Option("--auditor", help="Act as an auditor. Needs --purpose.")]
StewardOption = Annotated[
    bool, typer.Option("--steward", help="Act as a steward, where nobody of the home side is left.")
]
PurposeOption = Annotated[
    str | None, typer.Option("--purpose", metavar="TEXT", help="Why you look, in one line. It is logged.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask whether that is meant.")]


def caller_of(
    service: CoordinationService,
    person: str,
    *,
    auditor: bool = False,
    steward: bool = False,
    purpose: str | None = None,
) -> Caller:
    """Return who asks, with an id that ties together what one command writes into the access log.

    Raises:
        UnknownPersonError: the directory does not know them.
        InvalidValueError: they are no person, or would act as two things at once.
    """
    if auditor and steward:
        raise InvalidValueError("steward", "is not given together with --auditor: act as one of them")
    entry = find_entry(service, person, PEOPLE, "as")
    kind = ActorKind.AUDITOR if auditor else ActorKind.STEWARD if steward else None
    return Caller(entry.id, kind, purpose or "", client=DEFAULT_CLIENT, request_id=str(random_uuid()))


def check_operator(*, auditor: bool = False, steward: bool = False, purpose: str | None = None) -> None:
    """Without a person, nobody is an auditor or a steward.

    Raises:
        ConfigurationError: the command says that somebody is.
    """
    if auditor or steward or purpose is not None:
        raise ConfigurationError(
            f"--auditor, --steward and --purpose say as what a person acts: name them with --as, or set {AS_VARIABLE}"
        )


# ── What a person names ───────────────────────────────────────────────────────────────────────────────────────────────


def thread_of(service: CoordinationService, caller: Caller, named: str) -> CommunicationId:
    """Return the thread with this id, or the one of theirs whose id's UUID begins like this.

    Raises:
        UnknownThreadError: they have no such thread.
        InvalidValueError: too short, several, or a beginning where only a whole id will do.
    """
    try:
        return parse_communication_id(named, "thread")
    except InvalidValueError as error:
        if caller.kind is not None:
            raise InvalidValueError(
                "thread", f"give the whole id: a {caller.kind} has no inbox to find it in"
            ) from error
    return find_thread(service, caller, named)


def message_of(service: CoordinationService, caller: Caller, thread: str | None, named: str) -> MessageId:
    """Return the message with this id, or the one of a thread whose id begins like this.

    Raises:
        UnknownThreadError: they have no such thread.
        InvalidValueError: no such message in it, several, or no thread is named.
    """
    try:
        return parse_message_id(named.lower())
    except InvalidValueError as error:
        if thread is None:
            raise InvalidValueError("message", "give the whole id, or the thread and how the id begins") from error
    view = read_thread(service, caller, thread_of(service, caller, thread), opens=False)
    found = [each.id for each in view.messages if each.id.startswith(named.lower())]
    if len(found) != 1:
        raise InvalidValueError("message", f"begins the id of {len(found)} messages of the thread, not of one")
    return found[0]


def participants_of(
    service: CoordinationService, caller: Caller, thread_id: CommunicationId, named: Iterable[str], field: str
) -> tuple[ParticipantId, ...]:
    """Return who of a thread's participants is meant. The thread is only read if somebody is named.

    Raises:
        UnknownThreadError: they have no such thread.
        NotParticipantError: somebody named does not take part.
    """
    wanted = tuple(named)
    if not wanted:
        return ()
    taking_part = read_thread(service, caller, thread_id, opens=False).ledger.participants
    return tuple(find_taking_part(service, taking_part, each, field) for each in wanted)


def last_arguments(*given: str | None, needed: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that matter where those before them may be left out.

    Raises:
        InvalidValueError: one is missing.
    """
    said = [each for each in given if each is not None]
    if len(said) < len(needed):
        raise InvalidValueError(needed[len(said)], "is missing; --help says how the command is used")
    return tuple(said[len(said) - len(needed) :])


# ── What a person is asked ────────────────────────────────────────────────────────────────────────────────────────────


def confirm(lines: Sequence[str], in_short: str, *, yes: bool) -> None:
    """Say what is about to be recorded, and go on only if that is meant.

    `in_short` says it without a name, for an error, which may be kept somewhere.

    Raises:
        InvalidValueError: it is not, or there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidValueError("yes", f"is needed where nobody can be asked: {in_short}")
    print(*lines, sep="\n", file=sys.stderr)
    if not typer.confirm("Record that?", err=True):
        raise InvalidValueError("answer", "was no; nothing was recorded")
