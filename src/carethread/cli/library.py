"""From options to the library: an opened data directory, and who acts."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from carethread import Author, CarethreadError, CoordinationRecord, CoordinationService, Role
from carethread.access_log import Action, Served
from carethread.cli.options import DEFAULT_CLIENT
from carethread.errors import ConfigurationError
from carethread.ids import CommunicationId, MessageId, parse_participant_id
from carethread.reads import log_operator, served_thread
from carethread.record.words import read_word
from carethread.settings import Settings

# What is in every data directory from the beginning. Elsewhere, a command that only reads must leave nothing behind.
_MARK = "installation.yaml"


def read_settings(data: str | None) -> Settings:
    """Return the settings, with the data directory that was named on the command line, if it was.

    Raises:
        ConfigurationError: one is wrong.
    """
    if data == "":
        raise ConfigurationError("--data is empty: give the path of the data directory")
    return Settings.load(os.environ, None if data is None else Path(data))


def data_directory(settings: Settings) -> Path:
    """Return a data directory that is there.

    Raises:
        ConfigurationError: none is named, or it is none.
    """
    directory = settings.data_directory()
    if not (directory / _MARK).is_file():
        raise ConfigurationError(
            f"{directory} is no data directory: name another with --data, or make it with `carethread record init`"
        )
    return directory


@contextmanager
def opened(data: str | None, *, may_make: bool = False) -> Iterator[CoordinationService]:
    """Open the data directory; make it only for a command that begins something.

    Raises:
        ConfigurationError: no data directory is named, there is none, or another setting is wrong.
    """
    settings = read_settings(data)
    directory = settings.data_directory() if may_make else data_directory(settings)
    # A command runs for a moment: it writes the repository itself, and has no use for a background thread.
    with CoordinationService.open(
        directory,
        database_url=settings.database_url,
        name=settings.installation_name,
        domain=settings.installation_domain,
        signing_key=settings.signing_key,
        signing_certificate=settings.signing_certificate,
        flushes=False,
    ) as service:
        yield service


def new_author(identifier: str, name: str, role: str) -> Author:
    """Return who acts.

    Raises:
        InvalidValueError: the id is malformed, or there is no such role.
    """
    return Author(parse_participant_id(identifier.lower(), "author-id"), name, read_word(Role, role, "author-role"))


def acting(identifier: str | None, name: str | None, role: str) -> Author:
    """Return who acts, for a command that need not be told unless it changes something.

    Raises:
        ConfigurationError: that was not said.
        InvalidValueError: the id is malformed, or there is no such role.
    """
    if not identifier or not name:
        raise ConfigurationError(
            "who acts was not said: give --as PERSON, or --author-id and --author-name, "
            "or set CARETHREAD_AS, or CARETHREAD_AUTHOR_ID and CARETHREAD_AUTHOR_NAME"
        )
    return new_author(identifier, name, role)


def acting_place(care_location: str | None) -> str:
    """Return where somebody acts, likewise.

    Raises:
        ConfigurationError: that was not said.
    """
    if not care_location:
        raise ConfigurationError(
            "where that happens was not said: give --care-location, or set CARETHREAD_CARE_LOCATION"
        )
    return care_location


def show_operator(
    service: CoordinationService,
    record: CoordinationRecord,
    what: str,
    served: tuple[Served, ...] = (),
    *,
    message: MessageId | None = None,
    action: Action = Action.SERVED,
) -> None:
    """Log what is shown to whoever calls without naming a person. To be called before anything of it is printed.

    Raises:
        StorageError: it cannot be logged; then nothing may be shown.
    """
    log_operator(
        service,
        action,
        client=DEFAULT_CLIENT,
        detail=what,
        record=record.coordination_id,
        message=message,
        served=served,
    )


def settle_operator(
    service: CoordinationService,
    record: CoordinationRecord,
    author: Author,
    what: str,
    tell: Callable[[], None],
    *,
    thread: CommunicationId | None = None,
    message: MessageId | None = None,
) -> None:
    """Log what an author recorded without the policy having been asked, then go on as `settle`.

    It is recorded already: a line that cannot be stored is a warning as well.
    """
    try:
        log_operator(
            service,
            Action.WRITTEN,
            client=DEFAULT_CLIENT,
            detail=what,
            actor=author.id,
            record=record.coordination_id,
            message=message,
            served=() if thread is None else served_thread(thread),
        )
    except CarethreadError as error:
        print(f"carethread: recorded, but not in the access log: {error}", file=sys.stderr)
    settle(record, tell)


def settle(written: CoordinationRecord | CoordinationService, tell: Callable[[], None]) -> None:
    """Say what was recorded, then write it to the repository.

    It is recorded, whatever happens now: a repository that cannot be written is a warning, not a failure of the
    command, for whoever sees a command fail does it again.
    """
    tell()
    sys.stdout.flush()
    try:
        written.flush()
    except CarethreadError as error:
        print(
            f"carethread: recorded, but not yet in the repository: {error} (`carethread flush` tries again)",
            file=sys.stderr,
        )
