"""A patient: every thread about them that one may read."""

from starlette.responses import Response

from carethread.errors import UnknownPersonError
from carethread.ids import parse_participant_id
from carethread.reads import banners, patient_threads
from carethread.web.page import Page
from carethread.web.pages.inbox import lines
from carethread.web.visit import Visit


def show_patient(visit: Visit) -> Response:
    """Show a patient's threads; those of whoever was merged into them too."""
    patient = parse_participant_id(visit.path("patient"), "patient")
    archived = bool(visit.query.get("archived"))
    found = patient_threads(visit.service, visit.caller, patient, archived=archived)
    known = banners(visit.service, visit.caller, [patient])
    if patient not in known:
        raise UnknownPersonError(f"the directory has no patient {patient}")
    banner = known[patient]
    replaced = {} if banner.replaced_by is None else banners(visit.service, visit.caller, [banner.replaced_by])
    shown = {
        "patient": banner,
        "patients": (banner,),
        "instead": next(iter(replaced.values()), None),
        "lines": lines(visit, found),
        "archived": archived,
        "more": "",
        "live": None,
    }
    return visit.page("patient", shown)


PAGES = (Page("GET", "/patients/{patient}", show_patient),)
