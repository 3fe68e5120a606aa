"""Records as the store would have them put into repositories, and what stock Git says of the result."""

import os
import random
import subprocess
import uuid
from pathlib import Path

from carethread.git.objects import (
    MODE_DIRECTORY,
    MODE_FILE,
    Commit,
    Person,
    Tree,
    TreeEntry,
    encode_commit,
    encode_tree,
    object_id,
    with_signature,
)
from carethread.git.repository import FileChange, Step, prepare, publish, retire
from carethread.git.signatures import Signer

AUTHOR = Person("Dr Jane Smith", "4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12@carethread.example", 1768142175)
_TEXT = (
    "patient has reported increasing shortness of breath please review chest imaging and advise on next steps the "
    "medication list was sent to clinic with a dose of five twice daily follow up in two weeks thank you"
)
_WORDS = _TEXT.split()


def tree_id(files: dict[str, bytes]) -> bytes:
    """Return the id of the tree that holds these paths and blobs."""
    tree: Tree = {}
    below: dict[str, dict[str, bytes]] = {}
    for path, blob in files.items():
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = blob
        else:
            tree[name.encode()] = TreeEntry(MODE_FILE, blob)
    for name, inner in below.items():
        tree[name.encode()] = TreeEntry(MODE_DIRECTORY, tree_id(inner))
    return object_id(b"tree", encode_tree(tree))


class Journal:
    """Makes the steps of one record, message by message; knows every file's content."""

    def __init__(self, seed: int = 1, signer: Signer | None = None) -> None:
        self.random = random.Random(seed)
        self.signer = signer
        self.files: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.steps: list[Step] = []
        self.seconds = AUTHOR.seconds

    @property
    def head(self) -> bytes:
        return self.steps[-1].commit_id

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def step(self, *changes: tuple[str, bool, bytes], subject: str = "coordination:update: Changed") -> Step:
        """Add a step; a change is a path, whether it appends, and bytes."""
        made = []
        for path, append, content in changes:
            self.files[path] = (self.files.get(path, b"") if append else b"") + content
            self.blobs[path] = object_id(b"blob", self.files[path])
            made.append(FileChange(path, append, content, self.blobs[path]))
        self.seconds += 37
        parents = (self.head,) if self.steps else ()
        author = Person(AUTHOR.name, AUTHOR.email, self.seconds)
        committer = Person("Carethread", "carethread@records.example", self.seconds)
        message = f"{subject}\n\nCare-Location: Oxford\nMessage-ID: {self.uuid()}\n".encode()
        raw = encode_commit(Commit(tree_id(self.blobs), parents, author, committer, message))
        if self.signer is not None:
            raw = with_signature(raw, self.signer.sign(raw))
        self.steps.append(Step(object_id(b"commit", raw), raw, tuple(made)))
        return self.steps[-1]

    def initialise(self) -> Step:
        status = b"coordination_id: 7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88\nstatus:\n  lifecycle_state: active\n"
        return self.step((".gitattributes", False, b"* -text\n"), ("COORDINATION_STATUS.yaml", False, status))

    def thread(self) -> str:
        """Add a thread; return its directory with a slash."""
        folder = f"communications/20260111T143522.{self.random.randrange(1000):03d}Z-{self.uuid()}/"
        self.step((f"{folder}thread.md", True, b"# Messages\n"), (f"{folder}ledger.yaml", False, self.ledger(folder)))
        return folder

    def ledger(self, folder: str) -> bytes:
        return (
            f"communication_id: {folder[15:-1]}\n"
            f"last_updated_at: {self.seconds}.{self.random.randrange(1000):03d}\n"
            f"participants:\n- participant_id: {AUTHOR.email[:36]}\n  role: clinician\n"
        ).encode()

    def message(self, folder: str, size: int = 300) -> Step:
        words = " ".join(self.random.choices(_WORDS, k=size // 5))
        entry = f"\n## Message\n\n**ID:** `{self.uuid()}`  \n**Author:** Dr Jane Smith\n\n{words}\n".encode()
        return self.step((f"{folder}thread.md", True, entry), (f"{folder}ledger.yaml", False, self.ledger(folder)))


def conversation(messages: int, seed: int = 1) -> Journal:
    """Return a record with one thread of so many messages."""
    journal = Journal(seed)
    journal.initialise()
    folder = journal.thread()
    for _ in range(messages):
        journal.message(folder)
    return journal


def flush(path: Path, steps: list[Step]) -> None:
    """Put steps into a repository as a round does, without waiting for the disk."""
    prepared = prepare(path, steps)
    publish(prepared)
    retire(prepared)


_ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Stranger", "GIT_AUTHOR_EMAIL": "stranger@example.org",
    "GIT_COMMITTER_NAME": "Stranger", "GIT_COMMITTER_EMAIL": "stranger@example.org",
    "GIT_AUTHOR_DATE": "1768142175 +0000", "GIT_COMMITTER_DATE": "1768142175 +0000",
    "LC_ALL": "C.UTF-8", "TZ": "UTC",
}  # fmt: skip


def git(path: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run stock Git in a directory; it must succeed."""
    ran = subprocess.run(
        ["git", "-C", str(path), *arguments], input=stdin, capture_output=True, check=False, env=_ENVIRONMENT
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


def check_with_git(path: Path, journal: Journal) -> None:
    """Hold a repository to what stock Git and the journal say of it."""
    assert git(path, "rev-parse", "HEAD").decode().strip() == journal.head.hex()
    assert git(path, "status", "--porcelain") == b""
    assert git(path, "fsck", "--full", "--strict") == b""
    assert git(path, "rev-list", "--count", "HEAD").strip() == str(len(journal.steps)).encode()
    for name, content in journal.files.items():
        assert (path / name).read_bytes() == content
    found = {str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()}
    assert {name for name in found if not name.startswith(".git/")} == set(journal.files)


def pack_names(path: Path) -> list[str]:
    """Return the names of a repository's packs and what lies beside them."""
    return sorted(each.name for each in (path / ".git/objects/pack").iterdir())
