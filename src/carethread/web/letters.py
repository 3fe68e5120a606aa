"""The letters that are sent: that there is something new, and a link that confirms an address. Nothing else is in them.

A letter passes through the hands of others. So it names no patient, no sender, no organisation and no thread, and how
many messages there are is not in it either. Where it is from, whoever reads it sees by the address of the pages.
"""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import urlsplit

from carethread.clock import Instant
from carethread.policy.mailing import Mailing
from carethread.web.mail_links import MailLinks, Meant, Purpose
from carethread.web.words import Words


class Letters:
    """Writes letters of an installation."""

    def __init__(self, sender: str, links: MailLinks) -> None:
        """Take the address that letters come from, and what makes links."""
        self._sender, self._links = sender, links
        inbox = urlsplit(links.inbox)
        self._pages, self._is_encrypted = inbox.netloc, inbox.scheme == "https"

    def something_new(self, to: Mailing, words: Words, at: Instant) -> EmailMessage:
        """Return the letter that says there is something new."""
        _ = words.gettext
        end = self._links.url(Purpose.END, Meant(to.person, to.id))
        letter = self._letter(
            to,
            at,
            _("You have a new message"),
            _("You have a new message. Sign in to read it:"),
            self._links.inbox,
            _("Answer there too: nobody reads what is sent to this address."),
            _("You get this e-mail because you asked for it. If you want no more of them:"),
            end,
        )
        letter["List-Unsubscribe"] = f"<{end}>"
        if self._is_encrypted:
            # RFC 8058 wants https.
            letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return letter

    def confirmation(self, to: Mailing, words: Words, at: Instant) -> EmailMessage:
        """Return the letter with the link that confirms an address."""
        _ = words.gettext
        return self._letter(
            to,
            at,
            _("Confirm your e-mail address"),
            _("Somebody asked %(pages)s to tell this address when there is a new message for them.")
            % {"pages": self._pages},
            _("If that was you, confirm it here within three days:"),
            self._links.url(Purpose.CONFIRM, Meant(to.person, to.id)),
            _("If it was not, do nothing: no other e-mail will come."),
        )

    def _letter(self, to: Mailing, at: Instant, subject: str, *lines: str) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"] = subject
        letter["From"] = self._sender
        letter["To"] = to.wish.address
        letter["Date"] = format_datetime(datetime.fromtimestamp(at / 1000, UTC))
        letter["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        # RFC 3834: no out-of-office note comes back.
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content("\n\n".join(lines) + "\n")
        return letter
