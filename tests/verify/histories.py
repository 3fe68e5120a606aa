"""A record's history as a list that can be edited, and made a repository again by `git fast-import`.

Whoever forges a record does what these functions do: they take it apart with `git fast-export`, change what they like,
down to the last time stamp, and build everything after it anew, so that Git itself finds nothing wrong.
"""

from pathlib import Path

from msgspec import Struct, field

from tests.verify.stock_git import git, run

PLAIN, EXECUTABLE, LINK = "100644", "100755", "120000"


class File(Struct, frozen=True):
    """What a path holds."""

    data: bytes
    mode: str = PLAIN


class Step(Struct):
    """One commit: who, when, what it says, and all files as it leaves them."""

    author: str
    committer: str
    message: str
    files: dict[str, File]
    merges: list[int] = field(default_factory=list)

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        return self.files[path].data

    def write(self, path: str, data: bytes, mode: str = PLAIN) -> None:
        """Let a file hold something else."""
        self.files[path] = File(data, mode)


def load(repository: Path) -> list[Step]:
    """Take a repository apart."""
    return parse(run(repository, "fast-export", "--full-tree", "refs/heads/main"))


def parse(stream: bytes) -> list[Step]:
    """Read what `git fast-export` or `dump` wrote, of a history in one line."""
    blobs: dict[str, bytes] = {}
    steps: list[Step] = []
    rest = stream
    mark = author = committer = ""
    is_blob = False
    while rest:
        line, _, rest = rest.partition(b"\n")
        word, _, value = line.decode().partition(" ")
        if word in ("blob", "commit"):
            is_blob = word == "blob"
        elif word == "mark":
            mark = value
        elif word == "author":
            author = value
        elif word == "committer":
            committer = value
        elif word == "data":
            data, rest = rest[: int(value)], rest[int(value) :]
            if is_blob:
                blobs[mark] = data
            else:
                files = dict(steps[-1].files) if steps else {}
                steps.append(Step(author, committer, data.decode(), files))
        elif word == "deleteall":
            steps[-1].files.clear()
        elif word == "D":
            del steps[-1].files[value]
        elif word == "M":
            mode, blob, path = value.split(" ", 2)
            steps[-1].files[path] = File(blobs[blob], mode)
    return steps


def dump(steps: list[Step]) -> bytes:
    """Write what `git fast-import` reads; each file version once, before the first commit that has it."""
    parts: list[bytes] = []
    marks: dict[bytes, int] = {}
    before: dict[str, File] = {}
    for number, step in enumerate(steps, 1):
        for file in step.files.values():
            if file.data not in marks:
                marks[file.data] = len(steps) + len(marks) + 1
                parts.append(b"blob\nmark :%d\n%b" % (marks[file.data], _data(file.data)))
        parts.append(b"commit refs/heads/main\nmark :%d\n" % number)
        parts.append(f"author {step.author}\ncommitter {step.committer}\n".encode())
        parts.append(_data(step.message.encode()))
        if number > 1:
            parts.append(b"from :%d\n" % (number - 1))
        parts += [b"merge :%d\n" % merged for merged in step.merges]
        parts += [f"D {path}\n".encode() for path in before if path not in step.files]
        for path, file in step.files.items():
            if before.get(path) != file:
                parts.append(f"M {file.mode} :{marks[file.data]} {path}\n".encode())
        parts.append(b"\n")
        before = step.files
    return b"".join(parts)


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def build(stream: bytes, repository: Path) -> Path:
    """Make a repository of what `dump` wrote, files and all."""
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", "--template=")
    git(repository, "fast-import", "--quiet", "--date-format=raw-permissive", stdin=stream)
    git(repository, "reset", "--quiet", "--hard")
    return repository
