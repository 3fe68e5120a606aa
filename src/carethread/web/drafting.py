"""What somebody has begun to write: how forms keep it as it is typed, and how it stands with that.

Of several tabs and browsers none overwrites what another kept, unless nothing of that is lost or somebody says so.
"""

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from carethread.clock import Instant
from carethread.errors import CarethreadError, VersionConflictError
from carethread.policy.drafts import Draft, DraftContent, DraftPlace
from carethread.reads import read_draft
from carethread.web.forms import Form
from carethread.web.problems import Problem
from carethread.web.visit import Visit
from carethread.writes import keep_draft

_CONFLICT = 409
_FORBIDDEN = 403
_MOST_DIGITS = 18


class Drafting(Struct, frozen=True):
    """How it stands with what is in a form.

    Attributes:
        version: of the draft that the form goes on from; 0 for none.
        kept_at: when what is in the form was kept; nothing where it is not kept.
        other: what was kept from another tab or browser meanwhile, and is not in the form.
        is_gone: it was sent or discarded from elsewhere meanwhile.
        problem: why it was not kept.
    """

    version: int = 0
    kept_at: Instant | None = None
    other: Draft | None = None
    is_gone: bool = False
    problem: Problem | None = None

    @property
    def status(self) -> int:
        """Return with which status that is answered."""
        if self.problem is not None:
            return self.problem.status
        return _CONFLICT if self.other is not None or self.is_gone else 200


def as_kept(draft: Draft | None) -> Drafting:
    """Return how it stands with a draft that is shown as it is kept."""
    return Drafting() if draft is None else Drafting(draft.version, draft.kept_at)


def as_sent(form: Form) -> Drafting:
    """Return how it stands with what a form brought that was not kept."""
    return Drafting(version_in(form))


def version_in(form: Form, field: str = "draft") -> int:
    """Return which version a form goes on from; 0 for none."""
    said = form.line(field)
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS else 0


def keep(visit: Visit, place: DraftPlace, content: DraftContent) -> Drafting:
    """Keep what a form holds; instead of what was kept elsewhere where the form says that it knows of that."""
    knows = "over" if visit.form.line("over") else "draft"
    version = version_in(visit.form)
    try:
        return as_kept(_keep(visit, place, content, version_in(visit.form, knows)))
    except VersionConflictError:
        there = read_draft(visit.service, visit.caller, place)
        return Drafting(version, other=there, is_gone=there is None)
    except CarethreadError as error:
        return Drafting(version, problem=visit.problem(error))


def _keep(visit: Visit, place: DraftPlace, content: DraftContent, expected: int) -> Draft:
    try:
        return keep_draft(visit.service, visit.caller, place, content, expected=expected)
    except VersionConflictError:
        there = read_draft(visit.service, visit.caller, place)
        # As after an answer that never came: what is there is what this form kept before.
        if there is None or not goes_on_from(content, there.content):
            raise
        return keep_draft(visit.service, visit.caller, place, content, expected=there.version)


def goes_on_from(content: DraftContent, before: DraftContent) -> bool:
    """Say whether nothing of a draft is lost if another takes its place: its text goes on, and nothing else differs."""
    return content.body.startswith(before.body) and replace(before, body=content.body) == content


def is_of(form: Form, draft: Draft, body: str) -> bool:
    """Say whether a form that is sent makes an end of a draft; what was kept elsewhere and is not in it stays."""
    return draft.version == version_in(form) or body.startswith(draft.content.body)


def part(visit: Visit, drafting: Drafting, path: str) -> Response:
    """Answer an open page whose form was kept at `path`, or was not."""
    shown = {"drafting": drafting, "path": path, "csrf": ""}
    return visit.page("draft_part", shown, status=drafting.status)


def part_again(visit: Visit, path: str) -> Response:
    """Answer an open page whose session ended while somebody typed, and who signed in again since.

    Whoever was writing goes on, with the form of the new session; nobody else does, at the same computer.
    """
    _ = visit.words.gettext
    if visit.form.line("writer") == visit.signed_in.person:
        shown = {"drafting": as_sent(visit.form), "path": path, "csrf": visit.signed_in.csrf}
        made = visit.page("draft_part", shown, status=_FORBIDDEN)
        made.headers["hx-trigger"] = "again"
        return made
    title = _("You are signed in as %(name)s now.") % {"name": visit.known_me.name}
    problem = Problem(_FORBIDDEN, title, _("Load the page again to write as yourself."))
    return part(visit, Drafting(version_in(visit.form), problem=problem), path)
