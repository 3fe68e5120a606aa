"""The web application: pages for the people who write to each other, on the same reads and writes as everything else.

Every page works without scripts. What is shown was read for whoever asks, at that moment, and is in the access log;
what a form brings goes through the policy like anything else.
"""

from carethread.coordination import CoordinationService
from carethread.web.letters import Letters
from carethread.web.mail_links import MailLinks
from carethread.web.mail_server import Encryption, MailServer
from carethread.web.mailing import Mailer
from carethread.web.openid import OpenId
from carethread.web.options import Options
from carethread.web.pages import (
    auditing,
    changing,
    closing,
    continuing,
    correcting,
    duties,
    emergency,
    hindsight,
    inbox,
    me,
    opening,
    participants,
    past,
    patients,
    printing,
    replying,
    searching,
    setting_aside,
    signing_in,
    thread,
    visibility,
    wrong_patient,
)
from carethread.web.pages.duties import Duties
from carethread.web.pages.e_mail import FromLetters
from carethread.web.pages.signing_in import Entering, Leaving, People, Picking, Somebody
from carethread.web.site import Site

__all__ = [
    "Encryption",
    "Letters",
    "MailLinks",
    "MailServer",
    "Mailer",
    "Options",
    "People",
    "Site",
    "Somebody",
    "make_site",
]


# Each lists its pages.
_MODULES = (
    signing_in,
    inbox,
    thread,
    replying,
    printing,
    opening,
    patients,
    searching,
    changing,
    closing,
    setting_aside,
    participants,
    visibility,
    me,
    duties,
    past,
    auditing,
    hindsight,
    correcting,
    continuing,
    wrong_patient,
    emergency,
)


def make_site(
    service: CoordinationService,
    options: Options,
    *,
    openid: OpenId | None = None,
    people: People = (),
    links: MailLinks | None = None,
) -> Site:
    """Return the web application.

    Args:
        service: the installation.
        options: how it behaves.
        openid: what signs people in.
        people: in a demonstration, where nothing does, those whom anybody may be.
        links: what reads links in e-mail, where any is sent.

    Raises:
        ConfigurationError: what browsers load has not been built.
    """
    site = Site(service, options)
    entrances = Picking(site, people).pages() if openid is None else Entering(site, openid).pages()
    for pages in (entrances, Leaving(site, openid).pages(), Duties(site).pages(), *(each.PAGES for each in _MODULES)):
        site.add(pages)
    if links is not None:
        site.add(FromLetters(links).pages())
    return site
