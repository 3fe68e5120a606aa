"""What somebody has begun to write: how forms keep it as it is typed, and how it stands with that.

Of several tabs and browsers none overwrites what another kept, unless nothing of that is lost or somebody says so.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from carethread.clock import Instant
from carethread.errors import CarethreadError, IdentifierConflictError, VersionConflictError
from carethread.policy.drafts import Draft, DraftContent, DraftPlace
from carethread.reads import read_draft
from carethread.web.forms import Form
from carethread.web.kept_files import KeptFile, kept_files
from carethread.web.page import Handler
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
        if there is not None and there.content.continues != content.continues:
            return Drafting(version, problem=_begun_another(visit))
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


def _begun_another(visit: Visit) -> Problem:
    _ = visit.words.gettext
    title = _("You have begun another new thread about this patient, which is kept.")
    return Problem(_CONFLICT, title, _("What you type here is not kept until you send it."))


def goes_on_from(content: DraftContent, before: DraftContent) -> bool:
    """Say whether nothing of a draft is lost if another takes its place: its text goes on, and nothing else differs."""
    return content.body.startswith(before.body) and replace(before, body=content.body) == content


def ended(visit: Visit, place: DraftPlace, content: DraftContent) -> DraftPlace | None:
    """Return the draft that a form ends which is sent. What was kept from elsewhere, and is not in it, stays."""
    draft = read_draft(visit.service, visit.caller, place)
    if draft is None or draft.version == version_in(visit.form) or goes_on_from(content, draft.content):
        return place
    return None


# ── Answers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Typed(Struct, frozen=True):
    """What a form brought that is shown again: how it stands as a draft, its files, and what tells the form apart."""

    content: DraftContent
    drafting: Drafting
    files: list[KeptFile] = []
    once: str = ""


def not_taken(visit: Visit, content: DraftContent, error: CarethreadError | None = None) -> Typed:
    """Return what a form brought that could not be taken, with its files kept."""
    # What was sent first under a name is stored. Under another name it is something else.
    once = "" if isinstance(error, IdentifierConflictError) else visit.form.line("once")
    return Typed(content, Drafting(version_in(visit.form)), kept_files(visit), once)


def status_of(problem: Problem | None, typed: Typed | None) -> int:
    """Return with which status a form is shown."""
    if problem is not None:
        return problem.status
    return 200 if typed is None else typed.drafting.status


def answer(
    visit: Visit, place: DraftPlace, content: DraftContent, path: str, show: Callable[[Typed], Response]
) -> Response:
    """Keep what a form holds, or take what was kept elsewhere. Where no open page is told, `show` is the answer."""
    if visit.form.line("take"):
        draft = read_draft(visit.service, visit.caller, place)
        said = DraftContent() if draft is None else draft.content
        return show(Typed(said, as_kept(draft), kept_files(visit), visit.form.line("once")))
    standing = keep(visit, place, content)
    if visit.is_part:
        return _part(visit, standing, path)
    return show(Typed(content, standing, kept_files(visit), visit.form.line("once")))


def _part(visit: Visit, standing: Drafting, path: str) -> Response:
    shown = {"drafting": standing, "path": path, "csrf": ""}
    return visit.page("draft_part", shown, status=standing.status)


# ── After signing in anew ─────────────────────────────────────────────────────────────────────────────────────────────


def answer_again(visit: Visit, path: str, again: Handler) -> Response:
    """Answer a form whose session ended while somebody typed, and who signed in since.

    In an open page whoever was writing goes on, with the form of the new session; nobody else does, at the same
    computer.
    """
    if not visit.is_part:
        return again(visit)
    _ = visit.words.gettext
    standing = Drafting(version_in(visit.form))
    if _is_same(visit):
        shown = {"drafting": standing, "path": path, "csrf": visit.signed_in.csrf}
        made = visit.page("draft_part", shown, status=_FORBIDDEN)
        made.headers["hx-trigger"] = "again"
        return made
    title = _("You are signed in as %(name)s now.") % {"name": visit.known_me.name}
    problem = Problem(_FORBIDDEN, title, _("Load the page again to write as yourself."))
    return _part(visit, replace(standing, problem=problem), path)


def signed_in_anew(visit: Visit) -> Problem:
    """Say to whoever sends a form of a session that is over that it is theirs to send, as whoever they are now."""
    _ = visit.words.gettext
    title = _("You signed in again after you opened this page")
    if not _is_same(visit):
        title = _("You are signed in as %(name)s now") % {"name": visit.known_me.name}
    return Problem(_FORBIDDEN, title, _("Nothing was stored yet. Check the message, and send it."))


def given_back(visit: Visit, content: DraftContent) -> Typed:
    """Return what such a form brought. Whoever did not write it sends it as something else."""
    typed = not_taken(visit, content)
    return typed if _is_same(visit) else replace(typed, once="")


def _is_same(visit: Visit) -> bool:
    return visit.form.line("writer") == visit.signed_in.person
