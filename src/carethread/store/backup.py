"""Backups: a tar file of the records as they are, and the way back.

A backup holds `installation.yaml`, every repository, the tables that no repository holds, and at its end `heads.json`,
the commit each repository stands at. Each is brought up to date and copied while nothing is flushed to it, so a backup
runs while others write and holds at least everything acknowledged before it began. The tables are taken last, in one
snapshot, so the log speaks of nothing less than the repositories. The index is not in it: it is rebuilt from them.
"""

import io
import os
import tarfile
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile

import msgspec

from carethread.errors import ConfigurationError, IntegrityError, StorageError
from carethread.git.repository import read_head
from carethread.ids import CoordinationId, parse_coordination_id
from carethread.record.model import Progress
from carethread.store import tables
from carethread.store.database import Database
from carethread.store.installation import FILE_NAME, sync_folder
from carethread.store.materialise import FLUSH_LOCK_TIMEOUT_S, Materialiser, record_path

HEADS = "heads.json"
TABLES = "tables"


def backup(
    materialiser: Materialiser,
    database: Database,
    data_dir: Path,
    records: list[CoordinationId],
    target: Path,
    progress: Progress,
) -> None:
    """Write a backup of these records to a new file.

    Raises:
        ConfigurationError: the file exists already.
        IntegrityError: a repository is not what the journal expects.
        StorageError: the disk failed; no backup is left behind.
    """
    if target.exists():
        raise ConfigurationError(f"{target} exists already; name a new file")
    partial = target.with_name(f".{target.name}.partial")
    heads = {}
    try:
        with partial.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                archive.add(data_dir / FILE_NAME, FILE_NAME)
                for done, coordination_id in enumerate(records):
                    progress(done, len(records))
                    heads[coordination_id] = _add(archive, materialiser, data_dir, coordination_id)
                _add_tables(archive, database)
                _add_bytes(archive, HEADS, msgspec.json.encode(heads))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StorageError(f"the backup failed: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    progress(len(records), len(records))


def _add(archive: tarfile.TarFile, materialiser: Materialiser, data_dir: Path, coordination_id: CoordinationId) -> str:
    materialiser.flush(coordination_id)
    path = record_path(materialiser.root, coordination_id)
    # More may have been flushed since; whole rounds only, because a round holds this lock.
    with materialiser.lock.hold(FLUSH_LOCK_TIMEOUT_S):
        archive.add(path, str(path.relative_to(data_dir)))
        head = read_head(path)
    if head is None:
        raise IntegrityError(f"record {coordination_id} has no commit")
    return head.hex()


def _add_tables(archive: tarfile.TarFile, database: Database) -> None:
    with database.snapshot() as connection:
        for table in tables.TABLES:
            with TemporaryFile() as file:
                tables.dump(connection, table, file)
                member = tarfile.TarInfo(f"{TABLES}/{table.name}.jsonl")
                member.size = file.tell()
                file.seek(0)
                archive.addfile(member, file)


def load_tables(database: Database, data_dir: Path) -> None:
    """Fill a new database with the tables that were unpacked beside the records, and remove their files.

    Raises:
        ConfigurationError: the database is not empty.
        IntegrityError: a file is missing or damaged; nothing was loaded.
    """
    folder = data_dir / TABLES
    with database.write() as connection:
        tables.check_empty(connection)
        for table in tables.TABLES:
            path = folder / f"{table.name}.jsonl"
            if not path.is_file():
                raise IntegrityError(f"the backup has no {table.name}")
            with path.open("rb") as file:
                tables.load(connection, table, file)
    rmtree(folder)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def unpack(source: Path, data_dir: Path, progress: Progress) -> None:
    """Unpack a backup into a new data directory and check that every repository stands where it stood.

    Raises:
        ConfigurationError: the directory is not empty, or the file is no backup.
        IntegrityError: the backup is damaged.
        StorageError: the disk failed.
    """
    if data_dir.exists() and any(data_dir.iterdir()):
        raise ConfigurationError(f"{data_dir} is not empty; restore into a new directory")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tarfile.open(source, mode="r:") as archive:
            archive.extractall(data_dir, filter="data")
    except tarfile.TarError as error:
        raise IntegrityError(f"{source} is no backup, or damaged: {error}") from error
    except OSError as error:
        raise StorageError(f"restoring failed: {error.strerror}") from error
    heads_file = data_dir / HEADS
    if not heads_file.is_file() or not (data_dir / FILE_NAME).is_file():
        raise IntegrityError(f"{source} is no backup, or its end is missing")
    try:
        heads = msgspec.json.decode(heads_file.read_bytes(), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise IntegrityError(f"{source}: {HEADS} is damaged") from error
    for done, (name, expected) in enumerate(heads.items()):
        progress(done, len(heads))
        head = read_head(record_path(data_dir / "coordination", parse_coordination_id(name)))
        if head is None or head.hex() != expected:
            raise IntegrityError(f"record {name} in the backup does not stand at the commit it was taken at")
    heads_file.unlink()
