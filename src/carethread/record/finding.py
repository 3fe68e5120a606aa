"""What a check of a record can find."""

from msgspec import Struct


class Finding(Struct, frozen=True, order=True):
    """One fault. `commit` is a full object id; what does not apply is empty, or zero for `line`."""

    record: str
    code: str
    sentence: str
    commit: str = ""
    path: str = ""
    line: int = 0
