"""Using a record that was never initialised is a type error, and proper use is none: mypy says so."""

from pathlib import Path

from mypy import api

PROPER = """
from pathlib import Path
from carethread import Author, CoordinationService, LedgerUpdate, MessageContent, Participant, Role
from carethread.ids import parse_participant_id

with CoordinationService.open(Path("data")) as service:
    jane = Author(parse_participant_id("4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12"), "Dr Jane Smith", Role.CLINICIAN)
    record = service.initialise(jane, "Ward 7", "a4f91c6d-3b2e-4c5f-9d7a-1e8b6c0a9f12")
    thread = record.communication_create(jane, "Ward 7", [Participant(jane.id, Role.CLINICIAN, jane.name)])
    record.add_message(jane, "Ward 7", thread, MessageContent(body="Hello"))
    record.update_communication_ledger(jane, "Ward 7", thread, LedgerUpdate(status="closed"))
    for message in record.read_communication(thread).messages:
        print(message.body)
    record.flush()
    print(record.path)
"""

IMPROPER = {
    "service.add_message": "service.add_message(author, 'Ward 7', thread, content)",
    "service.communication_create": "service.communication_create(author, 'Ward 7', [])",
    "find_record may find nothing": "service.find_record('x').add_message(author, 'Ward 7', thread, content)",
    "no such status": "LedgerUpdate(status='done')",
}

PREAMBLE = """
from carethread import Author, CoordinationService, LedgerUpdate, MessageContent
from carethread.ids import CommunicationId

def use(service: CoordinationService, author: Author, thread: CommunicationId, content: MessageContent) -> None:
"""


def test_what_mypy_says(tmp_path: Path) -> None:
    lines = PREAMBLE.splitlines()
    expected = []
    for name, statement in IMPROPER.items():
        lines.append(f"    {statement}  # {name}")
        expected.append(len(lines))
    (tmp_path / "proper.py").write_text(PROPER)
    (tmp_path / "improper.py").write_text("\n".join(lines) + "\n")
    arguments = ["--strict", "--no-incremental", "--config-file=", "--hide-error-context"]
    said, _, status = api.run([*arguments, str(tmp_path / "proper.py"), str(tmp_path / "improper.py")])
    found = {int(line.split(":")[1]) for line in said.splitlines() if "improper.py" in line and ": error:" in line}
    assert status == 1, said
    assert "/proper.py" not in said.replace("improper.py", "")
    assert found == set(expected), said
