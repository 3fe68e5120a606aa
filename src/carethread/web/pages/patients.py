"""A patient: every thread about them that one may read."""

from urllib.parse import urlencode

from starlette.responses import Response

from carethread.errors import UnknownPersonError
from carethread.ids import ParticipantId, parse_participant_id
from carethread.reads import banners, patient_threads, place_of
from carethread.web.page import Page
from carethread.web.pages.inbox import lines
from carethread.web.visit import Visit

_COUNT = 50


def show_patient(visit: Visit) -> Response:
    """Show a patient's threads; those of whoever was merged into them too."""
    patient = parse_participant_id(visit.path("patient"), "patient")
    archived = bool(visit.query.get("archived"))
    before = visit.query.get("before", "")
    found = patient_threads(visit.service, visit.caller, patient, archived=archived, before=before, count=_COUNT + 1)
    known = banners(visit.service, visit.caller, [patient])
    if patient not in known:
        raise UnknownPersonError(f"the directory has no patient {patient}")
    banner = known[patient]
    replaced = {} if banner.replaced_by is None else banners(visit.service, visit.caller, [banner.replaced_by])
    shown = {
        "patient": banner,
        "patients": (banner,),
        "instead": next(iter(replaced.values()), None),
        "lines": lines(visit, found[:_COUNT]),
        "archived": archived,
        "nothing": visit.words.gettext("There is no thread about this patient that you can read."),
        "more": _path(patient, archived=archived, before=place_of(found[_COUNT - 1])) if len(found) > _COUNT else "",
        "live": None,
    }
    return visit.page("patient", shown)


def _path(patient: ParticipantId, *, archived: bool, before: str) -> str:
    asked = {"archived": "1" if archived else "", "before": before}
    return f"/patients/{patient}?{urlencode({name: value for name, value in asked.items() if value})}"


PAGES = (Page("GET", "/patients/{patient}", show_patient),)
