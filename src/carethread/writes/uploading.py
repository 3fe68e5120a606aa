"""Files that wait for the message they are to go with."""

from carethread.coordination import CoordinationService
from carethread.policy.actor import Caller


def keep_upload(
    service: CoordinationService, caller: Caller, content: bytes, media_type: str, file_name: str
) -> str:  # fmt: skip
    """Keep a file for a day; return its id, a UUID, by which the same actor finds it again: `reads.own_upload`.

    What a system client keeps is the client's, whomever it asks for.

    Raises:
        InvalidValueError: the file is empty or too large, or its name or media type is not in order.
        TooMuchError: the actor keeps too much already.
    """
    raise NotImplementedError
