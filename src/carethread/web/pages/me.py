"""Who one is here, in which language and zone pages are, whether e-mail comes, and signing out everywhere."""

from zoneinfo import available_timezones

from starlette.responses import Response

from carethread.directory.model import Standing
from carethread.errors import CarethreadError, InvalidValueError
from carethread.policy.preferences import Preferences
from carethread.reads import mail_wish
from carethread.web.mail_form import fields
from carethread.web.page import Page
from carethread.web.visit import CLIENT, Visit
from carethread.web.words import LANGUAGES
from carethread.writes import change_session, end_sessions_of, keep_preferences

# Those that a person lives in; the rest are older names of the same.
_AREAS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


def zones() -> list[str]:
    """Return the zones that are offered."""
    return ["UTC", *sorted(each for each in available_timezones() if each.startswith(_AREAS))]


def show_me(visit: Visit) -> Response:
    """Show who one is."""
    return me_page(visit)


def me_page(visit: Visit, error: CarethreadError | None = None) -> Response:
    """Return the page, again where something was not in order."""
    _ = visit.words.gettext
    standings = {
        Standing.CLINICIAN: _("clinician"),
        Standing.CARE_ADMINISTRATOR: _("care administrator"),
        Standing.PATIENT: _("patient"),
        Standing.PATIENT_ASSOCIATE: _("relative or carer"),
    }
    groups = [
        (each.name, ", ".join(standings[one] for one in sorted(each.standings))) for each in visit.known_me.groups
    ]
    problem = None if error is None else visit.problem(error)
    mail = mail_wish(visit.service, visit.caller) if visit.options.sends_mail else None
    shown = {
        "groups": groups,
        "zones": zones(),
        "problem": problem,
        "wrong": "" if problem is None else problem.field,
        "kept": bool(visit.query.get("kept")),
        "mail": mail,
        "typed": None if mail is None else fields(visit.form, mail),
    }
    return visit.page("me", shown, status=200 if problem is None else problem.status)


def keep(visit: Visit) -> Response:
    """Keep language and zone, for this session and later ones."""
    language, zone = visit.form.line("language"), visit.form.line("zone")
    try:
        if language not in visit.options.languages or language not in LANGUAGES:
            raise InvalidValueError("language", "is not offered")
        if zone not in zones():
            raise InvalidValueError("zone", "is not offered")
        keep_preferences(visit.service, visit.caller, Preferences(language, zone))
        change_session(
            visit.service, visit.secret, language=language, zone=zone, client=CLIENT, request_id=visit.request_id
        )  # fmt: skip
    except CarethreadError as error:
        return me_page(visit, error)
    return visit.see("/me?kept=1")


def leave_everywhere(visit: Visit) -> Response:
    """End every session that one has, this one too."""
    end_sessions_of(visit.service, visit.signed_in.person, client=CLIENT, request_id=visit.request_id)
    return visit.see("/sign-in")


PAGES = (
    Page("GET", "/me", show_me),
    Page("POST", "/me", keep),
    Page("POST", "/me/sign-out-everywhere", leave_everywhere),
)
