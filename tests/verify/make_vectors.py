"""Write `tests/vectors/records`: good and forged records for whoever implements the format a second time.

    python -m tests.verify.make_vectors              forge the good records anew
    python -m tests.verify.make_vectors --library    have the library write the good records anew, first

The good records are read from the folder, so that the vectors stay as they are whatever the library does.
"""

import json
import sys
import tempfile
from pathlib import Path

from carethread.verify import verify_record
from tests.verify.everything import Scribe, write_everything, write_small
from tests.verify.forger import STATUS, Forger
from tests.verify.forgeries import FORGERIES
from tests.verify.histories import build, dump, load, parse
from tests.verify.stock_git import git

RECORDS = Path(__file__).resolve().parents[1] / "vectors" / "records"
GOOD = {"small": write_small, "everything": write_everything}

# One of each kind; the others differ little from these, or need a repository that no stream can make.
CHOSEN = (
    "a-byte-is-changed-in-the-middle-of-the-history",
    "two-messages-are-swapped",
    "a-commit-is-dropped-and-its-message-shows-up-with-the-next",
    "line-ends-become-those-of-windows",
    "the-final-newline-is-missing",
    "markup-is-not-escaped",
    "a-message-id-of-another-thread-is-used-again",
    "a-message-in-a-closed-thread",
    "the-author-of-a-commit-is-forged",
    "a-stranger-writes",
    "a-recipient-takes-no-part",
    "an-addressed-thread-has-a-message-to-nobody",
    "a-system-entry-is-corrected",
    "the-content-of-an-attachment-is-swapped",
    "a-closed-thread-is-reopened",
    "the-name-of-a-participant-is-altered-in-place",
    "a-participant-is-slipped-in-with-a-message",
    "a-system-entry-says-something-else",
    "somebody-addressed-is-removed",
    "a-ledger-has-a-comment",
    "two-threads-have-one-uuid",
    "the-patient-is-changed",
    "the-custodian-is-changed",
    "a-message-while-the-record-is-suspended",
    "a-file-is-added",
    "a-ledger-is-deleted",
    "a-file-becomes-a-link",
    "a-subject-says-something-else",
    "the-care-location-is-missing",
    "the-committer-is-somebody-else",
    "the-time-of-a-commit-is-off",
    "a-client-uses-an-identifier-again",
)


def streams() -> dict[str, bytes]:
    """Return every record of the folder by name, good ones first, forged ones made anew."""
    made = {name: (RECORDS / f"{name}.fast-export").read_bytes() for name in GOOD}
    steps = parse(made["small"])
    forgeries = {forgery.name: forgery for forgery in FORGERIES}
    for name in CHOSEN:
        forger = Forger(steps)
        forgeries[name].tamper(forger)
        made[name] = dump(forger.steps)
    return made


def describe(name: str, stream: bytes) -> dict[str, object]:
    """Return what the index says of a record."""
    first = parse(stream)[0].read(STATUS).decode()
    coordination_id = first.split("\n")[0].removeprefix("coordination_id: ")
    with tempfile.TemporaryDirectory() as place:
        repository = build(stream, Path(place) / coordination_id)
        return {
            "name": name,
            "stream": f"{name}.fast-export",
            "coordination_id": coordination_id,
            "head": git(repository, "rev-parse", "HEAD"),
            "findings": [
                {"code": found.code, "commit": found.commit, "path": found.path}
                for found in sorted(verify_record(repository))
            ],
        }


def index(made: dict[str, bytes]) -> str:
    """Return the index as it is written."""
    rows = [describe(name, stream) for name, stream in made.items()]
    return json.dumps({"records": rows}, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the folder."""
    if "--library" in sys.argv:
        for name, write in GOOD.items():
            with tempfile.TemporaryDirectory() as place:
                scribe = Scribe(Path(place))
                write(scribe)
                (RECORDS / f"{name}.fast-export").write_bytes(dump(load(scribe.finish())))
    made = streams()
    for name, stream in made.items():
        (RECORDS / f"{name}.fast-export").write_bytes(stream)
    (RECORDS / "index.json").write_text(index(made), encoding="utf-8")


if __name__ == "__main__":
    main()
