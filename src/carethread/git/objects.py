"""Git's object codecs in SHA-256 repositories: ids, trees, commits. Pure: bytes in, values out.

Reading is strict: what Git itself would never write, or what this project never records, is a `RepositoryError`
that says what is wrong, never a guess. Formats: gitformat-commit is undocumented but frozen; see Git's
`Documentation/technical/hash-function-transition` for SHA-256 and for the `gpgsig-sha256` header.
"""

import re
from binascii import a2b_hex
from hashlib import sha256

from msgspec import Struct

from carethread.errors import InvalidValueError, RepositoryError

TYPE_NAMES: tuple[bytes, ...] = (b"", b"commit", b"tree", b"blob", b"tag")
"""Git's object kinds by the number packs give them."""

Octets = bytes | bytearray | memoryview
"""Anything that holds bytes and can be hashed, sliced and written without a copy."""

ID_SIZE = 32
MODE_FILE = 0o100644
MODE_DIRECTORY = 0o040000

_SIGNATURE_HEADER = b"gpgsig-sha256"
_PERSON_FORM = rb"([^<>\n\0]+) <([^<>\n\0]*)> (0|[1-9][0-9]{0,11}) \+0000"
_LINKS_FORM = rb"tree ([0-9a-f]{64})\n((?:parent [0-9a-f]{64}\n)*)"
_PERSON = re.compile(_PERSON_FORM)
_PARENT = re.compile(rb"parent ([0-9a-f]{64})\n")
_LINKS = re.compile(_LINKS_FORM + rb"(?!parent )")
_COMMIT = re.compile(_LINKS_FORM + rb"author " + _PERSON_FORM + rb"\ncommitter " + _PERSON_FORM + rb"\n\n([^\0]*)")
_ENTRY = re.compile(rb"([1-7][0-7]{4,5}) ([^\0/]+)\0(.{32})", re.DOTALL)
_MODES = {b"100644": MODE_FILE, b"40000": MODE_DIRECTORY}


def object_id(kind: bytes, *chunks: Octets) -> bytes:
    """Return the id, 32 raw bytes, of the object whose content is all chunks in a row."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
    digest = sha256(b"%b %d\0" % (kind, size))
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


# ── Trees ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class TreeEntry(Struct, frozen=True, gc=False):
    """What a name in a tree stands for."""

    mode: int
    id: bytes

    @property
    def is_directory(self) -> bool:
        """Whether the entry is a tree."""
        return self.mode == MODE_DIRECTORY


Tree = dict[bytes, TreeEntry]


def _sort_key(name: bytes, entry: TreeEntry) -> bytes:
    # Git compares a directory's name as if it ended with a slash.
    return name + b"/" if entry.is_directory else name


def encode_tree(tree: Tree) -> bytes:
    """Write a tree in Git's order."""
    ordered = sorted(tree.items(), key=lambda item: _sort_key(*item))
    return b"".join(b"%o %b\0%b" % (entry.mode, name, entry.id) for name, entry in ordered)


def parse_tree(raw: Octets) -> Tree:
    """Read a tree back.

    Raises:
        RepositoryError: truncated, out of order, a duplicate, or a mode or name Git would not write.
    """
    rows = _ENTRY.findall(raw)
    tree: Tree = {}
    size = 0
    last = b""
    for mode, name, identifier in rows:
        size += len(mode) + len(name) + 2 + ID_SIZE
        number = _MODES.get(mode) or int(mode, 8)
        key = name + b"/" if number == MODE_DIRECTORY else name
        if key <= last or name in tree or name in {b".", b".."} or name.lower() == b".git":
            raise RepositoryError(f"tree has a forbidden, repeated or misplaced name in entry {len(tree)}")
        last = key
        tree[name] = TreeEntry(number, identifier)
    # What does not match is skipped by the search, and then missing here.
    if size != len(raw):
        raise RepositoryError("tree is malformed")
    return tree


def find_in_tree(raw: bytes, name: bytes) -> TreeEntry | None:
    """Return what a name stands for in a tree, without reading all of it.

    The search is for bytes: only the inside of an id could deceive it, and whoever finds an id that holds a name of
    this project has broken SHA-256. A mode that is neither a plain file's nor a directory's is looked at closely.

    Raises:
        RepositoryError: the name is there with another mode, and the tree is malformed.
    """
    at = raw.find(b" %b\0" % name)
    if at < 0:
        return None
    identifier = raw[at + len(name) + 2 : at + len(name) + 2 + ID_SIZE]
    for mode, number in _MODES.items():
        if raw[at - len(mode) : at] == mode:
            return TreeEntry(number, identifier)
    return parse_tree(raw).get(name)


