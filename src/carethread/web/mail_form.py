"""What the form about e-mail shows: what was typed, or else what is kept."""

from collections.abc import Mapping

from carethread.policy.mailing import Mailing
from carethread.web.forms import Form

_FIELDS = ("address", "how_often", "daily_at", "quiet_begins", "quiet_ends")


def fields(form: Form, kept: Mailing) -> Mapping[str, str]:
    """Return the fields, filled in."""
    if form.line("how_often"):
        return {each: form.line(each) for each in _FIELDS}
    wish = kept.wish
    quiet = () if wish.quiet is None else (wish.quiet.begins, wish.quiet.ends)
    begins, ends = map(_time, quiet) if quiet else ("", "")
    return dict(zip(_FIELDS, (wish.address, wish.how_often.value, _time(wish.daily_at), begins, ends), strict=True))


def _time(minutes: int) -> str:
    return "{:02}:{:02}".format(*divmod(minutes, 60))
