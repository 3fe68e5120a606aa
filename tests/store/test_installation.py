"""Who an installation is."""

from pathlib import Path

import pytest

from carethread import errors
from carethread.ids import random_uuid
from carethread.store.installation import check_domain, load_or_make


def test_made_once_and_kept(tmp_path: Path) -> None:
    custodian, domain = load_or_make(tmp_path, "Thames Valley: Shared Care", "care.example", random_uuid)
    assert (custodian.name, domain) == ("Thames Valley: Shared Care", "care.example")
    text = (tmp_path / "installation.yaml").read_text()
    assert text == f'id: {custodian.id}\nname: "Thames Valley: Shared Care"\ndomain: care.example\n'
    assert load_or_make(tmp_path, None, None, random_uuid) == (custodian, domain)
    assert load_or_make(tmp_path, custodian.name, domain, random_uuid) == (custodian, domain)


def test_defaults(tmp_path: Path) -> None:
    custodian, domain = load_or_make(tmp_path, None, None, random_uuid)
    assert (custodian.name, domain) == ("Carethread", "carethread.invalid")


@pytest.mark.parametrize("name,domain", [("Another", None), (None, "other.example")])
def test_settings_that_contradict_the_file(tmp_path: Path, name: str | None, domain: str | None) -> None:
    load_or_make(tmp_path, "One", "one.example", random_uuid)
    with pytest.raises(errors.ConfigurationError, match=r"installation.yaml says"):
        load_or_make(tmp_path, name, domain, random_uuid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id: x\n",
        "id: x\nname: A\ndomain: a.example\n",
        "id: 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12\nname: A\ndomain: A.example\n",
        "id: 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12\nname: '\ndomain: a.example\n",
        "id: 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12\ndomain: a.example\nname: A\n",
        "id: 4f8c2a1d-9e3b-4a7c-8f1e-6b0d2c5a9f12\nname: A\ndomain: a.example\nmore: b\n",
    ],
)
def test_a_damaged_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "installation.yaml").write_text(text)
    with pytest.raises(errors.ConfigurationError):
        load_or_make(tmp_path, None, None, random_uuid)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "installation.yaml").write_bytes(b"\xff")
    with pytest.raises(errors.ConfigurationError, match="cannot read"):
        load_or_make(tmp_path, None, None, random_uuid)


@pytest.mark.parametrize(
    "domain", ["", "A.example", "a..b", "-a.example", "a b", "ä.example", "a" * 254, "a\n.example"]
)
def test_domains_unfit_for_a_commit(domain: str) -> None:
    with pytest.raises(errors.ConfigurationError):
        check_domain(domain)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(errors.StorageError):
        load_or_make(tmp_path / "missing", None, None, random_uuid)
