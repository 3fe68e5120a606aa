"""Being told of new messages by e-mail: choosing it, confirming the address, and ending it, also from the e-mail."""

import re

from starlette.responses import Response

from carethread.errors import CarethreadError, InvalidValueError
from carethread.policy.mailing import HowOften, MailWish, Quiet
from carethread.web.forms import Form
from carethread.web.mail_links import MailLinks, Meant, Purpose
from carethread.web.page import For, Page
from carethread.web.pages.me import me_page
from carethread.web.visit import CLIENT, Visit
from carethread.writes import confirm_mail, end_mail, end_mail_to, keep_mail_wish

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def keep(visit: Visit) -> Response:
    """Keep where and how often one wants to be told."""
    try:
        keep_mail_wish(visit.service, visit.caller, _wish(visit.form))
    except CarethreadError as error:
        return me_page(visit, error)
    return visit.see("/me?kept=1")


def end(visit: Visit) -> Response:
    """Send one no more e-mail."""
    end_mail(visit.service, visit.caller)
    return visit.see("/me?kept=1")


def _wish(form: Form) -> MailWish:
    """Return what a form says.

    Raises:
        InvalidValueError: something in it is not in order.
    """
    said = form.line("how_often")
    if said not in {each.value for each in HowOften}:
        raise InvalidValueError("how_often", "is none that is offered")
    how_often = HowOften(said)
    begins, ends = form.line("quiet_begins"), form.line("quiet_ends")
    quiet = Quiet(_minutes(begins, "quiet"), _minutes(ends, "quiet")) if begins or ends else None
    if how_often is HowOften.DAILY:
        return MailWish(form.line("address"), how_often, _minutes(form.line("daily_at"), "daily_at"), quiet)
    return MailWish(form.line("address"), how_often, quiet=quiet)


def _minutes(text: str, field: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidValueError(field, "is no time of day")
    return int(found[1]) * 60 + int(found[2])


class FromLetters:
    """The pages to which links in letters lead. Whoever has the link may use it: it went to the address alone.

    Opened, they change nothing: programs that look through e-mail open every link.
    """

    def __init__(self, links: MailLinks) -> None:
        """Take what reads links."""
        self._links = links

    def ask_to_confirm(self, visit: Visit) -> Response:
        """Ask whether the address is to be confirmed."""
        _ = visit.words.gettext
        if self._meant(visit, Purpose.CONFIRM) is None:
            return _over(visit)
        title = _("Confirm your e-mail address")
        text = _("An e-mail will then tell you when there is a new message, and nothing else.")
        return visit.page("e_mail", {"title": title, "text": text, "button": _("Confirm")})

    def confirm(self, visit: Visit) -> Response:
        """Confirm the address."""
        _ = visit.words.gettext
        meant = self._meant(visit, Purpose.CONFIRM)
        if meant is None or not confirm_mail(
            visit.service, meant.person, meant.mailing, client=CLIENT, request_id=visit.request_id
        ):
            return _over(visit)
        text = _("An e-mail will tell you when there is a new message.")
        return visit.page("e_mail", {"title": _("Your e-mail address is confirmed"), "text": text, "button": ""})

    def ask_to_end(self, visit: Visit) -> Response:
        """Ask whether no more e-mail is wanted."""
        _ = visit.words.gettext
        if self._meant(visit, Purpose.END) is None:
            return _over(visit)
        title = _("No more e-mail?")
        text = _("You will find new messages in your inbox, as before.")
        return visit.page("e_mail", {"title": title, "text": text, "button": _("Send me no more e-mail")})

    def end(self, visit: Visit) -> Response:
        """Send no more e-mail. Programs that read e-mail ask for it too (RFC 8058), and follow to no other page."""
        _ = visit.words.gettext
        meant = self._meant(visit, Purpose.END)
        if meant is None:
            return _over(visit)
        end_mail_to(visit.service, meant.person, meant.mailing, client=CLIENT, request_id=visit.request_id)
        text = _("You will find new messages in your inbox, as before.")
        return visit.page("e_mail", {"title": _("You get no more e-mail from us"), "text": text, "button": ""})

    def _meant(self, visit: Visit, purpose: Purpose) -> Meant | None:
        return self._links.read(purpose, visit.query.get("code", ""))

    def pages(self) -> tuple[Page, ...]:
        """Return where this answers."""
        confirming, ending = Purpose.CONFIRM.value, Purpose.END.value
        return (
            Page("GET", confirming, self.ask_to_confirm, For.ANYBODY),
            Page("POST", confirming, self.confirm, For.ANYBODY),
            Page("GET", ending, self.ask_to_end, For.ANYBODY),
            Page("POST", ending, self.end, For.ANYBODY),
            Page("POST", "/me/e-mail", keep),
            Page("POST", "/me/e-mail/end", end),
        )


def _over(visit: Visit) -> Response:
    _ = visit.words.gettext
    text = _("It is too old, or another one was sent since. You can ask for a new one on the page about you.")
    shown = {"title": _("This link no longer works"), "text": text, "button": ""}
    return visit.page("e_mail", shown, status=404)
