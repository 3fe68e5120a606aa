"""Who this installation is: `installation.yaml` in the data directory.

It is made once, when a data directory is first opened, and belongs to the records: their status files name it as
their custodian. Without it, or with another, the records are for reading.
"""

import os
from pathlib import Path

from carethread.errors import ConfigurationError, InvalidValueError, StorageError
from carethread.ids import IdSource, ParticipantId, parse_participant_id
from carethread.record.model import Custodian
from carethread.record.text import check_name
from carethread.record.yaml_form import read_scalar, write_scalar

FILE_NAME = "installation.yaml"
DEFAULT_NAME = "Carethread"
# RFC 2606 keeps .invalid free: these addresses name people in Git and are nobody's mailbox.
DEFAULT_DOMAIN = "carethread.invalid"

_MAX_DOMAIN = 253  # RFC 1035
_KEYS = ("id", "name", "domain")


def load_or_make(data_dir: Path, name: str | None, domain: str | None, mint: IdSource) -> tuple[Custodian, str]:
    """Return this installation and its domain; make the file where there is none.

    Raises:
        ConfigurationError: the file is damaged, or `name` or `domain` contradict it.
        StorageError: the data directory cannot be written.
    """
    path = data_dir / FILE_NAME
    if not path.exists():
        made = Custodian(ParticipantId(str(mint())), check_name(name or DEFAULT_NAME, "installation name"))
        _write_new(path, made, check_domain(domain or DEFAULT_DOMAIN))
    custodian, found_domain = _read(path)
    for field, asked, found in (("name", name, custodian.name), ("domain", domain, found_domain)):
        if asked is not None and asked != found:
            raise ConfigurationError(
                f"installation {field}: {path.name} says {found!r}; leave the setting out, it is said once"
            )
    return custodian, found_domain


def check_domain(text: str) -> str:
    """Return a domain name fit for the right side of an address in a commit.

    Raises:
        ConfigurationError: it is not one.
    """
    labels = text.split(".")
    if len(text) > _MAX_DOMAIN or not all(
        label.isascii() and label.replace("-", "").isalnum() and label == label.strip("-").lower() for label in labels
    ):
        raise ConfigurationError("installation domain: give a lower-case domain name such as care.example")
    return text


def _write_new(path: Path, custodian: Custodian, domain: str) -> None:
    text = f"id: {custodian.id}\nname: {write_scalar(custodian.name)}\ndomain: {write_scalar(domain)}\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"cannot write {path.name}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make durable what a folder's files are called."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> tuple[Custodian, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"cannot read {path.name}: {error}") from error
    lines = text.split("\n")
    if len(lines) != len(_KEYS) + 1 or lines[-1]:
        raise ConfigurationError(f"{path.name} must have the lines {', '.join(_KEYS)}, in this order")
    values = [_value(path.name, line, key) for line, key in zip(lines, _KEYS, strict=False)]
    try:
        identifier = parse_participant_id(values[0], "id")
        name = check_name(read_scalar(values[1], "name"), "name")
        return Custodian(identifier, name), check_domain(read_scalar(values[2], "domain"))
    except InvalidValueError as error:
        raise ConfigurationError(f"{path.name}: {error}") from error


def _value(file: str, line: str, key: str) -> str:
    if not line.startswith(f"{key}: "):
        raise ConfigurationError(f"{file} must have the lines {', '.join(_KEYS)}, in this order")
    return line.removeprefix(f"{key}: ")
