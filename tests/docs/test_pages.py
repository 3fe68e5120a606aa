"""The pages hang together, and what they show of the program is what the program does."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import carethread
from carethread import CoordinationService, errors
from carethread.record import intake
from carethread.store import materialise, writer
from tests.docs.pages import DOCS, ROOT, Page, Section, cell_text, pages
from tests.people import CLINICAL_ID, JANE, PLACE
from tools.readme_picture import PICTURE, draw, look

README = Page(ROOT / "README.md")
ALL = pages()
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:")


def _name(page: Page) -> str:
    return str(page.path.relative_to(ROOT))


# ── Links ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _resolve(page: Page, link: str) -> tuple[Path, str]:
    place, _, anchor = link.partition("#")
    return (page.path.parent / place).resolve() if place else page.path, anchor


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_every_link_leads_somewhere(page: Page) -> None:
    dead = []
    for link in page.links():
        if OUTSIDE.match(link):
            continue
        target, anchor = _resolve(page, link)
        if not target.exists() or (anchor and anchor not in Page(target).anchors()):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_every_file_of_the_project_that_is_named_is_there(page: Page) -> None:
    named = re.findall(r"`((?:src|tests|tools|docs)/[\w./-]+)`", page.text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_no_page_has_an_anchor_twice(page: Page) -> None:
    anchors = page.anchors()
    # Under each version of a changelog stand the same headings.
    if page.path.name != "CHANGELOG.md":
        assert sorted(anchors) == sorted(set(anchors))


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md" or not path.exists():
            continue
        reached.add(path)
        page = Page(path)
        # From the README one may go on, but nothing should be reachable through it alone.
        if path != README.path:
            waiting += [_resolve(page, link)[0] for link in page.links() if not OUTSIDE.match(link)]
    assert {page.path for page in ALL} - reached == set()


def test_the_index_lists_the_decisions_by_their_titles_in_order() -> None:
    listed = re.findall(r"^(\d+)\. \[(.+)\]\(decisions/(.+)\)$", Page(DOCS / "index.md").text, re.MULTILINE)
    found = [
        (str(number), Page(path).text.split("\n")[0].removeprefix(f"# {number}. "), path.name)
        for number, path in enumerate(sorted((DOCS / "decisions").glob("*.md")), 1)
    ]
    assert listed == found
    assert all(name.startswith(f"{int(number):04}-") for number, _, name in found)


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_has_its_three_parts(path: Path) -> None:
    parts = re.findall(r"^\*\*(\w+)\.\*\*", Page(path).text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences"]


# ── What they say of the program ──────────────────────────────────────────────────────────────────────────────────────


def _error_rows(kind: type[errors.CarethreadError], depth: int = 0) -> Iterator[list[str]]:
    meaning = (kind.__doc__ or "").split("\n")[0]
    yield [kind.code, f"{'↳ ' * depth}`{kind.__name__}`" if depth else kind.__name__, meaning]
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _error_rows(each, depth + 1)


def test_the_table_of_errors_is_the_programs() -> None:
    rows = Page(DOCS / "library.md").section("Errors").table("code")
    assert rows == list(_error_rows(errors.CarethreadError))
    assert len({row[0] for row in rows}) == len(rows)


def test_the_errors_on_call_are_codes() -> None:
    codes = {row[0] for row in _error_rows(errors.CarethreadError)}
    shown = {
        code
        for row in Page(DOCS / "operations.md").section("On call").table("what you see")
        for code in re.findall(r"`([a-z-]+)`", f"`{row[0]}`" if "`" not in row[0] else row[0])
    }
    assert shown - codes <= {"verify"}
    assert {"storage", "clock", "backlog-full", "locked", "outcome-unknown", "integrity", "schema"} <= shown


def test_the_layers_are_the_packages() -> None:
    named = {
        word
        for line in Page(DOCS / "architecture.md").section("The layers").text.split("\n")
        if line.startswith("| `")
        for word in re.findall(r"`([a-z_]+)`", line.split("|")[1])
    }
    source = Path(carethread.__file__).parent
    there = {path.stem for path in source.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert named == there - {"__init__"}


@pytest.mark.parametrize(
    "page, words",
    [
        ("architecture.md", f"at most {writer.MAX_BATCH} calls"),
        ("architecture.md", f"in memory ({writer.CACHE_BYTES >> 20} MiB)"),
        ("architecture.md", f"up to {materialise.ROUND_RECORDS} records"),
        ("architecture.md", f"at most {materialise.ROUND_STEPS:,} commits"),
        ("architecture.md", f"waits {materialise.PAUSE_S} seconds"),
        ("architecture.md", f"more than {materialise.BACKLOG_LIMIT:,} commits"),
        ("operations.md", f"more than {materialise.BACKLOG_LIMIT:,} commits"),
        ("library.md", f"at most {intake.MAX_ATTACHMENTS} files of {intake.MAX_ATTACHMENT_BYTES >> 20} MiB"),
    ],
)
def test_a_number_in_a_page_is_the_programs(page: str, words: str) -> None:
    assert words in " ".join(Page(DOCS / page).text.split())


def test_how_long_a_writer_waits_is_what_the_pages_say() -> None:
    assert writer.TURN_TIMEOUT_S == 30
    assert "after thirty seconds" in " ".join(Page(DOCS / "operations.md").text.split())


def test_what_a_user_types_first_are_two_targets_of_make() -> None:
    commands = README.section("Quick start").blocks("sh")[0].split("\n")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [line.split()[1] for line in commands if line] == ["demo", "test"]
    assert {"demo", "test"} <= set(targets)


# ── What they show ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("readme") / "demo"
    program = Path(sys.executable).parent / "carethread"
    subprocess.run([program, "demo", "--text", "--json", "--keep", directory], check=True, capture_output=True)
    return next(directory.glob("coordination/*/*/*"))


def test_the_readme_shows_what_is_on_disk(demonstration: Path) -> None:
    section = README.section("What a record looks like")
    held = "\n".join(
        path.read_text(encoding="utf-8").replace("  \n", "\n")
        for path in sorted(demonstration.glob("communications/*/*.*"))
    )
    for language in ("markdown", "yaml"):
        (excerpt,) = section.blocks(language)
        assert excerpt in held
    form = "--format=Author: %an <%ae>%nDate:   %ai%n%n%B"
    log = subprocess.run(["git", "log", form], cwd=demonstration, check=True, capture_output=True, text=True).stdout
    (commit,) = section.blocks("text")
    assert commit in log


def test_the_picture_shows_what_the_commands_say(tmp_path: Path) -> None:
    drawn = draw(look(tmp_path / "demo"))
    assert PICTURE.read_text(encoding="utf-8") == drawn, "draw it again: .venv/bin/python tools/readme_picture.py"


def test_cells_are_read_as_they_are_shown() -> None:
    assert cell_text(' <a id="x1"></a>X1 ') == "X1"
    assert cell_text(" `a` ") == "a"
    assert cell_text(" ``a`b`` ") == "a`b"
    assert cell_text(" `a` and `b` ") == "`a` and `b`"
    assert cell_text(r" <code>\\&#124;</code> ") == r"\|"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_the_recipe_for_ssh_signatures_works(tmp_path: Path) -> None:
    commands = Page(DOCS / "library.md").section("Signed commits").blocks("sh")[0].splitlines()
    subprocess.run(["sh", "-e", "-c", "\n".join(commands[:2])], cwd=tmp_path, check=True, capture_output=True)
    key, signers = tmp_path / "signing.key", tmp_path / "allowed_signers"
    with CoordinationService.open(tmp_path / "data", signing_key=key, flushes=False) as service:
        record = service.initialise(JANE, PLACE, CLINICAL_ID)
        assert list(service.verify(allowed_signers=signers)) == []
    (record.path / "allowed_signers").symlink_to(signers)
    subprocess.run(["sh", "-e", "-c", commands[2]], cwd=record.path, check=True, capture_output=True)


def test_the_recipe_for_certificates_makes_what_signs(tmp_path: Path) -> None:
    command = Page(DOCS / "library.md").section("Signed commits").blocks("sh")[1]
    subprocess.run(["sh", "-e", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    key, certificate = tmp_path / "signing.pem", tmp_path / "certificate.pem"
    with CoordinationService.open(
        tmp_path / "data", signing_key=key, signing_certificate=certificate, flushes=False
    ) as service:
        service.initialise(JANE, PLACE, CLINICAL_ID)
        assert list(service.verify(trusted_certificates=certificate)) == []


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_a_diagram_has_no_semicolon_for_it_would_end_a_statement(page: Page) -> None:
    assert [block for block in Section(page.text).blocks("mermaid") if ";" in block] == []
