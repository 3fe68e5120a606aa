"""`carethread demo`: an invented region, served on this machine until it is told to stop."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from carethread import CoordinationService
from carethread.app import Application, Serve
from carethread.cli import serving
from carethread.cli.demo_documents import RegionDocument
from carethread.demonstration import Region, making
from carethread.errors import ConfigurationError
from carethread.ids import ParticipantId
from carethread.settings import Settings
from tests.cli.conftest import CommandLine

_ANNA = Region({"anna": ParticipantId("0e5d7a3c-8b1f-4d62-a9c4-7f3e1b6d2a58")}, {}, {}, {})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make regions of one person, in temporary directories below this one."""
    monkeypatch.setattr(making, "build", lambda *_: _ANNA)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


@pytest.fixture
def stops_at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[Any]]:
    """Let the server stop as soon as it runs; return what was found while it did."""

    def looking(look: Callable[[], Any]) -> list[Any]:
        found: list[Any] = []
        monkeypatch.setattr(serving, "run", lambda *_: found.append(look()))
        return found

    return looking


@contextmanager
def _served(temporary: Path) -> Iterator[tuple[subprocess.Popen[str], RegionDocument]]:
    """Run the demonstration in a process of its own, which ends whatever happens; yield it, and what it says."""
    program = Path(sys.executable).parent / "carethread"
    # What is set in the environment is another installation's.
    environment = {**os.environ, "TMPDIR": str(temporary), "CARETHREAD_DATABASE_URL": "postgresql://nobody@nowhere/x"}
    with subprocess.Popen(
        [str(program), "demo", "--port", "0", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            said = "".join(iter(server.stdout.readline, "}\n")) + "}"
            yield server, msgspec.json.decode(said, type=RegionDocument)
        finally:
            server.kill()


def test_it_is_served_until_it_is_told_to_stop_and_then_removed(tmp_path: Path, cli: CommandLine) -> None:
    with _served(tmp_path) as (server, told):
        assert told.serving is not None
        assert (told.serving.address, told.made, len(told.threads)) == ("127.0.0.1", True, 40)
        assert {"anna", "margaret", "marijke"} < {each.name for each in told.people}
        assert {"pharmacy", "wound-team"} < {each.name for each in told.groups}
        assert Path(told.directory).is_relative_to(tmp_path)
        base, data = told.serving.base_url, ("--data", told.directory)
        assert httpx.get(f"{base}/metadata").json()["implementation"]["url"] == base
        token = cli.text("token", "--as", "Practitioner/anna", "--scope", "user/*.rs", *data).strip()
        found = httpx.get(
            f"{base}/Communication?recipient=Organization/pharmacy", headers={"Authorization": f"Bearer {token}"}
        )
        assert len(found.json()["entry"]) > 10
        if told.pages is not None:
            offered = httpx.get(f"{told.pages}sign-in").text
            assert all(name in offered for name in ("Anna Visser", "Margaret Ellison", "Claire Thornton"))
        server.send_signal(signal.SIGINT)
        rest = server.communicate(timeout=60)
    assert (server.returncode, *rest) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_what_to_do_with_it_is_said(
    cli: CommandLine,
    quick: Path,
    stops_at_once: Callable[[Callable[[], Any]], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "pages_are_built", lambda: False)
    found = stops_at_once(lambda: [path.name for path in quick.glob("carethread-demo-*/region/installation.yaml")])
    said = cli.text("demo", "--port", "0", "--host", "localhost")
    assert found == [["installation.yaml"]]
    assert list(quick.iterdir()) == []
    assert said.startswith("Made an invented region: 0 threads, 1 people.\n")
    assert f"carethread inbox --as anna --of pharmacy --data {quick}/carethread-demo-" in said
    assert "There are no pages for a browser: `make assets` builds what they load" in said
    assert "FHIR: http://localhost:" in said
    assert said.endswith("Ctrl-C stops it, and removes the region.\n")


def test_it_is_kept_if_asked_and_goes_on(
    cli: CommandLine,
    quick: Path,
    stops_at_once: Callable[[Callable[[], Any]], list[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered: list[Any] = []
    kept = tmp_path / "kept"
    made = cli.document("demo", "--no-server", "--keep", str(kept))
    assert (made.directory, made.made, made.serving) == (str(kept), True, None)
    assert [(each.name, each.id) for each in made.people] == [*_ANNA.people.items()]
    again = cli.document("demo", "--no-server", "--keep", str(kept))
    assert (again.people, again.made) == (made.people, False)
    found = stops_at_once(kept.exists)
    monkeypatch.setattr(serving, "Static", lambda: None)
    monkeypatch.setattr(serving, "Application", lambda *_, people: offered.extend(people))
    monkeypatch.setattr(serving, "server_of", lambda _: None)
    said = cli.text("demo", "--keep", str(kept), "--port", "0")
    assert found == [True]
    assert (offered[0][0], [each.name for each in offered[0][1]]) == ("Larkmere Pharmacy", ["Anna Visser"])
    assert re.search(r"^Open http://127\.0\.0\.1:\d+/ in a browser", said, re.MULTILINE)
    assert said.startswith("The region that was kept goes on.\n")
    assert said.endswith("Ctrl-C stops it.\n")
    assert kept.exists()
    assert "FHIR" not in cli.text("demo", "--keep", str(kept), "--no-server")


def test_an_installation_of_others_is_left_alone(cli: CommandLine, tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path / "data", flushes=False):
        pass
    assert "is no demonstration" in cli.fault(2, "demo", "--no-server", "--keep", str(tmp_path / "data"))


@pytest.mark.parametrize("host", ["192.0.2.7", "care.example", "::"])
def test_nobody_else_is_served(cli: CommandLine, host: str) -> None:
    assert "is reached by others, who could act as anybody" in cli.fault(2, "demo", "--host", host)


def test_what_does_not_go_together_is_said(cli: CommandLine) -> None:
    assert "say where, with --keep DIRECTORY" in cli.fault(2, "demo", "--no-server")
    for other in (("--port", "0"), ("--host", "localhost"), ("--no-server",)):
        assert "--text serves nothing" in cli.fault(2, "demo", "--text", *other)
    assert "there is no port 70000" in cli.fault(2, "demo", "--port", "70000")


def test_what_browsers_load_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ConfigurationError("not built")

    monkeypatch.setattr(serving, "Static", missing)
    assert not serving.pages_are_built()
    monkeypatch.setattr(serving, "Static", lambda: None)
    assert serving.pages_are_built()


def test_a_port_that_is_taken_is_said_before_anything_is_made(cli: CommandLine, quick: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"cannot listen on 127.0.0.1 port {port}" in cli.fault(2, "demo", "--port", port)
    assert list(quick.iterdir()) == []


def test_the_application_serves_a_demonstration_to_nobody_else(tmp_path: Path) -> None:
    with CoordinationService.open(tmp_path / "data", flushes=False) as service:
        elsewhere = Serve("https://care.example/fhir")
        with pytest.raises(ConfigurationError, match="a demonstration is served here alone"):
            Application(service, Settings(), elsewhere, people=[])
