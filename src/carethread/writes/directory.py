"""Entries of the directory, written by clients that manage it."""

from carethread.coordination import CoordinationService
from carethread.directory.versions import WrittenEntry
from carethread.policy.actor import Caller
from carethread.policy.directory_rights import DirectoryRights


def write_entry(
    service: CoordinationService,
    caller: Caller,
    rights: DirectoryRights,
    resource: bytes,
    *,
    expected_version: int | None = None,
    create: bool = False,
) -> WrittenEntry:
    """Record a resource as an entry of the directory.

    Args:
        service: the installation.
        caller: a system client, perhaps for a person.
        rights: what that client may write, as the registry has it now.
        resource: the resource, in JSON. Its `id` names the entry; one that is not there is made with that id.
        expected_version: the version that was changed. Not needed where nothing changes, and nobody can name one of
            what is not there.
        create: make a new entry with an id that is minted here, whatever `id` says.

    Raises:
        NotAllowedError: no client asks, or it does not manage what that belongs to.
        VersionConflictError: it is at another version.
        VersionNotNamedError: it is there, the resource says something else, and no version was named.
        DuplicateIdentifierError: another entry has one of the identifiers.
        DirectoryError: the resource is not in order, or names what is not there.
    """
    raise NotImplementedError
