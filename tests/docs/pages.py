"""The project's pages as tests read them: headings, anchors, tables, blocks, links."""

import html
import re
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_HEADING = re.compile(r"(#{1,6}) (.+)")
_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_ANCHOR_TAG = re.compile(r'<a id="[^"]+"></a>')
_CODE_TAG = re.compile(r"</?code>")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
_CODE = re.compile(r"``.*?``|`[^`\n]*`", re.DOTALL)


class Page(Struct, frozen=True):
    """A Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    def prose(self) -> str:
        """Return the page without what stands in fences and backticks."""
        return _CODE.sub("", _FENCE.sub("", self.text))

    def section(self, heading: str) -> "Section":
        """Return what stands under a heading, down to the next one of its level or above."""
        lines = self.text.split("\n")
        start = next(at for at, line in enumerate(lines) if (m := _HEADING.fullmatch(line)) and m[2] == heading)
        level = len(lines[start]) - len(lines[start].lstrip("#"))
        fenced = False
        for end in range(start + 1, len(lines)):
            fenced ^= lines[end].startswith("```")
            found = _HEADING.fullmatch(lines[end])
            if found and not fenced and len(found[1]) <= level:
                return Section("\n".join(lines[start + 1 : end]))
        return Section("\n".join(lines[start + 1 :]))

    def anchors(self) -> list[str]:
        """Return every anchor a link may name: those of headings as GitHub makes them, and explicit ones."""
        body = _FENCE.sub("", self.text)
        headings = [found[2] for line in body.split("\n") if (found := _HEADING.fullmatch(line))]
        return [slug(heading) for heading in headings] + _ANCHOR.findall(body)

    def links(self) -> list[str]:
        """Return where the page's links and images lead."""
        return _LINK.findall(self.prose())


class Section(Struct, frozen=True):
    """What stands under one heading."""

    text: str

    def table(self, first_heading: str) -> list[list[str]]:
        """Return the rows of the table whose first column is headed so, without backticks around a whole cell."""
        lines = self.text.split("\n")
        start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first_heading} |"))
        rows = []
        for line in lines[start + 2 :]:
            if not line.startswith("|"):
                break
            rows.append([cell_text(cell) for cell in line.strip("|").split("|")])
        return rows

    def blocks(self, language: str) -> list[str]:
        """Return the contents of the fences in this language."""
        return [content for found, content in _FENCE.findall(self.text) if found == language]


def cell_text(cell: str) -> str:
    """Return what a cell says. Entities and doubled backslashes stand in cells with <code>, where a bar is needed."""
    plain = _ANCHOR_TAG.sub("", cell).strip()
    if "<code>" in plain:
        return html.unescape(_CODE_TAG.sub("", plain)).replace("\\\\", "\\")
    for ticks in ("``", "`"):
        inner = plain.removeprefix(ticks).removesuffix(ticks)
        if len(plain) >= 2 * len(ticks) and plain == f"{ticks}{inner}{ticks}" and ticks not in inner:
            return inner
    return plain


def slug(heading: str) -> str:
    """Return the anchor GitHub gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return kept.replace(" ", "-")


def pages() -> list[Page]:
    """Return every page of the project, those in the root too."""
    return [Page(path) for path in sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])]


FORMAT = Page(DOCS / "format.md")
