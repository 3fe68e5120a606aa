"""The commits of a record, from the first to the last."""

from msgspec import Struct

from carethread.errors import RepositoryError
from carethread.git.objects import commit_links
from carethread.verify.codes import Code
from carethread.verify.objects import Objects
from carethread.verify.report import Report

# Reading a commit twice costs time, keeping all of a long history costs memory.
_KEPT_BYTES = 64 << 20


class Link(Struct, frozen=True, gc=False):
    """A commit in the history: what it is, what it names, and its content if that was kept."""

    id: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    raw: bytes | None


def walk(objects: Objects, head: bytes, after: bytes | None, report: Report) -> list[Link] | None:
    """Return the commits up to `head`, oldest first, those after `after` only; nothing where the chain is broken."""
    links = []
    kept = 0
    step: bytes | None = head
    while step is not None and step != after:
        report.commit = step
        content = objects.read(step, b"commit")
        if content is None:
            return None
        raw = bytes(content)
        kept += len(raw)
        try:
            tree, parents = commit_links(raw)
        except RepositoryError as error:
            report.add(Code.COMMIT_MALFORMED, f"The commit before this one cannot be told: {error}.")
            return None
        links.append(Link(step, tree, parents, raw if kept < _KEPT_BYTES else None))
        step = parents[0] if parents else None
    report.commit = b""
    if step != after:
        report.add(Code.HISTORY_KNOWN, "The history was changed while it was being checked.")
        return None
    links.reverse()
    return links
