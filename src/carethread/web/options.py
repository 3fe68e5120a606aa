"""What the web application is told by whoever puts it together."""

from msgspec import Struct

_MIB = 1024 * 1024
_MINUTE = 60_000


class Options(Struct, frozen=True):
    """How the pages behave.

    Attributes:
        base: the address of the site as browsers know it, without a path, such as `https://care.example`.
        name: what the installation is called.
        not_for_emergencies: what stands beside every form that sends something: whom to call instead, and when.
        version: of the program, for the page that says so.
        zone: the time zone of whoever has not chosen one.
        languages: those that are offered, the first to whoever speaks none of them.
        largest_upload: of all files of a message together, in bytes.
        idle: after how long without use a session ends, in milliseconds.
        longest: after how long it ends in any case, in milliseconds.
        patients_open_threads: whether patients and related persons may open threads.
        sends_mail: whether people can be told of new messages by e-mail.
        demonstration: the people whom anybody on this machine may be. For invented ones only.
    """

    base: str
    name: str
    version: str
    not_for_emergencies: str = ""
    zone: str = "Europe/London"
    languages: tuple[str, ...] = ("en", "nl")
    largest_upload: int = 25 * _MIB
    idle: int = 30 * _MINUTE
    longest: int = 12 * 60 * _MINUTE
    patients_open_threads: bool = True
    sends_mail: bool = False
    demonstration: bool = False

    @property
    def is_encrypted(self) -> bool:
        """Say whether browsers reach the site by https: its cookies then never travel otherwise."""
        return self.base.startswith("https://")
