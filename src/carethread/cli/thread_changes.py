"""`carethread thread close`, `archive` and `participants`: changes of a thread that have a command of their own."""

from carethread import LedgerUpdate, ThreadStatus
from carethread.cli import library, options, output, person_thread, views
from carethread.cli.changes import change_ledger
from carethread.cli.content import read_participants
from carethread.cli.documents import LedgerDocument, LedgerOfRecordDocument
from carethread.cli.naming import find_participants, find_record, find_thread
from carethread.cli.people import ANYBODY, find_all
from carethread.cli.person import (
    AsOption,
    AuditorOption,
    PurposeOption,
    StewardOption,
    YesOption,
    caller_of,
    check_operator,
    last_arguments,
    participants_of,
    thread_of,
)
from carethread.reads import served_thread
from carethread.writes import ThreadChange

_THREAD = ("THREAD",)
_BOTH = ("RECORD", "THREAD")


def close(
    record: options.RecordIfNotAsArgument = None,
    thread: options.ThreadIfNotAsArgument = None,
    *,
    as_person: AsOption = None,
    steward: StewardOption = False,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Close a thread: it takes no more messages. This cannot be undone.

    Examples:
      carethread thread close 550e8400 --as A1
      carethread thread close 7f4c 550e
    """
    _end(
        ThreadStatus.CLOSED,
        (record, thread),
        as_person,
        steward,
        (author_id, author_name, author_role),
        on_behalf_of=on_behalf_of,
        care_location=care_location,
        data=data,
        as_json=as_json,
    )


def archive(
    record: options.RecordIfNotAsArgument = None,
    thread: options.ThreadIfNotAsArgument = None,
    *,
    as_person: AsOption = None,
    steward: StewardOption = False,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Archive a thread: it takes no more messages and is left out of lists. This cannot be undone.

    Examples:
      carethread thread archive 550e8400 --as A1
      carethread thread archive 7f4c 550e
    """
    _end(
        ThreadStatus.ARCHIVED,
        (record, thread),
        as_person,
        steward,
        (author_id, author_name, author_role),
        on_behalf_of=on_behalf_of,
        care_location=care_location,
        data=data,
        as_json=as_json,
    )


def _end(
    status: ThreadStatus,
    named: tuple[str | None, str | None],
    as_person: str | None,
    steward: bool,
    author: tuple[str | None, str | None, str],
    *,
    on_behalf_of: str | None,
    care_location: str | None,
    data: str | None,
    as_json: bool,
) -> None:
    with library.opened(data) as service:
        if as_person is not None:
            caller = caller_of(service, as_person, steward=steward)
            (thread,) = last_arguments(*named, needed=_THREAD)
            person_thread.change(
                service,
                caller,
                thread_of(service, caller, thread),
                ThreadChange(status),
                on_behalf_of=on_behalf_of,
                care_location=care_location,
                yes=True,
                as_json=as_json,
            )
            return
        check_operator(steward=steward)
        record, thread = last_arguments(*named, needed=_BOTH)
        acting = library.acting(*author)
        place = library.acting_place(care_location)
        found = find_record(service, record)
        update = LedgerUpdate(status=status)
        change_ledger(
            service, found, find_thread(found, thread), acting, place, on_behalf_of, update, as_json=as_json
        )  # fmt: skip


def participants(
    record: options.RecordIfNotAsArgument = None,
    thread: options.ThreadIfNotAsArgument = None,
    *,
    as_person: AsOption = None,
    add: options.AddOption = None,
    remove: options.RemoveOption = None,
    yes: YesOption = False,
    auditor: AuditorOption = False,
    steward: StewardOption = False,
    purpose: PurposeOption = None,
    on_behalf_of: options.OnBehalfOfOption = None,
    author_id: options.AuthorIdIfChangedOption = None,
    author_name: options.AuthorNameIfChangedOption = None,
    author_role: options.AuthorRoleOption = options.DEFAULT_ROLE,
    care_location: options.CareLocationIfChangedOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    r"""Show who takes part in a thread; add and remove people and groups.

    Who is added sees the whole thread, from its beginning. With --as, that is to be confirmed, or --yes to be given.
    Who acts, and where, need only be said to change something.

    Examples:
      carethread thread participants 550e8400 --as B1 --add person:B9 --yes
      carethread thread participants 7f4c 550e
      carethread thread participants 7f4c 550e \
          --add "care_administrator:Priya Shah" --remove "Dr Tom Patel"
    """
    with library.opened(data) as service:
        if as_person is not None:
            caller = caller_of(service, as_person, auditor=auditor, steward=steward, purpose=purpose)
            (named,) = last_arguments(record, thread, needed=_THREAD)
            if not (add or remove):
                person_thread.show_ledger(service, caller, named, as_json=as_json)
                return
            thread_id = thread_of(service, caller, named)
            change = ThreadChange(
                add=find_all(service, add, ANYBODY, "add"),
                remove=participants_of(service, caller, thread_id, remove or (), "remove"),
            )
            person_thread.change(
                service,
                caller,
                thread_id,
                change,
                on_behalf_of=on_behalf_of,
                care_location=care_location,
                yes=yes,
                as_json=as_json,
            )
            return
        check_operator(auditor=auditor, steward=steward, purpose=purpose)
        record, thread = last_arguments(record, thread, needed=_BOTH)
        found = find_record(service, record)
        operator_thread = find_thread(found, thread)
        if add or remove:
            author = library.acting(author_id, author_name, author_role)
            update = LedgerUpdate(
                add_participants=read_participants(add or ()),
                remove_participants=find_participants(found, operator_thread, remove or (), "remove"),
            )
            place = library.acting_place(care_location)
            change_ledger(service, found, operator_thread, author, place, on_behalf_of, update, as_json=as_json)
            return
        read = found.read_communication(operator_thread)
        library.show_operator(service, found, "ledger", served_thread(operator_thread, read.version))
        if as_json:
            output.answer(LedgerOfRecordDocument(found.coordination_id, None, LedgerDocument.of(read.ledger)))
        else:
            views.show_participants(read.ledger.participants)
