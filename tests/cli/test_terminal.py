"""On a terminal: the editor, tables, progress bars."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import CommandLine, Conversation


def on_terminal(cli: CommandLine, *arguments: str, answer: str = "", **environment: str) -> tuple[int, str]:
    """Run a command with a terminal for input, output and errors; return its exit code and what the terminal got."""
    ours, its = pty.openpty()
    everything = {**os.environ, **cli.environment, "TERM": "xterm", "COLUMNS": "70", **environment}
    command = [sys.executable, "-c", "from carethread.cli import main; main()", *arguments]
    with subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env={name: str(value) for name, value in everything.items()}
    ) as running:
        os.close(its)
        os.write(ours, answer.encode())
        shown = b""
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # Linux's way of saying that the other end was closed
                break
            if not read:
                break
            shown += read
    os.close(ours)
    return running.returncode, shown.decode().replace("\r\n", "\n")


def editor(tmp_path: Path, script: str) -> str:
    """Make an editor that does what a shell script says to the file `$1`."""
    path = tmp_path / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    return str(path)


def bodies(cli: CommandLine, conversation: Conversation) -> list[str]:
    return [each.body for each in cli.document("thread", "show", conversation.record, conversation.thread).messages]


def test_an_editor_opens_where_no_body_is_given(cli: CommandLine, conversation: Conversation, tmp_path: Path) -> None:
    add = ("message", "add", conversation.record, conversation.thread)
    write = editor(tmp_path, 'printf "# Two\\nlines\\n" | cat - "$1" > "$1.new" && mv "$1.new" "$1"')
    code, shown = on_terminal(cli, *add, EDITOR=write, TMPDIR=str(tmp_path))
    assert (code, shown[:17]) == (0, "Recorded message ")
    assert bodies(cli, conversation)[2:] == ["# Two\nlines"]
    assert not list(tmp_path.glob("carethread-*"))


def test_nothing_typed_records_nothing_and_leaves_nothing(
    cli: CommandLine, conversation: Conversation, tmp_path: Path
) -> None:
    add = ("message", "add", conversation.record, conversation.thread)
    code, shown = on_terminal(cli, *add, VISUAL=editor(tmp_path, ":"), EDITOR="false", TMPDIR=str(tmp_path))
    assert (code, shown) == (2, "carethread: body: has no visible character\n")
    assert not list(tmp_path.glob("carethread-*"))


def test_an_editor_that_fails_says_what_to_do(cli: CommandLine, conversation: Conversation, tmp_path: Path) -> None:
    code, shown = on_terminal(
        cli, "message", "add", conversation.record, conversation.thread, EDITOR="false", TMPDIR=str(tmp_path)
    )
    assert code == 2
    assert "set EDITOR to one that works" in shown
    assert not list(tmp_path.glob("carethread-*"))


def test_what_was_typed_is_kept_if_it_cannot_be_recorded(
    cli: CommandLine, conversation: Conversation, tmp_path: Path
) -> None:
    cli.text("thread", "close", conversation.record, conversation.thread)
    write = editor(tmp_path, 'echo Precious | cat - "$1" > "$1.new" && mv "$1.new" "$1"')
    code, shown = on_terminal(
        cli, "message", "add", conversation.record, conversation.thread, EDITOR=write, TMPDIR=str(tmp_path)
    )
    (kept,) = tmp_path.glob("carethread-*/message.txt")
    assert code == 4
    assert f"what you wrote is in {kept}" in shown.replace("\n", "")
    assert kept.read_text(encoding="utf-8").startswith("Precious\n")
    assert kept.parent.stat().st_mode & 0o077 == 0


def test_the_editors_instructions_are_never_recorded(
    cli: CommandLine, conversation: Conversation, tmp_path: Path
) -> None:
    spoil = editor(tmp_path, 'sed -i -e "/>8/d" "$1"')
    code, shown = on_terminal(cli, "thread", "new", conversation.record, "--edit", EDITOR=spoil, TMPDIR=str(tmp_path))
    assert code == 2
    assert "leave the marked line" in shown


def test_tables_are_for_terminals_that_are_wide_enough(cli: CommandLine, conversation: Conversation) -> None:
    code, wide = on_terminal(cli, "thread", "list", conversation.record, COLUMNS="150")
    assert code == 0
    assert "──" in wide
    assert "\x1b[1m" in wide
    cli.text("thread", "new", conversation.record)
    code, narrow = on_terminal(cli, "thread", "list", conversation.record, COLUMNS="80")
    assert code == 0
    assert f"Thread        {conversation.thread}\nStatus        open\n" in narrow
    assert "Participants  Dr Jane Smith, Dr Tom Patel, John Doe\n\nThread        " in narrow


def test_long_work_shows_its_progress(cli: CommandLine, conversation: Conversation) -> None:
    code, shown = on_terminal(cli, "verify")
    assert code == 0
    assert "Verifying" in shown
    assert "1/1" in shown
    assert "Checked 1 record: nothing found." in shown
