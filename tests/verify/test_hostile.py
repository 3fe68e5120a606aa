"""Whatever is done to the files of a repository, the check ends and raises nothing."""

import random
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from carethread.verify import verify_record
from tests.verify.test_storage import copy, pack_of, unpack

Mutate = Callable[[bytes, random.Random], bytes]


def _flip(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        if damaged:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _insert(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.randbytes(chance.randint(1, 40)) + content[at:]


MUTATIONS: tuple[Mutate, ...] = (_flip, _cut, _insert)


def _mutate_a_file(repository: Path, chance: random.Random) -> None:
    path = chance.choice(sorted(each for each in (repository / ".git").rglob("*") if each.is_file()))
    path.chmod(0o644)
    path.write_bytes(chance.choice(MUTATIONS)(path.read_bytes(), chance))


def _replace_a_file(repository: Path, chance: random.Random) -> None:
    path = chance.choice(sorted((repository / ".git").rglob("*")))
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    kind = chance.randrange(3)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        path.symlink_to(chance.choice(("nowhere", ".", "/dev/zero", str(path))))


def _forge_a_pack(repository: Path, chance: random.Random) -> None:
    """Damage a pack, or its index, and make all checksums right again."""
    pack, index = pack_of(repository), pack_of(repository, "idx")
    content, offsets = pack.read_bytes()[:-32], index.read_bytes()[:-64]
    if chance.random() < 0.5:
        content = content[:12] + _flip(content[12:], chance)
    else:
        offsets = offsets[:8] + _flip(offsets[8:], chance)
    checksum = sha256(content).digest()
    pack.write_bytes(content + checksum)
    index.write_bytes(offsets + checksum + sha256(offsets + checksum).digest())


@pytest.mark.soak
@pytest.mark.parametrize("mutate", [_mutate_a_file, _replace_a_file, _forge_a_pack])
@pytest.mark.parametrize("is_loose", [False, True])
def test_the_check_ends(
    mutate: Callable[[Path, random.Random], None], is_loose: bool, small: Path, tmp_path: Path, soaking: bool
) -> None:
    if is_loose and mutate is _forge_a_pack:
        return
    for seed in range(300 if soaking else 12):
        repository = copy(small, tmp_path / str(seed))
        if is_loose:
            unpack(repository)
        mutate(repository, random.Random(seed))
        assert len(list(verify_record(repository))) < 30, seed
        shutil.rmtree(tmp_path / str(seed))
