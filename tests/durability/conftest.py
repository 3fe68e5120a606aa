"""Disks that are full, or gone: what becomes of a data directory that is made there."""

from collections.abc import Callable

import pytest

from carethread.store import migrate


@pytest.fixture(autouse=True)
def _tables_made_here(monkeypatch: pytest.MonkeyPatch, tables_at_hand: Callable[[str], None]) -> None:
    """Make the tables where a data directory is made, as an installation does, and copy none."""
    monkeypatch.setattr(migrate, "upgrade", tables_at_hand)