def patch_tree(raw: bytes, name: bytes, entry: TreeEntry) -> bytes:
    """Return the tree with one name set to another entry, added if it is not there."""
    needle = b"%o %b\0" % (entry.mode, name)
    at = raw.find(needle)
    if at < 0:
        return encode_tree({**parse_tree(raw), name: entry})
    start = at + len(needle)
    return raw[:start] + entry.id + raw[start + ID_SIZE :]


# ── Commits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Person(Struct, frozen=True, gc=False):
    """Who, and when in seconds since 1970, always UTC."""

    name: str
    email: str
    seconds: int


class Commit(Struct, frozen=True, gc=False):
    """A commit; ids are raw bytes, the signature is the armored text with its final newline."""

    tree: bytes
    parents: tuple[bytes, ...]
    author: Person
    committer: Person
    message: bytes
    signature: bytes | None = None


def _encode_person(field: str, person: Person) -> bytes:
    line = f"{person.name} <{person.email}> {person.seconds} +0000".encode()
    if _PERSON.fullmatch(line) is None or person.name != person.name.strip():
        raise InvalidValueError(field, "cannot be written in a commit")
    return line


def encode_commit(commit: Commit) -> bytes:
    """Write a commit object's content.

    Raises:
        InvalidValueError: a name, address or time that does not fit a commit's line, or a NUL in the message.
    """
    if b"\0" in commit.message:
        raise InvalidValueError("message", "holds a NUL")
    lines = [b"tree " + commit.tree.hex().encode()]
    lines += [b"parent " + parent.hex().encode() for parent in commit.parents]
    lines.append(b"author " + _encode_person("author", commit.author))
    lines.append(b"committer " + _encode_person("committer", commit.committer))
    raw = b"\n".join(lines) + b"\n\n" + commit.message
    return raw if commit.signature is None else with_signature(raw, commit.signature)


def with_signature(raw: bytes, armor: bytes) -> bytes:
    """Put an armored signature into an unsigned commit, as its last header.

    Raises:
        InvalidValueError: the armor is empty or lacks its final newline, or the commit has a signature already.
    """
    if not armor.endswith(b"\n") or b"\0" in armor:
        raise InvalidValueError("signature", "is not armored text")
    head, _, message = raw.partition(b"\n\n")
    if b"\n" + _SIGNATURE_HEADER + b" " in head:
        raise InvalidValueError("signature", "is there already")
    header = _SIGNATURE_HEADER + b" " + armor[:-1].replace(b"\n", b"\n ")
    return head + b"\n" + header + b"\n\n" + message


def split_signature(raw: bytes) -> tuple[bytes, bytes | None]:
    """Return what was signed, and the armored signature if there is one."""
    head, _, message = raw.partition(b"\n\n")
    start = head.find(b"\n" + _SIGNATURE_HEADER + b" ")
    if start < 0:
        return raw, None
    end = start + 1
    while True:
        end = head.find(b"\n", end)
        if end < 0:
            end = len(head)
            break
        if head[end + 1 : end + 2] != b" ":
            break
        end += 1
    armor = head[start + 2 + len(_SIGNATURE_HEADER) : end].replace(b"\n ", b"\n") + b"\n"
    return head[:start] + head[end:] + b"\n\n" + message, armor


def decode_commit(raw: Octets) -> Commit:
    """Read a commit strictly: `encode_commit(decode_commit(raw)) == raw`.

    Raises:
        RepositoryError: any header but tree, parents, author, committer and our signature, a time zone but UTC, or
            anything malformed.
    """
    payload, armor = split_signature(bytes(raw))
    match = _COMMIT.fullmatch(payload)
    if match is None:
        raise RepositoryError("commit is not in the form that records use")
    tree, parents, author, author_email, authored, committer, committer_email, committed, message = match.groups()
    try:
        commit = Commit(
            a2b_hex(tree),
            _parse_parents(parents),
            Person(author.decode(), author_email.decode(), int(authored)),
            Person(committer.decode(), committer_email.decode(), int(committed)),
            message,
            armor,
        )
    except UnicodeDecodeError:
        raise RepositoryError("commit has a name that is not UTF-8") from None
    if commit.author.name != commit.author.name.strip() or commit.committer.name != commit.committer.name.strip():
        raise RepositoryError("commit has a name with spaces around it")
    if armor is not None and (b"\0" in armor or with_signature(payload, armor) != raw):
        raise RepositoryError("commit has a malformed signature, or not as its last header")
    return commit


def _parse_parents(lines: bytes) -> tuple[bytes, ...]:
    return tuple(map(a2b_hex, _PARENT.findall(lines)))


def commit_links(raw: Octets) -> tuple[bytes, tuple[bytes, ...]]:
    """Return a commit's tree and parents, whatever else is in it: enough to walk a history written by others.

    Raises:
        RepositoryError: these lines themselves are malformed.
    """
    match = _LINKS.match(raw)
    if match is None:
        raise RepositoryError("commit does not begin with its tree and parents")
    return a2b_hex(match[1]), _parse_parents(match[2])
